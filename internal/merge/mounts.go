package merge

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// mountPoint is a mount that every receiver of a scope gets.
type mountPoint struct {
	corev1.VolumeMount
	webhook bool   // another webhook adds it and its volume
	path    string // clean
	requesters
}

// countMounts returns the number of mounts in the scope's fragments.
func (c *Change) countMounts(sc *scope) (n int) {
	for _, i := range sc.members {
		n += len(c.secrets[i].Fragment.VolumeMounts)
	}
	return n
}

// containerMount returns the mount as it will be in a container.
func (m *mountPoint) containerMount() containerMount {
	return containerMount{path: m.MountPath, volume: m.Name, subPath: m.SubPath, expr: m.SubPathExpr, readOnly: m.ReadOnly}
}

func (c *Change) addMount(sc *scope, i int, m mountPoint) {
	m.path, m.requesters = absolute(m.MountPath), requesters{first: i}
	old, ok := sc.mounts.get(m.path)
	switch {
	case !ok:
		sc.mounts.add(m.path, m)
	case old.webhook != m.webhook:
		c.conflict(i, old.first, "volumeMounts", m.path, "would have two volumes, one of them from another webhook")
	case old.Name != m.Name && (old.Name == mount.FetchVolume || m.Name == mount.FetchVolume):
		c.conflict(i, old.first, "volumeMounts", m.path, "would have two volumes, one of them for fetched files: give the other file its own directory (path)")
	case old.Name != m.Name, old.SubPath != m.SubPath, old.SubPathExpr != m.SubPathExpr:
		c.conflict(i, old.first, "volumeMounts", m.path, "would have two volumes")
	default:
		old.requesters.add(i)
	}
}

// checkMountPoints reports mounts whose mount point cannot be created below another mount.
func (c *Change) checkMountPoints(sc *scope) {
	for _, m := range sc.mounts.items {
		for dir := range parents(m.path) {
			parent, ok := sc.mounts.get(dir)
			if !ok {
				continue
			}
			v, _ := sc.volumes.get(parent.Name)
			if reason := blocksNestedMounts(v.pod(), parent.containerMount()); reason != "" {
				c.conflictOf(m.first, parent.first, "volumeMounts", m.path, "would be below the volume mounted at "+quote(dir)+", which "+reason)
			}
			break // the mount point is created in the nearest parent
		}
	}
}

func (v *volume) pod() *corev1.Volume {
	if v == nil {
		return nil
	}
	return v.Volume
}

// addMounts adds the mounts that a receiver lacks.
func (d *decision) addMounts(r receiver) {
	sc := r.scope
	if len(sc.mounts.items) == 0 {
		return
	}
	byPath, paths := make(map[string]int, len(r.mounts)), make([]string, len(r.mounts))
	for i := range r.mounts {
		paths[i] = d.mountPath(sc, r.mounts[i].path)
		byPath[paths[i]] = i
		d.checkMount(r, paths[i], i)
	}
	for i, at := range paths {
		d.checkNestedMount(r, at, i, byPath)
	}
	var missing []*corev1.VolumeMount
	for i := range sc.mounts.items {
		m := &sc.mounts.items[i]
		if _, exists := byPath[m.path]; exists {
			continue // ours, or reported as a conflict
		}
		d.checkParentMount(r, m, byPath)
		if !m.webhook {
			missing = append(missing, &m.VolumeMount)
			d.growth += len(m.Name) + len(m.MountPath) + mountGrowth
		}
	}
	addInsert(d, r.mountList(), place{r.index, 0}, r.volumeMounts, r.volumeMounts, missing)
}

// mountPath returns a mount's path as the kubelet reads it. On Windows, where case does
// not matter, it returns the spelling of our mount with that path.
func (d *decision) mountPath(sc *scope, p string) string {
	if !d.view.isWindows() {
		return absolute(p)
	}
	p = absolute(fromWindows(p))
	for i := range sc.mounts.items {
		if ours := sc.mounts.items[i].path; strings.EqualFold(ours, p) {
			return ours
		}
	}
	return p
}

// checkMount reports secrets that an existing mount would hide, or whose mount has the
// same path.
func (d *decision) checkMount(r receiver, at string, index int) {
	sc, m := r.scope, &r.mounts[index]
	conflict := func(reqs requesters, name, reason string) {
		d.conflict(reqs, &mount.ConflictError{Path: r.mountField(index), Container: r.Name, Field: "volumeMounts", Name: name, Reason: reason})
	}
	if ours, ok := sc.mounts.get(at); ok {
		switch volume := m.volume; {
		case m.device:
			conflict(ours.requesters, at, "already has the device "+quote(volume))
		case ours.Name != volume && ours.webhook:
			conflict(ours.requesters, at, "already has the volume "+quote(volume)+", where another webhook must mount its own")
		case ours.Name != volume:
			conflict(ours.requesters, at, "already has the volume "+quote(volume))
		case m.subPath != ours.SubPath, m.expr != ours.SubPathExpr:
			// The path may then be another key of the Secret.
			conflict(ours.requesters, at, "already has another part of the volume "+quote(volume))
		}
	}
	for _, i := range d.filesHiddenAt(sc, at) {
		if d.tooManyProblems() {
			return
		}
		f := &sc.files[i]
		conflict(f.requesters, at, "would hide the secret "+quote(f.path))
	}
	for dir := range parents(at) {
		if i, ok := sc.fileTree.files[dir]; ok && sc.files[i].kind == kindPrimary {
			conflict(sc.files[i].requesters, at, "would be below the secret "+quote(dir)+", which is a file")
		}
	}
}

// mountField returns the path of the field with a mount's path.
func (r receiver) mountField(index int) string {
	if r.mounts[index].device {
		return r.fieldOfMount(index, "volumeDevices", "devicePath")
	}
	return r.fieldOfMount(index, "volumeMounts", "mountPath")
}

func (r receiver) fieldOfMount(index int, list, field string) string {
	return fmt.Sprintf("%s[%d].%s", r.path(r.index, list), r.mounts[index].index, field)
}

// checkParentMount reports a mount of the container in which the mount point of m cannot
// be created.
func (d *decision) checkParentMount(r receiver, m *mountPoint, byPath map[string]int) {
	for dir := range parents(m.path) {
		if at, ok := byPath[dir]; ok {
			parent := r.mounts[at]
			if reason := blocksNestedMounts(d.volumeOf(r.scope, parent), parent); reason != "" {
				d.conflict(m.requesters, &mount.ConflictError{
					Path: r.mountField(at), Container: r.Name, Field: "volumeMounts", Name: dir,
					Reason: reason + ", and secrets would have to be mounted below it",
				})
			}
			return
		}
		if _, ours := r.scope.mounts.get(dir); ours {
			return // checked by Merge
		}
	}
}

// volumeOf returns the volume of a container's mount, or nil if it is unknown.
func (d *decision) volumeOf(sc *scope, m containerMount) *corev1.Volume {
	if v, ok := sc.volumes.get(m.volume); ok {
		return v.Volume
	}
	v, known := d.podVolumes[m.volume]
	if !known {
		if matches := d.view.volumes.lookup(&index{names: []string{m.volume}}, nil); matches[0].ok() {
			v = matches[0].get()
		}
		if d.podVolumes == nil {
			d.podVolumes = make(map[string]*corev1.Volume)
		}
		d.podVolumes[m.volume] = v
	}
	return v
}
