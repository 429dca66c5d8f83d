package k8ssecret_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

var ctx = context.Background()

func newManager(t *testing.T, cfg k8ssecret.Config) *k8ssecret.Manager {
	m, err := k8ssecret.New(cfg)
	require.NoError(t, err)
	return m
}

func ptr[T any](v T) *T { return &v }

func TestNewValidates(t *testing.T) {
	for _, tc := range []struct {
		name string
		cfg  k8ssecret.Config
		want string
	}{
		{"a type that is not defined", k8ssecret.Config{Any: 7}, "k8ssecret: Any Type(7) is not defined"},
		{"a mode with a sticky bit", k8ssecret.Config{DefaultMode: ptr[int32](0o1777)}, "k8ssecret: DefaultMode 01777 is not between 0 and 0777"},
		{"a negative mode", k8ssecret.Config{DefaultMode: ptr[int32](-1)}, "k8ssecret: DefaultMode -01 is not between 0 and 0777"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := k8ssecret.New(tc.cfg)
			assert.EqualError(t, err, tc.want)
			assert.Nil(t, m)
		})
	}
}

func TestVariable(t *testing.T) {
	f, err := newManager(t, k8ssecret.Config{}).Mount(ctx, secret.Request{Group: "User-Info", Key: "My_Key", GroupVersion: "v1"}, mount.Target{})
	require.NoError(t, err)
	assert.Equal(t, corev1.EnvVar{Name: "X", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: "user-info"}, Key: "My_Key", Optional: ptr(true),
	}}}, f.Value.EnvVar("X"), "the Secret's name is lower-cased, its key is not")
	assert.False(t, f.Versioned, "Secrets have no versions")
	assert.NoError(t, f.Validate())
}

func TestFile(t *testing.T) {
	m := newManager(t, k8ssecret.Config{Required: true, DefaultMode: ptr[int32](0o400)})
	target := mount.NewTarget(mount.Layout{Dir: "/s", FilePrefix: "Pre-"}, mount.InitFirst, nil)
	f, err := m.Mount(ctx, secret.Request{Group: "User-Info", Key: "My_Key", Mount: mount.File}, target)
	require.NoError(t, err)
	name := f.Volumes[0].Name
	assert.Equal(t, mount.Fragment{
		File: true,
		Volumes: []corev1.Volume{{Name: name, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName:  "user-info",
			Items:       []corev1.KeyToPath{{Key: "My_Key", Path: "Pre-my_key"}},
			DefaultMode: ptr[int32](0o400),
			Optional:    ptr(false),
		}}}},
		VolumeMounts: []corev1.VolumeMount{{Name: name, MountPath: "/s/user-info", ReadOnly: true}},
	}, f)
	assert.Equal(t, target.Layout().Path("User-Info", "", "My_Key"), "/s/user-info/Pre-my_key", "and there the client looks")
	assert.NoError(t, f.Validate())
}

func TestVolumeNamesFitAndDiffer(t *testing.T) {
	m := newManager(t, k8ssecret.Config{})
	name := func(group string) string {
		f, err := m.Mount(ctx, secret.Request{Group: group, Key: "k", Mount: mount.File}, mount.Target{})
		require.NoError(t, err)
		return f.Volumes[0].Name
	}
	long := strings.Repeat("g.", 126) + "g"
	assert.Empty(t, validation.IsDNS1123Label(name(long)))
	assert.NotEqual(t, name(long), name(long[2:]))
	assert.Equal(t, name("Group"), name("group"), "one Secret, one volume")
}

func TestWhatItServes(t *testing.T) {
	for _, tc := range []struct {
		name   string
		cfg    k8ssecret.Config
		layout mount.Layout
		req    secret.Request
		want   string // the kind of the fragment, or "unsupported"
	}{
		{"any is a variable", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "g", Key: "k"}, "variable"},
		{"any can be a file, as with Flyte's webhook", k8ssecret.Config{Any: mount.File}, mount.Layout{}, secret.Request{Group: "g", Key: "k"}, "file"},
		{"a variable is one whatever Any says", k8ssecret.Config{Any: mount.File}, mount.Layout{}, secret.Request{Group: "g", Key: "k", Mount: mount.EnvVar}, "variable"},
		{"dash, dot and digit", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "1.my-group", Key: "1.my-key", Mount: mount.EnvVar}, "variable"},
		{"no variable can have that name", k8ssecret.Config{}, mount.Layout{EnvPrefix: "1"}, secret.Request{Group: "g", Key: "k", Mount: mount.EnvVar}, "unsupported"},
		{"and any becomes a file", k8ssecret.Config{}, mount.Layout{EnvPrefix: "1"}, secret.Request{Group: "g", Key: "k"}, "file"},
		{"no group", k8ssecret.Config{}, mount.Layout{}, secret.Request{Key: "k"}, "unsupported"},
		{"no key", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "g"}, "unsupported"},
		{"a group that is no Secret's name", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "a_b", Key: "k"}, "unsupported"},
		{"a group that is a path", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "a/b", Key: "k"}, "unsupported"},
		{"a group that is too long", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: strings.Repeat("g", 254), Key: "k"}, "unsupported"},
		{"a key that is a path", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "g", Key: "a/b"}, "unsupported"},
		{"a key that leaves its directory", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "g", Key: ".."}, "unsupported"},
		{"a prefix and a key that begin with dots together", k8ssecret.Config{}, mount.Layout{FilePrefix: "."}, secret.Request{Group: "g", Key: ".k", Mount: mount.File}, "unsupported"},
		{"a key that Kubernetes refuses", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "g", Key: "é"}, "unsupported"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := newManager(t, tc.cfg).Mount(ctx, tc.req, mount.NewTarget(tc.layout, mount.InitFirst, nil))
			switch {
			case tc.want == "unsupported":
				assert.ErrorIs(t, err, secret.ErrUnsupported)
			default:
				require.NoError(t, err)
				assert.Equal(t, tc.want == "file", f.File)
				assert.Equal(t, tc.want == "variable", f.Value != nil)
			}
		})
	}
}
