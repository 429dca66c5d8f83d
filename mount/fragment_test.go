package mount_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

var ours, always = mount.Name("a"), corev1.ContainerRestartPolicyAlways

var invalidFragments = []struct {
	name     string
	fragment mount.Fragment
	field    string // "" means valid
}{
	{"variable", mount.Fragment{Value: mount.Literal("")}, ""},
	{"file", mount.Fragment{File: true}, ""},
	{"neither", mount.Fragment{}, "Value"},
	{"both", mount.Fragment{Value: mount.Literal(""), File: true}, "Value"},
	{"invalid webhook directory", mount.Fragment{File: true, Webhook: &mount.Webhook{Dir: "x"}}, "Webhook.Dir"},
	{"user's volume name", mount.Fragment{File: true, Volumes: []corev1.Volume{volume("data")}}, "Volumes"},
	{"library's volume name", mount.Fragment{File: true, Volumes: []corev1.Volume{volume(mount.FetchVolume)}}, "Volumes"},
	{"duplicate volume", mount.Fragment{File: true, Volumes: []corev1.Volume{volume(ours), volume(ours)}}, "Volumes"},
	{"mount of a user's volume", mount.Fragment{File: true, VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/x"}}}, "VolumeMounts"},
	{"empty reference", mount.Fragment{Value: mount.FromSource(nil)}, "Value"},
	{"volume without source", mount.Fragment{File: true, Volumes: []corev1.Volume{{Name: ours}}}, "Volumes"},
	{"mount", mounted("/x", "/y"), ""},
	{"relative mount", mounted("x"), "VolumeMounts"},
	{"colon in mount path", mounted("/x:y"), "VolumeMounts"},
	{"duplicate mount path", mounted("/x", "/x/"), "VolumeMounts"},
	{"fetcher", fetching(corev1.Container{Name: ours, VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume}, {Name: mount.EnvVolume}}}), ""},
	{"fetcher with a user's volume", fetching(corev1.Container{Name: ours, VolumeMounts: []corev1.VolumeMount{{Name: "data"}}}), "InitContainers"},
	{"invalid ContainersAnnotation", mount.Fragment{File: true, Webhook: &mount.Webhook{ContainersAnnotation: "a b"}}, "Webhook.ContainersAnnotation"},
	{"invalid RanAnnotation", mount.Fragment{File: true, Webhook: &mount.Webhook{RanAnnotation: "a b"}}, "Webhook.RanAnnotation"},
	{"empty annotation name", mount.Fragment{File: true, Webhook: &mount.Webhook{Annotations: map[string]string{"": ""}}}, "Webhook.Annotations"},
	{"fetcher without a generated name", fetching(corev1.Container{Name: "fetch"}), "InitContainers"},
	{"fetcher without container", mount.Fragment{File: true, InitContainers: []mount.InitContainer{{}}}, "InitContainers"},
	{"duplicate fetcher", fetching(corev1.Container{Name: ours}, corev1.Container{Name: ours}), "InitContainers"},
	{"sidecar as fetcher", fetching(corev1.Container{Name: ours, RestartPolicy: &always}), "InitContainers"},
	{"env file", env(mount.EnvVolume, mount.EnvVolume, ""), ""},
	{"env file without writer", env(mount.EnvVolume, mount.FetchVolume, ""), "Value"},
	{"env file of a webhook", env("theirs", mount.FetchVolume, "theirs"), ""},
	{"env file in an unknown volume", env("other", mount.EnvVolume, "theirs"), "Value"},
	{"invalid annotation name", mount.Fragment{File: true, Webhook: &mount.Webhook{Annotations: map[string]string{"a b": ""}}}, "Webhook.Annotations"},
	{"long annotation name", mount.Fragment{File: true, Webhook: &mount.Webhook{DefaultAnnotations: map[string]string{"x/" + strings.Repeat("a", 64): ""}}}, "Webhook.DefaultAnnotations"},
	{"invalid alias annotation", mount.Fragment{File: true, Webhook: &mount.Webhook{AliasAnnotations: map[string]string{"a b": ""}}}, "Webhook.AliasAnnotations"},
}

func TestFragment_Validate(t *testing.T) {
	for _, tc := range invalidFragments {
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

func volume(name string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
}

func mounted(paths ...string) mount.Fragment {
	f := mount.Fragment{File: true, Volumes: []corev1.Volume{volume(mount.Name("a"))}}
	for _, p := range paths {
		f.VolumeMounts = append(f.VolumeMounts, corev1.VolumeMount{Name: mount.Name("a"), MountPath: p})
	}
	return f
}

func fetching(containers ...corev1.Container) mount.Fragment {
	f := mount.Fragment{File: true}
	for i := range containers {
		f.InitContainers = append(f.InitContainers, mount.InitContainer{Container: &containers[i]})
	}
	return f
}

// env refers to an env file in one volume, mounts another in the fetcher,
// and has a webhook with a third.
func env(volume, mounted, webhook string) mount.Fragment {
	f := fetching(corev1.Container{Name: ours, VolumeMounts: []corev1.VolumeMount{{Name: mounted}}})
	f.File = false
	f.Value = mount.FromSource(&corev1.EnvVarSource{FileKeyRef: &corev1.FileKeySelector{VolumeName: volume, Path: "f", Key: "V"}})
	f.Webhook = &mount.Webhook{Volume: webhook}
	return f
}

// Annotation names follow Kubernetes' ValidateAnnotations: qualified names,
// compared without case.
func TestFragment_AnnotationNames(t *testing.T) {
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
		for field, w := range map[string]*mount.Webhook{
			"Webhook.Annotations":          {Annotations: map[string]string{tc.key: "v"}},
			"Webhook.DefaultAnnotations":   {DefaultAnnotations: map[string]string{tc.key: "v"}},
			"Webhook.ContainersAnnotation": {ContainersAnnotation: tc.key},
		} {
			if tc.key == "" && field == "Webhook.ContainersAnnotation" {
				continue // means none
			}
			f := &mount.Fragment{File: true, Webhook: w}
			var flaw *mount.FragmentError
			if err := f.Validate(); tc.valid {
				assert.NoError(t, err, "%s %q", field, tc.key)
			} else if assert.ErrorAs(t, err, &flaw, "%s %q", field, tc.key) {
				assert.Equal(t, field, flaw.Field, tc.key)
			}
		}
	}
}

// Validate always reports the same one of several invalid names.
func TestFragment_FirstInvalidName(t *testing.T) {
	f := mount.Fragment{File: true, Webhook: &mount.Webhook{Annotations: map[string]string{"c c": "", "a a": "", "b b": ""}}}
	for range 20 {
		assert.EqualError(t, f.Validate(), `fragment: Webhook.Annotations "a a" is not a valid annotation name`)
	}
}
