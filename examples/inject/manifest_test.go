package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	patcher "gopkg.in/evanphx/json-patch.v4"
	"sigs.k8s.io/yaml"

	"github.com/podsecrets/podsecrets/examples/inject/internal/manifest"
)

// unknownPod has unknown fields everywhere, and the lists to which injection adds.
const unknownPod = `{
	"x-pod": {"a": [1, null]},
	"metadata": {"x-meta": true, "annotations": {"a": "b"}},
	"spec": {
		"x-spec": 9007199254740993,
		"initContainers": [
			{"name": "one", "x-init": 1, "env": [{"name": "A", "value": "a", "x-env": {}}]},
			{"name": "two", "x-init": 2, "restartPolicy": "Always"}
		],
		"containers": [
			{"name": "three", "x-container": 3, "volumeMounts": [{"name": "v", "mountPath": "/v", "x-mount": []}]},
			{"name": "four", "x-container": 4}
		],
		"volumes": [{"name": "v", "emptyDir": {}, "x-volume": "x"}]
	}
}`

// object returns an object of the kind with unknownPod as each Pod, and its number of
// containers.
func object(t testing.TB, kind manifest.Kind, shapes []manifest.Shape) (text string, containers int) {
	t.Helper()
	version := "v1"
	if kind.Group != "" {
		version = kind.Group + "/v1"
	}
	root := map[string]any{"apiVersion": version, "kind": kind.Kind, "x-top": 1000, "metadata": map[string]any{"name": "n", "namespace": "ns", "x": 1}}
	for _, s := range shapes {
		if s.Containers == nil {
			pod := decodeJSON(t, []byte(unknownPod)).(map[string]any)
			put(root, s.Root, pod)
			containers += 4
			continue
		}
		for _, place := range s.Containers {
			containers++
			put(root, s.Root+place, map[string]any{"image": "i", "x-container": 3})
		}
	}
	raw, err := json.Marshal(root)
	require.NoError(t, err)
	return string(raw), containers
}

// put sets fields at a place in an object and creates missing parents. A "*" is an item of a
// list, or a field where the kind has named replicas.
func put(in map[string]any, place string, fields map[string]any) {
	steps := strings.Split(strings.TrimPrefix(place, "/"), "/")
	for i, step := range steps {
		switch {
		case step == "" || step == "*":
			continue
		case i+1 < len(steps) && steps[i+1] == "*" && strings.HasSuffix(step, "ReplicaSpecs"):
			next := map[string]any{}
			in[step] = map[string]any{"Worker": next}
			in = next
		case i+1 < len(steps) && steps[i+1] == "*":
			list, _ := in[step].([]any)
			if len(list) == 0 {
				list = []any{map[string]any{"x-item": 1}}
			}
			in[step] = list
			in = list[0].(map[string]any)
		default:
			next, ok := in[step].(map[string]any)
			if !ok {
				next = map[string]any{"x-" + step: 1}
			}
			in[step] = next
			in = next
		}
	}
	maps.Copy(in, fields)
}

// decodeJSON decodes JSON and keeps the text of numbers.
func decodeJSON(t testing.TB, text []byte) (tree any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	require.NoError(t, d.Decode(&tree), "%s", text)
	return tree
}

// assertKept fails unless after contains all of before: fields by name, elements by name if
// they have one, in the same order.
func assertKept(t *testing.T, path string, before, after any) {
	t.Helper()
	switch b := before.(type) {
	case map[string]any:
		a, ok := after.(map[string]any)
		require.True(t, ok, "%s is no object any more", path)
		for k := range b {
			assertKept(t, path+"/"+k, b[k], a[k])
		}
	case []any:
		a, ok := after.([]any)
		require.True(t, ok, "%s is no list any more", path)
		next := 0
		for _, element := range b {
			for next < len(a) && nameOf(a[next]) != nameOf(element) {
				next++
			}
			require.Less(t, next, len(a), "%s has lost %v", path, element)
			assertKept(t, path+"/"+nameOf(element), element, a[next])
			next++
		}
	default:
		assert.Equal(t, before, after, path)
	}
}

func nameOf(element any) string {
	fields, _ := element.(map[string]any)
	return fmt.Sprint(fields["name"])
}

func TestKinds(t *testing.T) {
	for kind, shapes := range manifest.Known() {
		t.Run(kind.String(), func(t *testing.T) {
			text, containers := object(t, kind, shapes)
			got := runOn(text, "-o=json", askVariable)
			require.Zero(t, got.exit, got.stderr)
			after := decodeJSON(t, []byte(got.stdout))
			assertKept(t, "", decodeJSON(t, []byte(text)), after)
			assert.Equal(t, containers, strings.Count(got.stdout, `"_FSEC_G_K"`), "each container can read the secret")

			edited := runOn(text, askVariable)
			assert.Equal(t, after, decodeJSON(t, []byte(edited.stdout)), "edited, it says the same")
			assert.Equal(t, outcome{0, edited.stdout, ""}, runOn(edited.stdout, askVariable), "a second time")
			assert.Equal(t, outcome{0, text, ""}, runOn(edited.stdout, "remove", askVariable), "removed again")

			asYAML, err := yaml.JSONToYAML([]byte(text))
			require.NoError(t, err)
			edited = runOn(string(asYAML), askVariable)
			raw, err := yaml.YAMLToJSON([]byte(edited.stdout))
			require.NoError(t, err)
			assert.Equal(t, after, decodeJSON(t, raw), "YAML says the same as JSON")
		})
	}
}

func TestKinds_Files(t *testing.T) {
	for kind, shapes := range manifest.Known() {
		t.Run(kind.String(), func(t *testing.T) {
			text, containers := object(t, kind, shapes)
			got := runOn(text, "-o=json", askFile)
			require.Zero(t, got.exit, got.stderr)
			assert.Equal(t, containers, strings.Count(got.stdout, `"/etc/flyte/secrets/g"`), "each container mounts the file")
			assert.Contains(t, got.stdout, `"projected"`)
		})
	}
}

func TestKinds_OtherGroups(t *testing.T) {
	for kind, shapes := range manifest.Known() {
		t.Run(kind.String(), func(t *testing.T) {
			text, _ := object(t, manifest.Kind{Group: "example.com", Kind: kind.Kind}, shapes)
			got := runOn(text, "-skip-unknown", askVariable)
			assert.Equal(t, outcome{0, text, got.stderr}, got)
			got = runOn(text, askVariable)
			assert.Equal(t, 1, got.exit)
			assert.Contains(t, got.stderr, "no manifest has a Pod")
		})
	}
}

func TestPatches(t *testing.T) {
	for kind, shapes := range manifest.Known() {
		t.Run(kind.String(), func(t *testing.T) {
			text, _ := object(t, kind, shapes)
			patched := []byte(text)
			for line := range strings.Lines(runOn(text, "-o=patch", askVariable, askFile).stdout) {
				var change struct {
					Kind  string
					Patch patcher.Patch
				}
				require.NoError(t, json.Unmarshal([]byte(line), &change))
				assert.Equal(t, kind.Kind, change.Kind)
				var err error
				patched, err = change.Patch.Apply(patched)
				require.NoError(t, err)
			}
			assert.Equal(t, decodeJSON(t, []byte(runOn(text, "-o=json", askVariable, askFile).stdout)), decodeJSON(t, patched))
		})
	}
}

func TestPassThrough(t *testing.T) {
	for _, tc := range []struct{ name, text string }{
		{"nothing", ""},
		{"only blanks and comments", " \n# a\n  \n"},
		{"empty documents", "---\n---\n# a\n--- # b\n...\n---"},
		{"null", "---\n~\n---\nnull\n"},
		{"comments and formatting", "# a\napiVersion:   v1 # b\nkind: 'ConfigMap'\n\ndata: {a: \"b\"}\n# c\n"},
		{"no line break at the end", "apiVersion: v1\nkind: A"},
		{"separators in a text", "apiVersion: v1\nkind: A\na: |\n  ---\n  ...\nb: \"\n  ---\n  \"\n---\napiVersion: v1\nkind: B\n"},
		{"carriage returns", "apiVersion: v1\r\nkind: A\r\n---\r\napiVersion: v1\r\nkind: B\r\n"},
		{"byte order mark", "\uFEFFapiVersion: v1\nkind: A\n"},
		{"byte order mark before a separator", "\uFEFF---\napiVersion: v1\nkind: A\n"},
		{"JSON", "{\n\t\"apiVersion\": \"v1\", \"kind\": \"A\",\r\n \"n\": 1.0}\n\n"},
		{"YAML that looks like JSON", "{apiVersion: v1, kind: A, a: [1, ], } # b\n"},
		{"a Pod that asks for nothing", "apiVersion: v1\nkind: Pod # a\nspec: {containers: [{name: c}]}\n"},
		{"a Pod of another time that asks for nothing", "apiVersion: v1\nkind: Pod # a\nspec: {containers: {c: {}}}\n"},
		{"a template that is not there", "apiVersion: apps/v1\nkind: Deployment # a\nspec: ~\n"},
		{"an object of that name without items", "apiVersion: example.com/v1\nkind: PodList\nitems: 1\n"},
		{"an anchor", "apiVersion: v1\nkind: A\na: &a {b: c}\nd: *a\n"},
		{"a tag", "apiVersion: v1\nkind: A\na: !x {b: !!str 1}\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, outcome{0, tc.text, ""}, runOn(tc.text))
		})
	}
}
