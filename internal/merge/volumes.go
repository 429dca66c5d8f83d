package merge

import (
	"iter"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/podsecrets/podsecrets/mount"
)

// volume is one that the Pod gets. Of a Secret's volume, only items counts, not
// the Items in it.
type volume struct {
	*corev1.Volume
	items []item
	tree  tree[int] // the places of items by path
	owners
}

// item is one of the files of a Secret's volume.
type item struct {
	corev1.KeyToPath
	second string // of a second name, which is left out where it cannot be: its path in the container
	owners
}

// mounted is a mount that every receiving container gets.
type mounted struct {
	corev1.VolumeMount        // the Name is "" if somebody else mounts something here
	path               string // clean
	owners
}

// file is one that holds a secret.
type file struct {
	path   string
	base   string // the path of the mount that brings it
	secret *Secret
	kind   kind // holds or second
	owners
}

var fetchVolume = &corev1.Volume{
	Name: mount.FetchVolume,
	VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory},
	},
}

// addVolumes adds the volumes and mounts of a fragment.
func (c *Change) addVolumes(f *mount.Fragment, dir string) {
	for i := range f.Volumes {
		c.addVolume(&f.Volumes[i])
	}
	for _, m := range f.VolumeMounts {
		c.addMount(m)
	}
	if len(f.Fetchers) > 0 {
		c.addVolume(fetchVolume)
		c.addMount(corev1.VolumeMount{Name: mount.FetchVolume, MountPath: dir})
	}
}

func (c *Change) addVolume(v *corev1.Volume) {
	old, ok := c.volumes.get(v.Name)
	switch {
	case !ok:
		c.volumes.add(v.Name, volume{Volume: v, owners: owners{first: c.adding}})
		old, _ = c.volumes.get(v.Name)
	case !mergeable(old.Volume, v):
		c.conflict(old.first, "volumes", v.Name, "would have two different sources")
		return
	default:
		old.owners.add(c.adding)
	}
	if v.Secret != nil {
		for _, it := range v.Secret.Items {
			c.addItem(old, item{it, "", owners{first: c.adding}})
		}
	}
}

// mergeable reports whether two volumes of one name are the same, or the same
// but for the items of a Secret. One with no items at all has every key of the
// Secret, which no list of items adds to.
func mergeable(a, b *corev1.Volume) bool {
	if a == b {
		return true
	}
	if a.Secret == nil || b.Secret == nil {
		return equality.Semantic.DeepEqual(a.VolumeSource, b.VolumeSource)
	}
	sa, sb := *a.Secret, *b.Secret
	if (len(sa.Items) == 0) != (len(sb.Items) == 0) {
		return false
	}
	sa.Items, sb.Items = nil, nil
	return equality.Semantic.DeepEqual(sa, sb)
}

func (c *Change) addItem(v *volume, it item) {
	if at, ok := v.tree.files[it.Path]; ok {
		if old := &v.items[at]; equality.Semantic.DeepEqual(old.KeyToPath, it.KeyToPath) {
			old.owners.add(c.adding)
		} else {
			c.conflict(old.first, "volumes", v.Name, "would have two different keys or modes at "+quote(it.Path))
		}
		return
	}
	// The kubelet never gets such a volume mounted, though it passes
	// validation.
	if reason, by, blocked := v.tree.blocked(it.Path); blocked {
		c.conflict(v.items[by].first, "volumes", v.Name, "has "+quote(it.Path)+", which "+reason)
		return
	}
	v.tree.add(it.Path, len(v.items))
	v.items = append(v.items, it)
}

func (c *Change) addMount(m corev1.VolumeMount) {
	p := absolute(m.MountPath)
	old, ok := c.mounts.get(p)
	switch {
	case !ok:
		c.mounts.add(p, mounted{m, p, owners{first: c.adding}})
	case (old.Name == "") != (m.Name == ""):
		c.conflict(old.first, "volumeMounts", p, "would have two volumes, one of them brought by another webhook")
	case old.Name != m.Name, old.SubPath != m.SubPath, old.SubPathExpr != m.SubPathExpr:
		c.conflict(old.first, "volumeMounts", p, "would have two volumes")
	default:
		old.owners.add(c.adding)
	}
}

// absolute returns the path of a mount as the kubelet reads it.
func absolute(p string) string {
	if !path.IsAbs(p) {
		p = "/" + p
	}
	return path.Clean(p)
}

// mountOf returns the path of the mount that brings the file p of s: the
// deepest of the fragment's own above it, else what is mounted at dir, which
// without a fetcher is somebody else's.
func (c *Change) mountOf(s *Secret, p, dir string) string {
	base := ""
	for _, m := range s.Fragment.VolumeMounts {
		if at := absolute(m.MountPath); len(at) > len(base) && within(at, p) {
			base = at
		}
	}
	if base != "" {
		return base
	}
	if len(s.Fragment.Fetchers) == 0 {
		c.addMount(corev1.VolumeMount{MountPath: dir})
	}
	return dir
}

// within reports whether the clean path p is dir or below it.
func within(dir, p string) bool {
	rest, ok := strings.CutPrefix(p, dir)
	return ok && (rest == "" || rest[0] == '/')
}

func (c *Change) putFile(f file) {
	if c.files == nil {
		c.files = make([]file, 0, len(c.secrets))
	}
	c.fileTree.add(f.path, len(c.files))
	c.files = append(c.files, f)
}

// addSecondItem offers the file of s under the other name too, if it is an item
// of a Secret's volume and nothing is in the way.
func (c *Change) addSecondItem(s *Secret, layout mount.Layout) {
	primary, ok := c.fileTree.files[s.Name(layout)]
	if !ok {
		return // it had a conflict
	}
	base := c.files[primary].base
	at, ok := c.mounts.get(base)
	if !ok || at.SubPath != "" || at.SubPathExpr != "" {
		return
	}
	v, ok := c.volumes.get(at.Name)
	if !ok {
		return
	}
	source, ok := v.tree.files[relative(base, s.Name(layout))]
	if !ok {
		return
	}
	p := s.layout(layout).Path(s.Group, s.otherVersion(), s.Key)
	if !within(base, p) {
		return
	}
	it := v.items[source]
	it.Path, it.second, it.owners = relative(base, p), p, owners{first: c.adding}
	_, taken := c.fileTree.files[p]
	_, takenInVolume := v.tree.files[it.Path]
	_, _, blocked := c.fileTree.blocked(p)
	_, _, blockedInVolume := v.tree.blocked(it.Path)
	// Kubernetes refuses an item whose path begins with "..".
	if taken || takenInVolume || blocked || blockedInVolume || c.hidden(p, base) != nil || strings.HasPrefix(it.Path, "..") {
		return
	}
	c.addItem(v, it)
	c.putFile(file{p, base, s, second, it.owners})
}

func relative(base, p string) string {
	return strings.TrimPrefix(p[len(base):], "/")
}

// hidden returns a mount below base that hides the file p, or nil.
func (c *Change) hidden(p, base string) *mounted {
	for at := range between(base, p) {
		if m, ok := c.mounts.get(at); ok {
			return m
		}
	}
	return nil
}

// between yields p and the directories above it that are below base.
func between(base, p string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if p == base || !yield(p) {
			return
		}
		for dir := range above(p) {
			if len(dir) <= len(base) || !yield(dir) {
				return
			}
		}
	}
}

// findHidden reports the files that another fragment's mount would hide and the
// mounts that cannot be made. Nobody misses a second name.
func (c *Change) findHidden() {
	for _, f := range c.files {
		if f.kind == second {
			continue
		}
		if m := c.hidden(f.path, f.base); m != nil {
			c.adding = max(f.first, m.first)
			c.conflict(min(f.first, m.first), "files", f.path, "would be hidden by the volume mounted at "+quote(m.path))
		}
	}
	for _, m := range c.mounts.items {
		for dir := range above(m.path) {
			over, ok := c.mounts.get(dir)
			if ok && over.ReadOnly && !c.nests(over.Name) {
				c.adding = max(m.first, over.first)
				c.conflict(min(m.first, over.first), "volumeMounts", m.path, "would be below the read-only volume mounted at "+quote(dir))
			}
			if ok {
				break // the kubelet makes the mount point in the nearest one
			}
		}
	}
}

// covers returns the paths at which a mount would hide files, and these.
func (c *Change) covers() map[string][]int {
	covers := make(map[string][]int)
	for i, f := range c.files {
		if f.kind == second {
			continue
		}
		for at := range between(f.base, f.path) {
			covers[at] = append(covers[at], i)
		}
	}
	return covers
}

// nests reports whether the volume is of a kind in which the kubelet makes mount
// points though it is read-only.
func (c *Change) nests(name string) bool {
	v, ok := c.volumes.get(name)
	return ok && (v.Secret != nil || v.ConfigMap != nil || v.DownwardAPI != nil || v.Projected != nil)
}
