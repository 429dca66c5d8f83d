package merge

import (
	"bytes"
	"iter"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/json"

	"github.com/podsecrets/podsecrets/mount"
)

// View is what decisions need to know of a Pod. It shares the memory of the
// typed Pod or of the bytes that it is made from, and is read-only once made.
type View struct {
	Metadata Metadata `json:"metadata"`
	Spec     struct {
		Volumes          elements[corev1.Volume] `json:"volumes"`
		ImagePullSecrets []pullSecret            `json:"imagePullSecrets"`
		InitContainers   []Container             `json:"initContainers"`
		Containers       []Container             `json:"containers"`
	} `json:"spec"`
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
	Env           elements[corev1.EnvVar]        `json:"env"`
	VolumeMounts  []corev1.VolumeMount           `json:"volumeMounts"`
	VolumeDevices []corev1.VolumeDevice          `json:"volumeDevices"`
}

// ViewPod returns the View of a Pod.
func ViewPod(pod *corev1.Pod) *View {
	v := new(View)
	m := &v.Metadata
	m.Name, m.GenerateName, m.Namespace = pod.Name, pod.GenerateName, pod.Namespace
	m.Labels, m.Annotations = pod.Labels, pod.Annotations
	v.Spec.Volumes.typed = pod.Spec.Volumes
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
			Env: elements[corev1.EnvVar]{typed: c.Env}, VolumeMounts: c.VolumeMounts, VolumeDevices: c.VolumeDevices,
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

// mounted is a volume, or a part of it, that a container has at a path.
type mounted struct {
	volume        string
	subPath, expr string
	readOnly      bool
}

// mountPoints yields the paths at which c has something mounted, as the kubelet
// reads them. A device takes its path like a mount.
func (c *Container) mountPoints() iter.Seq2[string, mounted] {
	return func(yield func(string, mounted) bool) {
		for i := range c.VolumeMounts {
			m := &c.VolumeMounts[i]
			if !yield(absolute(m.MountPath), mounted{m.Name, m.SubPath, m.SubPathExpr, m.ReadOnly}) {
				return
			}
		}
		for _, d := range c.VolumeDevices {
			if !yield(absolute(d.DevicePath), mounted{volume: d.Name}) {
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

// elements is a list of named elements: those of a typed Pod, or their JSON.
// Most elements are none of ours, so that their names are all that is read.
type elements[T any] struct {
	typed []T
	raw   []rawElement
}

// UnmarshalJSON keeps the elements' JSON.
func (e *elements[T]) UnmarshalJSON(text []byte) error { return json.Unmarshal(text, &e.raw) }

func (e *elements[T]) len() int { return max(len(e.typed), len(e.raw)) }

// lookup returns for each of the names, at the name's place, the last element
// that has it.
func (e *elements[T]) lookup(names map[string]int) []match[T] {
	matches := make([]match[T], len(names))
	for i := range e.typed {
		if at, ok := names[nameOf(&e.typed[i])]; ok {
			matches[at] = match[T]{typed: &e.typed[i], index: i}
		}
	}
	for i, raw := range e.raw {
		if at, ok := names[string(raw.name())]; ok {
			matches[at] = match[T]{raw: raw, index: i}
		}
	}
	return matches
}

// nameOf returns the name of an element of a list.
func nameOf(element any) string {
	switch e := element.(type) {
	case *corev1.EnvVar:
		return e.Name
	case *corev1.Volume:
		return e.Name
	}
	panic("merge: a list of elements without names")
}

// match is an element that lookup has found, and its index in the list.
type match[T any] struct {
	typed *T
	raw   rawElement
	index int
}

func (m *match[T]) ok() bool { return m.typed != nil || m.raw != nil }

// get returns the element. One that cannot be decoded is like nothing of ours.
func (m *match[T]) get() *T {
	if m.typed == nil {
		m.typed = new(T)
		_ = json.Unmarshal(m.raw, m.typed)
	}
	return m.typed
}

// sameText reports whether the element is in JSON and just as ours, which is
// what most of ours are when a Pod is looked at again, and takes less time than
// to decode it.
func (m *match[T]) sameText(ours func() []byte) bool {
	return m.raw != nil && bytes.Equal(m.raw, ours())
}

// rawElement is the JSON of an element.
type rawElement []byte

// UnmarshalJSON keeps the text itself, although an Unmarshaler must copy what
// it keeps: the text is a part of the bytes that ViewJSON was given, which live
// as long as the View, and not a buffer that the decoder uses again.
func (e *rawElement) UnmarshalJSON(text []byte) error {
	*e = text
	return nil
}

// name returns the element's name, "" if it has none. API servers write it
// first, as they encode in the order of the API type's fields; in any other
// order it takes longer.
func (e rawElement) name() []byte {
	if rest, ok := bytes.CutPrefix(e, []byte(`{"name":"`)); ok {
		if end := bytes.IndexAny(rest, `"\`); end >= 0 && rest[end] == '"' {
			return rest[:end]
		}
	}
	var named struct {
		Name string `json:"name"`
	}
	if json.Unmarshal(e, &named) != nil {
		return nil
	}
	return []byte(named.Name)
}
