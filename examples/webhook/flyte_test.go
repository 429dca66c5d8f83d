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

// Each of these is refused, with this text and no other.
func TestFlyteErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"beside-managers", "webhook: {}\nmanagers: [k8s]", `line 2: managers: cannot stand beside Flyte's sections, which name them`},
		{"typo-beside", "webhook: {}\nmanager: [k8s]", `line 2: there is no setting "manager", nor is that known as a section of Flyte; leave it out if it is one`},
		{"unknown-section", "webhook: {}\nflink: {}", `line 2: there is no setting "flink", nor is that known as a section of Flyte; leave it out if it is one`},
		{"no-webhook", "propeller: {}", `line 1: there is no setting "propeller"; Flyte has such a section, but its section webhook is missing`},
		{"unused-store", "webhook: {}\nvault: {role: x}", `line 2: vault: has no effect, as it is not among managers`},
		{"unknown-field", "webhook:\n  secretManagerTyp: K8s", `line 2: webhook.secretManagerTyp: unknown field`},
		{"unknown-secrets-field", "secrets:\n  prefix: x", `line 2: secrets.prefix: unknown field`},
		{"unknown-vault-field", "webhook:\n  vaultSecretManager:\n    rol: x", `line 3: webhook.vaultSecretManager.rol: unknown field`},
		{"no-list", "webhook:\n  secretManagerTypes: K8s", "line 2: cannot unmarshal !!str `K8s` into a list of texts"},
		{"unknown-type", "webhook:\n  secretManagerType: Confidant", `line 2: webhook.secretManagerType: "Confidant" is none of Global, K8s, AWS, GCP, Vault, as Flyte 1.16.8 has them`},
		{"unknown-type-2", "webhook:\n  secretManagerTypes: [Azure, Confidant]\nazure: {vaults: ['https://a.vault.azure.net']}", `line 2: webhook.secretManagerTypes.1: "Confidant" is none of Global, K8s, AWS, GCP, Vault, Embedded, Azure`},
		{"unknown-store", "webhook:\n  embeddedSecretManagerConfig:\n    type: Vault", `line 3: webhook.embeddedSecretManagerConfig.type: "Vault" is none of AWS, GCP, Azure, K8s`},
		{"embedded-image", "webhook:\n  secretManagerType: Embedded\n  embeddedSecretManagerConfig: {type: GCP, gcpConfig: {project: p}}", `line 3: webhook.embeddedSecretManagerConfig: image is empty: secrets of GCP are fetched in the Pod, by the program of examples/fetch; name its image in embedded.gcp.image`},
		{"azure-vaults", "webhook:\n  secretManagerType: Azure", `line 1: azure.vaults: is empty: Flyte asks any vault that a request names, and here a token goes to none that is not listed; list them in azure.vaults`},
		{"vault-version", "webhook:\n  secretManagerType: Vault\n  vaultSecretManager:\n    kvVersion: 3", `line 4: webhook.vaultSecretManager.kvVersion: "3" is neither "1" nor "2"`},
		{"aws-image", "webhook:\n  secretManagerType: AWS\n  awsSecretManager:\n    sidecarImage: a b", `line 3: webhook.awsSecretManager: Image "a b" contains white space`},
		{"env-prefix", "secrets:\n  env-prefix: a=b", `line 1: secrets: EnvPrefix "a=b" contains "=" or NUL`},
		{"selector-field", "webhook:\n  namespaceSelector: {matchLabel: {a: b}}", `line 2: webhook.namespaceSelector: is no selector of labels: unknown field "matchLabel"`},
		{"selector-operator", "webhook:\n  namespaceSelector: {matchExpressions: [{key: a, operator: Is}]}", `line 2: webhook.namespaceSelector: is no selector of labels: "Is" is not a valid label selector operator`},
		{"embedded-reach", "managers: [embedded]\nembedded: {reach: Team}", `line 2: embedded.reach: "Team" is none of Project, Domain, Organization`},
		{"embedded-stock", "managers: [embedded]\nembedded: {store: AWS, aws: {image: i, fetcher: Stock}}", `line 2: embedded.aws.fetcher: is not Fetch, which alone can fetch embedded secrets`},
		{"embedded-other-store", "managers: [embedded]\nembedded: {aws: {image: i}}", `line 2: embedded.aws: has no effect, as store is K8s`},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, _, err := parse([]byte(c.text))
			require.Error(t, err)
			assert.Equal(t, c.want, err.Error())
			assert.Nil(t, cfg)
		})
	}
}

// What tells the release, and what it decides.
func TestFlyteRelease(t *testing.T) {
	const fetch = "\nembedded: {aws: {image: i}}"
	for _, c := range []struct {
		name, text   string
		given        flyte.Release
		managers     []string
		prefix, told string
	}{
		{"nothing", "webhook: {}", flyte.Unknown, []string{"global", "k8s"}, "_FSEC_", "Flyte 1 (no key says which)"},
		{"nothing-2", "webhook: {}" + fetch, flyte.Two, []string{"global", "embedded"}, "_UNION_", ""},
		{"nothing-1", "webhook: {}", flyte.One, []string{"global", "k8s"}, "_FSEC_", ""},
		{"part-1", "webhook: {}\npropeller: {}", flyte.Unknown, []string{"global", "k8s"}, "_FSEC_", "Flyte 1 (it has propeller)"},
		{"part-2", "webhook: {}\nruns: {}" + fetch, flyte.Unknown, []string{"global", "embedded"}, "_UNION_", "Flyte 2 (it has runs)"},
		{"type", "webhook: {secretManagerType: Embedded}" + fetch, flyte.Unknown, []string{"global", "embedded"}, "_UNION_", `Flyte 2 (secretManagerType has "Embedded")`},
		{"case", "webhook: {secretManagerTypes: [vault]}", flyte.Unknown, []string{"global", "vault"}, "_UNION_", `Flyte 2 (secretManagerTypes has "vault")`},
		{"key", "webhook: {webhookTimeout: 5, secretManagerType: AWS}", flyte.Unknown, []string{"global", "aws"}, "_UNION_", "Flyte 2 (it has webhook.webhookTimeout)"},
		{"part-before-key", "webhook: {azureSecretManager: {}, secretManagerType: K8s}\npropeller: {}", flyte.Unknown, []string{"global", "k8s"}, "_FSEC_", "Flyte 1 (it has propeller)"},
		{"prefix", "webhook: {secretEnvVarPrefix: X_, secretManagerType: AWS}", flyte.One, []string{"global", "aws"}, "X_", ""},
		{"spelling", "Webhook: {SecretManagerType: AWS, SECRETMANAGERTYPES: [K8s, GCP, Global, GCP]}", flyte.Unknown, []string{"global", "k8s", "gcp"}, "_FSEC_", "Flyte 1 (no key says which)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, warnings, err := parseDocuments([]document{{text: []byte(c.text)}}, c.given)
			require.NoError(t, err)
			assert.Equal(t, c.managers, cfg.Managers)
			assert.Equal(t, c.prefix, cfg.Layout.EnvPrefix)
			told := strings.Join(warnings, "\n")
			if c.told == "" {
				assert.NotContains(t, told, "read as")
			} else {
				assert.Contains(t, told, "webhook: read as that of "+c.told)
			}
		})
	}
	_, _, err := parseDocuments([]document{{text: []byte("webhook: {secretManagerType: Embedded}")}}, flyte.One)
	assert.EqualError(t, err, `line 1: webhook.secretManagerType: "Embedded" is none of Global, K8s, AWS, GCP, Vault, as Flyte 1.16.8 has them`)
}

// A setting of this project's own goes over Flyte's.
func TestFlyteBesideOwn(t *testing.T) {
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

// Flyte's -config is a pattern, and its ConfigMap has many files.
func TestDocuments(t *testing.T) {
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
		{"and-own", []string{dir, own}, "third"},
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
					dir + "/core.yaml: line 1: propeller: has no effect, as have Logger: they are for other parts of Flyte",
					dir + "/inline.yaml: line 1: webhook: read as that of Flyte 1 (it has propeller); the flag -flyte says otherwise",
				}, warnings)
			}
		})
	}
	write("wrong.yaml", "webhook:\n  certDir: x\n  awsSecretManager: []\n  typo: 1\ndrain: 5\n")
	_, _, err := (&source{files: []string{dir}}).load()
	assert.EqualError(t, err, dir+":\n"+dir+"/wrong.yaml: line 5: cannot unmarshal !!int `5` into a duration such as 30s")
	write("wrong.yaml", "webhook:\n  awsSecretManager: []\n")
	_, _, err = (&source{files: []string{dir}}).load()
	assert.EqualError(t, err, dir+":\n"+dir+"/wrong.yaml: line 2: cannot unmarshal !!seq into what stands here")
	write("wrong.yaml", "webhook:\n  typo: 1\n")
	_, _, err = (&source{files: []string{dir}}).load()
	assert.EqualError(t, err, dir+":\n"+dir+"/wrong.yaml: line 2: webhook.typo: unknown field")
	_, _, err = (&source{files: []string{dir + "/*.json"}}).load()
	assert.EqualError(t, err, dir+"/*.json: no file matches")
}

// The patch of -print-selector leaves nothing of the manifest's registration out
// but what it is for.
func TestPrintSelector(t *testing.T) {
	file := filepath.Join(t.TempDir(), "flyte.yaml")
	require.NoError(t, os.WriteFile(file, []byte("webhook:\n  namespaceSelector:\n    matchLabels: {team: a}\n    matchExpressions: [{key: tier, operator: Exists}]\n"), 0o600))
	var patch, stderr bytes.Buffer
	require.NoError(t, run([]string{"-config", file, "-print-selector"}, &patch, &stderr))
	assert.Contains(t, stderr.String(), "webhook.namespaceSelector: belongs into the webhook's registration")

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
	proof := only[*admissionregistrationv1.ValidatingWebhookConfiguration](t, render(t, disk, "overlay"))
	before, after := only[*admissionregistrationv1.MutatingWebhookConfiguration](t, render(t, disk, "deploy")), only[*admissionregistrationv1.MutatingWebhookConfiguration](t, render(t, disk, "overlay"))
	require.Len(t, after.Webhooks, 1)
	selector := after.Webhooks[0].NamespaceSelector
	assert.Equal(t, selector, proof.Webhooks[0].NamespaceSelector, "both registrations have it")
	assert.Equal(t, map[string]string{"team": "a"}, selector.MatchLabels)
	require.Len(t, selector.MatchExpressions, 2)
	assert.Equal(t, "tier", selector.MatchExpressions[0].Key)
	assert.Equal(t, before.Webhooks[0].NamespaceSelector.MatchExpressions[0], selector.MatchExpressions[1], "it does not see itself")
	after.Webhooks[0].NamespaceSelector = before.Webhooks[0].NamespaceSelector
	assert.Equal(t, before, after)

	assert.EqualError(t, run([]string{"-print-selector"}, &patch, &stderr), "the configuration has no namespaceSelector")
}

// The ConfigMaps of Flyte's charts mean what they mean there, with what an
// administrator adds for each manager.
func TestFlyteCharts(t *testing.T) {
	const fetch = "embedded: {aws: {image: fetch:1, envFiles: true}}\n"
	for _, c := range []struct {
		file, more string
		managers   []string
		prefix     string
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
		t.Run(c.file+" "+c.more, func(t *testing.T) {
			more := filepath.Join(t.TempDir(), "more.yaml")
			require.NoError(t, os.WriteFile(more, []byte(c.more), 0o600))
			cfg, warnings, err := (&source{files: []string{"testdata/flyte/configmaps/" + c.file + ".yaml", more}}).load()
			require.NoError(t, err)
			assert.Equal(t, c.managers, cfg.Managers)
			assert.Equal(t, c.prefix, cfg.Layout.EnvPrefix)
			parts := 0
			for _, w := range warnings {
				if strings.Contains(w, "for other parts of Flyte") {
					parts++
				}
			}
			assert.Equal(t, 1, parts, "sections of other parts are passed over with one warning: %v", warnings)
			_, err = cfg.injector(logged)
			require.NoError(t, err)
			again, warnings, err := parse([]byte(printed(t, cfg)))
			require.NoError(t, err)
			assert.Empty(t, warnings)
			assert.Equal(t, cfg, again)
		})
	}
}
