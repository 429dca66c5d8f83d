package csi_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/csi"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

var ctx = context.Background()

func newManager(t testing.TB, cfg csi.Config) *csi.Manager {
	m, err := csi.New(cfg)
	require.NoError(t, err)
	return m
}

func TestNew(t *testing.T) {
	for driver, valid := range map[string]bool{"": true, "secrets-store-gke.csi.k8s.io": true, "a/b": false, "a b": false} {
		_, err := csi.New(csi.Config{Driver: driver})
		assert.Equal(t, valid, err == nil, driver)
	}
}

func TestConformance(t *testing.T) {
	injectortest.Run(t, newManager(t, csi.Config{}),
		injectortest.Case{NoFilePrefix: true, Name: "file", Request: secret.Request{Group: "aws-secrets", Key: "db-password"}, Want: injectortest.File},
		injectortest.Case{NoFilePrefix: true, Name: "same-class", Request: secret.Request{Group: "aws-secrets", Key: "token", Mount: mount.File}},
		injectortest.Case{NoFilePrefix: true, Name: "other-class", Request: secret.Request{Group: "other", Key: "token", EnvVar: "TOKEN_FILE"}},
		injectortest.Case{NoFilePrefix: true, Name: "alias-directories", Request: secret.Request{Group: "deep", Key: "a/b/c"}},
		injectortest.Case{NoFilePrefix: true, Name: "exact-path", Request: secret.Request{Group: "paths", Key: "Key", Path: "Conf/Key"}},
		injectortest.Case{NoFilePrefix: true, Name: "group-upper-case", Request: secret.Request{Group: "Class", Key: "k"}},
		injectortest.Case{NoFilePrefix: true, Name: "upper-case", Request: secret.Request{Group: "aws-secrets", Key: "DB"}, Want: injectortest.Unsupported},
		injectortest.Case{NoFilePrefix: true, Name: "renamed", Request: secret.Request{Group: "aws-secrets", Key: "db", Path: "x/other"}, Want: injectortest.Unsupported},
		injectortest.Case{NoFilePrefix: true, Name: "variable", Request: secret.Request{Group: "aws-secrets", Key: "k", Mount: mount.EnvVar}, Want: injectortest.Unsupported},
		injectortest.Case{NoFilePrefix: true, Name: "version", Request: secret.Request{Group: "aws-secrets", Key: "k", GroupVersion: "1"}, Want: injectortest.Unsupported},
		injectortest.Case{NoFilePrefix: true, Name: "no-class", Request: secret.Request{Group: "a/b", Key: "k"}, Want: injectortest.Unsupported},
		injectortest.Case{NoFilePrefix: true, Name: "no-key", Request: secret.Request{Group: "class"}, Want: injectortest.Unsupported},
		injectortest.Case{NoFilePrefix: true, Name: "odd-key", Request: secret.Request{Group: "class", Key: "a/./b"}, Want: injectortest.Unsupported},
	)
}

// Each class has one volume, even for files in two directories.
func TestInject_VolumePerClass(t *testing.T) {
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{newManager(t, csi.Config{Driver: "d.example.com"})}})
	require.NoError(t, err)
	pod, err := in.Inject(ctx, injectortest.Pod(),
		secret.Request{Group: "class", Key: "a"}, secret.Request{Group: "class", Key: "b"}, secret.Request{Group: "class", Key: "c", Path: "Elsewhere/c"})
	require.NoError(t, err)
	require.Len(t, pod.Spec.Volumes, 1)
	readOnly := true
	assert.Equal(t, &corev1.CSIVolumeSource{Driver: "d.example.com", ReadOnly: &readOnly, VolumeAttributes: map[string]string{"secretProviderClass": "class"}}, pod.Spec.Volumes[0].CSI)
	var paths []string
	for _, m := range pod.Spec.Containers[0].VolumeMounts {
		assert.True(t, m.ReadOnly)
		paths = append(paths, m.MountPath)
	}
	assert.Equal(t, []string{"/etc/flyte/secrets/class", "/etc/flyte/secrets/Elsewhere"}, paths)
}

func TestMount_ExactLayout(t *testing.T) {
	target := mount.NewTarget(mount.Layout{Exact: true, Dir: "/secrets"}, mount.InitFirst, nil)
	f, err := newManager(t, csi.Config{}).Mount(ctx, secret.Request{Group: "class", Key: "DB_Password"}, target)
	require.NoError(t, err)
	assert.Equal(t, "/secrets/class", f.VolumeMounts[0].MountPath)
	assert.Equal(t, mount.Object{Name: "class"}, f.Reads)
}
