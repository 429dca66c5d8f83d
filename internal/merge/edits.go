package merge

import (
	"slices"
	"strconv"

	"gomodules.xyz/jsonpatch/v2"
	corev1 "k8s.io/api/core/v1"
)

// Edits is what one Pod gains. Apply, Operations and JSON write the same edits in three
// forms and decide nothing. Indices refer to the Pod after the preceding edits.
type Edits struct {
	decision *decision // nil if there was nothing to decide
	all      []edit
	size     int // estimated bytes that containers gain
}

// Receivers returns the names of the containers that receive the secret with that index.
func (e *Edits) Receivers(secret int) []string {
	var names []string
	for _, r := range e.decision.receivers {
		if e.decision.receives(r, secret) {
			names = append(names, r.Name)
		}
	}
	return names
}

type edit interface {
	// apply changes the Pod.
	apply(pod *corev1.Pod)
	// operations appends RFC 6902 "add" operations. Their values share no memory
	// with the edit.
	operations(to []jsonpatch.Operation) []jsonpatch.Operation
	// write writes the same operations as JSON.
	write(w *patchWriter)
}

// copier is a pointer to an API type.
type copier[T any] interface {
	*T
	DeepCopyInto(*T)
}

// insert inserts elements at an index of a list that has length elements. An empty list
// may be missing or null, so a patch then adds the list as a whole. The elements may be
// parts of fragments and are only read.
type insert[T any, P copier[T]] struct {
	list       *list[T]
	owner      place // of the container or volume that has the list
	at, length int
	elems      []*T
}

// place locates the owner of a list: the index of a container or volume, and the index of
// a source in the volume.
type place struct{ index, source int }

// addInsert records an insert, unless elems is empty.
func addInsert[T any, P copier[T]](d *decision, list *list[T], owner place, at, length int, elems []*T) {
	if len(elems) > 0 {
		d.edits = append(d.edits, insert[T, P]{list, owner, at, length, elems})
	}
}

func (e insert[T, P]) copies() []T {
	out := make([]T, len(e.elems))
	for i, elem := range e.elems {
		P(elem).DeepCopyInto(&out[i])
	}
	return out
}

func (e insert[T, P]) apply(pod *corev1.Pod) {
	list := e.list.of(pod, e.owner)
	*list = slices.Insert(*list, e.at, e.copies()...)
}

func (e insert[T, P]) operations(to []jsonpatch.Operation) []jsonpatch.Operation {
	path, elems := e.list.path(e.owner), e.copies()
	if e.length == 0 {
		return append(to, jsonpatch.NewOperation("add", path, elems))
	}
	for i := range elems {
		to = append(to, jsonpatch.NewOperation("add", path+"/"+strconv.Itoa(e.at+i), elems[i]))
	}
	return to
}

// annotate adds annotations, sorted by key.
type annotate struct {
	length     int  // of the existing annotations
	noMetadata bool // metadata is missing or null
	added      []pair
}

type pair struct{ key, value string }

// firstPath returns the path of the operation that adds the first annotations.
func (e annotate) firstPath() string {
	if e.noMetadata {
		return metadataPath
	}
	return annotationsPath
}

const (
	metadataPath    = "/metadata"
	annotationsPath = "/metadata/annotations"
)

func (e annotate) apply(pod *corev1.Pod) {
	if pod.Annotations == nil {
		pod.Annotations = make(map[string]string, len(e.added))
	}
	for _, a := range e.added {
		pod.Annotations[a.key] = a.value
	}
}

func (e annotate) operations(to []jsonpatch.Operation) []jsonpatch.Operation {
	if e.length == 0 {
		all := make(map[string]string, len(e.added))
		for _, a := range e.added {
			all[a.key] = a.value
		}
		if e.noMetadata {
			return append(to, jsonpatch.NewOperation("add", e.firstPath(), map[string]any{"annotations": all}))
		}
		return append(to, jsonpatch.NewOperation("add", e.firstPath(), all))
	}
	for _, a := range e.added {
		to = append(to, jsonpatch.NewOperation("add", string(appendKey([]byte(annotationsPath+"/"), a.key)), a.value))
	}
	return to
}

// appendKey appends a key, escaped for a JSON pointer (RFC 6901, section 3).
func appendKey(to []byte, key string) []byte {
	for i := range len(key) {
		switch c := key[i]; c {
		case '~':
			to = append(to, "~0"...)
		case '/':
			to = append(to, "~1"...)
		default:
			to = append(to, c)
		}
	}
	return to
}

// Empty reports whether the Pod already has everything.
func (e *Edits) Empty() bool { return len(e.all) == 0 }

// Apply returns a copy of the Pod with the edits.
func (e *Edits) Apply(pod *corev1.Pod) *corev1.Pod {
	out := pod.DeepCopy()
	for _, edit := range e.all {
		edit.apply(out)
	}
	return out
}

// Operations returns the edits as a JSON patch, never nil.
func (e *Edits) Operations() []jsonpatch.Operation {
	ops := []jsonpatch.Operation{}
	for _, edit := range e.all {
		ops = edit.operations(ops)
	}
	return ops
}

// list is a list in a Pod, or in each of its containers or volumes.
type list[T any] struct {
	root  string // JSON pointer to the list, or to the list of its owners
	field string // path of the list in its owner, or ""
	inner string // path of a list in each element of field, or ""
	of    func(pod *corev1.Pod, owner place) *[]T
}

// The lists to which edits add.
var (
	podVolumes = &list[corev1.Volume]{"/spec/volumes", "", "",
		func(pod *corev1.Pod, _ place) *[]corev1.Volume { return &pod.Spec.Volumes }}
	podPullSecrets = &list[pullSecret]{"/spec/imagePullSecrets", "", "",
		func(pod *corev1.Pod, _ place) *[]pullSecret { return &pod.Spec.ImagePullSecrets }}
	podInits = &list[corev1.Container]{"/spec/initContainers", "", "",
		func(pod *corev1.Pod, _ place) *[]corev1.Container { return &pod.Spec.InitContainers }}
	projectedSources = &list[corev1.VolumeProjection]{"/spec/volumes", "projected/sources", "",
		func(pod *corev1.Pod, p place) *[]corev1.VolumeProjection {
			return &pod.Spec.Volumes[p.index].Projected.Sources
		}}
	projectedItems = &list[corev1.KeyToPath]{"/spec/volumes", "projected/sources", "secret/items",
		func(pod *corev1.Pod, p place) *[]corev1.KeyToPath {
			return &pod.Spec.Volumes[p.index].Projected.Sources[p.source].Secret.Items
		}}
	initEnv = &list[corev1.EnvVar]{"/spec/initContainers", "env", "",
		func(pod *corev1.Pod, p place) *[]corev1.EnvVar { return &pod.Spec.InitContainers[p.index].Env }}
	initMounts = &list[corev1.VolumeMount]{"/spec/initContainers", "volumeMounts", "",
		func(pod *corev1.Pod, p place) *[]corev1.VolumeMount {
			return &pod.Spec.InitContainers[p.index].VolumeMounts
		}}
	containerEnv = &list[corev1.EnvVar]{"/spec/containers", "env", "",
		func(pod *corev1.Pod, p place) *[]corev1.EnvVar { return &pod.Spec.Containers[p.index].Env }}
	containerMounts = &list[corev1.VolumeMount]{"/spec/containers", "volumeMounts", "",
		func(pod *corev1.Pod, p place) *[]corev1.VolumeMount {
			return &pod.Spec.Containers[p.index].VolumeMounts
		}}
)

// path returns the JSON pointer to the list.
func (l *list[T]) path(owner place) string { return string(l.appendPath(nil, owner)) }

func (l *list[T]) appendPath(to []byte, owner place) []byte {
	to = append(to, l.root...)
	if l.field != "" {
		to = strconv.AppendInt(append(to, '/'), int64(owner.index), 10)
		to = append(append(to, '/'), l.field...)
	}
	if l.inner != "" {
		to = strconv.AppendInt(append(to, '/'), int64(owner.source), 10)
		to = append(append(to, '/'), l.inner...)
	}
	return to
}
