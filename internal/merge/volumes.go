package merge

import (
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
	tree  tree[string] // the items' keys by path
	owner int
}

// item is one of the files of a Secret's volume.
type item struct {
	corev1.KeyToPath
	second bool // a second name, which is left out where it cannot be
	owner  int
}

// mounted is a mount that every receiving container gets.
type mounted struct {
	corev1.VolumeMount // the Name is "" if somebody else mounts something here
	owner              int
}

// file is one that holds a secret.
type file struct {
	path   string
	base   string // the path of the mount that brings it
	secret *Secret
	owner  int
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
	if !ok {
		c.volumes.add(v.Name, volume{Volume: v, owner: c.owner})
		old, _ = c.volumes.get(v.Name)
	} else if !mergeable(old.Volume, v) {
		c.conflict("volumes", v.Name, "would have two different sources")
		return
	}
	if v.Secret != nil {
		for _, it := range v.Secret.Items {
			c.addItem(old, item{it, false, c.owner})
		}
	}
}

// mergeable reports whether two volumes of one name are the same, or the same
// but for the items of a Secret. One with no items at all has every key of the
// Secret, which no list of items adds to.
func mergeable(a, b *corev1.Volume) bool {
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
	if key, ok := v.tree.files[it.Path]; ok {
		if key != it.Key {
			c.conflict("volumes", v.Name, "would have two keys at "+quote(it.Path))
		}
		return
	}
	// The kubelet never gets such a volume mounted, though it passes
	// validation.
	if reason, blocked := v.tree.blocked(it.Path); blocked {
		c.conflict("volumes", v.Name, "has "+quote(it.Path)+", which "+reason)
		return
	}
	v.tree.add(it.Path, it.Key)
	v.items = append(v.items, it)
}

func (c *Change) addMount(m corev1.VolumeMount) {
	p := path.Clean(m.MountPath)
	old, ok := c.mounts.get(p)
	switch {
	case !ok:
		c.mounts.add(p, mounted{m, c.owner})
		c.mountTree.add(p, struct{}{})
	case old.Name != m.Name:
		c.conflict("volumeMounts", p, "would have two volumes")
	}
}

// mountOf returns the path of the mount that brings the file p of s: the
// deepest of the fragment's own above it, else what is mounted at dir, which
// without a fetcher is somebody else's.
func (c *Change) mountOf(s *Secret, p, dir string) string {
	base := ""
	for _, m := range s.Fragment.VolumeMounts {
		if at := path.Clean(m.MountPath); len(at) > len(base) && within(at, p) {
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
	c.fileTree.add(f.path, len(c.files))
	c.files = append(c.files, f)
}

// addSecondItem offers the file of s at the path p too, if it is an item of a
// Secret's volume and nothing is in the way.
func (c *Change) addSecondItem(s *Secret, p string, layout mount.Layout) {
	primary, ok := c.fileTree.files[s.Path(layout)]
	if !ok {
		return // it had a conflict
	}
	base := c.files[primary].base
	at, ok := c.mounts.get(base)
	if !ok || at.SubPath != "" || !within(base, p) {
		return
	}
	v, ok := c.volumes.get(at.Name)
	if !ok {
		return
	}
	key, ok := v.tree.files[relative(base, s.Path(layout))]
	it := item{corev1.KeyToPath{Key: key, Path: relative(base, p)}, true, c.owner}
	_, taken := c.fileTree.files[p]
	_, blocked := c.fileTree.blocked(p)
	_, blockedInVolume := v.tree.blocked(it.Path)
	// Kubernetes refuses an item whose path begins with "..".
	if !ok || taken || blocked || blockedInVolume || c.hidden(p, base) != "" || strings.HasPrefix(it.Path, "..") {
		return
	}
	c.addItem(v, it)
	c.putFile(file{p, base, s, c.owner})
}

func relative(base, p string) string {
	return strings.TrimPrefix(p[len(base):], "/")
}

// hidden returns the path of a mount below base that hides the file p, or "".
func (c *Change) hidden(p, base string) string {
	for at := range between(base, p) {
		if _, ok := c.mounts.get(at); ok {
			return at
		}
	}
	return ""
}

// between yields p and the directories above it that are below base.
func between(base, p string) func(yield func(string) bool) {
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

// findHidden reports the files that another fragment's mount would hide, and
// notes where a mount of the Pod would.
func (c *Change) findHidden() {
	for _, f := range c.files {
		if at := c.hidden(f.path, f.base); at != "" {
			m, _ := c.mounts.get(at)
			c.owner = max(f.owner, m.owner)
			c.conflict("files", f.path, "would be hidden by the volume mounted at "+quote(at))
		}
		for at := range between(f.base, f.path) {
			c.covers[at] = f.path
		}
	}
}
