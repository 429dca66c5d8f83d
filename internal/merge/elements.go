package merge

import (
	"bytes"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/json"
)

// elements is a list of named elements from a typed Pod or from JSON. Only names are read
// at first, because few elements are ours.
type elements[T any] struct {
	typed []T
	raw   []rawElement
	text  []byte // the Pod's JSON, for raw
}

// rawElement is the position of an element in JSON, and of its name.
type rawElement struct{ name, element span }

func (e *elements[T]) len() int { return max(len(e.typed), len(e.raw)) }

// lookup returns for each name, at the name's index, the last element with it. It reuses
// the memory of scratch.
func (e *elements[T]) lookup(names *index, scratch []match[T]) []match[T] {
	matches := slices.Grow(scratch[:0], len(names.names))[:len(names.names)]
	clear(matches)
	for i := range e.typed {
		if at, ok := names.lookup(nameOf(&e.typed[i])); ok {
			matches[at] = match[T]{typed: &e.typed[i], index: i}
		}
	}
	for i := range e.raw {
		raw := &e.raw[i]
		if at, ok := names.lookupBytes(decode(e.text, raw.name)); ok {
			matches[at] = match[T]{raw: e.text[raw.element.from:raw.element.to], index: i}
		}
	}
	return matches
}

// nameAt returns the name of an element.
func (e *elements[T]) nameAt(index int) string {
	if e.typed != nil {
		return nameOf(&e.typed[index])
	}
	return string(decode(e.text, e.raw[index].name))
}

// nameOf returns the name of an element.
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

// match is a result of lookup: an element and its index in the list.
type match[T any] struct {
	typed *T
	raw   []byte
	index int
}

func (m *match[T]) ok() bool { return m.typed != nil || m.raw != nil }

// get returns the element. One that cannot be decoded equals none of ours.
func (m *match[T]) get() *T {
	if m.typed == nil {
		m.typed = new(T)
		_ = json.Unmarshal(m.raw, m.typed)
	}
	return m.typed
}

// sameText reports whether the element has the JSON text of ours. When a Pod is injected
// again, most elements do, and comparing is faster than decoding. It may write to scratch.
func (m *match[T]) sameText(ours *T, scratch []byte) bool {
	if m.raw == nil {
		return false
	}
	text, ok := appendElement(scratch[:0], ours)
	return ok && bytes.Equal(m.raw, text)
}
