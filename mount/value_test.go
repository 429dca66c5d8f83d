package mount_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// recorder is a testing.T that prints its failures to w.
type recorder struct{ w *bytes.Buffer }

func (r recorder) Errorf(format string, args ...any) { fmt.Fprintf(r.w, format, args...) }

const canary = "c4nary$(x)"

func TestValue_HidesLiteral(t *testing.T) {
	type private struct{ v mount.Value } // fmt calls no methods on this field
	value := mount.Literal(canary)
	fragment := mount.Fragment{Value: value}
	var printed bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&printed, nil))
	for _, v := range []any{value, *value, fragment, &fragment, private{*value}, []any{value}, value.Validate("x")} {
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			fmt.Fprintf(&printed, format+"\n", v)
		}
		assert.Equal(recorder{&printed}, nil, v) // as a failing test prints it
		text, err := json.Marshal(v)
		require.NoError(t, err)
		printed.Write(text)
		log.Info("value", "v", v)
	}
	assert.NotContains(t, printed.String(), "c4nary", "the value is printed")
	assert.NotContains(t, printed.String(), fmt.Sprintf("%x", "c4nary"), "the value is printed in hexadecimal")
	assert.Contains(t, value.String(), "not shown")
}

func TestValue_EnvVar(t *testing.T) {
	assert.True(t, mount.Literal(canary).EnvVar("A").Value == "c4nary$$(x)", "the kubelet would expand $(x)")
	optional := true
	source := &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: "n"}, Key: "k", Optional: &optional,
	}}
	value := mount.FromSource(source)
	source.SecretKeyRef.Key = "changed"
	first := value.EnvVar("A")
	assert.Equal(t, "k", first.ValueFrom.SecretKeyRef.Key, "must not share memory with its source")
	first.ValueFrom.SecretKeyRef.Key = "changed"
	assert.Equal(t, "k", value.EnvVar("A").ValueFrom.SecretKeyRef.Key, "must not share memory with its results")
	assert.Equal(t, `key "k" of Secret "n"`, value.String())
}

func TestValue_Equal(t *testing.T) {
	ref := func(key string) *mount.Value {
		return mount.FromSource(&corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{Key: key}})
	}
	assert.True(t, mount.Literal("a").Equal(mount.Literal("a")))
	assert.False(t, mount.Literal("a").Equal(mount.Literal("b")))
	assert.True(t, ref("a").Equal(ref("a")))
	assert.False(t, ref("a").Equal(ref("b")))
	assert.False(t, ref("a").Equal(mount.Literal("a")))
	assert.False(t, mount.Literal("").Equal(nil))
	assert.True(t, (*mount.Value)(nil).Equal(nil))
	assert.False(t, (*mount.Value)(nil).Equal(mount.Literal("v")))
}

func TestValue_Validate(t *testing.T) {
	fits := strings.Repeat("$", mount.MaxEnvVar-1)
	for _, tc := range []struct {
		name  string
		value *mount.Value
		valid bool
	}{
		{"longest, before doubling", mount.Literal(fits), true},
		{"one byte too long", mount.Literal(fits + "x"), false},
		{"not UTF-8", mount.Literal("\xff"), false},
		{"NUL", mount.Literal("a\x00b"), false},
		{"empty", mount.Literal(""), true},
		{"newlines", mount.Literal("a\r\nb"), true},
		{"nil reference", mount.FromSource(nil), false},
		{"empty reference", mount.FromSource(&corev1.EnvVarSource{}), false},
		{"zero value", &mount.Value{}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.value.Validate("N")
			assert.Equal(t, tc.valid, err == nil, "%v", err)
			if err != nil {
				var typed *mount.ValueError
				require.True(t, errors.As(err, &typed))
				assert.Equal(t, "N", typed.Name)
			}
		})
	}
}

// FromSource copies every field and shares no memory with its argument.
func TestFromSource_Copies(t *testing.T) {
	yes := true
	name := corev1.LocalObjectReference{Name: "n"}
	for name, source := range map[string]*corev1.EnvVarSource{
		"Secret key":          {SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: name, Key: "k"}},
		"optional Secret key": {SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: name, Key: "k", Optional: &yes}},
		"ConfigMap key":       {ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: name, Key: "k", Optional: &yes}},
		"field":               {FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}},
		"several":             {SecretKeyRef: &corev1.SecretKeySelector{Key: "k"}, FieldRef: &corev1.ObjectFieldSelector{FieldPath: "p"}},
	} {
		t.Run(name, func(t *testing.T) {
			want := source.DeepCopy()
			value := mount.FromSource(source)
			first := value.EnvVar("A").ValueFrom
			assert.Equal(t, want, first)
			for _, s := range []*corev1.EnvVarSource{source, first} {
				if ref := s.SecretKeyRef; ref != nil {
					ref.Name, ref.Key = "changed", "changed"
					if ref.Optional != nil {
						*ref.Optional = !*ref.Optional
					}
				}
				if ref := s.ConfigMapKeyRef; ref != nil {
					ref.Key, *ref.Optional = "changed", !*ref.Optional
				}
				if s.FieldRef != nil {
					s.FieldRef.FieldPath = "changed"
				}
				assert.Equal(t, want, value.EnvVar("A").ValueFrom)
			}
		})
	}
}
