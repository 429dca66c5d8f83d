package mount_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

func TestIsDiscoveryVar(t *testing.T) {
	for name, want := range map[string]bool{
		"FLYTE_SECRETS_ENV_PREFIX":  true,
		"FLYTE_SECRETS_DEFAULT_DIR": true,
		"FLYTE_SECRETS_FILE_PREFIX": true,
		"FLYTE_SECRETS_OTHER":       false,
		"flyte_secrets_env_prefix":  false,
		"":                          false,
	} {
		assert.Equal(t, want, mount.IsDiscoveryVar(name), name)
	}
}

// Names of annotations, as Kubernetes' ValidateAnnotations has them: a qualified
// name, of which the case does not count.
func TestFragmentAnnotationNames(t *testing.T) {
	long := strings.Repeat("a", 63)
	for _, tc := range []struct {
		key   string
		valid bool
	}{
		{"example.com/a", true},
		{"example.com/0-a.9", true},
		{"Example.com/A_b", true},
		{"plain", true},
		{"example.com/" + long, true},
		{long + "/a", true},
		{"0/0", true},
		{"z/z", true},
		{long + "." + long + "/a", true},
		{"example.com/" + long + "a", false},
		{strings.Repeat(long+".", 4) + "a/a", false},
		{"", false},
		{"/", false},
		{"/a", false},
		{"a/", false},
		{"a/b/c", false},
		{"a/-b", false},
		{"a/b-", false},
		{"a-/b", false},
		{"-a/b", false},
		{"a..b/c", false},
		{"a_b/c", false},
		{"a/b:c", false},
		{"a/b c", false},
		{"a/b\"c", false},
		{"a/b{", false},
		{"a/b`", false},
		{"a/é", false},
	} {
		value := func() *mount.Fragment { return &mount.Fragment{Value: mount.Literal("v")} }
		must, byDefault, list := value(), value(), value()
		must.Annotations = map[string]string{tc.key: "v"}
		byDefault.DefaultAnnotations = map[string]string{tc.key: "v"}
		list.ContainersAnnotation = tc.key
		for field, f := range map[string]*mount.Fragment{"Annotations": must, "DefaultAnnotations": byDefault, "ContainersAnnotation": list} {
			if tc.key == "" && f == list {
				continue // means none
			}
			var flaw *mount.FragmentError
			if err := f.Validate(); tc.valid {
				assert.NoError(t, err, "%s %q", field, tc.key)
			} else if assert.ErrorAs(t, err, &flaw, "%s %q", field, tc.key) {
				assert.Equal(t, field, flaw.Field, tc.key)
			}
		}
	}
}

// Of several invalid names, always the same one is reported.
func TestFragmentReportsTheFirstInvalidName(t *testing.T) {
	f := mount.Fragment{Value: mount.Literal("v"), Annotations: map[string]string{"c c": "", "a a": "", "b b": ""}}
	for range 20 {
		assert.EqualError(t, f.Validate(), `fragment: Annotations "a a" is not a valid name`)
	}
}

// A copy of a reference has every field, and shares no memory with it.
func TestFromSourceCopies(t *testing.T) {
	yes := true
	name := corev1.LocalObjectReference{Name: "n"}
	for reason, source := range map[string]*corev1.EnvVarSource{
		"a key of a Secret":         {SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: name, Key: "k"}},
		"an optional one":           {SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: name, Key: "k", Optional: &yes}},
		"a key of a ConfigMap":      {ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: name, Key: "k", Optional: &yes}},
		"a field":                   {FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}},
		"more than one of them set": {SecretKeyRef: &corev1.SecretKeySelector{Key: "k"}, FieldRef: &corev1.ObjectFieldSelector{FieldPath: "p"}},
	} {
		t.Run(reason, func(t *testing.T) {
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

func TestFragmentDir(t *testing.T) {
	for dir, valid := range map[string]bool{
		"": true, "/run/secrets": true, "/a": true,
		"/": false, "a": false, "/a/": false, "/a/../b": false, "/a:b": false, "/ a/b ": false,
		"/" + strings.Repeat("a", 255): true, "/" + strings.Repeat("a", 256): false,
	} {
		f := mount.Fragment{File: true, Dir: dir}
		var flaw *mount.FragmentError
		if err := f.Validate(); valid {
			assert.NoError(t, err, dir)
		} else if assert.ErrorAs(t, err, &flaw, dir) {
			assert.Equal(t, "Dir", flaw.Field, dir)
		}
	}
}

func TestValueEqualNil(t *testing.T) {
	var none *mount.Value
	v := mount.Literal("v")
	assert.True(t, none.Equal(nil))
	assert.False(t, none.Equal(v))
	assert.False(t, v.Equal(nil))
}

// The first number after the last one that is defined has no text either.
func TestTypeAfterTheLast(t *testing.T) {
	last := mount.File + 1
	assert.Equal(t, "Type(3)", last.String())
	_, err := last.MarshalText()
	assert.Error(t, err)
}
