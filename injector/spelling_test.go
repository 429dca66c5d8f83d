package injector_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/azurekv"
	"github.com/podsecrets/podsecrets/gcpsm"
	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

var ruleSpellings = map[string]struct {
	manager func() (injector.SecretManager, error)
	of      []secret.Request
}{
	"upper case of a Kubernetes Secret": {
		func() (injector.SecretManager, error) { return k8ssecret.New(k8ssecret.Config{}) },
		[]secret.Request{{Group: "token-k", Key: "key"}, {Group: "TOKEN-K", Key: "key"}, {Group: "to\u212aen-k", Key: "key"}, {Group: "Token-k", Key: "key", EnvVar: "X"}, {Group: "token-k", Key: "key", Mount: mount.File}},
	},
	"slashes and data of Vault": {
		func() (injector.SecretManager, error) { return vault.New(vault.Config{Role: "r"}) },
		[]secret.Request{{Group: "secret/data/x", Key: "k"}, {Group: "secret/x", Key: "k"}, {Group: "secret//data/./x/", Key: "k"}, {Group: "/secret/data/y/../x", Key: "k"}},
	},
	"an ARN's colons": {
		func() (injector.SecretManager, error) { return awssm.New(awssm.Config{}) },
		[]secret.Request{{Group: arn, Key: "db"}, {Group: "arn:aws:secretsmanager:us-east-2:123456789012", Key: "secret:db"}, {Group: arn + ":db"}},
	},
	"Google's short name": {
		func() (injector.SecretManager, error) { return gcpsm.New(gcpsm.Config{Project: "p1"}) },
		[]secret.Request{{Group: "s", Key: "k"}, {Group: "projects/p1/secrets/s", Key: "k"}, {Group: "s", Key: "other", GroupVersion: "2"}},
	},
	"Azure's URL": {
		func() (injector.SecretManager, error) {
			return azurekv.New(azurekv.Config{Vault: "https://team.vault.azure.net", Vaults: []string{"https://team.vault.azure.net"}})
		},
		[]secret.Request{{Group: "s", Key: "k"}, {Group: "S", Key: "k"}, {Group: "https://TEAM.vault.azure.net/secrets/s", Key: "k"}},
	},
	"global's underscore": {
		func() (injector.SecretManager, error) {
			return global.New(global.Config{EnvPrefix: "SPELLING_"})
		},
		[]secret.Request{{Group: "a", Key: "b_c"}, {Group: "a_b", Key: "c"}},
	},
}

// Rules allow or refuse all spellings of one secret together. U+212A, the
// Kelvin sign, is k in lower case.
func TestRules_Spellings(t *testing.T) {
	t.Setenv("SPELLING_A_B_C", canary)
	for name, tc := range ruleSpellings {
		t.Run(name, func(t *testing.T) {
			m, err := tc.manager()
			require.NoError(t, err)
			reads := func(allow func(injector.Access) error, req secret.Request) (object mount.Object, served bool) {
				in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}, Allow: allow})
				require.NoError(t, err)
				plan, err := in.Plan(ctx, &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}, req)
				if err != nil {
					return mount.Object{}, false
				}
				return plan.Placements[0].Reads, true
			}
			served := 0
			for _, first := range tc.of {
				object, ok := reads(nil, first)
				if !ok {
					continue // the store's manager takes no such spelling
				}
				served++
				require.NotZero(t, object)
				exactly := injector.Rules{{Names: []string{object.Name}, Keys: []string{object.Key}}}
				another := injector.Rules{{Names: []string{object.Name + "x", "x" + object.Name}}, {Keys: []string{object.Key + "x"}}}
				for _, other := range tc.of {
					if _, ok := reads(nil, other); ok {
						_, allowed := reads(exactly.Allow, other)
						assert.True(t, allowed, "%v is allowed, %v is refused", first, other)
						_, allowed = reads(another.Allow, other)
						assert.False(t, allowed, "%v", other)
					}
				}
			}
			assert.Greater(t, served, 1)
		})
	}
}
