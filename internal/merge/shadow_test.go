package merge_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
)

// Flyte's client reads a variable before a file, so that of two secrets with one
// name, one in each form, it would never see the file.
func TestAVariableThatHidesAFile(t *testing.T) {
	const want = `env "_FSEC_G_K" would be read before the file "/etc/flyte/secrets/g/k", and is another secret`
	for _, tc := range []struct {
		name    string
		secrets []merge.Secret
		want    string
	}{
		{"the same secret in both forms", []merge.Secret{ref("g", "k"), item("g", "k")}, ""},
		{"a group in other letters, which is the same Secret", []merge.Secret{ref("G", "k"), item("g", "k")}, ""},
		{"one secret asked for twice, once in other letters", []merge.Secret{ref("G", "k"), ref("g", "k"), fetched("g", "k")}, ""},
		{"another key, in other letters", []merge.Secret{ref("g", "K"), item("g", "k")}, want},
		{"the other way round", []merge.Secret{item("g", "k"), ref("g", "K")}, want},
		{"a group in other letters, fetched", []merge.Secret{ref("G", "k"), fetched("g", "k")}, want},
		{"a literal of another name", []merge.Secret{literal("", "g_k", "v"), item("g", "k")}, want},
		{"an extra variable", []merge.Secret{with(ref("g", "other"), envVar("_FSEC_G_K")), item("g", "k")}, want},
		{"an extra variable with a path", []merge.Secret{with(item("g", "other"), envVar("_FSEC_G_K")), item("g", "k")}, want},
		{"its own extra variable", []merge.Secret{with(item("g", "k"), envVar("_FSEC_G_K"))}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, problems := mergeAll(mount.Layout{}, tc.secrets)
			if tc.want == "" {
				require.Empty(t, problems)
				return
			}
			require.Len(t, problems, 1)
			assert.Equal(t, merge.Problem{Secret: 1, Other: 0, Err: problems[0].Err}, problems[0])
			assert.EqualError(t, problems[0].Err, tc.want)
		})
	}
}
