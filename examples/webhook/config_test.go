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

// configFiles are the files that a configuration can be, by name.
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

// The golden files have the effective configuration, behind the warnings.
func TestConfigGolden(t *testing.T) {
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
			assert.Empty(t, warnings, "what is printed is effective")
			assert.Equal(t, cfg, again, "what is printed reads the same")
		})
	}
}

// Each of these is refused, with this text and no other.
func TestConfigErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown field", "namespace: a\nmanager: [k8s]", `line 2: there is no setting "manager"`},
		{"unknown field of a section", "k8s:\n  any: ANY\n  requird: true", `line 3: there is no setting "requird"`},
		{"several at once", "a: 1\nb: 2", "line 1: there is no setting \"a\"\nline 2: there is no setting \"b\""},
		{"twice", "drain: 1s\ndrain: 2s", `line 2: mapping key "drain" already defined at line 1`},
		{"no duration", "\ndrain: 10", "line 2: cannot unmarshal !!int `10` into a duration such as 30s"},
		{"a library's own check says the same", "k8s:\n  any: any", "line 2: k8s.any: \"any\" is not one of ANY, ENV_VAR, FILE"},
		{"no list", "managers: k8s", "line 1: cannot unmarshal !!str `k8s` into a list of texts"},
		{"no section", "listen: 9443", "line 1: cannot unmarshal !!int `9443` into what stands here"},
		{"no mapping at all", "webhook", "line 1: cannot unmarshal !!str `webhook` into what stands here"},
		{"no YAML", "a: [", "line 1: did not find expected node content"},
		{"two documents", "drain: 1s\n---\ndrain: 2s", "there is more than one document"},
		{"empty namespace", `namespace: ""`, `line 1: namespace: is empty`},
		{"empty service", `service: ""`, `line 1: service: is empty`},
		{"empty configuration", `webhookConfiguration: ""`, `line 1: webhookConfiguration: is empty`},
		{"empty secret", "certificate:\n  secret: ''", `line 2: certificate.secret: is empty`},
		{"empty dir", "certificate:\n  dir: ''", `line 2: certificate.dir: is empty`},
		{"address without port", "listen:\n  probes: localhost", `line 2: listen.probes: "localhost" is not host:port`},
		{"address with a name for a port", "listen:\n  metrics: :http", `line 2: listen.metrics: ":http" is not host:port`},
		{"address with port 0", "listen:\n  webhook: :0", `line 2: listen.webhook: ":0" is not host:port`},
		{"renewal that never ends", "certificate:\n  validity: 24h\n  renewBefore: 24h", `line 3: certificate.renewBefore: is not between 0 and validity`},
		{"default renewal that never ends", "certificate:\n  validity: 24h", `line 1: certificate.renewBefore: is not between 0 and validity`},
		{"certificate beyond its CA", "certificate:\n  validity: 96h\n  renewBefore: 1h\n  caValidity: 48h", `line 2: certificate.validity: is more than caValidity`},
		{"settling longer than the old CA stays", "certificate:\n  settle: 1h", `line 2: certificate.settle: is not between 0 and 30m0s`},
		{"negative drain", "drain: -1s", `line 1: drain: is negative`},
		{"log level", "logLevel: TRACE", `line 1: logLevel: "TRACE" is none of DEBUG, INFO, WARN, ERROR`},
		{"no managers", "managers: []", `line 1: managers: has none`},
		{"unknown manager", "managers:\n  - k8s\n  - sops", `line 3: managers.1: "sops" is none of aws, azure, csi, embedded, gcp, global, k8s, vault`},
		{"manager twice", "managers: [k8s, k8s]", `line 1: managers.1: "k8s" is there twice`},
		{"section of no manager", "managers: [k8s]\nvault:\n  role: a", `line 2: vault: has no effect, as it is not among managers`},
		{"k8s any", "k8s:\n  any: file", `line 2: k8s.any: "file" is not one of ANY, ENV_VAR, FILE`},
		{"k8s mode", "k8s:\n  defaultMode: 01000", `line 2: k8s.defaultMode: 01000 is not between 0 and 0777`},
		{"global prefix", "managers: [global]\nglobal:\n  envPrefix: a=b", `line 3: global.envPrefix: "a=b" contains "=" or NUL`},
		{"global dir", "managers: [global]\nglobal:\n  dir: secrets", `line 3: global.dir: "secrets" is not an absolute path`},
		{"global allow", "managers: [global]\nglobal:\n  allow:\n    - group: a", `line 4: global.allow.0: needs namespaces, and group or key`},
		{"global allow nobody", "managers: [global]\nglobal:\n  allow: []", `line 3: global.allow: is empty; without it, everybody may read every global secret`},
		{"global allow null", "managers: [global]\nglobal:\n  allow:", `line 3: global.allow: is empty; without it, everybody may read every global secret`},
		{"global allow nobody, merged", "managers: [global]\nglobal:\n  <<: {allow: []}", `line 3: global.allow: is empty; without it, everybody may read every global secret`},
		{"global allow null, merged", "managers: [global]\nglobal:\n  <<: [{dir: /s}, {allow: }]", `line 3: global.allow: is empty; without it, everybody may read every global secret`},
		{"aws image", "managers: [aws]\naws:\n  image: a b", `line 3: aws.image: "a b" contains white space`},
		{"aws user", "managers: [aws]\naws:\n  runAsUser: 0", `line 3: aws.runAsUser: 0 is not between 1 and 2147483647`},
		{"aws quantity", "managers: [aws]\naws:\n  resources:\n    limits: {cpu: much}", `line 3: aws.resources: has "much" for limits.cpu, which is no quantity`},
		{"aws requests above limits", "managers: [aws]\naws:\n  resources: {limits: {cpu: 1}, requests: {cpu: 2}}", `line 3: aws.resources: request 2 of cpu, above the limit of 1`},
		{"aws fetcher", "managers: [aws]\naws:\n  fetcher: fetch", `line 3: aws.fetcher: "fetch" is neither Stock nor Fetch`},
		{"aws fetch without image", "managers: [aws]\naws:\n  fetcher: Fetch", `line 2: aws: Image is empty`},
		{"aws stock with env files", "managers: [aws]\naws:\n  envFiles: true", `line 3: aws.envFiles: requires Fetcher Fetch`},
		{"two users", "managers: [gcp]\ngcp:\n  assignedUser: true\n  runAsUser: 5", `line 4: gcp.runAsUser: 5 conflicts with AssignedUser, which lets the cluster choose the user`},
		{"gcp project", "managers: [gcp]\ngcp:\n  project: a/b", `line 3: gcp.project: "a/b" is not a valid project ID or number`},
		{"azure without vaults", "managers: [azure]", `line 1: azure: neither Vault nor Vaults is set`},
		{"azure vault", "managers: [azure]\nazure:\n  vault: team", `line 3: azure.vault: "team" is not the URL of a vault, such as "https://team.vault.azure.net"`},
		{"csi driver", "managers: [csi]\ncsi:\n  driver: a b", `line 3: csi.driver: "a b" is not a valid name of a CSI driver`},
		{"vault flavor", "managers: [vault]\nvault:\n  flavor: bao", `line 3: vault.flavor: "bao" is neither Vault nor OpenBao`},
		{"vault mounts", "managers: [vault]\nvault:\n  mounts: [/]", `line 3: vault.mounts: "/" is not a clean path without outer slashes`},
		{"vault version", "managers: [vault]\nvault:\n  kvVersion: 3", `line 3: vault.kvVersion: "3" is neither "1" nor "2"`},
		{"vault annotation", "managers: [vault]\nvault:\n  annotations: {vault.hashicorp.com/agent-inject: no}", `line 3: vault.annotations: "vault.hashicorp.com/agent-inject" is "no", and secrets arrive only if it is true`},
		{"vault locked", "managers: [vault]\nvault:\n  locked: [role]", `line 3: vault.locked: "role" does not begin with vault.hashicorp.com/`},
		{"layout dir", "layout:\n  dir: /", `line 2: layout.dir: "/" is the root directory`},
		{"layout prefix", "layout:\n  envPrefix: 1", `line 2: layout.envPrefix: "1" is not a valid start of an environment variable name`},
		{"order", "initOrder: Last", `line 1: initOrder: "Last" is not one of First, AfterSidecars`},
		{"conflicts", "onConflict: Ignore", `line 1: onConflict: "Ignore" is not one of Fail, KeepPod`},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, _, err := parse([]byte(c.text))
			require.Error(t, err)
			assert.Equal(t, c.want, err.Error())
			assert.Nil(t, cfg)
		})
	}
}

// What the defaults spell out is what the library's own zero Config means.
func TestDefaults(t *testing.T) {
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

// The settings that are functions in the library are lists in the file.
func TestLists(t *testing.T) {
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
		"another namespace":             {"other", token},
		"another case":                  {"builds", secret.Request{Group: "Registry", Key: "token"}},
		"another split of the variable": {"builds", secret.Request{Key: "registry_token"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := in.Inject(t.Context(), pod(c.namespace), c.request)
			assert.ErrorIs(t, err, secret.ErrNotFound)
		})
	}
}

// Whatever is accepted prints, reads back the same and makes an Injector.
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
		require.Empty(t, cmp.Diff(cfg, again, cmpopts.EquateEmpty(), cmp.AllowUnexported(config{}, awsConfig{}, gcpConfig{}, azureConfig{})), "an empty list means the same as none")
	})
}

func parse(text []byte) (cfg *config, warnings []string, err error) {
	return parseDocuments([]document{{text: text}}, flyte.Unknown)
}
