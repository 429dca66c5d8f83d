package merge

import (
	"iter"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/json"

	"github.com/podsecrets/podsecrets/mount"
)

// View is what decisions need to know of a Pod. It shares the memory of the
// typed Pod or of the bytes that it is made from, and is only read.
type View struct {
	Metadata Metadata `json:"metadata"`
	Spec     struct {
		Volumes          []element                     `json:"volumes"`
		ImagePullSecrets []corev1.LocalObjectReference `json:"imagePullSecrets"`
		InitContainers   []Container                   `json:"initContainers"`
		Containers       []Container                   `json:"containers"`
	} `json:"spec"`

	volumes []corev1.Volume // of a typed Pod, in place of Spec.Volumes
}

// Metadata is what decisions, and managers, may know of a Pod's metadata.
type Metadata struct {
	Name         string            `json:"name"`
	GenerateName string            `json:"generateName"`
	Namespace    string            `json:"namespace"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
}

// Container is what decisions need to know of a container.
type Container struct {
	Name          string                         `json:"name"`
	RestartPolicy *corev1.ContainerRestartPolicy `json:"restartPolicy"`
	Env           []element                      `json:"env"`
	VolumeMounts  []corev1.VolumeMount           `json:"volumeMounts"`
	VolumeDevices []corev1.VolumeDevice          `json:"volumeDevices"`

	env []corev1.EnvVar // of a typed Pod, in place of Env
}

// ViewPod returns the View of a Pod.
func ViewPod(pod *corev1.Pod) *View {
	v := &View{volumes: pod.Spec.Volumes}
	m := &v.Metadata
	m.Name, m.GenerateName, m.Namespace = pod.Name, pod.GenerateName, pod.Namespace
	m.Labels, m.Annotations = pod.Labels, pod.Annotations
	v.Spec.ImagePullSecrets = pod.Spec.ImagePullSecrets
	v.Spec.InitContainers = viewContainers(pod.Spec.InitContainers)
	v.Spec.Containers = viewContainers(pod.Spec.Containers)
	return v
}

func viewContainers(containers []corev1.Container) []Container {
	views := make([]Container, len(containers))
	for i := range containers {
		c := &containers[i]
		views[i] = Container{
			Name: c.Name, RestartPolicy: c.RestartPolicy,
			VolumeMounts: c.VolumeMounts, VolumeDevices: c.VolumeDevices, env: c.Env,
		}
	}
	return views
}

// ViewJSON returns the View of a Pod in JSON, with case-sensitive keys as the
// API server reads them.
func ViewJSON(raw []byte) (*View, error) {
	v := new(View)
	if err := json.Unmarshal(raw, v); err != nil {
		return nil, err
	}
	return v, nil
}

// ViewMetadata is ViewJSON for a Pod of which nothing but the metadata matters:
// the View has no more.
func ViewMetadata(raw []byte) (*View, error) {
	var pod struct {
		Metadata Metadata `json:"metadata"`
	}
	if err := json.Unmarshal(raw, &pod); err != nil {
		return nil, err
	}
	return &View{Metadata: pod.Metadata}, nil
}

// Meta returns the metadata that a mount.Target may show.
func (v *View) Meta() *metav1.ObjectMeta {
	m := &v.Metadata
	return &metav1.ObjectMeta{
		Name: m.Name, GenerateName: m.GenerateName, Namespace: m.Namespace,
		Labels: m.Labels, Annotations: m.Annotations,
	}
}

// volumesNamed returns the Pod's volumes that have one of the names; see find.
func (v *View) volumesNamed(names map[string]int) []found[corev1.Volume] {
	return find(v.volumes, v.Spec.Volumes, func(v *corev1.Volume) string { return v.Name }, names)
}

func (v *View) volumeCount() int { return max(len(v.volumes), len(v.Spec.Volumes)) }

// envNamed returns the variables that have one of the names; see find.
func (c *Container) envNamed(names map[string]int) []found[corev1.EnvVar] {
	return find(c.env, c.Env, func(v *corev1.EnvVar) string { return v.Name }, names)
}

func (c *Container) envCount() int { return max(len(c.env), len(c.Env)) }

// taking is a volume, or a part of it, that takes a path in a container.
type taking struct {
	volume        string
	subPath, expr string
	readOnly      bool
}

// taken yields the paths at which c has something mounted, as the kubelet reads
// them. A device takes its path like a mount.
func (c *Container) taken() iter.Seq2[string, taking] {
	return func(yield func(string, taking) bool) {
		for i := range c.VolumeMounts {
			m := &c.VolumeMounts[i]
			if !yield(absolute(m.MountPath), taking{m.Name, m.SubPath, m.SubPathExpr, m.ReadOnly}) {
				return
			}
		}
		for _, d := range c.VolumeDevices {
			if !yield(absolute(d.DevicePath), taking{volume: d.Name}) {
				return
			}
		}
	}
}

// describe returns what a choice of containers may know of c.
func (c *Container) describe(init bool) mount.Container {
	sidecar := init && c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
	return mount.Container{Name: c.Name, Init: init, Sidecar: sidecar}
}
