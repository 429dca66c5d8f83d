package merge

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// mountPoint is a mount that every receiving container gets.
type mountPoint struct {
	corev1.VolumeMount        // the Name is "" if another webhook mounts its volume here
	path               string // clean
	requesters
}

func (c *Change) addMount(sc *scope, i int, m corev1.VolumeMount) {
	p := absolute(m.MountPath)
	old, ok := sc.mounts.get(p)
	switch {
	case !ok:
		sc.mounts.add(p, mountPoint{m, p, requesters{first: i}})
	case (old.Name == "") != (m.Name == ""):
		c.conflict(i, old.first, "volumeMounts", p, "would have two volumes, one of them brought by another webhook")
	case old.Name != m.Name, old.SubPath != m.SubPath, old.SubPathExpr != m.SubPathExpr:
		c.conflict(i, old.first, "volumeMounts", p, "would have two volumes")
	default:
		old.requesters.add(i)
	}
}

// findUnmountable reports mounts that cannot be made, below those of others.
func (c *Change) findUnmountable(sc *scope) {
	for _, m := range sc.mounts.items {
		for dir := range parents(m.path) {
			over, ok := sc.mounts.get(dir)
			if ok && over.ReadOnly && !sc.allowsNestedMounts(over.Name) {
				c.conflict(max(m.first, over.first), min(m.first, over.first), "volumeMounts", m.path, "would be below the read-only volume mounted at "+quote(dir))
			}
			if ok {
				break // the kubelet makes the mount point in the nearest one
			}
		}
	}
}

// allowsNestedMounts reports whether the volume is of a kind in which the
// kubelet makes mount points though it is read-only.
func (sc *scope) allowsNestedMounts(name string) bool {
	v, ok := sc.volumes.get(name)
	return ok && (v.Secret != nil || v.ConfigMap != nil || v.DownwardAPI != nil || v.Projected != nil)
}

// addMounts adds the mounts that a receiver does not have.
func (d *decision) addMounts(sc *scope, r receiver) {
	have := make(map[string]mounted, len(r.mounts))
	for _, m := range r.mounts {
		at := absolute(m.path)
		have[at] = m
		d.checkMount(sc, r, at, m)
	}
	var missing []*corev1.VolumeMount
	for i := range sc.mounts.items {
		m := &sc.mounts.items[i]
		if _, there := have[m.path]; there {
			continue // ours, or a conflict
		}
		d.checkParent(sc, r, m, have)
		if m.Name != "" {
			missing = append(missing, &m.VolumeMount)
			d.growth += len(m.Name) + len(m.MountPath) + mountGrowth
		}
	}
	add(d, r.mountList(), r.index, r.volumeMounts, r.volumeMounts, missing)
}

// checkMount reports secrets that an existing mount would hide, or whose mount
// it takes the place of.
func (d *decision) checkMount(sc *scope, r receiver, at string, m mounted) {
	if ours, ok := sc.mounts.get(at); ok {
		switch volume := m.volume; {
		case ours.Name == volume:
			// What is at the path then may be another key of the Secret.
			if m.subPath != ours.SubPath || m.expr != ours.SubPathExpr {
				d.conflict(ours.requesters, r.Name, "volumeMounts", at, "has another part of the volume "+quote(volume)+" already")
			}
		case ours.Name != "":
			d.conflict(ours.requesters, r.Name, "volumeMounts", at, "has the volume "+quote(volume)+" already")
		case volume == mount.FetchVolume, mount.IsName(volume), !d.hasAllAnnotations:
			d.conflict(ours.requesters, r.Name, "volumeMounts", at, "has the volume "+quote(volume)+" already, where another webhook would have to mount its own")
		}
	}
	for _, i := range d.filesHiddenAt(sc, at) {
		if d.full() {
			return
		}
		f := &sc.files[i]
		d.conflict(f.requesters, r.Name, "volumeMounts", at, "would hide the secret "+quote(f.path))
	}
	for dir := range parents(at) {
		if i, ok := sc.fileTree.files[dir]; ok && sc.files[i].kind != kindAlias {
			d.conflict(sc.files[i].requesters, r.Name, "volumeMounts", at, "would be below the secret "+quote(dir)+", which is a file")
		}
	}
}

// filesHiddenAt returns the files that a mount at the path would hide.
func (d *decision) filesHiddenAt(sc *scope, at string) []int {
	_, file := sc.fileTree.files[at]
	if _, dir := sc.fileTree.dirs[at]; !file && !dir {
		return nil // as most mounts of a Pod
	}
	if d.hiddenFiles == nil {
		d.hiddenFiles = sc.filesByMount()
	}
	return d.hiddenFiles[at]
}

// checkParent finds a mount of the container in which the kubelet would have to
// make the mount point of m, and cannot.
func (d *decision) checkParent(sc *scope, r receiver, m *mountPoint, have map[string]mounted) {
	for dir := range parents(m.path) {
		if parent, ok := have[dir]; ok {
			if parent.readOnly && !sc.allowsNestedMounts(parent.volume) {
				d.conflict(m.requesters, r.Name, "volumeMounts", dir, "is read-only, and secrets would have to be mounted below it")
			}
			return
		}
		if _, ours := sc.mounts.get(dir); ours {
			return // Merge has checked it
		}
	}
}
