package vault_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

func TestOpenBao(t *testing.T) {
	m := newManager(t, vault.Config{Flavor: vault.OpenBao})
	assert.Equal(t, "openbao", m.Name())
	f, err := m.Mount(ctx, secret.Request{Group: "secret/data/a", Key: "k"}, mount.Target{})
	require.NoError(t, err)
	want, err := newManager(t, vault.Config{}).Mount(ctx, secret.Request{Group: "secret/data/a", Key: "k"}, mount.Target{})
	require.NoError(t, err)
	renamed := func(annotations map[string]string) map[string]string {
		out := map[string]string{}
		for name, value := range annotations {
			out[strings.Replace(name, p, "openbao.org/", 1)] = value
		}
		return out
	}
	assert.Equal(t, renamed(want.Webhook.Annotations), f.Webhook.Annotations)
	assert.Equal(t, renamed(want.Webhook.DefaultAnnotations), f.Webhook.DefaultAnnotations)
	assert.Equal(t, "openbao-secrets", f.Webhook.Volume)
	assert.Equal(t, []string{"openbao-agent-init", "openbao-agent"}, f.Webhook.Containers)
	assert.Equal(t, "openbao.org/agent-inject-containers", f.Webhook.ContainersAnnotation)
	assert.Equal(t, "openbao.org/agent-inject-status", f.Webhook.RanAnnotation)
	assert.Equal(t, mount.FileAnnotations{Secret: "openbao.org/agent-inject-secret-", File: "openbao.org/agent-inject-file-", Dir: "openbao.org/secret-volume-path-"}, f.Webhook.Writes)
}

// OpenBao's injector renames Vault's annotations, so a Pod must not have those that
// decide how the agent runs.
func TestOpenBao_Renames(t *testing.T) {
	for _, tc := range []struct {
		name, annotation string
		cfg              vault.Config
		want             string // "" means served
	}{
		{"role", p + "role", vault.Config{}, "openbao.org/role"},
		{"off", p + "agent-inject", vault.Config{}, "openbao.org/agent-inject"},
		{"directory", p + "secret-volume-path", vault.Config{}, "openbao.org/secret-volume-path"},
		{"something else", p + "log-level", vault.Config{}, ""},
		{"locked", p + "log-level", vault.Config{Locked: []string{"openbao.org/log-level"}}, "is locked"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.cfg.Flavor = vault.OpenBao
			_, err := newManager(t, tc.cfg).Mount(ctx, fromKV, target(map[string]string{tc.annotation: "x"}))
			if tc.want == "" {
				assert.NoError(t, err)
				return
			}
			var conflict *mount.ConflictError
			require.ErrorAs(t, err, &conflict)
			assert.Equal(t, tc.annotation, conflict.Name)
			assert.Contains(t, conflict.Reason, tc.want)
		})
	}
	for _, cfg := range []vault.Config{{Annotations: map[string]string{p + "role": "r"}}, {Locked: []string{p + "role"}}} {
		cfg.Flavor = vault.OpenBao
		_, err := vault.New(cfg)
		assert.ErrorContains(t, err, `"vault.hashicorp.com/role" must begin with "openbao.org/"`)
	}
}
