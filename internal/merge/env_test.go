package merge_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
)

func TestVariables_BetweenRequests(t *testing.T) {
	const twoMeanings = ` would have two different meanings`
	run(t, []row{
		{name: "joined-names", why: "the parts join to the same name", secrets: []merge.Secret{ref("a", "b_c"), ref("a_b", "c")}, index: 1,
			want: `env "_FSEC_A_B_C"` + twoMeanings},
		{name: "case-of-keys", secrets: []merge.Secret{ref("g", "Key"), ref("g", "key")}, index: 1, want: `env "_FSEC_G_KEY"` + twoMeanings},
		{name: "case-of-groups", why: "they are the same Secret", secrets: []merge.Secret{ref("G", "k"), ref("g", "k")}, adds: "containers/0/env(*,_FSEC_G_K)"},
		{name: "equal-literals", why: "equal by chance", secrets: []merge.Secret{literal("a", "b_c", "v"), literal("a_b", "c", "v")}, index: 1,
			want: `env "_FSEC_A_B_C"` + twoMeanings},
		{name: "one-literal-twice", secrets: []merge.Secret{literal("a", "b", "v"), with(literal("a", "b", "v"), envVar("X"))}, adds: "containers/0/env(*,_FSEC_A_B,X)"},
		{name: "literal-and-path", why: "the value is a path by chance", index: 1, secrets: []merge.Secret{
			with(item("g", "a"), envVar("X")), with(literal("h", "b", "/etc/flyte/secrets/g/a"), envVar("X")),
		}, want: `env "X"` + twoMeanings},
		{name: "one-exact-name", secrets: []merge.Secret{with(ref("g", "a"), envVar("X")), with(ref("g", "b"), envVar("X"))}, index: 1, want: `env "X"` + twoMeanings},
		{name: "exact-is-derived", why: "the exact name is another request's derived name", secrets: []merge.Secret{with(ref("g", "a"), envVar("_FSEC_G_B")), ref("g", "b")}, index: 1,
			want: `env "_FSEC_G_B"` + twoMeanings},
		{name: "exact-is-discovery", secrets: []merge.Secret{with(ref("g", "a"), envVar("X")), with(ref("g", "b"), envVar(mount.EnvPrefixVar))}, index: 1,
			want: `env "FLYTE_SECRETS_ENV_PREFIX"` + twoMeanings},
		{name: "two-directories", secrets: []merge.Secret{webhookFile("g", "a"), with(webhookFile("g", "b"), func(s *merge.Secret) { s.Fragment.Webhook.Dir = "/other" })}, index: 1,
			want: `env "FLYTE_SECRETS_DEFAULT_DIR"` + twoMeanings},
		{name: "two-fields", why: "both fields have the derived name", secrets: []merge.Secret{
			with(fetchedEnv("g", "k"), func(s *merge.Secret) { s.Field = "a" }), with(ref("g", "k"), func(s *merge.Secret) { s.Field = "b" }),
		}, index: 1, want: `env "_FSEC_G_K"` + twoMeanings + `: two fields of one secret share the derived name (use exact names only, Layout.Exact)`},
		{name: "two-fields-exact", layout: mount.Layout{Exact: true}, secrets: []merge.Secret{
			with(ref("g", "k"), func(s *merge.Secret) { s.Field, s.EnvVar = "a", "A" }), with(ref("h", "k"), func(s *merge.Secret) { s.Field, s.EnvVar = "b", "B" }),
		}, adds: "containers/0/env(A,B)"},
		{name: "invalid-derived", why: "not every cluster accepts the derived name", secrets: []merge.Secret{with(ref("g/h", "k"), envVar("TOKEN"))},
			adds: "containers/0/env(*,TOKEN)"},
		{name: "relaxed-derived", why: "clusters with env files accept it", secrets: []merge.Secret{with(fetchedEnv("g/h", "k"), envVar("TOKEN"))},
			adds: "volumes(podsecrets-fetched,podsecrets-env) containers/0/env(*,TOKEN,_FSEC_G/H_K) initContainers(ours)"},
		{name: "too-long", secrets: []merge.Secret{with(literal("g", "k", strings.Repeat("v", mount.MaxEnvVar-len("_FSEC_G_K"))), envVar("LONGER_NAME"))},
			want: `variable "LONGER_NAME": name and value together are longer than 131070 bytes`},
		{name: "too-many-literals", secrets: []merge.Secret{
			literal("g", "a", strings.Repeat("v", 120<<10)), literal("g", "b", strings.Repeat("v", 120<<10)), literal("g", "c", strings.Repeat("v", 120<<10)),
			literal("g", "d", strings.Repeat("v", 120<<10)), literal("g", "e", strings.Repeat("v", 120<<10)),
		}, index: 4, want: `variable "_FSEC_G_E": the literals added to the pod would have more than 524288 bytes`},
	})
}

func TestVariables_InPod(t *testing.T) {
	const set = ` is already set to something else`
	run(t, []row{
		{name: "set", pod: env("A", "1", "_FSEC_G_K", "mine"), secrets: []merge.Secret{ref("g", "k")},
			want: `container "app": env "_FSEC_G_K"` + set, path: "spec.containers[0].env[1].name"},
		{name: "set-kept", pod: env("_FSEC_G_K", "mine"), secrets: []merge.Secret{ref("g", "k")}, options: merge.Options{OnConflict: mount.ConflictKeepPod},
			adds: "containers/0/env/0"},
		{name: "discovery-not-kept", pod: env(mount.EnvPrefixVar, "mine"), secrets: []merge.Secret{ref("g", "k")}, options: merge.Options{OnConflict: mount.ConflictKeepPod},
			want: `container "app": env "FLYTE_SECRETS_ENV_PREFIX"` + set},
		{name: "last-is-ours", why: "the last of two definitions counts", pod: env(mount.EnvPrefixVar, "mine", mount.EnvPrefixVar, "_FSEC_"), secrets: []merge.Secret{ref("g", "k")},
			adds: "containers/0/env/0"},
		{name: "last-is-not-ours", pod: env(mount.EnvPrefixVar, "_FSEC_", mount.EnvPrefixVar, "mine"), secrets: []merge.Secret{ref("g", "k")},
			want: `container "app": env "FLYTE_SECRETS_ENV_PREFIX"` + set},
		{name: "literal-not-escaped", pod: env("_FSEC_G_K", "a$b"), secrets: []merge.Secret{literal("g", "k", "a$b")}, want: `container "app": env "_FSEC_G_K"` + set},
		{name: "literal-escaped", pod: env("_FSEC_G_K", "a$$b"), secrets: []merge.Secret{literal("g", "k", "a$b")}, adds: "containers/0/env/0"},
		{name: "path-set", pod: env("X", "mine"), secrets: []merge.Secret{with(item("g", "k"), envVar("X"))}, want: `container "app": env "X"` + set},
		{name: "alias-set", why: "an alias gives way to the Pod", pod: env("_FSEC_G_V_K", "mine"), secrets: []merge.Secret{with(ref("g", "k"), version("v"))},
			adds: "containers/0/env/0 containers/0/env/1"},
		{name: "same-reference", pod: podWithReference(configMap("g", "k")), secrets: []merge.Secret{reference(configMap("g", "k"))}, adds: "containers/0/env/0"},
		{name: "other-key", pod: podWithReference(configMap("g", "x")), secrets: []merge.Secret{reference(configMap("g", "k"))}, want: `container "app": env "_FSEC_G_K"` + set},
		{name: "other-object", pod: podWithReference(configMap("x", "k")), secrets: []merge.Secret{reference(configMap("g", "k"))}, want: `container "app": env "_FSEC_G_K"` + set},
		{name: "other-kind", pod: podWithReference(&corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{}}), secrets: []merge.Secret{reference(configMap("g", "k"))},
			want: `container "app": env "_FSEC_G_K"` + set},
		{name: "literal-for-reference", pod: env("_FSEC_G_K", "mine"), secrets: []merge.Secret{reference(configMap("g", "k"))}, want: `container "app": env "_FSEC_G_K"` + set},
		{name: "reference-for-literal", pod: podWithReference(configMap("g", "k")), secrets: []merge.Secret{literal("g", "k", "")}, want: `container "app": env "_FSEC_G_K"` + set},
		{name: "other-env-file", pod: podWithReference(&corev1.EnvVarSource{FileKeyRef: &corev1.FileKeySelector{VolumeName: mount.EnvVolume, Path: "x", Key: "V"}}), secrets: []merge.Secret{fetchedEnv("g", "k")},
			want: `container "app": env "_FSEC_G_K"` + set},
	})
}

// The limit applies only to literals, and is reported once.
func TestVariables_LiteralLimit(t *testing.T) {
	decide := func(secrets []merge.Secret) []merge.Problem {
		change, problems := mergeAll(mount.Layout{}, secrets)
		require.Empty(t, problems)
		_, problems, err := change.Decide(merge.ViewPod(app(nil)), merge.Options{})
		require.NoError(t, err)
		return problems
	}
	var literals, references []merge.Secret
	for i := range 12 {
		literals = append(literals, literal("g", fmt.Sprint("k", i), strings.Repeat("v", 100<<10)))
	}
	for i := range 6 {
		references = append(references, ref("g", fmt.Sprint("k", i)+strings.Repeat("k", 100<<10)))
	}
	assert.Empty(t, decide(literals[:5]), "500 KiB and the names")
	problems := decide(literals)
	require.Len(t, problems, 1)
	assert.Equal(t, 5, problems[0].Secret, "the first one beyond the limit")
	assert.Empty(t, decide(references), "600 KiB, but not of literals")
}
