package vault_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

// Reads has one spelling for all requests for a secret: the path in Vault's API.
func TestReads(t *testing.T) {
	teams := vault.Config{Mounts: []string{"team", "team/kv", "secret"}}
	for _, tc := range []struct {
		name      string
		cfg       vault.Config
		req       secret.Request
		path, key string // an empty path means unsupported
	}{
		{"kv2", vault.Config{}, secret.Request{Group: "secret/data/Task", Key: "k"}, "secret/data/Task", "k"},
		{"without data", vault.Config{}, secret.Request{Group: "secret/Task", Key: "k"}, "secret/data/Task", "k"},
		{"other slashes", vault.Config{}, secret.Request{Group: "/secret//./Task/", Key: "k"}, "secret/data/Task", "k"},
		{"dots", vault.Config{}, secret.Request{Group: "secret/data/other/../Task", Key: "k"}, "secret/data/Task", "k"},
		{"data below", vault.Config{}, secret.Request{Group: "secret/a/data/b", Key: "k"}, "secret/data/a/data/b", "k"},
		{"a secret called data", vault.Config{}, secret.Request{Group: "secret/data", Key: "k"}, "secret/data/data", "k"},
		{"mount", vault.Config{}, secret.Request{Group: "secret", Key: "k"}, "secret/data", "k"},
		{"metadata", vault.Config{}, secret.Request{Group: "secret/metadata/Task", Key: "k"}, "secret/metadata/Task", "k"},
		{"whole", vault.Config{}, secret.Request{Group: "secret/Task"}, "secret/data/Task", ""},
		{"kv1", vault.Config{}, secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"}, "kv/Task", "k"},
		{"db", vault.Config{}, secret.Request{Group: "database/creds/Task", Key: "file", GroupVersion: "db"}, "database/creds/Task", ""},
		{"listed mount", teams, secret.Request{Group: "team/kv/a", Key: "k"}, "team/kv/data/a", "k"},
		{"listed mount with data", teams, secret.Request{Group: "team/kv/data/a", Key: "k"}, "team/kv/data/a", "k"},
		{"listed, shorter", teams, secret.Request{Group: "team/kvx/a", Key: "k"}, "team/data/kvx/a", "k"},
		{"not listed", teams, secret.Request{Group: "teams/a", Key: "k"}, "", ""},
		{"another engine there", teams, secret.Request{Group: "secret/data/a", Key: "data", GroupVersion: "kv1"}, "", ""},
		{"another engine elsewhere", teams, secret.Request{Group: "kv/a", Key: "k", GroupVersion: "kv1"}, "kv/a", "k"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := newManager(t, tc.cfg).Mount(ctx, tc.req, mount.Target{})
			if tc.path == "" {
				assert.ErrorIs(t, err, secret.ErrUnsupported)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, mount.Object{Name: tc.path, Key: tc.key}, f.Reads)
		})
	}
}
