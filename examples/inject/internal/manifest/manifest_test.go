package manifest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/examples/inject/internal/manifest"
	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
)

func TestPath(t *testing.T) {
	for pointer, want := range map[string]string{
		"":                                     "",
		"/spec/containers/0/env/12/name":       "spec.containers[0].env[12].name",
		"/metadata/annotations/example.com~1a": `metadata.annotations["example.com/a"]`,
		"/a~0b/c":                              "a~b.c",
		"/items/1":                             "items[1]",
	} {
		assert.Equal(t, want, manifest.Path(pointer))
	}
}

func TestAdd(t *testing.T) {
	for _, tc := range []struct{ text, root, wantErr string }{
		{"example.com/Runner=spec.template", "/spec/template", ""},
		{"example.com/Runner=spec.groups[*].template", "/spec/groups/*/template", ""},
		{"example.com/Runner=spec.groups.*.template", "/spec/groups/*/template", ""},
		{"example.com/Runner=/spec/template", "/spec/template", ""},
		{"Runner=", "", ""},
		{"Runner", "", "is not GROUP/KIND=PATH"},
		{"a/b/C=spec", "", "is not GROUP/KIND=PATH"},
		{"=spec", "", "is not GROUP/KIND=PATH"},
		{"C=spec..template", "", "is not a path"},
		{"C=spec.", "", "is not a path"},
	} {
		t.Run(tc.text, func(t *testing.T) {
			kinds := manifest.Kinds{}
			err := kinds.Add(tc.text)
			if tc.wantErr != "" {
				assert.ErrorContains(t, err, tc.wantErr)
				return
			}
			require.NoError(t, err)
			require.Len(t, kinds, 1)
			for _, shapes := range kinds {
				assert.Equal(t, []manifest.Shape{{Root: tc.root}}, shapes)
			}
		})
	}
}

func TestSkipped(t *testing.T) {
	for _, tc := range []struct{ name, object, want string }{
		{"known", `{"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"metadata": {"annotations": {"flyte.secrets/s0": "x"}}, "spec": {"containers": [{"image": "i"}]}}}}`, ""},
		{"schema", `{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": {"containers": {"items": {"properties": {"image": {}}}, "type": "array"}}}`, ""},
		{"other-containers", `{"apiVersion": "example.com/v1", "kind": "Ship", "spec": {"containers": [{"name": "blue", "weight": 2}, "red"]}}`, ""},
		{"text", `{"apiVersion": "v1", "kind": "ConfigMap", "data": {"pod.json": "{\"spec\": {\"containers\": [{\"image\": \"i\"}]}}"}}`, ""},
		{"two-requests", `{"apiVersion": "v1", "kind": "Service", "metadata": {"annotations": {"a": "b", "request.podsecrets.dev/a": "x", "request.podsecrets.dev/b": "x"}}}`,
			"metadata.annotations: has the request request.podsecrets.dev/a, which is not read here"},
		{"other-letters", `{"apiVersion": "v1", "kind": "Service", "metadata": {"annotations": {"Request.PodSecrets.dev/a": "x"}}}`,
			"metadata.annotations: has the request Request.PodSecrets.dev/a, which is not read here"},
		{"job-of-cronjob", `{"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"jobTemplate": {"metadata": {"annotations": {"flyte.secrets/s0": "x"}}, "spec": {"template": {"spec": {}}}}}}`,
			"spec.jobTemplate.metadata.annotations: has the request flyte.secrets/s0, which is not read here, but at spec.jobTemplate.spec.template.metadata.annotations"},
		{"unknown", `{"apiVersion": "example.com/v1", "kind": "Runner", "spec": {"pods": [{"spec": {"containers": [{"image": "i"}]}}]}}`,
			"spec.pods[0].spec: looks like a Pod, but the kind example.com/Runner is unknown; use -template example.com/Runner=spec.pods[*]"},
		{"unknown-shape", `{"apiVersion": "example.com/v1", "kind": "Runner", "pod": {"containers": [{"env": []}]}}`,
			"pod: looks like a Pod, but the kind example.com/Runner is unknown"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v, err := yamledit.ParseJSON([]byte(tc.object))
			require.NoError(t, err)
			kinds := manifest.Known()
			objects, errs := kinds.Objects(v)
			require.Empty(t, errs)
			require.Len(t, objects, 1)
			var got string
			for _, err := range kinds.Skipped(objects[0]) {
				var placed *manifest.Error
				require.ErrorAs(t, err, &placed)
				assert.Empty(t, got, "one line for each place")
				got = manifest.Path(placed.Pointer) + ": " + placed.Error()
			}
			assert.Equal(t, tc.want, got)
		})
	}
}

// The table's pointers are ones.
func TestKnown(t *testing.T) {
	for kind, shapes := range manifest.Known() {
		require.NotEmpty(t, shapes, "%v", kind)
		for _, s := range shapes {
			for _, pointer := range append([]string{s.Root, s.Metadata, s.InitContainers}, s.Containers...) {
				assert.Regexp(t, `^(-|(/[A-Za-z*]+)*)$`, pointer, "%v", kind)
			}
			assert.Regexp(t, `^(\^?(/[A-Za-z]+)+)?$`, s.Volumes, "%v", kind)
		}
	}
}
