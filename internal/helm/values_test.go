package helm

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	lint3 "helm.sh/helm/v3/pkg/lint"
	support3 "helm.sh/helm/v3/pkg/lint/support"
	lint4 "helm.sh/helm/v4/pkg/chart/v2/lint"
	support4 "helm.sh/helm/v4/pkg/chart/v2/lint/support"
	loader4 "helm.sh/helm/v4/pkg/chart/v2/loader"
	"sigs.k8s.io/yaml"
)

// Every name can be changed: objects with other names differ in nothing else.
func TestChart_Names(t *testing.T) {
	for name, render := range helms {
		t.Run(name, func(t *testing.T) {
			values := map[string]any{"monitoring": true}
			usual, err := render(deploy, "podsecrets-system", values)
			require.NoError(t, err)
			maps.Copy(values, map[string]any{"name": "alpha-webhook", "webhookConfiguration": "z-mutates", "validatingConfiguration": "validates"})
			renamed, err := render(deploy, "beta", values)
			require.NoError(t, err)
			assert.NotContains(t, renamed.manifest, "podsecrets-system")
			assert.NotContains(t, renamed.manifest, "0-podsecrets")
			back := strings.NewReplacer(" alpha-", " podsecrets-", "[alpha-", "[podsecrets-", " beta", " podsecrets-system", "[beta", "[podsecrets-system",
				"z-mutates", "0-podsecrets", "validates", "podsecrets").Replace(renamed.manifest)
			got, want := parse(t, back), parse(t, usual.manifest)
			for _, all := range []objects{got, want} { // of a configuration with other names
				delete(within(t, all[deploymentName], "spec", "template", "metadata", "annotations"), "checksum/config")
				all[deploymentName]["spec"].(map[string]any)["image"] = nil
			}
			levelConfig(t, got, want)
			container := within(t, got[deploymentName], "spec", "template", "spec")["containers"].([]any)[0].(map[string]any)
			assert.Equal(t, "podsecrets-webhook:latest", container["image"])
			requireSame(t, want, got)
		})
	}
}

// In the release's own namespace the chart makes no Namespace, as Helm makes it, or
// it exists; otherwise nothing changes.
func TestChart_Namespace(t *testing.T) {
	for name, render := range helms {
		t.Run(name, func(t *testing.T) {
			own, err := render(deploy, "podsecrets-system", map[string]any{})
			require.NoError(t, err)
			other, err := render(deploy, "default", map[string]any{"namespace": "podsecrets-system"})
			require.NoError(t, err)
			want := parse(t, other.manifest)
			require.Contains(t, want, "Namespace podsecrets-system")
			delete(want, "Namespace podsecrets-system")
			requireSame(t, want, parse(t, own.manifest))
		})
	}
}

func TestChart_Lint(t *testing.T) {
	for _, tc := range overlays {
		values := valuesOf(t, tc.values)
		for _, message := range lint3.All(deploy, values, "podsecrets-system", true).Messages {
			assert.LessOrEqual(t, message.Severity, support3.InfoSev, "%s: %s", tc.slug, message)
		}
		for _, message := range lint4.RunAll(deploy, values, "podsecrets-system").Messages {
			assert.LessOrEqual(t, message.Severity, support4.InfoSev, "%s: %s", tc.slug, message)
		}
	}
}

// The schema lists the values that have a default, and refuses others.
func TestChart_Schema(t *testing.T) {
	var schema struct{ Properties map[string]any }
	text, err := os.ReadFile(filepath.Join(deploy, "values.schema.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &schema))
	delete(schema.Properties, "global") // Helm's own
	text, err = os.ReadFile(filepath.Join(deploy, "values.yaml"))
	require.NoError(t, err)
	assert.ElementsMatch(t, slices.Collect(maps.Keys(schema.Properties)), slices.Collect(maps.Keys(valuesOf(t, string(text)))))

	for slug, values := range map[string]string{
		"unknown":         "replicaCount: 3",
		"labels-text":     `labels: "false"`,
		"config-text":     "config: |\n  managers: [k8s]",
		"pod-containers":  "pod: {containers: []}",
		"pod-volumes":     "pod: {volumes: []}",
		"no-name":         "name: ''",
		"no-replicas":     "replicas: 0",
		"fraction":        "replicas: 1.5",
		"image-mapping":   "image: {repository: webhook}",
		"env-not-in-list": "env: {A: b}",
	} {
		for name, render := range helms {
			t.Run(slug+"/"+name, func(t *testing.T) {
				_, err := render(deploy, "podsecrets-system", valuesOf(t, values))
				assert.ErrorContains(t, err, "values don't meet the specifications of the schema")
			})
		}
	}
}

// The package has no manifests of the kustomization beside the templates.
func TestChart_Files(t *testing.T) {
	loaded, err := loader4.Load(deploy)
	require.NoError(t, err)
	var files []string
	for _, file := range loaded.Files {
		files = append(files, file.Name)
	}
	assert.ElementsMatch(t, []string{".helmignore", "monitoring/alerts.yaml", "monitoring/dashboard.json"}, files)
}

// The webhook takes the configuration as it was given, with the chart's names.
func TestChart_Config(t *testing.T) {
	given := valuesOf(t, `
config:
  managers: [global, vault, k8s]
  namespace: ignored
  logLevel: DEBUG
  k8s: {defaultMode: 0400, required: true}
  vault: {role: tasks}
  certificate: {validity: 24h, renewBefore: 1h, secret: ignored}
  allow: [{namespaces: [team-a], names: ["db/**"]}]
  listen: {webhook: ":1"}`)
	for name, render := range helms {
		t.Run(name, func(t *testing.T) {
			rendered, err := render(deploy, "beta", given)
			require.NoError(t, err)
			config := within(t, parse(t, rendered.manifest)["ConfigMap beta/podsecrets-webhook"], "data")["config.yaml"].(string)
			file := filepath.Join(t.TempDir(), "config.yaml")
			require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
			out, err := exec.Command(webhook, "-config", file, "-print-config").CombinedOutput()
			require.NoError(t, err, "%s", out)
			var got map[string]any
			require.NoError(t, yaml.Unmarshal(out, &got), "%s", out)
			assert.Equal(t, "beta", got["namespace"])
			assert.Equal(t, "DEBUG", got["logLevel"])
			assert.Equal(t, "podsecrets-webhook-tls", within(t, got, "certificate")["secret"])
			assert.Equal(t, ":9443", within(t, got, "listen")["webhook"])
			assert.Contains(t, string(out), "24h")
			assert.EqualValues(t, 0o400, within(t, got, "k8s")["defaultMode"])
			assert.Equal(t, []any{"global", "vault", "k8s"}, got["managers"])
			assert.Len(t, got["allow"], 1)
		})
	}
}

// Only another configuration replaces Pods.
func TestChart_Restart(t *testing.T) {
	checksum := func(render helm, values string) any {
		rendered, err := render(deploy, "podsecrets-system", valuesOf(t, values))
		require.NoError(t, err)
		template := within(t, parse(t, rendered.manifest)[deploymentName], "spec", "template")
		return within(t, template, "metadata", "annotations")["checksum/config"]
	}
	for name, render := range helms {
		t.Run(name, func(t *testing.T) {
			before := checksum(render, "")
			assert.Equal(t, before, checksum(render, "maxReplicas: 7"))
			assert.NotEqual(t, before, checksum(render, "config: {managers: [csi]}"))
		})
	}
}
