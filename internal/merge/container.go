package merge

import (
	"fmt"
	"path"
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
	for i, v := range d.change.vars.items {
		switch f := found[i]; {
		case f == nil:
			missing = append(missing, v.EnvVar)
			d.countLiteral(&v)
		case sameVariable(f, &v.EnvVar), v.kind == second, v.kind == holds && d.options.OnConflict == mount.KeepPod:
		default:
			d.conflict(v.owner, r.Name, "env", v.Name, "is set to something else already")
		}
	}
	// In front, so that the Pod's own variables can refer to them.
	add(d, insert[corev1.EnvVar, *corev1.EnvVar]{
		path:   r.path("env"),
		list:   func(pod *corev1.Pod) *[]corev1.EnvVar { return &r.in(pod).Env },
		length: len(r.Env),
		elems:  missing,
	})
}

func (d *decision) countLiteral(v *variable) {
	if v.of == "" || d.literals > maxLiterals {
		return
	}
	if d.literals += len(v.Name) + len(v.Value); d.literals > maxLiterals {
		d.problems = append(d.problems, Problem{v.owner, &mount.ValueError{
			Name:   v.Name,
			Reason: fmt.Sprintf("the literals added to the pod would have more than %d bytes", maxLiterals),
		}})
	}
}

func (d *decision) addMounts(r receiver) {
	have := make(map[string]bool, len(d.change.mounts.items))
	for _, m := range r.VolumeMounts {
		at := path.Clean(m.MountPath)
		ours, known := d.change.mounts.get(at)
		_, ourVolume := d.change.volumes.get(m.Name)
		switch {
		case known && ours.Name == m.Name:
			have[at] = true
		case known && ours.Name != "":
			d.conflict(ours.owner, r.Name, "volumeMounts", at, "has the volume "+quote(m.Name)+" already")
		case m.ReadOnly && !ourVolume && d.change.mountTree.dirs[at]:
			d.conflict(d.mountBelow(at), r.Name, "volumeMounts", at, "is read-only, and secrets would have to be mounted below it")
		case d.change.covers[at] != "":
			hidden := d.change.files[d.change.fileTree.files[d.change.covers[at]]]
			d.conflict(hidden.owner, r.Name, "volumeMounts", at, "would hide the secret "+quote(hidden.path))
		}
	}
	var missing []corev1.VolumeMount
	for _, m := range d.allMounts {
		if !have[path.Clean(m.MountPath)] {
			missing = append(missing, m)
		}
	}
	add(d, insert[corev1.VolumeMount, *corev1.VolumeMount]{
		path:   r.path("volumeMounts"),
		list:   func(pod *corev1.Pod) *[]corev1.VolumeMount { return &r.in(pod).VolumeMounts },
		at:     len(r.VolumeMounts),
		length: len(r.VolumeMounts),
		elems:  missing,
	})
}

// mountBelow returns the owner of the first mount below a directory.
func (d *decision) mountBelow(dir string) int {
	for _, m := range d.change.mounts.items {
		if within(dir, path.Clean(m.MountPath)) {
			return m.owner
		}
	}
	return 0
}
