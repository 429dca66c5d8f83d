package helm

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// The folder is a kustomization and a chart.
var deploy = filepath.Join("..", "..", "examples", "webhook", "deploy")

// Each row is an overlay of the kustomization, and the values that mean the same.
var overlays = []struct{ slug, values, overlay string }{
	{"defaults", "", ""},
	{"labels", "labels: true", "components: [../deploy/labels]"},
	{"monitoring", "monitoring: true", "components: [../deploy/monitoring]"},
	{"vertical", "vertical: true", "components: [../deploy/vertical]"},
	{"all-components", "{labels: true, monitoring: true, vertical: true}",
		"components: [../deploy/labels, ../deploy/monitoring, ../deploy/vertical]"},
	{"image", "image: registry.example.com/webhook:1",
		"images: [{name: podsecrets-webhook, newName: registry.example.com/webhook, newTag: '1'}]"},
	{"digest", "image: registry.example.com/webhook@sha256:0123",
		"images: [{name: podsecrets-webhook, newName: registry.example.com/webhook, digest: 'sha256:0123'}]"},
	{"replicas", "{replicas: 3, maxReplicas: 9}", `
patches:
- target: {kind: HorizontalPodAutoscaler}
  patch: |
    - {op: replace, path: /spec/minReplicas, value: 3}
    - {op: replace, path: /spec/maxReplicas, value: 9}`},
	{"replicas-vertical", "{replicas: 3, vertical: true}", `
components: [../deploy/vertical]
replicas: [{name: podsecrets-webhook, count: 3}]
patches:
- target: {kind: VerticalPodAutoscaler}
  patch: |
    - {op: replace, path: /spec/updatePolicy/minReplicas, value: 3}`},
	{"pod", `
env: [{name: FLYTE_SECRET_REGISTRY_TOKEN, valueFrom: {secretKeyRef: {name: registry, key: token}}}]
volumes: [{name: ca, configMap: {name: ca}}]
volumeMounts: [{name: ca, mountPath: /etc/ca, readOnly: true}]
pod: {tolerations: [{key: infra, operator: Exists}], priorityClassName: system-cluster-critical}`, `
patches:
- patch: |
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: podsecrets-webhook, namespace: podsecrets-system}
    spec:
      template:
        spec:
          tolerations: [{key: infra, operator: Exists}]
          priorityClassName: system-cluster-critical
- target: {kind: Deployment}
  patch: |
    - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: FLYTE_SECRET_REGISTRY_TOKEN, valueFrom: {secretKeyRef: {name: registry, key: token}}}}
    - {op: add, path: /spec/template/spec/containers/0/volumeMounts/-, value: {name: ca, mountPath: /etc/ca, readOnly: true}}
    - {op: add, path: /spec/template/spec/volumes/-, value: {name: ca, configMap: {name: ca}}}`},
}

// The chart has the objects of the kustomization, except for the differences.
func TestChart_Overlays(t *testing.T) {
	for name, render := range helms {
		for _, tc := range overlays {
			t.Run(name+"/"+tc.slug, func(t *testing.T) {
				values := valuesOf(t, tc.values)
				values["namespace"] = "podsecrets-system"
				rendered, err := render(deploy, "default", values)
				require.NoError(t, err)
				assert.Empty(t, rendered.hooks)
				got, want := parse(t, rendered.manifest), overlaid(t, tc.overlay)
				for _, difference := range differences {
					difference.level(t, got, want)
				}
				requireSame(t, want, got)
			})
		}
	}
}

// differences are what the chart does not share with the kustomization.
var differences = []struct {
	why   string
	level func(t *testing.T, chart, kustomized objects)
}{
	{"the chart's configuration is made of values, without comments", levelConfig},
	{"Helm deletes the old ConfigMap while old replicas still need it, so its name stays and an annotation replaces the Pods", levelConfigName},
	{"Helm 4 applies on the server and fails to set replicas that the autoscaler has set", levelReplicas},
}

func levelConfig(t *testing.T, chart, kustomized objects) {
	for _, all := range []objects{chart, kustomized} {
		for key, object := range all {
			if data, ok := object["data"].(map[string]any); ok && data["config.yaml"] != nil {
				var parsed any
				require.NoError(t, yaml.UnmarshalStrict([]byte(data["config.yaml"].(string)), &parsed), key)
				data["config.yaml"] = parsed
			}
		}
	}
}

const configName = "ConfigMap podsecrets-system/podsecrets-webhook"

func levelConfigName(t *testing.T, chart, kustomized objects) {
	generated := regexp.MustCompile("^" + configName + "-[a-z0-9]{10}$")
	template := within(t, kustomized[deploymentName], "spec", "template")
	for key, object := range kustomized {
		if generated.MatchString(key) {
			delete(kustomized, key)
			kustomized[configName] = object
			within(t, object, "metadata")["name"] = "podsecrets-webhook"
			volume := within(t, template, "spec")["volumes"].([]any)[0].(map[string]any)
			within(t, volume, "configMap")["name"] = "podsecrets-webhook"
		}
	}
	annotations := within(t, chart[deploymentName], "spec", "template", "metadata", "annotations")
	require.Len(t, annotations, 1)
	assert.Regexp(t, "^[0-9a-f]{64}$", annotations["checksum/config"])
	within(t, template, "metadata")["annotations"] = annotations
}

const deploymentName = "Deployment podsecrets-system/podsecrets-webhook"

func levelReplicas(t *testing.T, chart, kustomized objects) {
	if chart["HorizontalPodAutoscaler podsecrets-system/podsecrets-webhook"] != nil {
		delete(within(t, kustomized[deploymentName], "spec"), "replicas")
	}
}

// within returns the mapping at a path of an object.
func within(t *testing.T, object map[string]any, path ...string) map[string]any {
	for _, key := range path {
		inner, ok := object[key].(map[string]any)
		require.True(t, ok, "%s of %v", key, path)
		object = inner
	}
	return object
}

// requireSame compares one object after another, so that a failure shows little.
func requireSame(t *testing.T, want, got objects) {
	require.ElementsMatch(t, slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(got)))
	for key, object := range want {
		assert.Equal(t, object, got[key], key)
	}
}

func valuesOf(t *testing.T, text string) map[string]any {
	values := map[string]any{}
	require.NoError(t, yaml.UnmarshalStrict([]byte(text), &values))
	return values
}

// overlaid builds an overlay of the kustomization.
func overlaid(t *testing.T, overlay string) objects {
	memory := filesys.MakeFsInMemory()
	require.NoError(t, fs.WalkDir(os.DirFS(deploy), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(deploy, filepath.FromSlash(path)))
		require.NoError(t, err)
		return memory.WriteFile("deploy/"+path, text)
	}))
	require.NoError(t, memory.WriteFile("overlay/kustomization.yaml", []byte("resources: [../deploy]\n"+strings.TrimSpace(overlay)+"\n")))
	return kustomize(t, memory, "overlay")
}
