package mount

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// MaxEnvVar is the maximum length in bytes of a variable's name and value
// together. Linux limits "NAME=value" and its terminating byte to 131,072
// (MAX_ARG_STRLEN); a container with a longer variable does not start.
const MaxEnvVar = 131072 - 2

// Value is the value of a variable that holds a secret: a literal, or a
// reference that the kubelet resolves. Formatting a Value never reveals a
// literal, in any format and at any depth; only EnvVar does. Values are
// immutable. Use Literal or FromSource to make one. Compare them with Equal:
// reflect.DeepEqual never reports two literals equal.
type Value struct {
	// A closure: fmt prints unexported fields without calling String, but
	// cannot look into a func.
	literal func() string
	source  *corev1.EnvVarSource
}

// Literal returns a Value with exactly the text s, as the container will see
// it.
func Literal(s string) *Value {
	return &Value{literal: func() string { return s }}
}

// FromSource returns a Value that refers to a copy of source.
func FromSource(source *corev1.EnvVarSource) *Value {
	return &Value{source: copySource(source)}
}

// EnvVar returns the variable as it appears in a Pod. In a literal every "$" is
// doubled, because the kubelet turns "$$" into "$" and expands "$(NAME)".
func (v *Value) EnvVar(name string) corev1.EnvVar {
	if v.literal == nil {
		return corev1.EnvVar{Name: name, ValueFrom: copySource(v.source)}
	}
	return corev1.EnvVar{Name: name, Value: strings.ReplaceAll(v.literal(), "$", "$$")}
}

// copySource is source.DeepCopy, but makes one allocation rather than three for
// the most common reference.
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

// EnvFileVolume returns the name of the volume with the env file to which v
// refers. It is "" if v is nil or does not refer to an env file.
func (v *Value) EnvFileVolume() string {
	if v == nil || v.source == nil || v.source.FileKeyRef == nil {
		return ""
	}
	return v.source.FileKeyRef.VolumeName
}

// IsLiteral reports whether v is a literal rather than a reference.
func (v *Value) IsLiteral() bool { return v.literal != nil }

// hasReference reports whether v is a nonempty reference.
func (v *Value) hasReference() bool { return v.source != nil && !isZero(v.source) }

// isZero reports whether no field of an API struct is set. It uses reflection,
// because a future k8s.io/api may add a field that cannot be compared.
func isZero[T any](v *T) bool { return reflect.ValueOf(v).Elem().IsZero() }

// Equal reports whether v and w are the same literal or the same reference.
func (v *Value) Equal(w *Value) bool {
	switch {
	case v == nil || w == nil:
		return v == w
	case v.IsLiteral() && w.IsLiteral():
		return v.literal() == w.literal()
	}
	return v.IsLiteral() == w.IsLiteral() && equality.Semantic.DeepEqual(v.source, w.source)
}

// Validate returns a *ValueError if a variable with that name cannot have the
// value: a literal that is not UTF-8, contains a NUL or is too long (see
// MaxEnvVar; "$" counts once), or an empty reference.
func (v *Value) Validate(name string) error {
	if v.literal == nil {
		if !v.hasReference() {
			return &ValueError{name, "value is an empty reference"}
		}
		return nil
	}
	literal := v.literal()
	switch {
	case len(name)+len(literal) > MaxEnvVar:
		return &ValueError{name, fmt.Sprintf("name and value together are longer than %d bytes", MaxEnvVar)}
	case !utf8.ValidString(literal):
		return &ValueError{name, "value is not valid UTF-8"}
	case strings.Contains(literal, "\x00"):
		return &ValueError{name, "value contains a NUL byte"}
	}
	return nil
}

// String describes the kind of value, without a literal's text. For a reference
// to a Secret, it names the Secret and the key.
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

// ValueError reports that a variable cannot have a value. It never contains the
// value.
type ValueError struct {
	Name   string // the variable
	Reason string
}

func (e *ValueError) Error() string {
	return fmt.Sprintf("variable %q: %s", e.Name, e.Reason)
}
