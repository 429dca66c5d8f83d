package merge

import (
	"bytes"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/json"
)

// elements is a list of named elements: those of a typed Pod, or their JSON.
// Most elements are none of ours, so that their names are all that is read.
type elements[T any] struct {
	typed []T
	raw   []rawElement
	text  []byte // of the Pod, for raw
}

// rawElement is where an element stands, and its name.
type rawElement struct{ name, element span }

func (e *elements[T]) len() int { return max(len(e.typed), len(e.raw)) }

// lookup returns for each of the names, at the name's place, the last element
// that has it. It takes the memory of scratch, if that has enough.
func (e *elements[T]) lookup(names *index, scratch []match[T]) []match[T] {
	matches := slices.Grow(scratch[:0], len(names.names))[:len(names.names)]
	clear(matches)
	for i := range e.typed {
		if at, ok := names.find(nameOf(&e.typed[i])); ok {
			matches[at] = match[T]{typed: &e.typed[i], index: i}
		}
	}
	for i := range e.raw {
		raw := &e.raw[i]
		if at, ok := names.findBytes(decode(e.text, raw.name)); ok {
			matches[at] = match[T]{raw: e.text[raw.element.from:raw.element.to], index: i}
		}
	}
	return matches
}

// nameAt returns the name of the element at an index.
func (e *elements[T]) nameAt(index int) string {
	if e.typed != nil {
		return nameOf(&e.typed[index])
	}
	return string(decode(e.text, e.raw[index].name))
}

// nameOf returns the name of an element of a list.
func nameOf(element any) string {
	switch e := element.(type) {
	case *corev1.EnvVar:
		return e.Name
	case *corev1.Volume:
		return e.Name
	case *pullSecret:
		return e.Name
	}
	panic("merge: a list of elements without names")
}

// match is an element that lookup has found, and its index in the list.
type match[T any] struct {
	typed *T
	raw   []byte
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
// to decode it. The scratch space may be used once.
func (m *match[T]) sameText(ours *T, scratch []byte) bool {
	if m.raw == nil {
		return false
	}
	text, ok := appendElement(scratch[:0], ours)
	return ok && bytes.Equal(m.raw, text)
}
