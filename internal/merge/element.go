package merge

import (
	"bytes"

	"k8s.io/apimachinery/pkg/util/json"
)

// An element is one of a list in JSON, as it stands there. Most elements are
// none of ours, so that their names are all that is looked at.
type element []byte

// UnmarshalJSON keeps the text, which is a part of the Pod's.
func (e *element) UnmarshalJSON(text []byte) error {
	*e = text
	return nil
}

// name returns the element's name, "" if it has none. API servers write it
// first, as they encode in the order of the API type's fields; in any other
// order it takes longer.
func (e element) name() []byte {
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

// found is an element of a list, and its index there.
type found[T any] struct {
	typed *T
	raw   element
	index int
}

func (f *found[T]) ok() bool { return f.typed != nil || f.raw != nil }

// get returns the element. One that cannot be decoded is like nothing of ours.
func (f *found[T]) get() *T {
	if f.typed == nil {
		f.typed = new(T)
		_ = json.Unmarshal(f.raw, f.typed)
	}
	return f.typed
}

// is reports that the element is in JSON and just as ours is written, which is
// what most of ours are when a Pod is looked at again, and takes less time than
// to decode it. The text of ours is kept for the next time.
func (f *found[T]) is(ours *T, text *[]byte) bool {
	if f.raw != nil && *text == nil {
		*text, _ = json.Marshal(ours)
	}
	return f.raw != nil && bytes.Equal(f.raw, *text)
}

// find looks for elements of a list, which is typed or in JSON. For each of the
// names it returns the last element that has it, at the name's place.
func find[T any](typed []T, raw []element, name func(*T) string, names map[string]int) []found[T] {
	all := make([]found[T], len(names))
	for i := range typed {
		if at, ok := names[name(&typed[i])]; ok {
			all[at] = found[T]{typed: &typed[i], index: i}
		}
	}
	for i, e := range raw {
		if at, ok := names[string(e.name())]; ok {
			all[at] = found[T]{raw: e, index: i}
		}
	}
	return all
}
