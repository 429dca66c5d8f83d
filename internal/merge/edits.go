package merge

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"gomodules.xyz/jsonpatch/v2"
	corev1 "k8s.io/api/core/v1"
)

// Edits is what one Pod gains. It is written as a Pod, as operations or as JSON
// by three methods that each visit the same edits, and hold no decisions.
// Indices count in the Pod as the edits before have left it.
type Edits struct{ all []edit }

type edit interface {
	// apply does the edit to a Pod that nobody else has.
	apply(pod *corev1.Pod)
	// visit yields the paths and values of RFC 6902 "add" operations. Values
	// share nothing.
	visit(emit func(path string, value any))
}

// copier is a pointer to an API type.
type copier[T any] interface {
	*T
	DeepCopyInto(*T)
}

// insert adds elements to a list that has length elements, the first of them at
// the index at. A list without elements may be missing or null, so that it is
// written whole.
type insert[T any, P copier[T]] struct {
	path       string
	list       func(*corev1.Pod) *[]T
	at, length int
	elems      []T
}

// add records that elems, if there are any, go into the list at the path, which
// has length elements, the first of them at the index at.
func add[T any, P copier[T]](d *decision, path string, list func(*corev1.Pod) *[]T, at, length int, elems []T) {
	if len(elems) > 0 {
		d.edits = append(d.edits, insert[T, P]{path, list, at, length, elems})
	}
}

func (e insert[T, P]) copies() []T {
	out := make([]T, len(e.elems))
	for i := range e.elems {
		P(&e.elems[i]).DeepCopyInto(&out[i])
	}
	return out
}

func (e insert[T, P]) apply(pod *corev1.Pod) {
	list := e.list(pod)
	*list = slices.Insert(*list, e.at, e.copies()...)
}

func (e insert[T, P]) visit(emit func(path string, value any)) {
	elems := e.copies()
	if e.length == 0 {
		emit(e.path, elems)
		return
	}
	for i := range elems {
		emit(e.path+"/"+strconv.Itoa(e.at+i), elems[i])
	}
}

// annotate adds annotations to those that there are.
type annotate struct {
	length int
	added  map[string]string
}

func (e annotate) apply(pod *corev1.Pod) {
	if pod.Annotations == nil {
		pod.Annotations = make(map[string]string, len(e.added))
	}
	maps.Copy(pod.Annotations, e.added)
}

func (e annotate) visit(emit func(path string, value any)) {
	const path = "/metadata/annotations"
	if e.length == 0 {
		emit(path, maps.Clone(e.added))
		return
	}
	for _, key := range sortedKeys(e.added) {
		emit(path+"/"+escapePointer.Replace(key), e.added[key])
	}
}

// RFC 6901, section 3.
var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

// Empty reports whether there is nothing to do.
func (e *Edits) Empty() bool { return len(e.all) == 0 }

// Apply returns a copy of the Pod with the edits done.
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
	e.visit(func(path string, value any) {
		ops = append(ops, jsonpatch.NewOperation("add", path, value))
	})
	return ops
}

// JSON returns the edits as the text of a JSON patch.
func (e *Edits) JSON() (patch []byte, err error) {
	patch = []byte{'['}
	e.visit(func(path string, value any) {
		if len(patch) > 1 {
			patch = append(patch, ',')
		}
		patch = append(patch, `{"op":"add","path":`...)
		patch, err = appendJSON(patch, path, err)
		patch = append(patch, `,"value":`...)
		patch, err = appendJSON(patch, value, err)
		patch = append(patch, '}')
	})
	return append(patch, ']'), err
}

func appendJSON(to []byte, value any, earlier error) ([]byte, error) {
	text, err := json.Marshal(value)
	return append(to, text...), errors.Join(earlier, err)
}

func (e *Edits) visit(emit func(path string, value any)) {
	for _, edit := range e.all {
		edit.visit(emit)
	}
}
