package merge

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/randfill"
)

// FuzzText checks that appendText writes the same as encoding/json.
func FuzzText(f *testing.F) {
	for _, seed := range []string{
		"", "plain", `{{- with secret "a" -}}{{ if ne (printf "%T" .) "<nil>" }}\{{ end }}`, "a\nb\tc\r\b\f\x00\x1f\x7f", "<>&", "é\u2028\u2029", "\xff", "\"\xff", "a\\",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, err := json.Marshal(text)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(appendText(nil, text)))
	})
}

// FuzzElement checks that appendElement writes the same as encoding/json or leaves the
// element to it. Random fields of the elements are set.
func FuzzElement(f *testing.F) {
	for _, seed := range []string{"", "0", "\x01\x02\x03\x04\x05\x06\x07\x08", "secret/data/task", "\xff\xfe\xfd\x00\x00\x80\x80"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, elem := range []any{new(corev1.EnvVar), new(corev1.VolumeMount), new(corev1.Volume)} {
			fill := randfill.NewFromGoFuzz(data).NilChance(.7).NumElements(1, 3).MaxDepth(8)
			fill.Fill(elem)
			compareElement(t, elem)
		}
	})
}

// compareElement returns true if appendElement writes the element.
func compareElement(t *testing.T, elem any) bool {
	prefix := []byte("prefix")
	got, ok := appendElement(prefix, elem)
	if ok {
		want, err := json.Marshal(elem)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(bytes.TrimPrefix(got, prefix)))
	}
	assert.Equal(t, "prefix", string(prefix))
	return ok
}

// appendElement writes the elements of the managers here, but none with other fields.
func TestAppendElement(t *testing.T) {
	yes, mode := true, int32(0o644)
	text := `a"\<` + "\n"
	source := func(edit func(*corev1.SecretProjection)) *corev1.Volume {
		s := &corev1.SecretProjection{Items: []corev1.KeyToPath{{Key: text, Path: "p"}, {Key: "k", Path: "q", Mode: &mode}}, Optional: &yes}
		s.Name = text
		edit(s)
		return &corev1.Volume{Name: "v", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{Secret: s}, {Secret: s}}, DefaultMode: &mode,
		}}}
	}
	reference := func(edit func(*corev1.EnvVarSource)) *corev1.EnvVar {
		s := &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: text}, Key: "k", Optional: &yes}}
		edit(s)
		return &corev1.EnvVar{Name: "v", ValueFrom: s}
	}
	for _, tc := range []struct {
		name string
		elem any
		own  bool
	}{
		{"literal", &corev1.EnvVar{Name: "v", Value: text}, true},
		{"empty", &corev1.EnvVar{Name: "v"}, true},
		{"both", &corev1.EnvVar{Name: "v", Value: "x", ValueFrom: reference(func(*corev1.EnvVarSource) {}).ValueFrom}, true},
		{"reference", reference(func(*corev1.EnvVarSource) {}), true},
		{"required", reference(func(s *corev1.EnvVarSource) { s.SecretKeyRef.Optional = nil }), true},
		{"nameless", reference(func(s *corev1.EnvVarSource) { s.SecretKeyRef.Name = "" }), false},
		{"two-sources", reference(func(s *corev1.EnvVarSource) { s.ConfigMapKeyRef = &corev1.ConfigMapKeySelector{} }), false},
		{"env-file", reference(func(s *corev1.EnvVarSource) { *s = corev1.EnvVarSource{FileKeyRef: &corev1.FileKeySelector{}} }), false},
		{"mount", &corev1.VolumeMount{Name: "v", MountPath: text}, true},
		{"read-only", &corev1.VolumeMount{Name: "v", MountPath: text, ReadOnly: true}, true},
		{"sub-path", &corev1.VolumeMount{Name: "v", MountPath: text, SubPath: "s"}, false},
		{"projected", source(func(*corev1.SecretProjection) {}), true},
		{"no-items", source(func(s *corev1.SecretProjection) { s.Items = nil }), false},
		{"volume", inMemory("v"), false},
		{"container", &corev1.Container{}, false},
	} {
		t.Run(tc.name, func(t *testing.T) { assert.Equal(t, tc.own, compareElement(t, tc.elem)) })
	}
}
