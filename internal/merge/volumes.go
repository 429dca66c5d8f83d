package merge

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/podsecrets/podsecrets/mount"
)

// volume is one that the Pod gets. If it projects Secrets, it grows with each
// secret that has an item in it. Any other is as its fragment has it.
type volume struct {
	*corev1.Volume
	grown *projection // what a volume holds that several fragments or items make
	requesters
}

// projection returns what the volume projects.
func (v *volume) projection() *projection {
	if v.grown != nil {
		return v.grown
	}
	p := new(projection)
	p.addFirst(v.Projected, v.first)
	return p
}

// inMemory are the volumes into which fetchers write.
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
			added.Volume = named(v, name)
		}
		sc.volumes.add(name, added)
		old, _ = sc.volumes.get(name)
		if hasOneItem(v) {
			return // as most have
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

// sameVolume reports whether two volumes of one name are the same, or grow into
// one.
func sameVolume(a, b *corev1.Volume) bool {
	if projectsSecrets(a) && projectsSecrets(b) {
		return equality.Semantic.DeepEqual(a.Projected.DefaultMode, b.Projected.DefaultMode)
	}
	return equality.Semantic.DeepEqual(a.VolumeSource, b.VolumeSource)
}

// addVolumes adds what is missing to the volumes that are there, and then the
// volumes that are missing. Scopes without receivers need none.
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
			missing = append(missing, d.whole(v))
		case m.raw != nil && m.sameText(d.whole(v), nil):
		case !sameSource(m.get(), v.Volume):
			d.volumeConflict(v.volume, v.requesters, m.index, "has another source already")
		case projectsSecrets(v.Volume):
			d.addItems(v, m)
		}
	}
	add(d, podVolumes, place{}, count, count, missing)
}

type scopedVolume struct {
	*volume
	scope *scope
}

func (d *decision) needVolumes(needed *ordered[scopedVolume], sc *scope) {
	if len(d.receivers) > 1 {
		if d.seen == nil {
			d.seen = make(map[*scope]bool)
		}
		if d.seen[sc] {
			return
		}
		d.seen[sc] = true
	}
	for i := range sc.volumes.items {
		v := &sc.volumes.items[i]
		if _, ok := needed.get(v.Name); !ok {
			needed.add(v.Name, scopedVolume{v, sc})
		}
	}
}

// whole returns the volume with all that it holds.
func (d *decision) whole(v scopedVolume) *corev1.Volume {
	if v.grown == nil {
		return v.Volume
	}
	out, projected := *v.Volume, *v.Projected
	projected.Sources = v.grown.all(func(it *item) bool { return !d.blocksMountDir(v.scope, it) })
	out.Projected = &projected
	return &out
}

func (d *decision) volumeConflict(v *volume, of requesters, index int, reason string) {
	d.conflict(of, &mount.ConflictError{
		Path: fmt.Sprintf("spec.volumes[%d].name", index), Field: "volumes", Name: v.Name, Reason: reason,
	})
}

// sameSource reports whether found is a projected volume, as ours is, or has at
// least what ours has. API servers and other webhooks fill in the rest.
func sameSource(found, ours *corev1.Volume) bool {
	switch {
	case projectsSecrets(ours):
		return found.Projected != nil
	case ours.Secret != nil:
		f, o := found.Secret, ours.Secret
		return f != nil && f.SecretName == o.SecretName && sameItems(f.Items, o.Items)
	}
	return equality.Semantic.DeepDerivative(ours.VolumeSource, found.VolumeSource)
}

func sameItems(found, ours []corev1.KeyToPath) bool {
	if len(found) != len(ours) {
		return false
	}
	for i := range ours {
		if found[i].Key != ours[i].Key || found[i].Path != ours[i].Path {
			return false
		}
	}
	return true
}
