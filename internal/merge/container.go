package merge

import (
	"fmt"
	"strconv"

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

func (r receiver) path(list string) string {
	if r.init {
		return "/spec/initContainers/" + strconv.Itoa(r.index) + "/" + list
	}
	return "/spec/containers/" + strconv.Itoa(r.index) + "/" + list
}

func (r receiver) in(pod *corev1.Pod) *corev1.Container {
	if r.init {
		return &pod.Spec.InitContainers[r.index]
	}
	return &pod.Spec.Containers[r.index]
}

func (d *decision) addVariables(r receiver) {
	found := make([]*corev1.EnvVar, len(d.change.vars.items))
	for i := range r.Env {
		if at, ok := d.change.vars.at[r.Env[i].Name]; ok {
			found[at] = &r.Env[i] // of two, the last counts
		}
	}
	var missing []corev1.EnvVar
	for i := range d.change.vars.items {
		v := &d.change.vars.items[i]
		switch f := found[i]; {
		case f == nil:
			missing = append(missing, v.EnvVar)
			d.countVariable(v)
		case sameVariable(f, &v.EnvVar), v.kind == second, v.kind == holds && d.options.OnConflict == mount.KeepPod:
		default:
			d.conflict(v.owners, r.Name, "env", v.Name, "is set to something else already")
		}
	}
	// In front, so that the Pod's own variables can refer to them.
	add(d, r.path("env"),
		func(pod *corev1.Pod) *[]corev1.EnvVar { return &r.in(pod).Env },
		0, len(r.Env), missing)
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
	have := make(map[string]corev1.VolumeMount, len(r.VolumeMounts))
	for at, m := range r.taken() {
		have[at] = m
		d.checkMount(r, at, m.Name)
	}
	var missing []corev1.VolumeMount
	for i := range d.change.mounts.items {
		m := &d.change.mounts.items[i]
		if _, there := have[m.path]; there {
			continue // ours, or a conflict
		}
		d.checkParent(r, m, have)
		if m.Name != "" {
			missing = append(missing, m.VolumeMount)
			d.growth += len(m.Name) + len(m.MountPath) + mountGrowth
		}
	}
	add(d, r.path("volumeMounts"),
		func(pod *corev1.Pod) *[]corev1.VolumeMount { return &r.in(pod).VolumeMounts },
		len(r.VolumeMounts), len(r.VolumeMounts), missing)
}

// checkMount finds what a volume that the container has at a path would take the
// place of.
func (d *decision) checkMount(r receiver, at, volume string) {
	if ours, ok := d.change.mounts.get(at); ok && ours.Name != volume {
		switch {
		case ours.Name != "":
			d.conflict(ours.owners, r.Name, "volumeMounts", at, "has the volume "+quote(volume)+" already")
		case volume == mount.FetchVolume, mount.IsName(volume), !d.annotated:
			d.conflict(ours.owners, r.Name, "volumeMounts", at, "has the volume "+quote(volume)+" already, where another webhook would have to mount its own")
		}
	}
	for _, i := range d.change.covers[at] {
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

// checkParent finds a mount of the container in which the kubelet would have to
// make the mount point of m, and cannot.
func (d *decision) checkParent(r receiver, m *mounted, have map[string]corev1.VolumeMount) {
	for dir := range above(m.path) {
		if parent, ok := have[dir]; ok {
			if parent.ReadOnly && !d.change.nests(parent.Name) {
				d.conflict(m.owners, r.Name, "volumeMounts", dir, "is read-only, and secrets would have to be mounted below it")
			}
			return
		}
		if _, ours := d.change.mounts.get(dir); ours {
			return // Merge has checked it
		}
	}
}
