package merge

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/podsecrets/podsecrets/mount"
)

// volume is a volume that the Pod gets. One that projects Secrets collects the items of all
// secrets in it. Any other is as in its fragment.
type volume struct {
	*corev1.Volume
	merged *projection // nil if the volume has only the one item of its first fragment
	requesters
}

// projection returns the items of the volume.
func (v *volume) projection() *projection {
	if v.merged != nil {
		return v.merged
	}
	p := new(projection)
	p.addFirst(v.Projected, v.first)
	return p
}

// inMemory returns a volume into which fetchers write.
func inMemory(name string) *corev1.Volume {
	return &corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory},
	}}
}

var fetchVolume, envVolume = inMemory(mount.FetchVolume), inMemory(mount.EnvVolume)

// addVolumes adds the volumes and mounts of a secret.
func (c *Change) addVolumes(sc *scope, i int) {
	s := &c.secrets[i]
	f := &s.Fragment
	for j := range f.Volumes {
		c.addVolume(sc, i, &f.Volumes[j])
	}
	for _, m := range f.VolumeMounts {
		m.Name = sc.volumeName(m.Name)
		c.addMount(sc, i, mountPoint{VolumeMount: m})
	}
	if f.Mounts(mount.FetchVolume) {
		c.addVolume(sc, i, fetchVolume)
		if f.File {
			c.addMount(sc, i, mountPoint{VolumeMount: corev1.VolumeMount{Name: mount.FetchVolume, MountPath: c.layout.Dir}})
		}
	}
	if f.Mounts(mount.EnvVolume) {
		c.addVolume(sc, i, envVolume)
	}
}

func (c *Change) addVolume(sc *scope, i int, v *corev1.Volume) {
	name := sc.volumeName(v.Name)
	old, ok := sc.volumes.get(name)
	switch {
	case !ok:
		added := volume{Volume: v, requesters: requesters{first: i}}
		if name != v.Name {
			added.Volume = withName(v, name)
		}
		sc.volumes.add(name, added)
		old, _ = sc.volumes.get(name)
		if hasOneItem(v) {
			return // common: no projection is needed
		}
	case old.Volume != v && !sameVolume(old.Volume, v):
		c.conflict(i, old.first, "volumes", name, "would have two different sources")
		return
	default:
		old.requesters.add(i)
	}
	if projectsSecrets(v) {
		c.project(old, i, v.Projected)
	}
}

// sameVolume reports whether two volumes with the same name are equal or can be merged.
func sameVolume(a, b *corev1.Volume) bool {
	if projectsSecrets(a) && projectsSecrets(b) {
		return equality.Semantic.DeepEqual(a.Projected.DefaultMode, b.Projected.DefaultMode)
	}
	return equality.Semantic.DeepEqual(a.VolumeSource, b.VolumeSource)
}

// addVolumes adds missing items to existing volumes, and then the missing volumes. Scopes
// without receivers need none.
func (d *decision) addVolumes() {
	var needed ordered[scopedVolume]
	for _, r := range d.receivers {
		d.needVolumes(&needed, r.scope)
	}
	matches, count := d.view.volumes.lookup(&needed.index, nil), d.view.volumes.len()
	missing := make([]*corev1.Volume, 0, len(needed.items))
	for i, v := range needed.items {
		switch m := &matches[i]; {
		case !m.ok():
			missing = append(missing, d.withItems(v))
		case m.raw != nil && m.sameText(d.withItems(v), nil):
		case !sameSource(m.get(), v.Volume):
			d.volumeConflict(v.volume, v.requesters, m.index, "already has another source")
		case projectsSecrets(v.Volume):
			d.addItems(v, m)
		}
	}
	addInsert(d, podVolumes, place{}, count, count, missing)
}

type scopedVolume struct {
	*volume
	scope *scope
}

func (d *decision) needVolumes(needed *ordered[scopedVolume], sc *scope) {
	if len(d.receivers) > 1 {
		if d.volumesAdded == nil {
			d.volumesAdded = make(map[*scope]bool)
		}
		if d.volumesAdded[sc] {
			return
		}
		d.volumesAdded[sc] = true
	}
	for i := range sc.volumes.items {
		v := &sc.volumes.items[i]
		if _, ok := needed.get(v.Name); !ok {
			needed.add(v.Name, scopedVolume{v, sc})
		}
	}
}

// withItems returns the volume with all its items.
func (d *decision) withItems(v scopedVolume) *corev1.Volume {
	if v.merged == nil {
		return v.Volume
	}
	out, projected := *v.Volume, *v.Projected
	projected.Sources = v.merged.volumeSources(func(it *item) bool { return !d.blocksMountDir(v.scope, it) })
	out.Projected = &projected
	return &out
}

func (d *decision) volumeConflict(v *volume, reqs requesters, index int, reason string) {
	d.conflict(reqs, &mount.ConflictError{
		Path: fmt.Sprintf("spec.volumes[%d].name", index), Field: "volumes", Name: v.Name, Reason: reason,
	})
}

// sameSource reports whether an existing volume has at least what ours has, because API
// servers and other webhooks fill in the rest. Of projected volumes, it compares only the
// type; addItems compares the items.
func sameSource(existing, ours *corev1.Volume) bool {
	switch {
	case projectsSecrets(ours):
		return existing.Projected != nil
	case ours.Secret != nil:
		f, o := existing.Secret, ours.Secret
		return f != nil && f.SecretName == o.SecretName && sameItems(f.Items, o.Items)
	}
	return equality.Semantic.DeepDerivative(ours.VolumeSource, existing.VolumeSource)
}

func sameItems(existing, ours []corev1.KeyToPath) bool {
	if len(existing) != len(ours) {
		return false
	}
	for i := range ours {
		if existing[i].Key != ours[i].Key || existing[i].Path != ours[i].Path {
			return false
		}
	}
	return true
}
