package vault_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/fetch"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

func TestEnvFile(t *testing.T) {
	m := newManager(t, vault.Config{EnvFiles: true})
	req := secret.Request{Group: "secret/data/a", Key: "k", GroupVersion: "kv2", Mount: mount.EnvVar, EnvVar: "A"}
	f, err := m.Mount(ctx, req, mount.Target{})
	require.NoError(t, err)
	require.NoError(t, f.Validate())
	required, id := written(f.Webhook.Annotations)
	ref := f.Value.EnvVar("X").ValueFrom.FileKeyRef
	assert.Equal(t, &corev1.FileKeySelector{VolumeName: "vault-secrets", Path: required[p+"agent-inject-file-ID"], Key: fetch.EnvKey}, ref)
	assert.True(t, strings.HasPrefix(ref.Path, ".env/"), ref.Path)
	assert.Equal(t, "0400", required[p+"agent-inject-perms-"+id], "the kubelet reads it as root")
	assert.Nil(t, f.Webhook.AliasAnnotations, "the merge names variables")

	other := req
	other.EnvVar = "B"
	same, err := m.Mount(ctx, other, mount.Target{})
	require.NoError(t, err)
	assert.Equal(t, f, same, "a second variable reads the same file")
	other.EnvVar = strings.Repeat("B", 100)
	longer, err := m.Mount(ctx, other, mount.Target{})
	require.NoError(t, err)
	assert.NotEqual(t, ref.Path, longer.Value.EnvVar("X").ValueFrom.FileKeyRef.Path, "a longer name leaves the value less room")
}

func TestEnvFile_Form(t *testing.T) {
	off, on := vault.Config{}, vault.Config{EnvFiles: true}
	inTemplate := mount.NewTarget(mount.Layout{}, mount.InitFirst, nil).WithSpec(mount.TargetSpec{Template: true})
	for _, tc := range []struct {
		name   string
		cfg    vault.Config
		as     mount.Type
		target mount.Target
		want   string
	}{
		{"variable", on, mount.EnvVar, mount.Target{}, "variable"},
		{"any", on, mount.Any, mount.Target{}, "variable"},
		{"file", on, mount.File, mount.Target{}, "file"},
		{"off, variable", off, mount.EnvVar, mount.Target{}, ""},
		{"off, any", off, mount.Any, mount.Target{}, "file"},
		{"template, variable", on, mount.EnvVar, inTemplate, ""},
		{"template, any", on, mount.Any, inTemplate, "file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := newManager(t, tc.cfg).Mount(ctx, secret.Request{Group: "g", Key: "k", Mount: tc.as}, tc.target)
			if tc.want == "" {
				assert.ErrorIs(t, err, secret.ErrUnsupported)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.want == "file", f.File)
			assert.Equal(t, tc.want == "variable", f.Value != nil)
		})
	}
}
