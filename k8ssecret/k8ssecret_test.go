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

func TestNew(t *testing.T) {
	for _, tc := range []struct {
		name string
		cfg  k8ssecret.Config
		want string
	}{
		{"undefined type", k8ssecret.Config{Any: 7}, "k8ssecret: Any Type(7) is not defined"},
		{"sticky bit", k8ssecret.Config{DefaultMode: ptr[int32](0o1777)}, "k8ssecret: DefaultMode 01777 is not between 0 and 0777"},
		{"negative mode", k8ssecret.Config{DefaultMode: ptr[int32](-1)}, "k8ssecret: DefaultMode -01 is not between 0 and 0777"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := k8ssecret.New(tc.cfg)
			assert.EqualError(t, err, tc.want)
			assert.Nil(t, m)
		})
	}
}

func TestMount_Variable(t *testing.T) {
	f, err := newManager(t, k8ssecret.Config{}).Mount(ctx, secret.Request{Group: "User-Info", Key: "My_Key", GroupVersion: "v1"}, mount.Target{})
	require.NoError(t, err)
	assert.Equal(t, corev1.EnvVar{Name: "X", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: "user-info"}, Key: "My_Key", Optional: ptr(true),
	}}}, f.Value.EnvVar("X"), "the Secret's name is lower-cased, its key is not")
	assert.Equal(t, mount.Object{Name: "user-info", Key: "My_Key"}, f.Reads)
	assert.False(t, f.Versioned, "Secrets have no versions")
	assert.NoError(t, f.Validate())
}

func TestMount_File(t *testing.T) {
	m := newManager(t, k8ssecret.Config{Required: true, DefaultMode: ptr[int32](0o400)})
	target := mount.NewTarget(mount.Layout{Dir: "/s", FilePrefix: "Pre-"}, mount.InitFirst, nil)
	f, err := m.Mount(ctx, secret.Request{Group: "User-Info", Key: "My_Key", GroupVersion: "v1", Mount: mount.File}, target)
	require.NoError(t, err)
	name := f.Volumes[0].Name
	assert.Equal(t, mount.Fragment{
		File:   true,
		Honors: mount.Features{Mode: true},
		Reads:  mount.Object{Name: "user-info", Key: "My_Key"},
		Volumes: []corev1.Volume{{Name: name, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{Secret: &corev1.SecretProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: "user-info"},
				Items:                []corev1.KeyToPath{{Key: "My_Key", Path: "Pre-my_key"}},
				Optional:             ptr(false),
			}}},
			DefaultMode: ptr[int32](0o400),
		}}}},
		VolumeMounts: []corev1.VolumeMount{{Name: name, MountPath: "/s/user-info", ReadOnly: true}},
	}, f)
	assert.Equal(t, target.Layout().Path("User-Info", "", "My_Key"), "/s/user-info/Pre-my_key", "the client looks there")
	assert.NoError(t, f.Validate())
}

// The directory at which the volume is mounted, and the item's path in the volume.
func TestMount_FilePath(t *testing.T) {
	exact := mount.Layout{Exact: true}
	for _, tc := range []struct {
		name, why string
		layout    mount.Layout
		req       secret.Request
		dir, item string
	}{
		{"derived", "in lower case", mount.Layout{}, secret.Request{Group: "g", Key: "K"}, "/etc/flyte/secrets/g", "k"},
		{"version", "Secrets have none", mount.Layout{}, secret.Request{Group: "g", Key: "k", GroupVersion: "v"}, "/etc/flyte/secrets/g", "k"},
		{"path", "case kept", mount.Layout{}, secret.Request{Group: "g", Key: "k", Path: "Conf.d/App.yaml"}, "/etc/flyte/secrets/Conf.d", "App.yaml"},
		{"deep path", "the volume is the last directory", mount.Layout{}, secret.Request{Group: "g", Key: "k", Path: "a/b/c"}, "/etc/flyte/secrets/a/b", "c"},
		{"path in Dir", "only if nothing else needs Dir", mount.Layout{}, secret.Request{Group: "g", Key: "k", Path: "c"}, "/etc/flyte/secrets", "c"},
		{"exact", "case kept", exact, secret.Request{Group: "G", Key: "K", GroupVersion: "v"}, "/etc/flyte/secrets/G", "K"},
		{"exact path", "as asked for", exact, secret.Request{Group: "G", Key: "K", Path: "a/B"}, "/etc/flyte/secrets/a", "B"},
		{"colon in item", "only mount paths cannot have it", mount.Layout{}, secret.Request{Group: "g", Key: "k", Path: "a/b:c"}, "/etc/flyte/secrets/a", "b:c"},
		{"dollar", "volumes expand nothing", mount.Layout{}, secret.Request{Group: "g", Key: "k", Path: "$(A)/$B"}, "/etc/flyte/secrets/$(A)", "$B"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.req.Mount = mount.File
			f, err := newManager(t, k8ssecret.Config{}).Mount(ctx, tc.req, mount.NewTarget(tc.layout, mount.InitFirst, nil))
			require.NoError(t, err)
			require.NoError(t, f.Validate())
			assert.Equal(t, tc.dir, f.VolumeMounts[0].MountPath, tc.why)
			assert.Equal(t, tc.item, f.Volumes[0].Projected.Sources[0].Secret.Items[0].Path, tc.why)
			assert.Equal(t, mount.Name("k8s", "files", tc.dir), f.Volumes[0].Name, "one volume for each directory")
		})
	}
}

func TestMount_FileMode(t *testing.T) {
	m := newManager(t, k8ssecret.Config{DefaultMode: ptr[int32](0o440)})
	f, err := m.Mount(ctx, secret.Request{Group: "g", Key: "k", Mount: mount.File, Mode: 0o400}, mount.Target{})
	require.NoError(t, err)
	projected := f.Volumes[0].Projected
	assert.Equal(t, ptr[int32](0o400), projected.Sources[0].Secret.Items[0].Mode)
	assert.Equal(t, ptr[int32](0o440), projected.DefaultMode, "other files keep the manager's")
}

func TestMount_VolumeNames(t *testing.T) {
	m := newManager(t, k8ssecret.Config{})
	name := func(req secret.Request) string {
		req.Mount = mount.File
		f, err := m.Mount(ctx, req, mount.Target{})
		require.NoError(t, err)
		return f.Volumes[0].Name
	}
	long := strings.Repeat("g.", 126) + "g"
	assert.Empty(t, validation.IsDNS1123Label(name(secret.Request{Group: long, Key: "k"})))
	assert.NotEqual(t, name(secret.Request{Group: long, Key: "k"}), name(secret.Request{Group: long[2:], Key: "k"}))
	assert.Equal(t, name(secret.Request{Group: "Group", Key: "k"}), name(secret.Request{Group: "group", Key: "l"}), "one directory, one volume")
	assert.Equal(t, name(secret.Request{Group: "a", Key: "k", Path: "dir/x"}), name(secret.Request{Group: "b", Key: "k", Path: "dir/y"}), "shared by two Secrets")
	assert.NotEqual(t, name(secret.Request{Group: "a", Key: "k", Path: "dir/x"}), name(secret.Request{Group: "a", Key: "k", Path: "Dir/x"}))
}

func TestMount_Form(t *testing.T) {
	const variable, file, unsupported = "variable", "file", "unsupported"
	longest := strings.Repeat("g", 254)
	for _, tc := range []struct {
		name, why string
		cfg       k8ssecret.Config
		layout    mount.Layout
		req       secret.Request
		want      string
	}{
		{"any", "the default", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "g", Key: "k"}, variable},
		{"any as file", "as Flyte's webhook does", k8ssecret.Config{Any: mount.File}, mount.Layout{}, secret.Request{Group: "g", Key: "k"}, file},
		{"variable", "whatever Any says", k8ssecret.Config{Any: mount.File}, mount.Layout{}, secret.Request{Group: "g", Key: "k", Mount: mount.EnvVar}, variable},
		{"dash, dot and digit", "Kubernetes accepts them behind the prefix", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "1.my-group", Key: "1.my-key", Mount: mount.EnvVar}, variable},
		{"invalid variable", "no container can have it", k8ssecret.Config{}, mount.Layout{EnvPrefix: "1"}, secret.Request{Group: "g", Key: "k", Mount: mount.EnvVar}, unsupported},
		{"invalid variable, any", "a file is possible", k8ssecret.Config{}, mount.Layout{EnvPrefix: "1"}, secret.Request{Group: "g", Key: "k"}, file},
		{"exact variable", "it is the primary name then", k8ssecret.Config{}, mount.Layout{EnvPrefix: "1"}, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, variable},
		{"exact layout", "the name is EnvVar", k8ssecret.Config{}, mount.Layout{Exact: true}, secret.Request{Group: "g", Key: "k", EnvVar: "X", Mount: mount.EnvVar}, variable},
		{"exact layout, unnamed", "there is no name", k8ssecret.Config{}, mount.Layout{Exact: true}, secret.Request{Group: "g", Key: "k", Mount: mount.EnvVar}, unsupported},
		{"no group", "no Secret", k8ssecret.Config{}, mount.Layout{}, secret.Request{Key: "k"}, unsupported},
		{"no key", "no key of a Secret", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "g"}, unsupported},
		{"underscore", "no Secret has it", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "a_b", Key: "k"}, unsupported},
		{"group with slash", "no Secret has it", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "a/b", Key: "k"}, unsupported},
		{"long group", "253 characters", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: longest, Key: "k"}, unsupported},
		{"key with slash", "no key has it", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "g", Key: "a/b"}, unsupported},
		{"dot-dot", "no key may be \"..\"", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "g", Key: ".."}, unsupported},
		{"key not ASCII", "ASCII only", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "g", Key: "é"}, unsupported},
		{"prefix and key of dots", "no item may begin with \"..\"", k8ssecret.Config{}, mount.Layout{FilePrefix: "."}, secret.Request{Group: "g", Key: ".k", Mount: mount.File}, unsupported},
		{"item of dots", "no item may begin with \"..\"", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "g", Key: "k", Path: "a/..b", Mount: mount.File}, unsupported},
		{"colon in directory", "no mount path has it", k8ssecret.Config{}, mount.Layout{}, secret.Request{Group: "g", Key: "k", Path: "a:b/c", Mount: mount.File}, unsupported},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := newManager(t, tc.cfg).Mount(ctx, tc.req, mount.NewTarget(tc.layout, mount.InitFirst, nil))
			if tc.want == unsupported {
				assert.ErrorIs(t, err, secret.ErrUnsupported, tc.why)
				assert.Equal(t, mount.Fragment{}, f)
				return
			}
			require.NoError(t, err, tc.why)
			assert.Equal(t, tc.want == file, f.File, tc.why)
			assert.Equal(t, tc.want == variable, f.Value != nil, tc.why)
		})
	}
}
