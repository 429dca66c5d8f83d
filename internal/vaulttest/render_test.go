package vaulttest

import (
	"context"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

var ctx = context.Background()

func TestMain(m *testing.M) {
	Isolate()
	os.Exit(m.Run())
}

// setup is the setup of a test from requests to files.
type setup struct {
	cfg         vault.Config
	layout      mount.Layout
	annotations map[string]string // the Pod's own
	times       int               // how often the Pod is injected; 0 means once
}

// run injects a Pod and runs its agent. It returns the files by their paths in the
// Pod.
func (p setup) run(t testing.TB, s *Server, reqs ...secret.Request) (placements []injector.Placement, files map[string]string, err error) {
	t.Helper()
	_, placements, root, err := p.render(t, s, reqs...)
	return placements, FilesBelow(t, root), err
}

// render is run, but returns the Pod, and the directory that has the files.
func (p setup) render(t testing.TB, s *Server, reqs ...secret.Request) (pod *corev1.Pod, placements []injector.Placement, root string, err error) {
	t.Helper()
	m, err := vault.New(p.cfg)
	require.NoError(t, err)
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}, Layout: p.layout})
	require.NoError(t, err)
	pod = &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}
	pod.Annotations = p.annotations
	for range max(p.times, 1) {
		plan, err := in.Plan(ctx, pod, reqs...)
		require.NoError(t, err)
		pod, placements = plan.Pod(), plan.Placements
	}
	require.Equal(t, "true", pod.Annotations[Prefix+"agent-inject"])
	for name := range pod.Annotations {
		if id, ok := strings.CutPrefix(name, Prefix+"agent-inject-template-"); ok {
			require.Contains(t, pod.Annotations, Prefix+"agent-inject-secret-"+id, "every template has a secret")
		}
	}
	config, err := Inject(pod.Annotations)
	require.NoError(t, err)
	root = t.TempDir()
	return pod, placements, root, Render(t, config, s, root)
}

// assertFiles asserts that the wanted files exist at each Placement's path and its
// alias, the path with the version, and no other files.
func (p setup) assertFiles(t testing.TB, want []string, placements []injector.Placement, files map[string]string) {
	t.Helper()
	require.Len(t, placements, len(want))
	all := map[string]string{}
	for i, placement := range placements {
		req := placement.Request
		all[placement.Path] = want[i]
		require.True(t, strings.HasSuffix(placement.Path, "/"+req.RelPath(p.layout, "")), "the path has no version")
		if req.GroupVersion == "" || req.Path != "" || p.layout.Exact {
			continue
		}
		dir := strings.TrimSuffix(placement.Path, "/"+req.RelPath(p.layout, ""))
		alias := path.Join(dir, p.layout.RelPath(req.Group, req.GroupVersion, req.Key))
		if !strings.HasPrefix(alias, placement.Path+"/") { // a file has no files below it
			all[alias] = want[i]
		}
	}
	assert.Equal(t, all, files)
}

func kv1(path, key string) secret.Request {
	return secret.Request{Group: path, Key: key, GroupVersion: "kv1"}
}

func kv2(path, key string) secret.Request {
	return secret.Request{Group: path, Key: key, GroupVersion: "kv2"}
}

func db(path, key string) secret.Request {
	return secret.Request{Group: path, Key: key, GroupVersion: "db"}
}

func TestRender_Engines(t *testing.T) {
	s := NewServer(t, "flyte")
	s.Write(t, "kv/Task", map[string]any{"Key": "one", "key2": "two", "data": "three", "KV1": "seven"})
	s.Write(t, "secret/data/Task", map[string]any{"Key": "four", "key2": "five", "data": "six"})
	for _, tc := range []struct {
		name string
		setup
		reqs []secret.Request
		want []string
	}{
		{"kv1", setup{}, []secret.Request{kv1("kv/Task", "Key")}, []string{"one"}},
		{"kv2", setup{}, []secret.Request{kv2("secret/data/Task", "Key")}, []string{"four"}},
		{"no-data-in-path", setup{}, []secret.Request{kv2("secret/Task", "Key")}, []string{"four"}},
		{"kv2-default", setup{}, []secret.Request{{Group: "secret/data/Task", Key: "Key"}}, []string{"four"}},
		{"kv1-default", setup{cfg: vault.Config{KVVersion: "1"}}, []secret.Request{{Group: "kv/Task", Key: "Key"}}, []string{"one"}},
		{"keys", setup{}, []secret.Request{kv1("kv/Task", "Key"), kv1("kv/Task", "key2"), kv1("kv/Task", "data")}, []string{"one", "two", "three"}},
		{"paths", setup{}, []secret.Request{kv2("secret/data/Task", "key2"), kv1("kv/Task", "Key"), kv2("secret/data/Task", "data")}, []string{"five", "one", "six"}},
		{"twice", setup{}, []secret.Request{kv1("kv/Task", "Key"), kv1("kv/Task", "Key")}, []string{"one", "one"}},
		{"injected-twice", setup{times: 2}, []secret.Request{kv1("kv/Task", "Key"), kv2("secret/data/Task", "Key")}, []string{"one", "four"}},
		{"layout", setup{layout: mount.Layout{Dir: "/mnt/secrets", FilePrefix: "Pre-"}}, []secret.Request{kv1("kv/Task", "Key")}, []string{"one"}},
		{"exact-layout", setup{layout: mount.Layout{Exact: true}}, []secret.Request{kv1("kv/Task", "Key")}, []string{"one"}},
		{"exact-path", setup{}, []secret.Request{{Group: "kv/Task", Key: "Key", GroupVersion: "kv1", Path: "Conf.d/App"}}, []string{"one"}},
		{"blocked-alias", setup{}, []secret.Request{kv1("kv/Task", "KV1")}, []string{"seven"}},
		{"own-dir", setup{annotations: map[string]string{Prefix + "secret-volume-path": "/own"}}, []secret.Request{kv1("kv/Task", "Key")}, []string{"one"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			placements, files, err := tc.run(t, s, tc.reqs...)
			require.NoError(t, err)
			tc.assertFiles(t, tc.want, placements, files)
		})
	}
}

func TestRender_Role(t *testing.T) {
	s := NewServer(t, "tasks")
	s.Write(t, "kv/Task", map[string]any{"Key": "one"})
	placements, files, err := setup{cfg: vault.Config{Role: "tasks"}}.run(t, s, kv1("kv/Task", "Key"))
	require.NoError(t, err)
	setup{}.assertFiles(t, []string{"one"}, placements, files)
	_, files, err = setup{}.run(t, s, kv1("kv/Task", "Key"))
	assert.Error(t, err)
	assert.Empty(t, files)
}

// The user name and the password come from one read, even for several files.
func TestRender_Database(t *testing.T) {
	s := NewServer(t, "flyte")
	placements, files, err := setup{}.run(t, s, db("database/creds/Task", "creds"), db("database/creds/Task", "Again"))
	require.NoError(t, err)
	const creds = "password: p-1 {{\nusername: v-Task-1\n"
	setup{}.assertFiles(t, []string{creds, creds}, placements, files)
	assert.Equal(t, "/etc/flyte/secrets/database/creds/task/again", placements[1].Path)
	assert.Contains(t, files, "/etc/flyte/secrets/database/creds/task/db/again", "the alias")
	assert.Len(t, files, 4)
	assert.EqualValues(t, 1, s.issued.Load())
}

func TestRender_Values(t *testing.T) {
	s := NewServer(t, "flyte")
	values := map[string]any{}
	for name, value := range map[string]string{
		"a newline at the end": "a\n", "newlines": "\n\na\n\nb", "crlf": "a\r\nb\r\n", "blanks": "  a\t ", "nothing": "",
		"a template": `{{ env "HOME" }}`, "half a template": "{{", "the other half": "-}}", "quotes": "\"'`", "backslashes": `\n\\`,
		"a variable": "$HOME $(HOME) ${HOME} $$", "unicode": "größe 日本 😀 \u2028\ufeff", "NUL": "a\x00b", "markup": "<a>&amp;</a>", "no value": "<no value>",
		"much": strings.Repeat("0123456789abcdef", 1<<14), "a certificate": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
	} {
		values[name] = value
	}
	s.Write(t, "kv/x", values)
	s.Write(t, "secret/data/x", values)
	var reqs []secret.Request
	var want []string
	for name, value := range values {
		reqs = append(reqs, kv1("kv/x", name), kv2("secret/data/x", name))
		want = append(want, value.(string), value.(string))
	}
	placements, files, err := setup{}.run(t, s, reqs...)
	require.NoError(t, err)
	setup{}.assertFiles(t, want, placements, files)
}

// hostile are names with special characters, or with injection attempts.
var hostile = []string{
	"my-key", "my.key", "1st", "42", "grün", "日本", "😀", "UPPER", `qu"ote`, "it's", "`", `back\slash`, `\x41`, "with blanks", " outer blanks ",
	`k" }}{{ env "HOME" }}{{ "`, `k" -}}{{- end -}}{{ executeTemplate "x" }}`, "k` }}{{ `", "{{", "}}", "{{/*", "*/}}", "$k", "${k}", "${", "nil",
	"a?version=1", "a#b", "%2e%2e", "100%", "a:b", "a=b&c", "a+b", "a;b", "~", "*", "<no value>", "\u2028", "\ufeff", "a,b", "[0]",
}

func TestRender_HostileNames(t *testing.T) {
	s := NewServer(t, "flyte")
	for _, name := range hostile {
		req := secret.Request{Group: "kv/" + name, Key: name}
		require.NoError(t, req.Validate(), "%q", name)
		t.Run(name, func(t *testing.T) {
			// Values that only a wrong read returns.
			for _, engine := range []string{"kv/", "secret/data/"} {
				s.Write(t, engine+"a", map[string]any{"a": "wrong"})
				s.Write(t, engine+"x", map[string]any{name: "wrong", "a": "wrong"})
			}
			s.Write(t, "kv/keys", map[string]any{name: "one", "a": "wrong", name + "x": "wrong"})
			s.Write(t, "secret/data/keys", map[string]any{name: "two", "a": "wrong"})
			s.Write(t, path.Join("kv", name, "y"), map[string]any{"k": "three"})
			s.Write(t, path.Join("secret/data", name), map[string]any{name: "four"})
			placements, files, err := setup{}.run(t, s,
				kv1("kv/keys", name), kv2("secret/data/keys", name), kv1("kv/"+name+"/y", "k"), kv2("secret/data/"+name, name))
			require.NoError(t, err)
			setup{}.assertFiles(t, []string{"one", "two", "three", "four"}, placements, files)

			_, files, err = setup{}.run(t, s, db("database/creds/"+name, name))
			require.NoError(t, err)
			for _, content := range files {
				assert.Contains(t, content, "username: v-"+name+"-")
			}
		})
	}
}

// A missing secret ends the agent with a message that names it, and leaves no file.
func TestRender_Missing(t *testing.T) {
	s := NewServer(t, "flyte")
	s.Write(t, "kv/x", map[string]any{"other": "wrong", "null": nil})
	s.Write(t, "secret/data/x", map[string]any{"other": "wrong", "null": nil})
	s.Write(t, "secret/data/gone", map[string]any{"k": "wrong"})
	s.delete(t, "secret/data/gone")
	for _, tc := range []struct {
		name string
		req  secret.Request
		want string
	}{
		{"kv1-key", kv1("kv/x", `my "key"`), `vault has no key "my \"key\"" at "kv/x"`},
		{"kv2-key", kv2("secret/data/x", "my-key"), `vault has no key "my-key" at "secret/data/x"`},
		{"key-case", kv2("secret/data/x", "Other"), `vault has no key "Other" at "secret/data/x"`},
		{"kv1-null", kv1("kv/x", "null"), `vault has no key "null" at "kv/x"`},
		{"kv2-null", kv2("secret/data/x", "null"), `vault has no key "null" at "secret/data/x"`},
		{"kv1-path", kv1("kv/no/such", "k"), "no secret exists at kv/no/such"},
		{"kv2-path", kv2("secret/data/no/such", "k"), "no secret exists at secret/data/no/such"},
		{"deleted", kv2("secret/data/gone", "k"), "no secret exists at secret/data/gone"},
		{"no-engine", kv2("nowhere/data/x", "k"), "permission denied"},
		{"kv1-as-kv2", kv2("kv/x", "other"), `vault has no key "other" at "kv/x"`},
		{"kv2-as-kv1", kv1("secret/data/x", "other"), `vault has no key "other" at "secret/data/x"`},
		{"no-database-role", db("database/nothing", "k"), "database/nothing"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, files, err := setup{}.run(t, s, tc.req)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "wrong", "the agent's log has no value")
			assert.Empty(t, files)
		})
	}
}
