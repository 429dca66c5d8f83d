package mount

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// MaxEnvVar is how many bytes the name and the value of a variable may have
// together: Linux gives "NAME=value" and its end byte 131,072 (MAX_ARG_STRLEN),
// and a container with a longer one does not start.
const MaxEnvVar = 131072 - 2

// Value is what a variable that holds a secret is set to: a literal, or a
// reference that the kubelet resolves. A literal never shows in print, whatever
// the format and however deep the Value is nested; only EnvVar gives it away.
// Values are immutable and made by Literal and FromSource. Compare them with
// Equal: reflect.DeepEqual finds no two literals equal.
type Value struct {
	// A closure: fmt prints unexported fields without calling String, but
	// cannot look into a func.
	literal func() string
	source  *corev1.EnvVarSource
}

// Literal returns the value that is the text s itself, as the container shall
// see it.
func Literal(s string) *Value {
	return &Value{literal: func() string { return s }}
}

// FromSource returns a reference, a copy of source.
func FromSource(source *corev1.EnvVarSource) *Value {
	return &Value{source: copySource(source)}
}

// EnvVar returns the variable of that name as it stands in a Pod. In a literal
// every "$" is doubled, because the kubelet turns "$$" into "$" and expands
// "$(NAME)".
func (v *Value) EnvVar(name string) corev1.EnvVar {
	if v.literal == nil {
		return corev1.EnvVar{Name: name, ValueFrom: copySource(v.source)}
	}
	return corev1.EnvVar{Name: name, Value: strings.ReplaceAll(v.literal(), "$", "$$")}
}

// copySource is source.DeepCopy, with one allocation in place of three for the
// reference that Pods have most.
func copySource(source *corev1.EnvVarSource) *corev1.EnvVarSource {
	if source == nil || source.SecretKeyRef == nil {
		return source.DeepCopy()
	}
	var c struct {
		source   corev1.EnvVarSource
		ref      corev1.SecretKeySelector
		optional bool
	}
	ref := source.SecretKeyRef
	c.source, c.ref = *source, *ref
	c.source.SecretKeyRef, c.ref.LocalObjectReference, c.ref.Key, c.ref.Optional = nil, corev1.LocalObjectReference{}, "", nil
	if !isZero(&c.source) || !isZero(&c.ref) {
		return source.DeepCopy() // it has more fields
	}
	c.source.SecretKeyRef = &c.ref
	c.ref.LocalObjectReference, c.ref.Key = ref.LocalObjectReference, ref.Key
	if ref.Optional != nil {
		c.optional = *ref.Optional
		c.ref.Optional = &c.optional
	}
	return &c.source
}

// EnvFileVolume returns the volume that has the env file to which v refers, or
// "" if v is nil or anything else.
func (v *Value) EnvFileVolume() string {
	if v == nil || v.source == nil || v.source.FileKeyRef == nil {
		return ""
	}
	return v.source.FileKeyRef.VolumeName
}

// IsLiteral reports whether v is a literal rather than a reference.
func (v *Value) IsLiteral() bool { return v.literal != nil }

// refers reports whether v is a reference, and to something.
func (v *Value) refers() bool { return v.source != nil && !isZero(v.source) }

// isZero reports whether nothing of a struct of an API type is set. These are
// not compared, as a version of k8s.io/api may add a field that cannot be.
func isZero[T any](v *T) bool { return reflect.ValueOf(v).Elem().IsZero() }

// Equal reports whether both are the same literal or the same reference.
func (v *Value) Equal(w *Value) bool {
	switch {
	case v == nil || w == nil:
		return v == w
	case v.IsLiteral() && w.IsLiteral():
		return v.literal() == w.literal()
	}
	return v.IsLiteral() == w.IsLiteral() && equality.Semantic.DeepEqual(v.source, w.source)
}

// Validate reports, as a *ValueError, a value to which no variable of that name
// can be set: a literal that is not UTF-8, holds a NUL or is too long (see
// MaxEnvVar; "$" is measured once), or a reference to nothing.
func (v *Value) Validate(name string) error {
	if v.literal == nil {
		if !v.refers() {
			return &ValueError{name, "refers to nothing"}
		}
		return nil
	}
	literal := v.literal()
	switch {
	case len(name)+len(literal) > MaxEnvVar:
		return &ValueError{name, fmt.Sprintf("name and value have together more than %d bytes", MaxEnvVar)}
	case !utf8.ValidString(literal):
		return &ValueError{name, "the value is not UTF-8"}
	case strings.Contains(literal, "\x00"):
		return &ValueError{name, "the value holds a NUL"}
	}
	return nil
}

// String tells the kind of the value, and of a reference what it refers to.
func (v *Value) String() string {
	switch {
	case v == nil:
		return "<nil>"
	case v.IsLiteral():
		return "literal (not shown)"
	case v.source != nil && v.source.SecretKeyRef != nil:
		ref := v.source.SecretKeyRef
		return fmt.Sprintf("key %q of Secret %q", ref.Key, ref.Name)
	}
	return "reference"
}

// ValueError says why a variable cannot hold a value. It never has the value.
type ValueError struct {
	Name   string // the variable
	Reason string
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("variable %q: %s", e.Name, e.Reason)
}
