package envfile

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/kubelet/util/env"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/internal/vaulttest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

func TestMain(m *testing.M) {
	vaulttest.Isolate()
	os.Exit(m.Run())
}

// asVariable returns the request in the form of a variable with the given name.
func asVariable(req secret.Request, name string) secret.Request {
	req.Mount, req.EnvVar = mount.EnvVar, name
	return req
}

// variables renders a Pod's env files with the agent's own renderer and reads them with
// the kubelet's parser.
func variables(t testing.TB, s *vaulttest.Server, reqs ...secret.Request) (map[string]string, error) {
	t.Helper()
	m, err := vault.New(vault.Config{EnvFiles: true})
	require.NoError(t, err)
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	require.NoError(t, err)
	pod, err := in.Inject(t.Context(), &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}, reqs...)
	require.NoError(t, err)
	agent, err := vaulttest.Inject(pod.Annotations)
	require.NoError(t, err)
	root := t.TempDir()
	if err := vaulttest.Render(t, agent, s, root); err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, e := range pod.Spec.Containers[0].Env {
		if e.ValueFrom == nil {
			continue
		}
		ref := e.ValueFrom.FileKeyRef
		require.Equal(t, "vault-secrets", ref.VolumeName)
		file := path.Join(root, "/etc/flyte/secrets", ref.Path)
		if values[e.Name], err = env.ParseEnv(file, ref.Key); err != nil {
			return nil, err
		}
		info, err := os.Stat(file)
		require.NoError(t, err)
		assert.EqualValues(t, 0o400, info.Mode())
	}
	return values, nil
}

// The kubelet reads the value byte for byte, or the agent fails with a message that names
// path and key.
func TestVault_Values(t *testing.T) {
	s := vaulttest.NewServer(t, "flyte")
	line := strings.Repeat("a", 64<<10-1)
	lines := func(n int) string { return strings.Repeat(line[:1<<10]+"\n", 128)[:n] }
	for _, tc := range []struct {
		name  string
		value any
		want  string // "" means the value itself
		fails string
	}{
		{name: "text", value: "pa ss"},
		{name: "final newline", value: "a\n"},
		{name: "newlines", value: "\n\na\n\nb"},
		{name: "blanks", value: "  a\t "},
		{name: "carriage return", value: "a\rb\r"},
		{name: "double quotes", value: "\"`\\"},
		{name: "variable", value: "$HOME $(HOME) ${HOME} $$"},
		{name: "comment", value: "# a\n#b"},
		{name: "second variable", value: "a\nV=b\nW="},
		{name: "template", value: `{{ env "HOME" }}`},
		{name: "unicode", value: "größe 日本 😀 \u2028\ufeff\ufffd"},
		{name: "markup", value: "<a>&amp;</a>"},
		{name: "certificate", value: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"},
		{name: "number", value: 5432, want: "5432"},
		{name: "boolean", value: false, want: "false"},
		{name: "longest line", value: "a\n" + line + "\nb"},
		{name: "longest first line", value: line[3:] + "\n"},
		{name: "longest", value: lines(131_070 - 100)},

		{name: "empty", value: "", fails: "which is empty"},
		{name: "single quote", value: "it's", fails: "which has a single quote or a NUL byte"},
		{name: "NUL", value: "a\x00b", fails: "which has a single quote or a NUL byte"},
		{name: "crlf", value: "a\r\nb", fails: "which has a carriage return before a newline"},
		{name: "line too long", value: "a\n" + line + "a\nb", fails: "which has a line that is too long"},
		{name: "first line too long", value: line[2:] + "\n", fails: "which has a line that is too long"},
		{name: "too long", value: lines(131_071 - 100), fails: "which is too long for a variable"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := cmp.Or(tc.want, fmt.Sprint(tc.value))
			for engine, at := range map[string]string{"kv1": "kv/x", "kv2": "secret/data/x"} {
				s.Write(t, at, map[string]any{tc.name: tc.value, "other": "wrong"})
				// The longest name has 100 bytes.
				req := asVariable(secret.Request{Group: at, Key: tc.name, GroupVersion: engine}, strings.Repeat("X", 100))
				got, err := variables(t, s, req)
				if tc.fails != "" {
					require.Error(t, err)
					if tc.name == "empty" && engine == "kv1" {
						continue // the renderer redacts "" in the message
					}
					for _, part := range []string{tc.fails, fmt.Sprintf("%q", tc.name), fmt.Sprintf("%q", at)} {
						require.ErrorContains(t, err, part)
					}
					continue
				}
				require.NoError(t, err)
				assert.Equal(t, want, got[req.EnvVar])
			}
		})
	}
}

// A request without a key gets everything at the path, as JSON, in which quotes can be
// escaped.
func TestVault_NoKey(t *testing.T) {
	s := vaulttest.NewServer(t, "flyte")
	all := map[string]any{"user": "it's <me>", "port": 5432.0, "nested": map[string]any{"a": []any{"'"}}, "null": nil, "empty": ""}
	s.Write(t, "kv/x", all)
	s.Write(t, "secret/data/x", all)
	for engine, at := range map[string]string{"kv1": "kv/x", "kv2": "secret/x"} {
		read, err := variables(t, s, asVariable(secret.Request{Group: at, GroupVersion: engine}, "WHOLE"))
		require.NoError(t, err)
		var got map[string]any
		require.NoError(t, json.Unmarshal([]byte(read["WHOLE"]), &got))
		assert.Equal(t, all, got)
	}
	read, err := variables(t, s, asVariable(secret.Request{Group: "database/creds/a", GroupVersion: "db"}, "WHOLE"))
	require.NoError(t, err)
	assert.Regexp(t, `^\{"password":"p-\d+ \{\{","username":"v-a-\d+"\}$`, read["WHOLE"])
}

func TestVault_Database(t *testing.T) {
	s := vaulttest.NewServer(t, "flyte")
	read, err := variables(t, s, asVariable(secret.Request{Group: "database/creds/a", Key: "creds", GroupVersion: "db"}, "CREDS"))
	require.NoError(t, err)
	assert.Regexp(t, "^password: p-\\d+ \\{\\{\nusername: v-a-\\d+\n$", read["CREDS"])
}

func TestVault_Missing(t *testing.T) {
	s := vaulttest.NewServer(t, "flyte")
	s.Write(t, "kv/x", map[string]any{"other": "wrong", "null": nil})
	for _, key := range []string{"k", "null"} {
		_, err := variables(t, s, asVariable(secret.Request{Group: "kv/x", Key: key, GroupVersion: "kv1"}, "X"))
		assert.ErrorContains(t, err, fmt.Sprintf(`vault has no key %q at "kv/x"`, key))
	}
}

// For any value and names, the kubelet reads the value, or the agent fails.
func FuzzVault(f *testing.F) {
	for _, text := range []string{"it's", "`", `\`, "{{", "}}", "\n", "\r\n", "a\x00b", "$", "\u2028", "", "V=''", "#"} {
		f.Add("k"+text, "v")
		f.Add("k", text)
	}
	s := vaulttest.NewServer(f, "flyte")
	f.Fuzz(func(t *testing.T, key, value string) {
		req := asVariable(secret.Request{Group: "kv/x", Key: key, GroupVersion: "kv1"}, "X")
		if key == "" || req.Validate() != nil || strings.ToValidUTF8(value, "") != value {
			return
		}
		s.Write(t, "kv/x", map[string]any{key: value, key + "x": "wrong"})
		got, err := variables(t, s, req)
		if strings.Contains(value, "'") || strings.Contains(value, "\x00") || strings.Contains(value, "\r\n") || value == "" || len(value) > 64<<10 {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		require.Equal(t, value, got["X"])
	})
}
