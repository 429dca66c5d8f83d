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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/mount"
)

func TestTypeText(t *testing.T) {
	for _, typ := range []mount.Type{mount.Any, mount.EnvVar, mount.File} {
		text, err := typ.MarshalText()
		require.NoError(t, err)
		var back mount.Type
		require.NoError(t, back.UnmarshalText(text))
		assert.Equal(t, typ, back)
	}
	_, err := mount.ParseType("file")
	assert.EqualError(t, err, `mount: "file" is none of ANY, ENV_VAR, FILE`)
	_, err = mount.Type(7).MarshalText()
	assert.EqualError(t, err, "mount: Type(7) has no text form")
}

func TestNameTellsPartsApart(t *testing.T) {
	seen := map[string][]string{}
	for _, parts := range [][]string{
		{}, {""}, {"", ""}, {"a"}, {"A"}, {"a", ""}, {"a", "b"}, {"ab"}, {"a:b"}, {"1:a"}, {"a1:b"},
		{strings.Repeat("g", 253)}, {strings.Repeat("g", 252) + "h"},
	} {
		name := mount.Name(parts...)
		assert.Empty(t, validation.IsDNS1123Label(name), "%q", name)
		assert.True(t, mount.IsName(name), "%q", name)
		assert.NotContains(t, seen, name, "%q and %q have one name", parts, seen[name])
		seen[name] = parts
	}
	assert.Equal(t, "podsecrets-02a418b63afa0f5e6c04", mount.Name("k8s", "user-info"), "a change renames what is in Pods already")
	for _, other := range []string{"podsecrets-", "podsecrets-demo", mount.FetchVolume, "app", mount.Name("a") + "0"} {
		assert.False(t, mount.IsName(other), "%q", other)
	}
}

// recorder is a test whose failures are printed.
type recorder struct{ w *bytes.Buffer }

func (r recorder) Errorf(format string, args ...any) { fmt.Fprintf(r.w, format, args...) }

const canary = "c4nary$(x)"

func TestValueNeverPrintsItsLiteral(t *testing.T) {
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
	assert.NotContains(t, printed.String(), "c4nary", "the value shows")
	assert.NotContains(t, printed.String(), fmt.Sprintf("%x", "c4nary"), "the value shows in hexadecimal")
	assert.Contains(t, value.String(), "not shown")
}

func TestValueEnvVar(t *testing.T) {
	assert.True(t, mount.Literal(canary).EnvVar("A").Value == "c4nary$$(x)", "the kubelet would expand $(x)")
	optional := true
	source := &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: "n"}, Key: "k", Optional: &optional,
	}}
	value := mount.FromSource(source)
	source.SecretKeyRef.Key = "changed"
	first := value.EnvVar("A")
	assert.Equal(t, "k", first.ValueFrom.SecretKeyRef.Key, "shares memory with what it was made of")
	first.ValueFrom.SecretKeyRef.Key = "changed"
	assert.Equal(t, "k", value.EnvVar("A").ValueFrom.SecretKeyRef.Key, "shares memory with what it gave")
	assert.Equal(t, `key "k" of Secret "n"`, value.String())
}

func TestValueEqual(t *testing.T) {
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
}

func TestValueValidate(t *testing.T) {
	fits := strings.Repeat("$", mount.MaxEnvVar-1)
	for _, tc := range []struct {
		name  string
		value *mount.Value
		valid bool
	}{
		{"the longest that starts, measured before doubling", mount.Literal(fits), true},
		{"one byte more", mount.Literal(fits + "x"), false},
		{"not UTF-8", mount.Literal("\xff"), false},
		{"NUL ends a variable", mount.Literal("a\x00b"), false},
		{"empty", mount.Literal(""), true},
		{"newlines are fine", mount.Literal("a\r\nb"), true},
		{"no reference", mount.FromSource(nil), false},
		{"an empty reference", mount.FromSource(&corev1.EnvVarSource{}), false},
		{"the zero value", &mount.Value{}, false},
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

func TestTarget(t *testing.T) {
	meta := &metav1.ObjectMeta{
		Name: "n", GenerateName: "g-", Namespace: "ns",
		Labels: map[string]string{"l": "1"}, Annotations: map[string]string{"a": ""},
	}
	target := mount.NewTarget(mount.Layout{Dir: "/d"}, mount.AfterSidecars, meta)
	assert.Equal(t, mount.Layout{Dir: "/d", EnvPrefix: "_FSEC_"}, target.Layout())
	assert.Equal(t, mount.AfterSidecars, target.InitOrder())
	assert.Equal(t, []string{"n", "g-", "ns"}, []string{target.Name(), target.GenerateName(), target.Namespace()})
	value, ok := target.Label("l")
	assert.Equal(t, "1", value)
	assert.True(t, ok)
	_, ok = target.Annotation("a")
	assert.True(t, ok, "an empty annotation is there")
	_, ok = target.Annotation("b")
	assert.False(t, ok)

	for _, empty := range []mount.Target{{}, mount.NewTarget(mount.Layout{}, mount.First, nil)} {
		assert.Equal(t, "", empty.Name())
		assert.Equal(t, mount.Layout{}.WithDefaults(), empty.Layout())
	}
}

func TestFragmentValidate(t *testing.T) {
	volume := func(name string) corev1.Volume {
		return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
	}
	mounted := func(paths ...string) mount.Fragment {
		f := mount.Fragment{File: true, Volumes: []corev1.Volume{volume(mount.Name("a"))}}
		for _, p := range paths {
			f.VolumeMounts = append(f.VolumeMounts, corev1.VolumeMount{Name: mount.Name("a"), MountPath: p})
		}
		return f
	}
	ours := mount.Name("a")
	for _, tc := range []struct {
		name     string
		fragment mount.Fragment
		field    string // "" means valid
	}{
		{"a variable", mount.Fragment{Value: mount.Literal("")}, ""},
		{"a file", mount.Fragment{File: true}, ""},
		{"neither", mount.Fragment{}, "Value"},
		{"both", mount.Fragment{Value: mount.Literal(""), File: true}, "Value"},
		{"a directory that cannot be announced", mount.Fragment{File: true, Dir: "x"}, "Dir"},
		{"the user's name", mount.Fragment{File: true, Volumes: []corev1.Volume{volume("data")}}, "Volumes"},
		{"the volume that the library adds", mount.Fragment{File: true, Volumes: []corev1.Volume{volume(mount.FetchVolume)}}, "Volumes"},
		{"a volume twice", mount.Fragment{File: true, Volumes: []corev1.Volume{volume(ours), volume(ours)}}, "Volumes"},
		{"a mount of somebody's volume", mount.Fragment{File: true, VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/x"}}}, "VolumeMounts"},
		{"a reference to nothing", mount.Fragment{Value: mount.FromSource(nil)}, "Value"},
		{"a volume without a source", mount.Fragment{File: true, Volumes: []corev1.Volume{{Name: ours}}}, "Volumes"},
		{"a mount", mounted("/x", "/y"), ""},
		{"a relative mount", mounted("x"), "VolumeMounts"},
		{"a colon, which Kubernetes refuses", mounted("/x:y"), "VolumeMounts"},
		{"two mounts at one path", mounted("/x", "/x/"), "VolumeMounts"},
		{"a fetcher", mount.Fragment{File: true, Fetchers: []corev1.Container{{Name: ours, VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume}}}}}, ""},
		{"a fetcher with somebody's volume", mount.Fragment{File: true, Fetchers: []corev1.Container{{Name: ours, VolumeMounts: []corev1.VolumeMount{{Name: "data"}}}}}, "Fetchers"},
		{"a bad name of the list of containers", mount.Fragment{File: true, ContainersAnnotation: "a b"}, "ContainersAnnotation"},
		{"an empty annotation", mount.Fragment{File: true, Annotations: map[string]string{"": ""}}, "Annotations"},
		{"a fetcher that would receive secrets", mount.Fragment{File: true, Fetchers: []corev1.Container{{Name: "fetch"}}}, "Fetchers"},
		{"a bad annotation", mount.Fragment{File: true, Annotations: map[string]string{"a b": ""}}, "Annotations"},
		{"a long annotation", mount.Fragment{File: true, DefaultAnnotations: map[string]string{"x/" + strings.Repeat("a", 64): ""}}, "DefaultAnnotations"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.fragment.Validate()
			if tc.field == "" {
				assert.NoError(t, err)
				return
			}
			var typed *mount.FragmentError
			require.True(t, errors.As(err, &typed), "%v", err)
			assert.Equal(t, tc.field, typed.Field)
		})
	}
}

func TestConflictErrorSaysWhere(t *testing.T) {
	err := &mount.ConflictError{Field: "env", Name: "A", Reason: "is set"}
	assert.EqualError(t, err, `env "A" is set`)
	err.Container = "app"
	assert.EqualError(t, err, `container "app": env "A" is set`)
}

// The short way to a valid name of an annotation must never go further than
// Kubernetes' own.
func FuzzAnnotationNames(f *testing.F) {
	for _, key := range []string{
		"vault.hashicorp.com/agent-inject", "a/b", "a", "a/b/c", "/b", "a/", "a./b", "a/-b", "a--b/c", "A/b", "a/B", "é/b",
		strings.Repeat("a", 64) + "/b", "a/" + strings.Repeat("b", 64), strings.Repeat("a.", 130) + "a/b",
	} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		err := (&mount.Fragment{File: true, Annotations: map[string]string{key: ""}}).Validate()
		assert.Equal(t, len(validation.IsQualifiedName(strings.ToLower(key))) == 0, err == nil, "%q: %v", key, err)
	})
}
