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

// written returns a Fragment's annotations with "ID" in place of the secret's id, and
// the id.
func written(annotations map[string]string) (written map[string]string, id string) {
	written = map[string]string{}
	for name, value := range annotations {
		for _, perSecret := range []string{"agent-inject-secret-", "agent-inject-file-", "agent-inject-template-"} {
			if rest, ok := strings.CutPrefix(name, p+perSecret); ok {
				id, name = rest, p+perSecret+"ID"
			}
		}
		written[name] = value
	}
	return written, id
}

func TestNew(t *testing.T) {
	for _, tc := range []struct {
		name string
		cfg  vault.Config
		want string // "" means valid
	}{
		{"zero", vault.Config{}, ""},
		{"version 1", vault.Config{KVVersion: "1"}, ""},
		{"undefined version", vault.Config{KVVersion: "3"}, `vault: KVVersion "3" is neither "1" nor "2"`},
		{"version of a request", vault.Config{KVVersion: "kv2"}, `vault: KVVersion "kv2" is neither "1" nor "2"`},
		{"undefined flavor", vault.Config{Flavor: 2}, "vault: Flavor Flavor(2) is not defined"},
		{"mounts", vault.Config{Mounts: []string{"secret", "team/kv"}}, ""},
		{"empty mount", vault.Config{Mounts: []string{""}}, `vault: Mounts: "" is not a clean path without leading and trailing slashes`},
		{"mount with slash", vault.Config{Mounts: []string{"secret/"}}, `vault: Mounts: "secret/" is not a clean path without leading and trailing slashes`},
		{"any annotation", vault.Config{Annotations: map[string]string{p + "tls-skip-verify": "true", "traffic.sidecar.istio.io/excludeOutboundPorts": "8200"}}, ""},
		{"invalid name", vault.Config{Annotations: map[string]string{"a b": ""}}, `vault: Annotations: "a b" is not a valid annotation name`},
		{"no prefix", vault.Config{Annotations: map[string]string{"role": "r"}}, `vault: Annotations: "role" must begin with "vault.hashicorp.com/"`},
		{"locked upper case", vault.Config{Locked: []string{"Vault.HashiCorp.com/role"}}, `vault: Locked: "Vault.HashiCorp.com/role" must begin with "vault.hashicorp.com/"`},
		{"empty role", vault.Config{Annotations: map[string]string{p + "role": ""}},
			`vault: Annotations: "vault.hashicorp.com/role" is empty: the agent would use the role from another annotation`},
		{"off", vault.Config{Annotations: map[string]string{p + "agent-inject": "false"}},
			`vault: Annotations: "vault.hashicorp.com/agent-inject" is "false": must be true, or no secrets arrive`},
		{"on", vault.Config{Annotations: map[string]string{p + "agent-inject": "T"}}, ""},
		{"no init", vault.Config{Annotations: map[string]string{p + "agent-pre-populate": "no"}},
			`vault: Annotations: "vault.hashicorp.com/agent-pre-populate" is "no": must be true, or no secrets arrive`},
		{"configmap", vault.Config{Annotations: map[string]string{p + "agent-configmap": "mine"}},
			`vault: Annotations: "vault.hashicorp.com/agent-configmap" is set: the agent would ignore the requested secrets`},
		{"relative dir", vault.Config{Annotations: map[string]string{p + "secret-volume-path": "a/b"}},
			`vault: Annotations: "vault.hashicorp.com/secret-volume-path" is not an absolute, clean path`},
		{"unclean dir", vault.Config{Annotations: map[string]string{p + "secret-volume-path": "/a/"}},
			`vault: Annotations: "vault.hashicorp.com/secret-volume-path" is not an absolute, clean path`},
		{"no dir", vault.Config{Annotations: map[string]string{p + "secret-volume-path": ""}},
			`vault: Annotations: "vault.hashicorp.com/secret-volume-path" is empty`},
		{"status", vault.Config{Annotations: map[string]string{p + "agent-inject-status": "injected"}},
			`vault: Annotations: "vault.hashicorp.com/agent-inject-status" must not be set: the injector writes it`},
		{"containers", vault.Config{Annotations: map[string]string{p + "agent-inject-containers": "app"}},
			`vault: Annotations: "vault.hashicorp.com/agent-inject-containers" must not be set: it follows from the containers that receive secrets`},
		{"secret", vault.Config{Annotations: map[string]string{p + "agent-inject-secret-x": "a"}},
			`vault: Annotations: "vault.hashicorp.com/agent-inject-secret-x" must not be set: it applies to a single secret`},
		{"template file", vault.Config{Annotations: map[string]string{p + "agent-inject-template-file-x": "a"}},
			`vault: Annotations: "vault.hashicorp.com/agent-inject-template-file-x" must not be set: it applies to a single secret`},
		{"locked", vault.Config{Locked: []string{p + "role", p + "namespace", p + "role"}}, ""},
		{"locked invalid name", vault.Config{Locked: []string{""}}, `vault: Locked: "" is not a valid annotation name`},
		{"locked status", vault.Config{Locked: []string{p + "agent-inject-status"}},
			`vault: Locked: "vault.hashicorp.com/agent-inject-status" must not be set: the injector writes it`},
		{"locked secret", vault.Config{Locked: []string{p + "agent-inject-file-x"}},
			`vault: Locked: "vault.hashicorp.com/agent-inject-file-x" must not be set: it applies to a single secret`},
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

func TestNew_Copies(t *testing.T) {
	cfg := vault.Config{Annotations: map[string]string{p + "service": "https://one"}, Locked: []string{p + "service"}}
	m := newManager(t, cfg)
	cfg.Annotations[p+"service"], cfg.Locked[0] = "https://other", p+"role"
	f, err := m.Mount(ctx, secret.Request{Group: "g", Key: "k"}, target(nil))
	require.NoError(t, err)
	assert.Equal(t, "https://one", f.Webhook.Annotations[p+"service"])
	assert.NotContains(t, f.Webhook.Annotations, p+"role")
}

var defaults = map[string]string{
	p + "agent-inject":            "true",
	p + "agent-init-first":        "true",
	p + "agent-pre-populate-only": "true",
	p + "role":                    "flyte",
	p + "secret-volume-path":      "/etc/flyte/secrets",
}

const kv2Template = `{{- with secret "secret/data/Task" -}}` +
	`{{ if and .Data.data (ne (printf "%T" (index .Data.data "My-Key")) "<nil>") }}{{ index .Data.data "My-Key" }}` +
	`{{ else }}{{ sprig_fail "vault has no key \"My-Key\" at \"secret/data/Task\"" }}{{ end }}{{- end -}}`
const kv1Template = `{{- with secret "kv/Task" -}}` +
	`{{ if and .Data (ne (printf "%T" (index .Data "k")) "<nil>") }}{{ index .Data "k" }}` +
	`{{ else }}{{ sprig_fail "vault has no key \"k\" at \"kv/Task\"" }}{{ end }}{{- end -}}`
const dbTemplate = `{{- with secret "database/creds/Task" -}}{{ range $k, $v := .Data }}{{ $k }}: {{ $v }}{{ "\n" }}{{ end }}{{- end -}}`

type annotationCase struct {
	name     string
	cfg      vault.Config
	layout   mount.Layout
	order    mount.InitOrder
	req      secret.Request
	path     string
	file     string
	alias    string // the alias, or ""
	template string
	defaults map[string]string // nil means the defaults
}

var annotationCases = []annotationCase{
	{name: "kv2", req: secret.Request{Group: "secret/data/Task", Key: "My-Key"},
		path: "secret/data/Task", file: "secret/data/task/my-key", template: kv2Template},
	{name: "kv2 by version", cfg: vault.Config{KVVersion: "1"}, req: secret.Request{Group: "secret/data/Task", Key: "My-Key", GroupVersion: "kv2", Mount: mount.File},
		path: "secret/data/Task", file: "secret/data/task/my-key", alias: "secret/data/task/kv2/my-key", template: kv2Template},
	{name: "kv1", cfg: vault.Config{KVVersion: "1"}, req: secret.Request{Group: "kv/Task", Key: "k"},
		path: "kv/Task", file: "kv/task/k", template: kv1Template},
	{name: "kv1 by version", req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"},
		path: "kv/Task", file: "kv/task/k", alias: "kv/task/kv1/k", template: kv1Template},
	{name: "db", req: secret.Request{Group: "database/creds/Task", Key: "Creds", GroupVersion: "db"},
		path: "database/creds/Task", file: "database/creds/task/creds", alias: "database/creds/task/db/creds", template: dbTemplate},
	{name: "layout", layout: mount.Layout{Dir: "/s", FilePrefix: "Pre-"}, req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"},
		path: "kv/Task", file: "kv/task/Pre-k", alias: "kv/task/kv1/Pre-k", template: kv1Template,
		defaults: with(defaults, p+"secret-volume-path", "/s")},
	{name: "exact layout", layout: mount.Layout{Exact: true}, req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"},
		path: "kv/Task", file: "kv/Task/k", template: kv1Template},
	{name: "exact path", req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1", Path: "Conf.d/App"},
		path: "kv/Task", file: "Conf.d/App", template: kv1Template},
	{name: "after sidecars", order: mount.InitAfterSidecars, req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"},
		path: "kv/Task", file: "kv/task/k", alias: "kv/task/kv1/k", template: kv1Template,
		defaults: without(defaults, p+"agent-init-first")},
	{name: "role and annotations", cfg: vault.Config{Role: "tasks", Annotations: map[string]string{p + "agent-init-first": "false", p + "service": "https://vault"}},
		req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"}, path: "kv/Task", file: "kv/task/k", alias: "kv/task/kv1/k", template: kv1Template,
		defaults: with(defaults, p+"role", "tasks", p+"agent-init-first", "false", p+"service", "https://vault")},
	{name: "annotations before fields", cfg: vault.Config{Role: "tasks", Annotations: map[string]string{p + "role": "annotated", p + "secret-volume-path": "/own"}},
		req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"}, path: "kv/Task", file: "kv/task/k", alias: "kv/task/kv1/k", template: kv1Template,
		defaults: with(defaults, p+"role", "annotated", p+"secret-volume-path", "/own")},
	{name: "other spelling", req: secret.Request{Group: "./kv//Task/", Key: "k", GroupVersion: "kv1"},
		path: "kv/Task", file: "kv/task/k", alias: "kv/task/kv1/k", template: kv1Template},
}

func TestAnnotations(t *testing.T) {
	for _, tc := range annotationCases {
		t.Run(tc.name, func(t *testing.T) {
			m, at := newManager(t, tc.cfg), mount.NewTarget(tc.layout, tc.order, nil)
			f, err := m.Mount(ctx, tc.req, at)
			require.NoError(t, err)
			require.NoError(t, f.Validate())
			want := func(file, id string) map[string]string {
				return map[string]string{
					p + "agent-inject-secret-ID":   tc.path,
					p + "agent-inject-file-ID":     file,
					p + "agent-inject-template-ID": tc.template + "{{/* " + id + " */}}",
				}
			}
			required, id := written(f.Webhook.Annotations)
			assert.Equal(t, want(tc.file, id), required)
			alias, aliasID := written(f.Webhook.AliasAnnotations)
			if tc.alias == "" {
				assert.Nil(t, f.Webhook.AliasAnnotations)
			} else {
				assert.Equal(t, want(tc.alias, aliasID), alias)
				assert.NotEqual(t, id, aliasID)
			}
			if tc.defaults == nil {
				tc.defaults = defaults
			}
			key := tc.req.Key
			if tc.req.GroupVersion == "db" {
				key = "" // all entries
			}
			assert.Equal(t, mount.Fragment{File: true, Honors: mount.Features{Mode: true}, Reads: mount.Object{Name: tc.path, Key: key}, Webhook: &mount.Webhook{
				Annotations:          f.Webhook.Annotations,
				DefaultAnnotations:   tc.defaults,
				AliasAnnotations:     f.Webhook.AliasAnnotations,
				ContainersAnnotation: p + "agent-inject-containers",
				RanAnnotation:        p + "agent-inject-status",
				RanValue:             "injected",
				Dir:                  tc.defaults[p+"secret-volume-path"],
				Volume:               "vault-secrets",
				Containers:           []string{"vault-agent-init", "vault-agent"},
				First:                tc.defaults[p+"agent-init-first"] == "true",
				Writes: mount.FileAnnotations{
					Secret: p + "agent-inject-secret-", File: p + "agent-inject-file-", Dir: p + "secret-volume-path-",
				},
			}}, f)
			for _, id := range []string{id, aliasID} {
				assert.True(t, len(id) <= 36 && id == strings.ToLower(id) && !strings.HasPrefix(id, "file-"), id)
			}
			for name := range f.Webhook.Annotations {
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
