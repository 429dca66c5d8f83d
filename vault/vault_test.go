package vault_test

import (
	"context"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

const p = "vault.hashicorp.com/"

var ctx = context.Background()

func newManager(t testing.TB, cfg vault.Config) *vault.Manager {
	t.Helper()
	m, err := vault.New(cfg)
	require.NoError(t, err)
	return m
}

func target(annotations map[string]string) mount.Target {
	return mount.NewTarget(mount.Layout{}, mount.InitFirst, &metav1.ObjectMeta{Annotations: annotations})
}

// written returns the annotations of a Fragment, with "ID" for the secret's id.
func written(t testing.TB, f mount.Fragment) (must, defaults map[string]string, id string) {
	t.Helper()
	must = map[string]string{}
	for name, value := range f.Annotations {
		for _, perSecret := range []string{"agent-inject-secret-", "agent-inject-file-", "agent-inject-template-"} {
			if rest, ok := strings.CutPrefix(name, p+perSecret); ok {
				id, name = rest, p+perSecret+"ID"
			}
		}
		must[name] = value
	}
	return must, f.DefaultAnnotations, id
}

func TestNewValidates(t *testing.T) {
	for _, tc := range []struct {
		name string
		cfg  vault.Config
		want string // "" means valid
	}{
		{"the zero value", vault.Config{}, ""},
		{"version 1", vault.Config{KVVersion: "1"}, ""},
		{"a version that is not defined", vault.Config{KVVersion: "3"}, `vault: KVVersion "3" is neither "1" nor "2"`},
		{"a version in the form of a request's", vault.Config{KVVersion: "kv2"}, `vault: KVVersion "kv2" is neither "1" nor "2"`},
		{"any annotation", vault.Config{Annotations: map[string]string{p + "tls-skip-verify": "true", "traffic.sidecar.istio.io/excludeOutboundPorts": "8200"}}, ""},
		{"a name that is none", vault.Config{Annotations: map[string]string{"a b": ""}}, `vault: Annotations: "a b" is not a valid name of an annotation`},
		{"a name without its prefix", vault.Config{Annotations: map[string]string{"role": "r"}}, `vault: Annotations: "role" does not begin with vault.hashicorp.com/`},
		{"a locked name in another case", vault.Config{Locked: []string{"Vault.HashiCorp.com/role"}}, `vault: Locked: "Vault.HashiCorp.com/role" does not begin with vault.hashicorp.com/`},
		{"an empty role", vault.Config{Annotations: map[string]string{p + "role": ""}},
			`vault: Annotations: "vault.hashicorp.com/role" is empty, and the agent would take another annotation's`},
		{"injection turned off", vault.Config{Annotations: map[string]string{p + "agent-inject": "false"}},
			`vault: Annotations: "vault.hashicorp.com/agent-inject" is "false", and secrets arrive only if it is true`},
		{"injection turned on otherwise", vault.Config{Annotations: map[string]string{p + "agent-inject": "T"}}, ""},
		{"no init container", vault.Config{Annotations: map[string]string{p + "agent-pre-populate": "no"}},
			`vault: Annotations: "vault.hashicorp.com/agent-pre-populate" is "no", and secrets arrive only if it is true`},
		{"an agent with a configuration of its own", vault.Config{Annotations: map[string]string{p + "agent-configmap": "mine"}},
			`vault: Annotations: "vault.hashicorp.com/agent-configmap" is set, and then the agent takes no notice of the secrets asked for`},
		{"a relative directory", vault.Config{Annotations: map[string]string{p + "secret-volume-path": "a/b"}},
			`vault: Annotations: "vault.hashicorp.com/secret-volume-path" is not an absolute, clean path`},
		{"a directory that is not clean", vault.Config{Annotations: map[string]string{p + "secret-volume-path": "/a/"}},
			`vault: Annotations: "vault.hashicorp.com/secret-volume-path" is not an absolute, clean path`},
		{"no directory", vault.Config{Annotations: map[string]string{p + "secret-volume-path": ""}},
			`vault: Annotations: "vault.hashicorp.com/secret-volume-path" is empty`},
		{"the mark of an injected pod", vault.Config{Annotations: map[string]string{p + "agent-inject-status": "injected"}},
			`vault: Annotations: "vault.hashicorp.com/agent-inject-status" is for the Vault Agent Injector to write`},
		{"the list of containers", vault.Config{Annotations: map[string]string{p + "agent-inject-containers": "app"}},
			`vault: Annotations: "vault.hashicorp.com/agent-inject-containers" follows from the choice of containers`},
		{"a secret", vault.Config{Annotations: map[string]string{p + "agent-inject-secret-x": "a"}},
			`vault: Annotations: "vault.hashicorp.com/agent-inject-secret-x" belongs to a single secret`},
		{"a secret's template in a file", vault.Config{Annotations: map[string]string{p + "agent-inject-template-file-x": "a"}},
			`vault: Annotations: "vault.hashicorp.com/agent-inject-template-file-x" belongs to a single secret`},
		{"a locked default and a locked absence", vault.Config{Locked: []string{p + "role", p + "namespace", p + "role"}}, ""},
		{"a locked name that is none", vault.Config{Locked: []string{""}}, `vault: Locked: "" is not a valid name of an annotation`},
		{"a lock on the mark of an injected pod", vault.Config{Locked: []string{p + "agent-inject-status"}},
			`vault: Locked: "vault.hashicorp.com/agent-inject-status" is for the Vault Agent Injector to write`},
		{"a lock on a secret", vault.Config{Locked: []string{p + "agent-inject-file-x"}},
			`vault: Locked: "vault.hashicorp.com/agent-inject-file-x" belongs to a single secret`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := vault.New(tc.cfg)
			if tc.want == "" {
				require.NoError(t, err)
				assert.Equal(t, "vault", m.Name())
				return
			}
			assert.EqualError(t, err, tc.want)
			assert.Nil(t, m)
		})
	}
}

func TestNewCopiesItsConfig(t *testing.T) {
	cfg := vault.Config{Annotations: map[string]string{p + "service": "https://one"}, Locked: []string{p + "service"}}
	m := newManager(t, cfg)
	cfg.Annotations[p+"service"], cfg.Locked[0] = "https://other", p+"role"
	f, err := m.Mount(ctx, secret.Request{Group: "g", Key: "k"}, target(nil))
	require.NoError(t, err)
	assert.Equal(t, "https://one", f.Annotations[p+"service"])
	assert.NotContains(t, f.Annotations, p+"role")
}

func TestAnnotations(t *testing.T) {
	defaults := map[string]string{
		p + "agent-inject":            "true",
		p + "agent-init-first":        "true",
		p + "agent-pre-populate-only": "true",
		p + "role":                    "flyte",
		p + "secret-volume-path":      "/etc/flyte/secrets",
	}
	const kv2 = `{{- with secret "secret/data/Task" -}}` +
		`{{ if and .Data.data (ne (printf "%T" (index .Data.data "My-Key")) "<nil>") }}{{ index .Data.data "My-Key" }}` +
		`{{ else }}{{ sprig_fail "vault has no key \"My-Key\" at \"secret/data/Task\"" }}{{ end }}{{- end -}}`
	const kv1 = `{{- with secret "kv/Task" -}}` +
		`{{ if and .Data (ne (printf "%T" (index .Data "k")) "<nil>") }}{{ index .Data "k" }}` +
		`{{ else }}{{ sprig_fail "vault has no key \"k\" at \"kv/Task\"" }}{{ end }}{{- end -}}`
	const db = `{{- with secret "database/creds/Task" -}}{{ range $k, $v := .Data }}{{ $k }}: {{ $v }}{{ "\n" }}{{ end }}{{- end -}}`
	for _, tc := range []struct {
		name     string
		cfg      vault.Config
		layout   mount.Layout
		order    mount.InitOrder
		req      secret.Request
		path     string
		file     string
		template string
		defaults map[string]string // instead of the defaults
	}{
		{name: "kv2 by default", req: secret.Request{Group: "secret/data/Task", Key: "My-Key"},
			path: "secret/data/Task", file: "secret/data/task/my-key", template: kv2},
		{name: "kv2 by its version", cfg: vault.Config{KVVersion: "1"}, req: secret.Request{Group: "secret/data/Task", Key: "My-Key", GroupVersion: "kv2", Mount: mount.File},
			path: "secret/data/Task", file: "secret/data/task/kv2/my-key", template: kv2},
		{name: "kv1 by the configuration", cfg: vault.Config{KVVersion: "1"}, req: secret.Request{Group: "kv/Task", Key: "k"},
			path: "kv/Task", file: "kv/task/k", template: kv1},
		{name: "kv1 by its version", req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"},
			path: "kv/Task", file: "kv/task/kv1/k", template: kv1},
		{name: "a database", req: secret.Request{Group: "database/creds/Task", Key: "Creds", GroupVersion: "db"},
			path: "database/creds/Task", file: "database/creds/task/db/creds", template: db},
		{name: "another layout", layout: mount.Layout{Dir: "/s", FilePrefix: "Pre-"}, req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"},
			path: "kv/Task", file: "kv/task/kv1/Pre-k", template: kv1,
			defaults: with(defaults, p+"secret-volume-path", "/s")},
		{name: "behind the sidecars", order: mount.InitAfterSidecars, req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"},
			path: "kv/Task", file: "kv/task/kv1/k", template: kv1,
			defaults: without(defaults, p+"agent-init-first")},
		{name: "a role and annotations", cfg: vault.Config{Role: "tasks", Annotations: map[string]string{p + "agent-init-first": "false", p + "service": "https://vault"}},
			req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"}, path: "kv/Task", file: "kv/task/kv1/k", template: kv1,
			defaults: with(defaults, p+"role", "tasks", p+"agent-init-first", "false", p+"service", "https://vault")},
		{name: "annotations in place of the fields", cfg: vault.Config{Role: "tasks", Annotations: map[string]string{p + "role": "annotated", p + "secret-volume-path": "/own"}},
			req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"}, path: "kv/Task", file: "kv/task/kv1/k", template: kv1,
			defaults: with(defaults, p+"role", "annotated", p+"secret-volume-path", "/own")},
		{name: "a path in another spelling", req: secret.Request{Group: "./kv//Task/", Key: "k", GroupVersion: "kv1"},
			path: "kv/Task", file: "kv/task/kv1/k", template: kv1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, at := newManager(t, tc.cfg), mount.NewTarget(tc.layout, tc.order, nil)
			f, err := m.Mount(ctx, tc.req, at)
			require.NoError(t, err)
			require.NoError(t, f.Validate())
			must, got, id := written(t, f)
			assert.Equal(t, map[string]string{
				p + "agent-inject-secret-ID":   tc.path,
				p + "agent-inject-file-ID":     tc.file,
				p + "agent-inject-template-ID": tc.template + "{{/* " + id + " */}}",
			}, must)
			if tc.defaults == nil {
				tc.defaults = defaults
			}
			assert.Equal(t, tc.defaults, got)
			assert.Equal(t, mount.Fragment{
				File: true, Versioned: true, Dir: tc.defaults[p+"secret-volume-path"],
				Annotations: f.Annotations, DefaultAnnotations: got,
				ContainersAnnotation: p + "agent-inject-containers",
			}, f)
			assert.True(t, len(id) <= 36 && id == strings.ToLower(id) && !strings.HasPrefix(id, "file-"), id)
			for name := range f.Annotations {
				assert.Empty(t, validation.IsQualifiedName(name))
			}
			again, err := m.Mount(ctx, tc.req, at)
			require.NoError(t, err)
			assert.Equal(t, f, again)
		})
	}
}

func with(m map[string]string, pairs ...string) map[string]string {
	m = maps.Clone(m)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func without(m map[string]string, name string) map[string]string {
	m = maps.Clone(m)
	delete(m, name)
	return m
}

func TestWhatItDoesNotServe(t *testing.T) {
	m := newManager(t, vault.Config{})
	for name, req := range map[string]secret.Request{
		"a variable":                    {Group: "g", Key: "k", Mount: mount.EnvVar},
		"no group":                      {Key: "k"},
		"no key":                        {Group: "g"},
		"a group that names nothing":    {Group: "./.", Key: "k"},
		"a version that is no engine":   {Group: "g", Key: "k", GroupVersion: "v1"},
		"an engine in capitals":         {Group: "g", Key: "k", GroupVersion: "KV2"},
		"an engine as it is configured": {Group: "g", Key: "k", GroupVersion: "2"},
	} {
		t.Run(name, func(t *testing.T) {
			// A Pod in the way changes nothing about that.
			_, err := m.Mount(ctx, req, target(map[string]string{p + "agent-inject": "false"}))
			assert.ErrorIs(t, err, secret.ErrUnsupported)
		})
	}
}

func TestIDsDiffer(t *testing.T) {
	seen := map[string]string{}
	mountOne := func(name string, cfg vault.Config, layout mount.Layout, req secret.Request) {
		f, err := newManager(t, cfg).Mount(ctx, req, mount.NewTarget(layout, mount.InitFirst, nil))
		require.NoError(t, err)
		_, _, id := written(t, f)
		assert.Empty(t, seen[id], "%s has the id of %s", name, seen[id])
		seen[id] = name
	}
	mountOne("a secret", vault.Config{}, mount.Layout{}, secret.Request{Group: "a/b", Key: "c"})
	mountOne("another split", vault.Config{}, mount.Layout{}, secret.Request{Group: "a", Key: "b/c"})
	mountOne("another case of the key", vault.Config{}, mount.Layout{}, secret.Request{Group: "a/b", Key: "C"})
	mountOne("another case of the path", vault.Config{}, mount.Layout{}, secret.Request{Group: "A/b", Key: "c"})
	mountOne("another engine", vault.Config{KVVersion: "1"}, mount.Layout{}, secret.Request{Group: "a/b", Key: "c"})
	mountOne("another file", vault.Config{}, mount.Layout{FilePrefix: "x"}, secret.Request{Group: "a/b", Key: "c"})
	mountOne("the same with its version", vault.Config{}, mount.Layout{}, secret.Request{Group: "a/b", Key: "c", GroupVersion: "kv2"})
	mountOne("a long one", vault.Config{}, mount.Layout{}, secret.Request{Group: strings.Repeat("a/", 500), Key: strings.Repeat("k", 200)})
}
