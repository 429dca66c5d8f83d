package vault_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

func TestConformance(t *testing.T) {
	annotated := func(name, value string) *metav1.ObjectMeta {
		return &metav1.ObjectMeta{Namespace: "n", Annotations: map[string]string{p + name: value, "other": "1"}}
	}
	kv := secret.Request{Group: "secret/data/Task", Key: "Pass-Word"}
	cases := []injectortest.Case{
		{Name: "kv", Request: kv, Want: injectortest.File},
		{Name: "another key", Request: secret.Request{Group: "secret/data/Task", Key: "user", EnvVar: "USER_FILE"}, Want: injectortest.File},
		{Name: "kv1", Request: secret.Request{Group: "kv/task", Key: "k", GroupVersion: "kv1"}, Want: injectortest.File},
		{Name: "kv2", Request: secret.Request{Group: "kv/task", Key: "k", GroupVersion: "kv2", Mount: mount.File}},
		{Name: "db", Request: secret.Request{Group: "database/creds/task", Key: "pg", GroupVersion: "db"}},
		{Name: "db again", Request: secret.Request{Group: "database/creds/task", Key: "pg2", GroupVersion: "db"}},
		{Name: "exact path", Request: secret.Request{Group: "kv/task", Key: "k", GroupVersion: "kv1", Path: "Conf.d/App"}, Want: injectortest.File},
		{Name: "no template", Request: secret.Request{Group: `a" }}{{ x`, Key: "`k"}},
		{Name: "own role", Request: kv, Meta: annotated("role", "mine")},
		{Name: "own dir", Request: kv, Meta: annotated("secret-volume-path", "/mnt/mine")},
		{Name: "off", Request: kv, Meta: annotated("agent-inject", "false"), Want: injectortest.Fails},
		{Name: "variable", Request: secret.Request{Group: "a", Key: "k", Mount: mount.EnvVar}, Want: injectortest.Unsupported},
		{Name: "no group", Request: secret.Request{Key: "k"}, Want: injectortest.Unsupported},
		{Name: "whole", Request: secret.Request{Group: "kv/task", GroupVersion: "kv1", Path: "whole.json"}, Want: injectortest.File},
		{Name: "mode", Request: secret.Request{Group: "kv/task", Key: "mode", GroupVersion: "kv1", Mode: 0o440}, Want: injectortest.File},
		{Name: "no engine", Request: secret.Request{Group: "g", Key: "k", GroupVersion: "v1"}, Want: injectortest.Unsupported},
	}
	for name, cfg := range map[string]vault.Config{
		"zero": {},
		"full": {
			Role: "tasks", KVVersion: "1", Annotations: map[string]string{p + "service": "https://vault.example.com"},
			Locked: []string{p + "service", p + "namespace"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := vault.New(cfg)
			require.NoError(t, err)
			injectortest.Run(t, m, cases...)
		})
	}
}

func TestConformance_EnvFiles(t *testing.T) {
	kv := secret.Request{Group: "secret/data/Task", Key: "Pass-Word"}
	for _, flavor := range []vault.Flavor{vault.Vault, vault.OpenBao} {
		t.Run(flavor.String(), func(t *testing.T) {
			m, err := vault.New(vault.Config{Flavor: flavor, EnvFiles: true, Mounts: []string{"secret"}})
			require.NoError(t, err)
			injectortest.Run(t, m,
				injectortest.Case{Name: "any", Request: kv, Want: injectortest.Variable},
				injectortest.Case{Name: "variable", Request: secret.Request{Group: "secret/data/Task", Key: "other", Mount: mount.EnvVar, EnvVar: "app.password"}},
				injectortest.Case{Name: "file", Request: secret.Request{Group: "secret/data/Task", Key: "file", Mount: mount.File}},
				injectortest.Case{Name: "whole", Request: secret.Request{Group: "secret/whole", Mount: mount.EnvVar, EnvVar: "WHOLE"}},
				injectortest.Case{Name: "db", Request: secret.Request{Group: "database/creds/task", Key: "pg", GroupVersion: "db", Mount: mount.EnvVar}},
				injectortest.Case{Name: "other engine", Request: secret.Request{Group: "kv/task", Key: "k"}, Want: injectortest.Unsupported},
			)
		})
	}
}
