package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/podsecrets/podsecrets/examples/webhook/internal/flyte"
)

func TestFlyte_Errors(t *testing.T) {
	testConfigErrors(t, []configError{
		{"beside-managers", "webhook: {}\nmanagers: [k8s]", `line 2: managers: must not be set with Flyte's sections, which list the managers`},
		{"typo-beside", "webhook: {}\nmanager: [k8s]", `line 2: unknown setting "manager", and not a known section of Flyte; if it is one, leave it out`},
		{"unknown-section", "webhook: {}\nflink: {}", `line 2: unknown setting "flink", and not a known section of Flyte; if it is one, leave it out`},
		{"no-webhook", "propeller: {}", `line 1: unknown setting "propeller"; Flyte has this section, but its section webhook is missing`},
		{"unused-store", "webhook: {}\nvault: {role: x}", `line 2: vault: has no effect: managers does not list "vault"`},
		{"unknown-field", "webhook:\n  secretManagerTyp: K8s", `line 2: webhook.secretManagerTyp: unknown field`},
		{"unknown-secrets-field", "secrets:\n  prefix: x", `line 2: secrets.prefix: unknown field`},
		{"unknown-vault-field", "webhook:\n  vaultSecretManager:\n    rol: x", `line 3: webhook.vaultSecretManager.rol: unknown field`},
		{"no-list", "webhook:\n  secretManagerTypes: K8s", "line 2: cannot unmarshal !!str `K8s` into a list of strings"},
		{"unknown-type", "webhook:\n  secretManagerType: Confidant", `line 2: webhook.secretManagerType: "Confidant" is not one of Global, K8s, AWS, GCP, Vault, the types of Flyte 1.16.8`},
		{"unknown-type-release-2", "webhook:\n  secretManagerTypes: [Azure, Confidant]\nazure: {vaults: ['https://a.vault.azure.net']}", `line 2: webhook.secretManagerTypes.1: "Confidant" is not one of Global, K8s, AWS, GCP, Vault, Embedded, Azure`},
		{"unknown-store", "webhook:\n  embeddedSecretManagerConfig:\n    type: Vault", `line 3: webhook.embeddedSecretManagerConfig.type: "Vault" is not one of AWS, GCP, Azure, K8s`},
		{"embedded-image", "webhook:\n  secretManagerType: Embedded\n  embeddedSecretManagerConfig: {type: GCP, gcpConfig: {project: p}}", `line 3: webhook.embeddedSecretManagerConfig: image must not be empty: secrets of GCP are fetched by the program of examples/fetch; set embedded.gcp.image`},
		{"azure-vaults", "webhook:\n  secretManagerType: Azure", `line 1: azure.vaults: must list the vaults that requests may name: tokens are sent to listed vaults only, whereas Flyte sends them to any`},
		{"vault-version", "webhook:\n  secretManagerType: Vault\n  vaultSecretManager:\n    kvVersion: 3", `line 4: webhook.vaultSecretManager.kvVersion: "3" is neither "1" nor "2"`},
		{"aws-image", "webhook:\n  secretManagerType: AWS\n  awsSecretManager:\n    sidecarImage: a b", `line 3: webhook.awsSecretManager: Image "a b" contains white space`},
		{"env-prefix", "secrets:\n  env-prefix: a=b", `line 1: secrets: EnvPrefix "a=b" contains "=" or NUL`},
		{"selector-field", "webhook:\n  namespaceSelector: {matchLabel: {a: b}}", `line 2: webhook.namespaceSelector: is not a label selector: unknown field "matchLabel"`},
		{"selector-operator", "webhook:\n  namespaceSelector: {matchExpressions: [{key: a, operator: Is}]}", `line 2: webhook.namespaceSelector: is not a label selector: "Is" is not a valid label selector operator`},
		{"embedded-reach", "managers: [embedded]\nembedded: {reach: Team}", `line 2: embedded.reach: "Team" is not one of Project, Domain, Organization`},
		{"embedded-stock", "managers: [embedded]\nembedded: {store: AWS, aws: {image: i, fetcher: Stock}}", `line 2: embedded.aws.fetcher: must be Fetch, the only fetcher of embedded secrets`},
		{"embedded-other-store", "managers: [embedded]\nembedded: {aws: {image: i}}", `line 2: embedded.aws: has no effect: store is K8s`},
	})
}

// The release is detected from the keys, and decides the defaults.
func TestFlyte_Release(t *testing.T) {
	const fetch = "\nembedded: {aws: {image: i}}"
	for _, c := range []struct {
		name, text      string
		flag            flyte.Release
		managers        []string
		prefix, warning string
	}{
		{"nothing", "webhook: {}", flyte.Unknown, []string{"global", "k8s"}, "_FSEC_", "Flyte 1 (no key tells the release)"},
		{"nothing-2", "webhook: {}" + fetch, flyte.Two, []string{"global", "embedded"}, "_UNION_", ""},
		{"nothing-1", "webhook: {}", flyte.One, []string{"global", "k8s"}, "_FSEC_", ""},
		{"part-1", "webhook: {}\npropeller: {}", flyte.Unknown, []string{"global", "k8s"}, "_FSEC_", "Flyte 1 (it has propeller)"},
		{"part-2", "webhook: {}\nruns: {}" + fetch, flyte.Unknown, []string{"global", "embedded"}, "_UNION_", "Flyte 2 (it has runs)"},
		{"type", "webhook: {secretManagerType: Embedded}" + fetch, flyte.Unknown, []string{"global", "embedded"}, "_UNION_", `Flyte 2 (secretManagerType has "Embedded")`},
		{"case", "webhook: {secretManagerTypes: [vault]}", flyte.Unknown, []string{"global", "vault"}, "_UNION_", `Flyte 2 (secretManagerTypes has "vault")`},
		{"key", "webhook: {webhookTimeout: 5, secretManagerType: AWS}", flyte.Unknown, []string{"global", "aws"}, "_UNION_", "Flyte 2 (it has webhook.webhookTimeout)"},
		{"part-before-key", "webhook: {azureSecretManager: {}, secretManagerType: K8s}\npropeller: {}", flyte.Unknown, []string{"global", "k8s"}, "_FSEC_", "Flyte 1 (it has propeller)"},
		{"prefix", "webhook: {secretEnvVarPrefix: X_, secretManagerType: AWS}", flyte.One, []string{"global", "aws"}, "X_", ""},
		{"spelling", "Webhook: {SecretManagerType: AWS, SECRETMANAGERTYPES: [K8s, GCP, Global, GCP]}", flyte.Unknown, []string{"global", "k8s", "gcp"}, "_FSEC_", "Flyte 1 (no key tells the release)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, warnings, err := parseDocuments([]document{{text: []byte(c.text)}}, c.flag)
			require.NoError(t, err)
			assert.Equal(t, c.managers, cfg.Managers)
			assert.Equal(t, c.prefix, cfg.Layout.EnvPrefix)
			all := strings.Join(warnings, "\n")
			if c.warning == "" {
				assert.NotContains(t, all, "read as")
			} else {
				assert.Contains(t, all, "webhook: read as configuration of "+c.warning)
			}
		})
	}
	_, _, err := parseDocuments([]document{{text: []byte("webhook: {secretManagerType: Embedded}")}}, flyte.One)
	assert.EqualError(t, err, `line 1: webhook.secretManagerType: "Embedded" is not one of Global, K8s, AWS, GCP, Vault, the types of Flyte 1.16.8`)
}

// The project's own settings override Flyte's.
func TestFlyte_OwnSettings(t *testing.T) {
	cfg, _, err := parse([]byte(`
webhook:
  secretManagerTypes: [K8s, AWS]
  awsSecretManager: {sidecarImage: i}
global: {allow: [{namespaces: [builds], group: registry, key: token}]}
k8s: {required: true}
aws: {runAsUser: 7}
layout: {dir: /secrets}
`))
	require.NoError(t, err)
	assert.Equal(t, []string{"global", "k8s", "aws"}, cfg.Managers)
	assert.Equal(t, "registry", cfg.Global.Allow[0].Group)
	assert.Equal(t, &k8sConfig{Any: "FILE", Required: true, DefaultMode: 0o644}, cfg.K8s)
	assert.Equal(t, "i", cfg.AWS.Image)
	assert.Equal(t, int64(7), *cfg.AWS.RunAsUser)
	assert.Equal(t, layoutConfig{Dir: "/secrets", EnvPrefix: "_FSEC_"}, cfg.Layout)
}

// Flyte's -config is a pattern, and its ConfigMap has several files.
func TestSource_Documents(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("core.yaml", "propeller: {workers: 4}\nwebhook:\n  secretManagerType: K8s\n  awsSecretManager: {sidecarImage: first}\n")
	write("inline.yaml", "webhook:\n  secretManagerType: AWS\n  awsSecretManager: {sidecarImage: second}\nLogger: {level: 5}\n")
	write("empty.yaml", "")
	write("notes.txt", "not: [read\n")
	own := filepath.Join(t.TempDir(), "own.yaml")
	require.NoError(t, os.WriteFile(own, []byte("drain: 3s\naws: {image: third}\n"), 0o600))
	configMap := filepath.Join(t.TempDir(), "map.yaml")
	require.NoError(t, os.WriteFile(configMap, []byte("apiVersion: v1\nkind: ConfigMap\ndata:\n  b.yaml: |\n    webhook: {secretManagerType: AWS}\n  a.yaml: 'webhook: {secretManagerType: K8s}'\n  c.txt: 'x: ['\n"), 0o600))
	for _, c := range []struct {
		name  string
		files []string
		image string
	}{
		{"pattern", []string{dir + "/*.yaml"}, "second"},
		{"directory", []string{dir}, "second"},
		{"own-settings", []string{dir, own}, "third"},
		{"configmap", []string{configMap}, "docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			from := source{files: c.files}
			cfg, warnings, err := from.load()
			require.NoError(t, err)
			assert.Equal(t, []string{"global", "aws"}, cfg.Managers)
			assert.Equal(t, c.image, cfg.AWS.Image)
			if c.name == "directory" {
				assert.Equal(t, []string{
					dir + "/core.yaml: line 1: propeller: has no effect, nor have Logger: they belong to other components of Flyte",
					dir + "/inline.yaml: line 1: webhook: read as configuration of Flyte 1 (it has propeller); the flag -flyte overrides this",
				}, warnings)
			}
		})
	}
	write("wrong.yaml", "webhook:\n  certDir: x\n  awsSecretManager: []\n  typo: 1\ndrain: 5\n")
	_, _, err := (&source{files: []string{dir}}).load()
	assert.EqualError(t, err, dir+":\n"+dir+"/wrong.yaml: line 5: cannot unmarshal !!int `5` into a duration such as 30s")
	write("wrong.yaml", "webhook:\n  awsSecretManager: []\n")
	_, _, err = (&source{files: []string{dir}}).load()
	assert.EqualError(t, err, dir+":\n"+dir+"/wrong.yaml: line 2: cannot unmarshal !!seq into this setting")
	write("wrong.yaml", "webhook:\n  typo: 1\n")
	_, _, err = (&source{files: []string{dir}}).load()
	assert.EqualError(t, err, dir+":\n"+dir+"/wrong.yaml: line 2: webhook.typo: unknown field")
	_, _, err = (&source{files: []string{dir + "/*.json"}}).load()
	assert.EqualError(t, err, dir+"/*.json: no matching file")
}

// The patch of -print-selector changes the selector only.
func TestPrintSelector(t *testing.T) {
	file := filepath.Join(t.TempDir(), "flyte.yaml")
	require.NoError(t, os.WriteFile(file, []byte("webhook:\n  namespaceSelector:\n    matchLabels: {team: a}\n    matchExpressions: [{key: tier, operator: Exists}]\n"), 0o600))
	var patch, stderr bytes.Buffer
	require.NoError(t, run([]string{"-config", file, "-print-selector"}, &patch, &stderr))
	assert.Contains(t, stderr.String(), "webhook.namespaceSelector: belongs in the webhook's registration")

	disk := filesys.MakeFsInMemory()
	deployed := filesys.MakeFsOnDisk()
	require.NoError(t, deployed.Walk("deploy", func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		text, err := deployed.ReadFile(path)
		require.NoError(t, err)
		return disk.WriteFile(path, text)
	}))
	require.NoError(t, disk.WriteFile("overlay/patch.yaml", patch.Bytes()))
	require.NoError(t, disk.WriteFile("overlay/kustomization.yaml", []byte("resources: [../deploy]\npatches: [{path: patch.yaml}]\n")))
	validating := only[*admissionregistrationv1.ValidatingWebhookConfiguration](t, render(t, disk, "overlay"))
	before, after := only[*admissionregistrationv1.MutatingWebhookConfiguration](t, render(t, disk, "deploy")), only[*admissionregistrationv1.MutatingWebhookConfiguration](t, render(t, disk, "overlay"))
	require.Len(t, after.Webhooks, 1)
	selector := after.Webhooks[0].NamespaceSelector
	assert.Equal(t, selector, validating.Webhooks[0].NamespaceSelector, "both webhooks have it")
	assert.Equal(t, map[string]string{"team": "a"}, selector.MatchLabels)
	require.Len(t, selector.MatchExpressions, 2)
	assert.Equal(t, "tier", selector.MatchExpressions[0].Key)
	assert.Equal(t, before.Webhooks[0].NamespaceSelector.MatchExpressions[0], selector.MatchExpressions[1], "its own namespace is excluded")
	after.Webhooks[0].NamespaceSelector = before.Webhooks[0].NamespaceSelector
	assert.Equal(t, before, after)

	assert.EqualError(t, run([]string{"-print-selector"}, &patch, &stderr), "the configuration has no namespaceSelector")
}

// The ConfigMaps of Flyte's charts work unchanged, with an administrator's additions
// for each manager.
func TestFlyte_Charts(t *testing.T) {
	const fetch = "embedded: {aws: {image: fetch:1, envFiles: true}}\n"
	for _, c := range []struct {
		file, additions string
		managers        []string
		prefix          string
	}{
		{"binary-1", "", []string{"global", "k8s"}, "_FSEC_"},
		{"core-1", "", []string{"global", "k8s"}, "_FSEC_"},
		{"core-1", "webhook: {secretManagerType: AWS}\nsecrets: {secrets-prefix: /mnt}\n", []string{"global", "aws"}, "_FSEC_"},
		{"binary-1", "webhook: {secretManagerType: GCP, gcpSecretManager: {resources: {limits: {memory: 1Gi}}}}\n", []string{"global", "gcp"}, "_FSEC_"},
		{"binary-1", "webhook: {secretManagerType: Vault, vaultSecretManager: {role: tasks, annotations: {vault.hashicorp.com/namespace: team}}}\n", []string{"global", "vault"}, "_FSEC_"},
		{"core-1", "webhook: {secretManagerType: Global, namespaceSelector: {matchLabels: {team: a}}, cacheInvalidationPort: 9444}\n", []string{"global"}, "_FSEC_"},
		{"binary-2", "", []string{"global", "embedded"}, "_UNION_"},
		{"binary-2", "webhook: {secretManagerTypes: [k8s], imageBuilderConfig: {enabled: false}}\n", []string{"global", "k8s"}, "_UNION_"},
		{"binary-2", "webhook: {secretManagerTypes: [AWS, GCP, Vault]}\n", []string{"global", "aws", "gcp", "vault"}, "_UNION_"},
		{"binary-2", "webhook: {embeddedSecretManagerConfig: {type: aws, awsConfig: {region: us-east-2}}}\n" + fetch, []string{"global", "embedded"}, "_UNION_"},
		{"binary-2", "webhook: {secretManagerTypes: [Azure, Embedded], embeddedSecretManagerConfig: {enabled: true, azureConfig: {vaultURI: 'https://kv.vault.azure.net/'}}}\n", []string{"global", "azure", "embedded"}, "_UNION_"},
	} {
		t.Run(c.file+" "+c.additions, func(t *testing.T) {
			additions := filepath.Join(t.TempDir(), "additions.yaml")
			require.NoError(t, os.WriteFile(additions, []byte(c.additions), 0o600))
			cfg, warnings, err := (&source{files: []string{"testdata/flyte/configmaps/" + c.file + ".yaml", additions}}).load()
			require.NoError(t, err)
			assert.Equal(t, c.managers, cfg.Managers)
			assert.Equal(t, c.prefix, cfg.Layout.EnvPrefix)
			components := 0
			for _, w := range warnings {
				if strings.Contains(w, "to other components of Flyte") {
					components++
				}
			}
			assert.Equal(t, 1, components, "one warning for all other components: %v", warnings)
			_, err = cfg.injector(logged)
			require.NoError(t, err)
			again, warnings, err := parse([]byte(printed(t, cfg)))
			require.NoError(t, err)
			assert.Empty(t, warnings)
			assert.Equal(t, cfg, again)
		})
	}
}
