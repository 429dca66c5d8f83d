package manifest

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
)

// Object is one object of a document.
type Object struct {
	APIVersion string
	Kind       string
	Namespace  string
	Name       string

	Pointer string          // where it is in the document
	Value   *yamledit.Value // what it is in the document as it was read
}

// String returns the kind, and the namespace and name as far as they are known.
func (o Object) String() string {
	name := o.Name
	if o.Namespace != "" {
		name = o.Namespace + "/" + name
	}
	return strings.TrimSpace(o.Kind + " " + name)
}

// ID is the object's Kind.
func (o Object) ID() Kind { return kindOf(o.APIVersion, o.Kind) }

func kindOf(apiVersion, kind string) Kind {
	group, _, ok := strings.Cut(apiVersion, "/")
	if !ok {
		group = "" // the core group's apiVersion is the version alone
	}
	return Kind{group, kind}
}

// Error is an error at a place in a document.
type Error struct {
	Object  string
	Pointer string // in the document
	Err     error
}

func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Objects returns the objects of a document: the document itself or, if it is a
// list, its items. Errors are *Error.
func (ks Kinds) Objects(doc *yamledit.Value) ([]Object, []error) {
	f := finder{kinds: ks}
	f.find(doc, "", Object{})
	return f.objects, f.errs
}

type finder struct {
	kinds   Kinds
	objects []Object
	errs    []error
}

func (f *finder) fail(o Object, pointer, reason string) {
	f.errs = append(f.errs, &Error{o.String(), pointer, errors.New(reason)})
}

// find finds the objects in v. What v leaves out of its header is taken from
// assumed.
func (f *finder) find(v *yamledit.Value, at string, assumed Object) {
	o := assumed
	o.Pointer, o.Value = at, v
	if !v.IsObject() {
		f.fail(o, at, "is not an object")
		return
	}
	if !f.header(&o) {
		return
	}
	if place, item, ok := f.kinds.list(o); ok {
		f.items(o, v.Pointer(place), at+place, item)
		return
	}
	f.objects = append(f.objects, o)
}

// header reads the object's kind and name.
func (f *finder) header(o *Object) bool {
	for _, field := range []struct {
		pointer string
		to      *string
	}{
		{"/apiVersion", &o.APIVersion}, {"/kind", &o.Kind}, {"/metadata/generateName", &o.Name}, {"/metadata/name", &o.Name},
		{"/metadata/namespace", &o.Namespace},
	} {
		v := o.Value.Pointer(field.pointer)
		text, ok := v.Text()
		switch {
		case ok && text != "":
			*field.to = text
		case !ok && !v.IsNull():
			f.fail(*o, o.Pointer+field.pointer, "is "+v.What()+", not a string")
			return false
		}
	}
	if o.Kind == "" || o.APIVersion == "" {
		f.fail(*o, o.Pointer, "has no kind or no apiVersion")
		return false
	}
	return true
}

// list reports whether o is a list, where its items are, and the kind of items without
// one: API servers omit it in typed lists such as a PodList.
func (ks Kinds) list(o Object) (place string, item Object, ok bool) {
	if place, ok = lists[o.ID()]; ok {
		return place, Object{}, true
	}
	name, ok := strings.CutSuffix(o.Kind, "List")
	_, known := ks[Kind{o.ID().Group, name}]
	return "/items", Object{APIVersion: o.APIVersion, Kind: name}, ok && known
}

func (f *finder) items(o Object, v *yamledit.Value, at string, assumed Object) {
	if !v.IsList() && !v.IsNull() {
		f.fail(o, at, "is not a list")
		return
	}
	for i, item := range v.Items() {
		f.find(item, at+"/"+strconv.Itoa(i), assumed)
	}
}

// Pointer converts a field path such as spec.containers[0] to a JSON pointer.
func Pointer(path string) string {
	return "/" + strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(path)
}

// Path converts a JSON pointer to a field path such as spec.containers[0].
func Path(pointer string) string {
	var b strings.Builder
	for _, step := range strings.Split(pointer, "/")[1:] {
		name := yamledit.UnescapePointer(step)
		switch _, err := strconv.Atoi(name); {
		case err == nil:
			fmt.Fprintf(&b, "[%s]", name)
		case strings.ContainsAny(name, "./[]"):
			fmt.Fprintf(&b, "[%q]", name)
		case b.Len() > 0:
			b.WriteString("." + name)
		default:
			b.WriteString(name)
		}
	}
	return b.String()
}

// matches returns the pointers in v that match a pattern with "*" and are not null.
func matches(v *yamledit.Value, pattern string) []string {
	before, after, hasStar := strings.Cut(pattern, "/*")
	if !hasStar {
		if v.Pointer(pattern).IsNull() {
			return nil
		}
		return []string{pattern}
	}
	var found []string
	parts := v.Pointer(before)
	for _, f := range parts.Fields() {
		step := before + "/" + yamledit.EscapePointer(f.Name)
		for _, rest := range matches(f.Value, after) {
			found = append(found, step+rest)
		}
	}
	for i, item := range parts.Items() {
		for _, rest := range matches(item, after) {
			found = append(found, fmt.Sprint(before, "/", i, rest))
		}
	}
	return found
}
