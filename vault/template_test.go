package vault_test

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"testing"
	"text/template"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

// hostile are texts that try to escape from a template, a quoted string, a URL or a
// path.
var hostile = []string{
	`k" }}{{ env "HOME" }}{{ "`, "k` }}{{ plugin `id` }}{{ `", `\" }}{{ "`, `\`, `\x`, `"`, "`", "'", "}}", "{{", "{{/*", "*/}}", "-}}",
	"a\nb", "a\x00b", "\xff", "\u2028", "\ufeff", "é", "日本", "😀", "1st", "my-key", "my.key", ".", " k ", "$", "%", "%2e%2e", "?version=1", "#f",
	"a:b", "http://host/x", "a=b&c", "+", "*", "~", "<no value>", "data", "nil", "true", "0",
}

// rendered returns the output of a template, and the paths that it reads.
func rendered(t *testing.T, text string, data any) (out string, read []string, err error) {
	t.Helper()
	funcs := template.FuncMap{
		"secret": func(args ...string) (any, error) {
			if len(args) != 1 {
				return nil, fmt.Errorf("%d arguments: this would write", len(args))
			}
			read = append(read, readPath(t, args[0]))
			return map[string]any{"Data": data}, nil
		},
		"sprig_fail": func(message string) (string, error) { return "", errors.New(message) },
	}
	parsed, err := template.New("").Funcs(funcs).Parse(text)
	require.NoError(t, err, "%s", text)
	var b strings.Builder
	err = parsed.Execute(&b, nil)
	return b.String(), read, err
}

// readPath returns the path that consul-template reads for an argument of "secret".
func readPath(t *testing.T, s string) string {
	t.Helper()
	u, err := url.Parse(strings.Trim(strings.TrimSpace(s), "/"))
	require.NoError(t, err, "%q", s)
	assert.Empty(t, u.RawQuery)
	assert.Empty(t, u.Scheme+u.Opaque+u.Host+u.Fragment)
	return u.Path
}

// assertTemplates checks for each engine that the template for a group and a key reads
// that path once, writes that entry, and fails if it is missing.
func assertTemplates(t *testing.T, m *vault.Manager, group, key string) {
	t.Helper()
	want := strings.TrimPrefix(path.Clean("/"+group), "/")
	for engine, wrap := range map[string]func(map[string]any) any{
		"kv1": func(data map[string]any) any { return data },
		"kv2": func(data map[string]any) any { return map[string]any{"data": data, "metadata": map[string]any{}} },
		"db":  func(data map[string]any) any { return data },
	} {
		f, err := m.Mount(ctx, secret.Request{Group: group, Key: key, GroupVersion: engine}, mount.Target{})
		if want == "" {
			require.ErrorIs(t, err, secret.ErrUnsupported)
			return
		}
		require.NoError(t, err)
		required, id := written(f.Webhook.Annotations)
		text := required[p+"agent-inject-template-ID"]
		alias, aliasID := written(f.Webhook.AliasAnnotations)
		assert.Equal(t, strings.ReplaceAll(text, id, aliasID), alias[p+"agent-inject-template-ID"], "the alias reads the same")
		assert.Equal(t, want, required[p+"agent-inject-secret-ID"])

		const value = "c4nary {{ \r\n"
		entry := map[string]any{key: value, key + "x": "another", "": "unnamed"}
		out, read, err := rendered(t, text, wrap(entry))
		require.NoError(t, err, "%s", text)
		assert.Equal(t, []string{want}, read)
		if engine == "db" {
			assert.Contains(t, out, key+": "+value+"\n")
			continue
		}
		assert.Equal(t, value, out)
		for name, data := range map[string]any{
			"other key":  wrap(map[string]any{key + "x": value}),
			"null":       wrap(map[string]any{key: nil}),
			"no entries": wrap(nil),
			"no data":    map[string]any{"data": nil},
		} {
			out, _, err := rendered(t, text, data)
			require.ErrorContains(t, err, fmt.Sprintf("vault has no key %q at %q", key, want), name)
			assert.Empty(t, out)
		}
	}
}

func TestTemplates(t *testing.T) {
	m := newManager(t, vault.Config{})
	for _, s := range hostile {
		assertTemplates(t, m, "secret/data/task", s)
		assertTemplates(t, m, s, "key")
		assertTemplates(t, m, "secret/"+s+"/x", s)
	}
}

func TestTemplates_EmptyValues(t *testing.T) {
	f, err := newManager(t, vault.Config{KVVersion: "1"}).Mount(ctx, secret.Request{Group: "g", Key: "k"}, mount.Target{})
	require.NoError(t, err)
	required, _ := written(f.Webhook.Annotations)
	for value, want := range map[any]string{"": "", false: "false", 0: "0"} {
		out, _, err := rendered(t, required[p+"agent-inject-template-ID"], map[string]any{"k": value})
		require.NoError(t, err)
		assert.Equal(t, want, out)
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range hostile {
		f.Add("secret/data/task", s)
		f.Add(s, "key")
	}
	m := newManager(f, vault.Config{})
	f.Fuzz(func(t *testing.T, group, key string) { assertTemplates(t, m, group, key) })
}
