package e2e

import (
	"cmp"
	"encoding/json"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// names returns the variable and the file in which Flyte's client looks, in this
// order, in a container with the variables. It follows recordings of the client and
// uses none of the library's code.
func names(env map[string]string, group, version, key string) (variable, file string) {
	parts := slices.DeleteFunc([]string{group, version, key}, func(s string) bool { return s == "" })
	prefix := cmp.Or(env[mount.EnvPrefixVar], "_FSEC_")
	dir := cmp.Or(env[mount.DefaultDirVar], "/etc/secrets")
	variable = prefix + strings.ToUpper(strings.Join(parts, "_"))
	last := len(parts) - 1
	for i := range parts {
		parts[i] = strings.ToLower(parts[i])
	}
	parts[last] = env[mount.FilePrefixVar] + parts[last]
	return variable, path.Join(dir, path.Join(parts...))
}

// get models the client, which trims spaces.
func (v view) get(group, version, key string) (value string, found bool) {
	variable, file := names(v.env, group, version, key)
	if value, found = v.env[variable]; !found {
		value, found = v.file(file)
	}
	return strings.TrimSpace(value), found
}

// The recordings have the places where the client looked in each container. The
// discovery variables follow from these, or have the client's defaults.
func TestReader_Recorded(t *testing.T) {
	raw, err := os.ReadFile("testdata/flytekit-rules.json")
	require.NoError(t, err)
	var rows []struct {
		ID, What string
		Request  struct {
			Group, Key string
			Version    string `json:"group_version"`
		}
		Env  string `json:"looks_up_env"`
		File string `json:"looks_up_file"`
	}
	require.NoError(t, json.Unmarshal(raw, &rows))
	require.NotEmpty(t, rows)
	checked := 0
	for _, row := range rows {
		r := row.Request
		call := secret.Request{Group: r.Group, GroupVersion: r.Version, Key: r.Key}
		if call.Validate() != nil {
			continue // Pods with this request are refused
		}
		checked++
		t.Run(row.ID, func(t *testing.T) {
			bare := strings.ToUpper(strings.Join(slices.DeleteFunc([]string{r.Group, r.Version, r.Key}, func(s string) bool { return s == "" }), "_"))
			prefix, ok := strings.CutSuffix(row.Env, bare)
			require.True(t, ok, row.What)
			if prefix == "" {
				return // A9: a blank prefix, which the client trims and no Layout allows
			}
			announced := map[string]string{mount.EnvPrefixVar: prefix}
			if strings.HasPrefix(row.File, "/etc/flyte/secrets/") {
				announced[mount.DefaultDirVar] = "/etc/flyte/secrets"
			}
			if strings.Contains(row.File, "/Pre-") {
				announced[mount.FilePrefixVar] = "Pre-"
			}
			variable, file := names(announced, r.Group, r.Version, r.Key)
			assert.Equal(t, row.Env, variable, row.What)
			assert.Equal(t, path.Clean(row.File), file, row.What)
			if prefix == "_FSEC_" {
				variable, _ = names(nil, r.Group, r.Version, r.Key)
				assert.Equal(t, row.Env, variable, "the default: %s", row.What)
			}
		})
	}
	assert.Greater(t, checked, 60)
}
