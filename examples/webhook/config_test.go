package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/azurekv"
	"github.com/podsecrets/podsecrets/csi"
	"github.com/podsecrets/podsecrets/examples/webhook/internal/flyte"
	"github.com/podsecrets/podsecrets/gcpsm"
	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

var update = flag.Bool("update", false, "write the golden files")

// configFiles returns example configurations by name.
func configFiles(t testing.TB) map[string][]byte {
	paths, err := filepath.Glob("testdata/config/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	files := make(map[string][]byte)
	for _, path := range append(paths, "deploy/config.yaml") {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		files[strings.TrimSuffix(filepath.Base(path), ".yaml")] = text
	}
	return files
}

func printed(t testing.TB, cfg *config) string {
	var out bytes.Buffer
	require.NoError(t, cfg.print(&out))
	return out.String()
}

// The golden files have the warnings, then the effective configuration.
func TestConfig_Golden(t *testing.T) {
	for name, text := range configFiles(t) {
		t.Run(name, func(t *testing.T) {
			cfg, warnings, err := parse(text)
			require.NoError(t, err)
			var got strings.Builder
			for _, w := range warnings {
				got.WriteString("# " + w + "\n")
			}
			got.WriteString(printed(t, cfg))
			golden := "testdata/config/" + name + ".golden"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got.String()), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), got.String())

			again, warnings, err := parse([]byte(printed(t, cfg)))
			require.NoError(t, err)
			assert.Empty(t, warnings, "every printed setting has an effect")
			assert.Equal(t, cfg, again, "the printed configuration means the same")
		})
	}
}

func TestConfig_Errors(t *testing.T) {
	testConfigErrors(t, []configError{
		{"unknown", "namespace: a\nmanager: [k8s]", `line 2: unknown setting "manager"`},
		{"unknown-in-section", "k8s:\n  any: ANY\n  requird: true", `line 3: unknown setting "requird"`},
		{"several", "a: 1\nb: 2", "line 1: unknown setting \"a\"\nline 2: unknown setting \"b\""},
		{"duplicate-key", "drain: 1s\ndrain: 2s", `line 2: mapping key "drain" already defined at line 1`},
		{"duration", "\ndrain: 10", "line 2: cannot unmarshal !!int `10` into a duration such as 30s"},
		{"library-error", "k8s:\n  any: any", "line 2: k8s.any: \"any\" is not one of ANY, ENV_VAR, FILE"},
		{"no-list", "managers: k8s", "line 1: cannot unmarshal !!str `k8s` into a list of strings"},
		{"no-section", "listen: 9443", "line 1: cannot unmarshal !!int `9443` into this setting"},
		{"no-mapping", "webhook", "line 1: cannot unmarshal !!str `webhook` into this setting"},
		{"no-yaml", "a: [", "line 1: did not find expected node content"},
		{"two-documents", "drain: 1s\n---\ndrain: 2s", "must be a single YAML document"},
		{"empty-namespace", `namespace: ""`, `line 1: namespace: must not be empty`},
		{"empty-service", `service: ""`, `line 1: service: must not be empty`},
		{"empty-configuration", `webhookConfiguration: ""`, `line 1: webhookConfiguration: must not be empty`},
		{"empty-secret", "certificate:\n  secret: ''", `line 2: certificate.secret: must not be empty`},
		{"empty-dir", "certificate:\n  dir: ''", `line 2: certificate.dir: must not be empty`},
		{"no-port", "listen:\n  probes: localhost", `line 2: listen.probes: "localhost" must be host:port`},
		{"named-port", "listen:\n  metrics: :http", `line 2: listen.metrics: ":http" must be host:port`},
		{"port-0", "listen:\n  webhook: :0", `line 2: listen.webhook: ":0" must be host:port`},
		{"renew-always", "certificate:\n  validity: 24h\n  renewBefore: 24h", `line 3: certificate.renewBefore: must be between 0 and validity`},
		{"renew-always-default", "certificate:\n  validity: 24h", `line 1: certificate.renewBefore: must be between 0 and validity`},
		{"outlives-ca", "certificate:\n  validity: 96h\n  renewBefore: 1h\n  caValidity: 48h", `line 2: certificate.validity: must not exceed caValidity`},
		{"settle-too-long", "certificate:\n  settle: 1h", `line 2: certificate.settle: must be between 0 and 30m0s`},
		{"negative-drain", "drain: -1s", `line 1: drain: must not be negative`},
		{"log-level", "logLevel: TRACE", `line 1: logLevel: "TRACE" is not one of DEBUG, INFO, WARN, ERROR`},
		{"no-managers", "managers: []", `line 1: managers: must not be empty`},
		{"unknown-manager", "managers:\n  - k8s\n  - sops", `line 3: managers.1: "sops" is not one of aws, azure, csi, embedded, gcp, global, k8s, vault`},
		{"duplicate-manager", "managers: [k8s, k8s]", `line 1: managers.1: duplicate manager "k8s"`},
		{"unused-section", "managers: [k8s]\nvault:\n  role: a", `line 2: vault: has no effect: managers does not list "vault"`},
		{"k8s-any", "k8s:\n  any: file", `line 2: k8s.any: "file" is not one of ANY, ENV_VAR, FILE`},
		{"k8s-mode", "k8s:\n  defaultMode: 01000", `line 2: k8s.defaultMode: 01000 is not between 0 and 0777`},
	})
}

func TestConfig_ManagerErrors(t *testing.T) {
	testConfigErrors(t, []configError{
		{"global-prefix", "managers: [global]\nglobal:\n  envPrefix: a=b", `line 3: global.envPrefix: "a=b" contains "=" or NUL`},
		{"global-dir", "managers: [global]\nglobal:\n  dir: secrets", `line 3: global.dir: "secrets" is not an absolute path`},
		{"global-allow", "managers: [global]\nglobal:\n  allow:\n    - group: a", `line 4: global.allow.0: needs namespaces, and group or key`},
		{"global-allow-empty", "managers: [global]\nglobal:\n  allow: []", `line 3: global.allow: must not be empty: leave it out to let every Pod read every global secret`},
		{"global-allow-null", "managers: [global]\nglobal:\n  allow:", `line 3: global.allow: must not be empty: leave it out to let every Pod read every global secret`},
		{"global-allow-empty-merged", "managers: [global]\nglobal:\n  <<: {allow: []}", `line 3: global.allow: must not be empty: leave it out to let every Pod read every global secret`},
		{"global-allow-null-merged", "managers: [global]\nglobal:\n  <<: [{dir: /s}, {allow: }]", `line 3: global.allow: must not be empty: leave it out to let every Pod read every global secret`},
		{"aws-image", "managers: [aws]\naws:\n  image: a b", `line 3: aws.image: "a b" contains white space`},
		{"aws-user", "managers: [aws]\naws:\n  runAsUser: 0", `line 3: aws.runAsUser: 0 is not between 1 and 2147483647`},
		{"aws-quantity", "managers: [aws]\naws:\n  resources:\n    limits: {cpu: much}", `line 3: aws.resources: limits.cpu: "much" is not a quantity`},
		{"aws-requests-above-limits", "managers: [aws]\naws:\n  resources: {limits: {cpu: 1}, requests: {cpu: 2}}", `line 3: aws.resources: request 2 of cpu, above the limit of 1`},
		{"aws-fetcher", "managers: [aws]\naws:\n  fetcher: fetch", `line 3: aws.fetcher: "fetch" must be Stock or Fetch`},
		{"aws-fetch-no-image", "managers: [aws]\naws:\n  fetcher: Fetch", `line 2: aws: Image is empty`},
		{"aws-stock-env-files", "managers: [aws]\naws:\n  envFiles: true", `line 3: aws.envFiles: requires Fetcher Fetch`},
		{"two-users", "managers: [gcp]\ngcp:\n  assignedUser: true\n  runAsUser: 5", `line 4: gcp.runAsUser: 5 conflicts with AssignedUser, which lets the cluster choose the user`},
		{"gcp-project", "managers: [gcp]\ngcp:\n  project: a/b", `line 3: gcp.project: "a/b" is not a valid project ID or number`},
		{"azure-no-vaults", "managers: [azure]", `line 1: azure: neither Vault nor Vaults is set`},
		{"azure-vault", "managers: [azure]\nazure:\n  vault: team", `line 3: azure.vault: "team" is not the URL of a vault, such as "https://team.vault.azure.net"`},
		{"csi-driver", "managers: [csi]\ncsi:\n  driver: a b", `line 3: csi.driver: "a b" is not a valid name of a CSI driver`},
		{"vault-flavor", "managers: [vault]\nvault:\n  flavor: bao", `line 3: vault.flavor: "bao" must be Vault or OpenBao`},
		{"vault-mounts", "managers: [vault]\nvault:\n  mounts: [/]", `line 3: vault.mounts: "/" is not a clean path without leading and trailing slashes`},
		{"vault-version", "managers: [vault]\nvault:\n  kvVersion: 3", `line 3: vault.kvVersion: "3" is neither "1" nor "2"`},
		{"vault-annotation", "managers: [vault]\nvault:\n  annotations: {vault.hashicorp.com/agent-inject: no}", `line 3: vault.annotations: "vault.hashicorp.com/agent-inject" is "no": must be true, or no secrets arrive`},
		{"vault-locked", "managers: [vault]\nvault:\n  locked: [role]", `line 3: vault.locked: "role" must begin with "vault.hashicorp.com/"`},
		{"layout-dir", "layout:\n  dir: /", `line 2: layout.dir: "/" is the root directory`},
		{"layout-prefix", "layout:\n  envPrefix: 1", `line 2: layout.envPrefix: "1" is not a valid start of an environment variable name`},
		{"order", "initOrder: Last", `line 1: initOrder: "Last" is not one of First, AfterSidecars`},
		{"conflicts", "onConflict: Ignore", `line 1: onConflict: "Ignore" is not one of Fail, KeepPod`},
	})
}

// configError is an invalid configuration and its error.
type configError struct{ name, text, want string }

func testConfigErrors(t *testing.T, rows []configError) {
	for _, c := range rows {
		t.Run(c.name, func(t *testing.T) {
			cfg, _, err := parse([]byte(c.text))
			require.Error(t, err)
			assert.Equal(t, c.want, err.Error())
			assert.Nil(t, cfg)
		})
	}
}

// The written-out defaults are those of the library's zero Config.
func TestConfig_Defaults(t *testing.T) {
	t.Setenv("FLYTE_SECRET_G_K", "v")
	vaults := []string{"https://team.vault.azure.net"}
	zero := map[string]func() (injector.SecretManager, error){
		"global": func() (injector.SecretManager, error) { return global.New(global.Config{}) },
		"k8s":    func() (injector.SecretManager, error) { return k8ssecret.New(k8ssecret.Config{}) },
		"aws":    func() (injector.SecretManager, error) { return awssm.New(awssm.Config{}) },
		"vault":  func() (injector.SecretManager, error) { return vault.New(vault.Config{}) },
		"gcp":    func() (injector.SecretManager, error) { return gcpsm.New(gcpsm.Config{}) },
		"azure":  func() (injector.SecretManager, error) { return azurekv.New(azurekv.Config{Vaults: vaults}) },
		"csi":    func() (injector.SecretManager, error) { return csi.New(csi.Config{}) },
	}
	cfg, _, err := parse([]byte("managers: [global, k8s, aws, vault, gcp, azure, csi]\nazure: {vaults: ['https://team.vault.azure.net']}"))
	require.NoError(t, err)
	target := mount.NewTarget(mount.Layout{}, mount.InitFirst, &metav1.ObjectMeta{Namespace: "n"})
	for name, newZero := range zero {
		for _, req := range []secret.Request{
			{Group: "g", Key: "k"},
			{Group: "g", Key: "k", Mount: mount.File},
			{Group: "arn:aws:secretsmanager:us-east-1:1:secret", Key: "k", Mount: mount.File},
			{Group: "projects/p/secrets/s", Mount: mount.File},
			{Group: "https://team.vault.azure.net/secrets/s", Mount: mount.File},
		} {
			t.Run(name+" "+req.String(), func(t *testing.T) {
				want, err := newZero()
				require.NoError(t, err)
				got, err := constructors[name](&cfg.stores)
				require.NoError(t, err)
				wantFragment, wantErr := want.Mount(t.Context(), req, target)
				gotFragment, gotErr := got.Mount(t.Context(), req, target)
				assert.Equal(t, wantErr, gotErr)
				if wantFragment.Value != nil {
					assert.True(t, wantFragment.Value.Equal(gotFragment.Value))
					wantFragment.Value, gotFragment.Value = nil, nil
				}
				assert.Equal(t, wantFragment, gotFragment)
			})
		}
	}
	assert.Equal(t, mount.Layout{}.WithDefaults(), cfg.Layout.layout())
}

// Functions in the library's Config are lists in the file.
func TestConfig_Lists(t *testing.T) {
	t.Setenv("FLYTE_SECRET_REGISTRY_TOKEN", "v")
	cfg, _, err := parse([]byte(`
managers: [global]
global:
  allow: [{namespaces: [builds], group: registry, key: token}]
excludeContainers: [proxy]
`))
	require.NoError(t, err)
	in, err := cfg.injector(logged)
	require.NoError(t, err)
	pod := func(namespace string) *corev1.Pod {
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}, {Name: "proxy"}}},
		}
	}
	token := secret.Request{Group: "registry", Key: "token"}
	injected, err := in.Inject(t.Context(), pod("builds"), token)
	require.NoError(t, err)
	assert.NotEmpty(t, injected.Spec.Containers[0].Env)
	assert.Empty(t, injected.Spec.Containers[1].Env, "an excluded container receives nothing")

	for name, c := range map[string]struct {
		namespace string
		request   secret.Request
	}{
		"namespace": {"other", token},
		"case":      {"builds", secret.Request{Group: "Registry", Key: "token"}},
		"split":     {"builds", secret.Request{Key: "registry_token"}}, // same variable
	} {
		t.Run(name, func(t *testing.T) {
			_, err := in.Inject(t.Context(), pod(c.namespace), c.request)
			assert.ErrorIs(t, err, secret.ErrNotFound)
		})
	}
}

// Every accepted configuration builds an Injector, and means the same when printed.
func FuzzConfig(f *testing.F) {
	for _, text := range configFiles(f) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		cfg, _, err := parse(text)
		if err != nil {
			require.Nil(t, cfg)
			return
		}
		_, err = cfg.injector(logged)
		require.NoError(t, err)
		first := printed(t, cfg)
		again, warnings, err := parse([]byte(first))
		require.NoError(t, err, first)
		require.Empty(t, warnings)
		require.Empty(t, cmp.Diff(cfg, again, cmpopts.EquateEmpty(), cmp.AllowUnexported(config{}, awsConfig{}, gcpConfig{}, azureConfig{})), "an empty list equals none")
	})
}

func parse(text []byte) (cfg *config, warnings []string, err error) {
	return parseDocuments([]document{{text: text}}, flyte.Unknown)
}
