package merge

import (
	"encoding/json"
	"path"

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
	requesters
}

// item is one of the files of a Secret's volume.
type item struct {
	corev1.KeyToPath
	alias string // of an alias, which is left out where it cannot be: its path in the container
	requesters
}

var fetchVolume = &corev1.Volume{
	Name: mount.FetchVolume,
	VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory},
	},
}

// addVolumes adds the volumes and mounts of a fragment.
func (c *Change) addVolumes(sc *scope, i int, dir string) {
	f := &c.secrets[i].Fragment
	for j := range f.Volumes {
		c.addVolume(sc, i, &f.Volumes[j])
	}
	for _, m := range f.VolumeMounts {
		c.addMount(sc, i, m)
	}
	if len(f.Fetchers) > 0 {
		c.addVolume(sc, i, fetchVolume)
		c.addMount(sc, i, corev1.VolumeMount{Name: mount.FetchVolume, MountPath: dir})
	}
}

func (c *Change) addVolume(sc *scope, i int, v *corev1.Volume) {
	old, ok := sc.volumes.get(v.Name)
	switch {
	case !ok:
		sc.volumes.add(v.Name, volume{Volume: v, requesters: requesters{first: i}})
		old, _ = sc.volumes.get(v.Name)
	case !mergeable(old.Volume, v):
		c.conflict(i, old.first, "volumes", v.Name, "would have two different sources")
		return
	default:
		old.requesters.add(i)
	}
	if v.Secret != nil {
		for _, it := range v.Secret.Items {
			c.addItem(i, old, item{it, "", requesters{first: i}})
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

func (c *Change) addItem(i int, v *volume, it item) {
	if at, ok := v.tree.files[it.Path]; ok {
		if old := &v.items[at]; equality.Semantic.DeepEqual(old.KeyToPath, it.KeyToPath) {
			old.requesters.add(i)
		} else {
			c.conflict(i, old.first, "volumes", v.Name, "would have two different keys or modes at "+quote(it.Path))
		}
		return
	}
	// The kubelet never gets such a volume mounted, though it passes
	// validation.
	if reason, by, blocked := v.tree.blocked(it.Path); blocked {
		c.conflict(i, v.items[by].first, "volumes", v.Name, "has "+quote(it.Path)+", which "+reason)
		return
	}
	v.tree.add(it.Path, len(v.items))
	v.items = append(v.items, it)
}

// addVolumes adds what is missing to the volumes that are there, and then the
// volumes that are missing.
func (d *decision) addVolumes(sc *scope) {
	matches, count := d.view.volumes.lookup(sc.volumes.at), d.view.volumes.len()
	var missing []*corev1.Volume
	for i := range sc.volumes.items {
		v := &sc.volumes.items[i]
		switch m := &matches[i]; {
		case !m.ok():
			missing = append(missing, d.withItems(sc, v))
		case m.sameText(func() []byte { text, _ := json.Marshal(d.withItems(sc, v)); return text }):
		case !sameSource(m.get(), v.Volume):
			d.conflict(v.requesters, "", "volumes", v.Name, "has another source already")
		case len(v.items) > 0:
			d.addItems(sc, v, m)
		}
	}
	add(d, podVolumes, 0, count, count, missing)
}

// withItems returns the volume with all its items.
func (d *decision) withItems(sc *scope, v *volume) *corev1.Volume {
	if len(v.items) == 0 {
		return v.Volume
	}
	out, source := *v.Volume, *v.Secret
	source.Items = make([]corev1.KeyToPath, 0, len(v.items))
	for i := range v.items {
		if !d.blocksMountDir(sc, &v.items[i]) {
			source.Items = append(source.Items, v.items[i].KeyToPath)
		}
	}
	out.Secret = &source
	return &out
}

// addItems adds the missing items to the Pod's volume that was found.
func (d *decision) addItems(sc *scope, v *volume, m *match[corev1.Volume]) {
	have := m.get().Secret.Items
	if len(have) == 0 {
		d.conflict(v.requesters, "", "volumes", v.Name, "holds the whole Secret, to which no list of keys can be added")
		return
	}
	// Of the directories above the Pod's own items, which can be millions, only
	// those count that would be files.
	files := tree[string]{make(map[string]string), make(map[string]string)}
	for _, it := range have {
		// The kubelet cleans paths, and of two items at one it takes any.
		p, key := path.Clean(it.Path), it.Key
		if other, ok := files.files[p]; ok && other != key {
			key = "" // neither
		}
		files.files[p] = key
		for dir := range parents(p) {
			if _, ours := v.tree.files[dir]; ours {
				files.dirs[dir] = it.Key
			}
		}
	}
	var missing []*corev1.KeyToPath
	for i := range v.items {
		it := &v.items[i]
		key, ok := files.files[it.Path]
		reason, _, blocked := files.blocked(it.Path)
		switch {
		case ok && key == it.Key:
		case it.alias != "" && (ok || blocked || d.blocksMountDir(sc, it)):
		case ok:
			d.conflict(it.requesters, "", "volumes", v.Name, "has another key at "+quote(it.Path)+" already")
		case blocked:
			d.conflict(it.requesters, "", "volumes", v.Name, "cannot take "+quote(it.Path)+", which "+reason)
		default:
			missing = append(missing, &it.KeyToPath)
			files.add(it.Path, it.Key)
		}
	}
	add(d, secretItems, m.index, len(have), len(have), missing)
}

// blocksMountDir reports whether the alias would be a file where a container
// needs the directory of one of its mounts.
func (d *decision) blocksMountDir(sc *scope, it *item) bool {
	if it.alias == "" {
		return false
	}
	if d.mountDirs == nil {
		d.mountDirs = make(map[string]bool)
		for _, r := range d.receivers {
			for _, m := range r.mounts {
				for dir := range parents(absolute(m.path)) {
					if _, ours := sc.fileTree.files[dir]; ours {
						d.mountDirs[dir] = true
					}
				}
			}
		}
	}
	return d.mountDirs[it.alias]
}

// sameSource reports whether found is a volume of the same Secret, or has at
// least what ours has. Items are compared separately, unless ours is the whole
// Secret.
func sameSource(found, ours *corev1.Volume) bool {
	if o, f := ours.Secret, found.Secret; o != nil {
		return f != nil && f.SecretName == o.SecretName && (len(o.Items) > 0 || len(f.Items) == 0)
	}
	return equality.Semantic.DeepDerivative(ours.VolumeSource, found.VolumeSource)
}
