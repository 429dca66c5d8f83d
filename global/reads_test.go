package global_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Reads has one spelling for each secret, whatever the request's spelling.
func TestReads(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "team", "..data"), 0o700))
	for _, file := range []string{"team/token", "team/..data/token", "alone"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), []byte("v"), 0o600))
	}
	t.Setenv("SHARED_TEAM_A_TOKEN", "v")
	for _, tc := range []struct {
		name string
		cfg  global.Config
		req  secret.Request
		want string // "": not found
	}{
		{"variable", global.Config{}, secret.Request{Group: "team_a", Key: "token"}, "SHARED_TEAM_A_TOKEN"},
		{"another split", global.Config{}, secret.Request{Group: "Team", Key: "a_token"}, "SHARED_TEAM_A_TOKEN"},
		{"file", global.Config{}, secret.Request{Group: "team", Key: "token"}, dir + "/team/token"},
		{"slashes", global.Config{}, secret.Request{Group: "team//.", Key: "token"}, dir + "/team/token"},
		{"no group", global.Config{}, secret.Request{Key: "alone"}, dir + "/alone"},
		{"alias of a file", global.Config{}, secret.Request{Group: "team/..data", Key: "token"}, ""},
		{"source", global.Config{Source: source{value: "v"}}, secret.Request{Group: "g", Key: "k"}, "g"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.cfg.Source == nil {
				tc.cfg.EnvPrefix, tc.cfg.Dir = "SHARED_", dir
			}
			m, err := global.New(tc.cfg)
			require.NoError(t, err)
			tc.req.EnvVar = "X"
			f, err := m.Mount(ctx, tc.req, mount.Target{})
			if tc.want == "" {
				require.ErrorIs(t, err, secret.ErrNotFound)
				return
			}
			require.NoError(t, err)
			want := mount.Object{Name: tc.want}
			if tc.name == "source" {
				want.Key = tc.req.Key
			}
			assert.Equal(t, want, f.Reads)
		})
	}
}
