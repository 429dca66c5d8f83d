package merge

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// A list is one of a Pod's, or one that each of its containers or volumes has.
type list[T any] struct {
	root  string // its JSON pointer, or that of those that have one
	field string // its name there, or ""
	of    func(pod *corev1.Pod, owner int) *[]T
}

// The lists to which edits add.
var (
	podVolumes = &list[corev1.Volume]{"/spec/volumes", "",
		func(pod *corev1.Pod, _ int) *[]corev1.Volume { return &pod.Spec.Volumes }}
	podPullSecrets = &list[corev1.LocalObjectReference]{"/spec/imagePullSecrets", "",
		func(pod *corev1.Pod, _ int) *[]corev1.LocalObjectReference { return &pod.Spec.ImagePullSecrets }}
	podInits = &list[corev1.Container]{"/spec/initContainers", "",
		func(pod *corev1.Pod, _ int) *[]corev1.Container { return &pod.Spec.InitContainers }}
	secretItems = &list[corev1.KeyToPath]{"/spec/volumes", "secret/items",
		func(pod *corev1.Pod, i int) *[]corev1.KeyToPath { return &pod.Spec.Volumes[i].Secret.Items }}
	initEnv = &list[corev1.EnvVar]{"/spec/initContainers", "env",
		func(pod *corev1.Pod, i int) *[]corev1.EnvVar { return &pod.Spec.InitContainers[i].Env }}
	initMounts = &list[corev1.VolumeMount]{"/spec/initContainers", "volumeMounts",
		func(pod *corev1.Pod, i int) *[]corev1.VolumeMount { return &pod.Spec.InitContainers[i].VolumeMounts }}
	containerEnv = &list[corev1.EnvVar]{"/spec/containers", "env",
		func(pod *corev1.Pod, i int) *[]corev1.EnvVar { return &pod.Spec.Containers[i].Env }}
	containerMounts = &list[corev1.VolumeMount]{"/spec/containers", "volumeMounts",
		func(pod *corev1.Pod, i int) *[]corev1.VolumeMount { return &pod.Spec.Containers[i].VolumeMounts }}
)

// path returns the JSON pointer to the list.
func (l *list[T]) path(owner int) string { return string(l.appendPath(nil, owner)) }

func (l *list[T]) appendPath(to []byte, owner int) []byte {
	to = append(to, l.root...)
	if l.field != "" {
		to = strconv.AppendInt(append(to, '/'), int64(owner), 10)
		to = append(append(to, '/'), l.field...)
	}
	return to
}
