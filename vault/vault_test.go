package vault_test

import (
	"context"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
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

// written returns annotations of a Fragment, with "ID" for the secret's id.
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
		{"request's version", vault.Config{KVVersion: "kv2"}, `vault: KVVersion "kv2" is neither "1" nor "2"`},
		{"any annotation", vault.Config{Annotations: map[string]string{p + "tls-skip-verify": "true", "traffic.sidecar.istio.io/excludeOutboundPorts": "8200"}}, ""},
		{"invalid name", vault.Config{Annotations: map[string]string{"a b": ""}}, `vault: Annotations: "a b" is not a valid name of an annotation`},
		{"no prefix", vault.Config{Annotations: map[string]string{"role": "r"}}, `vault: Annotations: "role" does not begin with vault.hashicorp.com/`},
		{"locked upper case", vault.Config{Locked: []string{"Vault.HashiCorp.com/role"}}, `vault: Locked: "Vault.HashiCorp.com/role" does not begin with vault.hashicorp.com/`},
		{"empty role", vault.Config{Annotations: map[string]string{p + "role": ""}},
			`vault: Annotations: "vault.hashicorp.com/role" is empty, and the agent would take another annotation's`},
		{"off", vault.Config{Annotations: map[string]string{p + "agent-inject": "false"}},
			`vault: Annotations: "vault.hashicorp.com/agent-inject" is "false", and secrets arrive only if it is true`},
		{"on", vault.Config{Annotations: map[string]string{p + "agent-inject": "T"}}, ""},
		{"no init", vault.Config{Annotations: map[string]string{p + "agent-pre-populate": "no"}},
			`vault: Annotations: "vault.hashicorp.com/agent-pre-populate" is "no", and secrets arrive only if it is true`},
		{"configmap", vault.Config{Annotations: map[string]string{p + "agent-configmap": "mine"}},
			`vault: Annotations: "vault.hashicorp.com/agent-configmap" is set, and then the agent takes no notice of the secrets asked for`},
		{"relative dir", vault.Config{Annotations: map[string]string{p + "secret-volume-path": "a/b"}},
			`vault: Annotations: "vault.hashicorp.com/secret-volume-path" is not an absolute, clean path`},
		{"unclean dir", vault.Config{Annotations: map[string]string{p + "secret-volume-path": "/a/"}},
			`vault: Annotations: "vault.hashicorp.com/secret-volume-path" is not an absolute, clean path`},
		{"no dir", vault.Config{Annotations: map[string]string{p + "secret-volume-path": ""}},
			`vault: Annotations: "vault.hashicorp.com/secret-volume-path" is empty`},
		{"status", vault.Config{Annotations: map[string]string{p + "agent-inject-status": "injected"}},
			`vault: Annotations: "vault.hashicorp.com/agent-inject-status" is for the Vault Agent Injector to write`},
		{"containers", vault.Config{Annotations: map[string]string{p + "agent-inject-containers": "app"}},
			`vault: Annotations: "vault.hashicorp.com/agent-inject-containers" follows from the choice of containers`},
		{"secret", vault.Config{Annotations: map[string]string{p + "agent-inject-secret-x": "a"}},
			`vault: Annotations: "vault.hashicorp.com/agent-inject-secret-x" belongs to a single secret`},
		{"template file", vault.Config{Annotations: map[string]string{p + "agent-inject-template-file-x": "a"}},
			`vault: Annotations: "vault.hashicorp.com/agent-inject-template-file-x" belongs to a single secret`},
		{"locked", vault.Config{Locked: []string{p + "role", p + "namespace", p + "role"}}, ""},
		{"locked invalid name", vault.Config{Locked: []string{""}}, `vault: Locked: "" is not a valid name of an annotation`},
		{"locked status", vault.Config{Locked: []string{p + "agent-inject-status"}},
			`vault: Locked: "vault.hashicorp.com/agent-inject-status" is for the Vault Agent Injector to write`},
		{"locked secret", vault.Config{Locked: []string{p + "agent-inject-file-x"}},
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

func TestNew_Copies(t *testing.T) {
	cfg := vault.Config{Annotations: map[string]string{p + "service": "https://one"}, Locked: []string{p + "service"}}
	m := newManager(t, cfg)
	cfg.Annotations[p+"service"], cfg.Locked[0] = "https://other", p+"role"
	f, err := m.Mount(ctx, secret.Request{Group: "g", Key: "k"}, target(nil))
	require.NoError(t, err)
	assert.Equal(t, "https://one", f.Webhook.Annotations[p+"service"])
	assert.NotContains(t, f.Webhook.Annotations, p+"role")
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
		alias    string // another file of the same secret
		template string
		defaults map[string]string // instead of the defaults
	}{
		{name: "kv2", req: secret.Request{Group: "secret/data/Task", Key: "My-Key"},
			path: "secret/data/Task", file: "secret/data/task/my-key", template: kv2},
		{name: "kv2 by version", cfg: vault.Config{KVVersion: "1"}, req: secret.Request{Group: "secret/data/Task", Key: "My-Key", GroupVersion: "kv2", Mount: mount.File},
			path: "secret/data/Task", file: "secret/data/task/my-key", alias: "secret/data/task/kv2/my-key", template: kv2},
		{name: "kv1", cfg: vault.Config{KVVersion: "1"}, req: secret.Request{Group: "kv/Task", Key: "k"},
			path: "kv/Task", file: "kv/task/k", template: kv1},
		{name: "kv1 by version", req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"},
			path: "kv/Task", file: "kv/task/k", alias: "kv/task/kv1/k", template: kv1},
		{name: "db", req: secret.Request{Group: "database/creds/Task", Key: "Creds", GroupVersion: "db"},
			path: "database/creds/Task", file: "database/creds/task/creds", alias: "database/creds/task/db/creds", template: db},
		{name: "layout", layout: mount.Layout{Dir: "/s", FilePrefix: "Pre-"}, req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"},
			path: "kv/Task", file: "kv/task/Pre-k", alias: "kv/task/kv1/Pre-k", template: kv1,
			defaults: with(defaults, p+"secret-volume-path", "/s")},
		{name: "exact layout", layout: mount.Layout{Exact: true}, req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"},
			path: "kv/Task", file: "kv/Task/k", template: kv1},
		{name: "exact path", req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1", Path: "Conf.d/App"},
			path: "kv/Task", file: "Conf.d/App", template: kv1},
		{name: "after sidecars", order: mount.InitAfterSidecars, req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"},
			path: "kv/Task", file: "kv/task/k", alias: "kv/task/kv1/k", template: kv1,
			defaults: without(defaults, p+"agent-init-first")},
		{name: "role and annotations", cfg: vault.Config{Role: "tasks", Annotations: map[string]string{p + "agent-init-first": "false", p + "service": "https://vault"}},
			req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"}, path: "kv/Task", file: "kv/task/k", alias: "kv/task/kv1/k", template: kv1,
			defaults: with(defaults, p+"role", "tasks", p+"agent-init-first", "false", p+"service", "https://vault")},
		{name: "annotations before fields", cfg: vault.Config{Role: "tasks", Annotations: map[string]string{p + "role": "annotated", p + "secret-volume-path": "/own"}},
			req: secret.Request{Group: "kv/Task", Key: "k", GroupVersion: "kv1"}, path: "kv/Task", file: "kv/task/k", alias: "kv/task/kv1/k", template: kv1,
			defaults: with(defaults, p+"role", "annotated", p+"secret-volume-path", "/own")},
		{name: "other spelling", req: secret.Request{Group: "./kv//Task/", Key: "k", GroupVersion: "kv1"},
			path: "kv/Task", file: "kv/task/k", alias: "kv/task/kv1/k", template: kv1},
	} {
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
			must, id := written(f.Webhook.Annotations)
			assert.Equal(t, want(tc.file, id), must)
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
			assert.Equal(t, mount.Fragment{File: true, Webhook: &mount.Webhook{
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

// Webhook.First follows the annotation that will be in force.
func TestFirst(t *testing.T) {
	configured := func(value string) vault.Config {
		return vault.Config{Annotations: map[string]string{p + "agent-init-first": value}}
	}
	for _, tc := range []struct {
		name  string
		cfg   vault.Config
		order mount.InitOrder
		own   map[string]string
		want  bool
	}{
		{"default", vault.Config{}, mount.InitFirst, nil, true},
		{"after sidecars", vault.Config{}, mount.InitAfterSidecars, nil, false},
		{"configured off", configured("false"), mount.InitFirst, nil, false},
		{"configured on", configured("1"), mount.InitAfterSidecars, nil, true},
		{"own off", configured("true"), mount.InitFirst, map[string]string{p + "agent-init-first": "f"}, false},
		{"own on", configured("false"), mount.InitAfterSidecars, map[string]string{p + "agent-init-first": "T"}, true},
		{"own nonsense", vault.Config{}, mount.InitFirst, map[string]string{p + "agent-init-first": "yes, please, by all means"}, false},
		{"own empty", vault.Config{}, mount.InitFirst, map[string]string{p + "agent-init-first": ""}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			meta := &metav1.ObjectMeta{Annotations: tc.own}
			f, err := newManager(t, tc.cfg).Mount(ctx, fromKV, mount.NewTarget(mount.Layout{}, tc.order, meta))
			require.NoError(t, err)
			assert.Equal(t, tc.want, f.Webhook.First)
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

func TestUnsupported(t *testing.T) {
	m := newManager(t, vault.Config{})
	for name, req := range map[string]secret.Request{
		"variable":           {Group: "g", Key: "k", Mount: mount.EnvVar},
		"no group":           {Key: "k"},
		"no key":             {Group: "g"},
		"group of dots":      {Group: "./.", Key: "k"},
		"no engine":          {Group: "g", Key: "k", GroupVersion: "v1"},
		"engine in capitals": {Group: "g", Key: "k", GroupVersion: "KV2"},
		"engine's number":    {Group: "g", Key: "k", GroupVersion: "2"},
	} {
		t.Run(name, func(t *testing.T) {
			// A Pod in the way changes nothing about that.
			_, err := m.Mount(ctx, req, target(map[string]string{p + "agent-inject": "false"}))
			assert.ErrorIs(t, err, secret.ErrUnsupported)
		})
	}
}

// A field and a mode are not honored, so the request is another manager's.
func TestHonors(t *testing.T) {
	for _, change := range []func(*secret.Request){
		func(r *secret.Request) { r.Field = "f" }, func(r *secret.Request) { r.Mode = 0o400 },
	} {
		req := fromKV
		change(&req)
		f, err := newManager(t, vault.Config{}).Mount(ctx, req, mount.Target{})
		require.NoError(t, err)
		assert.Equal(t, mount.Features{}, f.Honors)
		_, err = newInjector(t, nil, newManager(t, vault.Config{})).Inject(ctx, podWith(nil), req)
		assert.ErrorIs(t, err, secret.ErrUnsupported)
	}
}

// The agent is for Linux.
func TestWindows(t *testing.T) {
	in, yes, no := newInjector(t, nil, newManager(t, vault.Config{})), true, false
	hostProcess := func(is *bool) *corev1.PodSecurityContext {
		return &corev1.PodSecurityContext{WindowsOptions: &corev1.WindowsSecurityContextOptions{HostProcess: is}}
	}
	windows := map[string]string{corev1.LabelOSStable: "windows"}
	for _, tc := range []struct {
		name   string
		change func(*corev1.Pod)
		served bool
	}{
		{"os", func(pod *corev1.Pod) { pod.Spec.OS = &corev1.PodOS{Name: corev1.Windows} }, false},
		{"selector", func(pod *corev1.Pod) { pod.Spec.NodeSelector = windows }, false},
		{"label", func(pod *corev1.Pod) { pod.Labels = windows }, false},
		{"host process", func(pod *corev1.Pod) { pod.Spec.SecurityContext = hostProcess(&yes) }, false},
		{"os before selector", func(pod *corev1.Pod) {
			pod.Spec.OS, pod.Spec.NodeSelector = &corev1.PodOS{Name: corev1.Linux}, windows
		}, true},
		{"selector before label", func(pod *corev1.Pod) {
			pod.Spec.NodeSelector, pod.Labels = map[string]string{corev1.LabelOSStable: "linux"}, windows
		}, true},
		{"no host process", func(pod *corev1.Pod) { pod.Spec.SecurityContext = hostProcess(&no) }, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pod := podWith(nil)
			tc.change(pod)
			_, err := in.Inject(ctx, pod, fromKV)
			if tc.served {
				assert.NoError(t, err)
				return
			}
			assert.ErrorIs(t, err, secret.ErrUnsupported)
			assert.ErrorContains(t, err, "Vault's agent cannot run in a Pod for Windows")
		})
	}
}

func TestIDs(t *testing.T) {
	seen := map[string]string{}
	mountOne := func(name string, cfg vault.Config, layout mount.Layout, req secret.Request) {
		f, err := newManager(t, cfg).Mount(ctx, req, mount.NewTarget(layout, mount.InitFirst, nil))
		require.NoError(t, err)
		for form, annotations := range map[string]map[string]string{"": f.Webhook.Annotations, ", alias": f.Webhook.AliasAnnotations} {
			_, id := written(annotations)
			if id != "" {
				assert.Empty(t, seen[id], "%s%s has the id of %s", name, form, seen[id])
				seen[id] = name + form
			}
		}
	}
	mountOne("plain", vault.Config{}, mount.Layout{}, secret.Request{Group: "a/b", Key: "c"})
	mountOne("other split", vault.Config{}, mount.Layout{}, secret.Request{Group: "a", Key: "b/c"})
	mountOne("case of key", vault.Config{}, mount.Layout{}, secret.Request{Group: "a/b", Key: "C"})
	mountOne("case of path", vault.Config{}, mount.Layout{}, secret.Request{Group: "A/b", Key: "c"})
	mountOne("other engine", vault.Config{}, mount.Layout{}, secret.Request{Group: "a/b", Key: "c", GroupVersion: "kv1"})
	mountOne("other file", vault.Config{}, mount.Layout{FilePrefix: "x"}, secret.Request{Group: "a/b", Key: "c"})
	mountOne("exact path", vault.Config{}, mount.Layout{}, secret.Request{Group: "a/b", Key: "c", Path: "a/b/C"})
	mountOne("long", vault.Config{}, mount.Layout{}, secret.Request{Group: strings.Repeat("a/", 500), Key: strings.Repeat("k", 200)})
	assert.Len(t, seen, 9)

	same := func(req secret.Request) string {
		f, err := newManager(t, vault.Config{}).Mount(ctx, req, mount.Target{})
		require.NoError(t, err)
		_, id := written(f.Webhook.Annotations)
		return id
	}
	assert.Equal(t, same(secret.Request{Group: "a/b", Key: "c"}), same(secret.Request{Group: "a/b", Key: "c", GroupVersion: "kv2"}), "one secret, one file")
}
