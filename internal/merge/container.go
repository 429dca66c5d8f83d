package merge

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// maxLiterals is how many bytes of literal secrets one Pod may gain, all
// containers together. What the API server stores of a Pod must fit into etcd's
// request limit of 1.5 MiB.
const maxLiterals = 512 << 10

// receiver is a container that receives the secrets.
type receiver struct {
	*Container
	init  bool
	index int
}

func (r receiver) envList() *list[corev1.EnvVar] {
	if r.init {
		return initEnv
	}
	return containerEnv
}

func (r receiver) mountList() *list[corev1.VolumeMount] {
	if r.init {
		return initMounts
	}
	return containerMounts
}

func (d *decision) addVariables(r receiver) {
	have := r.envNamed(d.change.vars.at)
	missing := make([]*corev1.EnvVar, 0, len(have))
	for i := range d.change.vars.items {
		v := &d.change.vars.items[i]
		switch f := &have[i]; {
		case !f.ok():
			missing = append(missing, &v.EnvVar)
			d.countVariable(v)
		case f.is(&v.EnvVar, &v.text), sameVariable(f.get(), &v.EnvVar), v.kind == second, v.kind == holds && d.options.OnConflict == mount.KeepPod:
		default:
			d.conflict(v.owners, r.Name, "env", v.Name, "is set to something else already")
		}
	}
	// In front, so that the Pod's own variables can refer to them.
	add(d, r.envList(), r.index, 0, r.envCount(), missing)
}

func (d *decision) countVariable(v *variable) {
	size := len(v.Name) + len(v.Value)
	d.growth += size + variableGrowth
	if v.ValueFrom != nil {
		d.growth += size + referenceGrowth // names of about that length
	}
	if v.of == "" || d.literals > maxLiterals {
		return
	}
	if d.literals += size; d.literals > maxLiterals {
		d.problems = append(d.problems, Problem{v.first, none, &mount.ValueError{
			Name:   v.Name,
			Reason: fmt.Sprintf("the literals added to the pod would have more than %d bytes", maxLiterals),
		}})
	}
}

func (d *decision) addMounts(r receiver) {
	have := make(map[string]taking, len(r.VolumeMounts))
	for at, by := range r.taken() {
		have[at] = by
		d.checkMount(r, at, by)
	}
	var missing []*corev1.VolumeMount
	for i := range d.change.mounts.items {
		m := &d.change.mounts.items[i]
		if _, there := have[m.path]; there {
			continue // ours, or a conflict
		}
		d.checkParent(r, m, have)
		if m.Name != "" {
			missing = append(missing, &m.VolumeMount)
			d.growth += len(m.Name) + len(m.MountPath) + mountGrowth
		}
	}
	add(d, r.mountList(), r.index, len(r.VolumeMounts), len(r.VolumeMounts), missing)
}

// checkMount finds what a volume that the container has at a path would take the
// place of.
func (d *decision) checkMount(r receiver, at string, by taking) {
	if ours, ok := d.change.mounts.get(at); ok {
		switch volume := by.volume; {
		case ours.Name == volume:
			// What is at the path then may be another key of the Secret.
			if by.subPath != ours.SubPath || by.expr != ours.SubPathExpr {
				d.conflict(ours.owners, r.Name, "volumeMounts", at, "has another part of the volume "+quote(volume)+" already")
			}
		case ours.Name != "":
			d.conflict(ours.owners, r.Name, "volumeMounts", at, "has the volume "+quote(volume)+" already")
		case volume == mount.FetchVolume, mount.IsName(volume), !d.annotated:
			d.conflict(ours.owners, r.Name, "volumeMounts", at, "has the volume "+quote(volume)+" already, where another webhook would have to mount its own")
		}
	}
	for _, i := range d.coveredBy(at) {
		if d.full() {
			return
		}
		f := &d.change.files[i]
		d.conflict(f.owners, r.Name, "volumeMounts", at, "would hide the secret "+quote(f.path))
	}
	for dir := range above(at) {
		if i, ok := d.change.fileTree.files[dir]; ok && d.change.files[i].kind != second {
			d.conflict(d.change.files[i].owners, r.Name, "volumeMounts", at, "would be below the secret "+quote(dir)+", which is a file")
		}
	}
}

// coveredBy returns the files that a mount at the path would hide.
func (d *decision) coveredBy(at string) []int {
	_, file := d.change.fileTree.files[at]
	if _, dir := d.change.fileTree.dirs[at]; !file && !dir {
		return nil // as most mounts of a Pod
	}
	if d.covers == nil {
		d.covers = d.change.covers()
	}
	return d.covers[at]
}

// checkParent finds a mount of the container in which the kubelet would have to
// make the mount point of m, and cannot.
func (d *decision) checkParent(r receiver, m *mounted, have map[string]taking) {
	for dir := range above(m.path) {
		if parent, ok := have[dir]; ok {
			if parent.readOnly && !d.change.nests(parent.volume) {
				d.conflict(m.owners, r.Name, "volumeMounts", dir, "is read-only, and secrets would have to be mounted below it")
			}
			return
		}
		if _, ours := d.change.mounts.get(dir); ours {
			return // Merge has checked it
		}
	}
}
