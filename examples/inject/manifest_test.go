package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	patcher "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// unknownPod has a field that no build knows wherever one could be, and lists
// to which injection adds.
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

// manifest returns an object of a kind whose Pod, or Pod template, is pod.
func manifest(k kind, place, pod string) string {
	version := "v1"
	if k.group != "" {
		version = k.group + "/v1"
	}
	header := fmt.Sprintf(`"apiVersion": %q, "kind": %q, "x-top": 1000, `, version, k.kind)
	if place == "" {
		return "{" + header + pod[1:]
	}
	steps := strings.Split(place[1:], "/")
	for i := len(steps) - 1; i > 0; i-- {
		pod = fmt.Sprintf(`{"x-%s": 1, %q: %s}`, steps[i], steps[i], pod)
	}
	return fmt.Sprintf(`{%s"metadata": {"name": "n", "namespace": "ns", "x": 1}, %q: %s}`, header, steps[0], pod)
}

// decode keeps the text of numbers.
func decode(t *testing.T, text []byte) (tree any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	require.NoError(t, d.Decode(&tree), "%s", text)
	return tree
}

// assertKept fails unless all of before is in after: fields by name, elements
// by name where they have one, and in their order.
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
	for k, place := range places {
		t.Run(k.kind, func(t *testing.T) {
			text := manifest(k, place, unknownPod)
			got := runOn(text, "-o=json", askVariable, askFile)
			require.Zero(t, got.exit, got.stderr)
			after := decode(t, []byte(got.stdout))
			assertKept(t, "", decode(t, []byte(text)), after)
			assert.Equal(t, 4, strings.Count(got.stdout, `"_FSEC_G_K"`), "each container can read the secret")

			fromYAML, err := yamlToJSON([]byte(runOn(text, askVariable, askFile).stdout))
			require.NoError(t, err)
			assert.Equal(t, after, decode(t, fromYAML), "YAML says the same as JSON")
		})
	}
}

func TestKinds_OtherGroups(t *testing.T) {
	for k, place := range places {
		t.Run(k.kind, func(t *testing.T) {
			text := manifest(kind{"example.com", k.kind}, place, unknownPod)
			assert.Equal(t, outcome{0, text, ""}, runOn(text, askVariable))
		})
	}
}

func TestPatches(t *testing.T) {
	for k, place := range places {
		t.Run(k.kind, func(t *testing.T) {
			text := manifest(k, place, unknownPod)
			var line struct {
				APIVersion, Kind, Namespace, Name string
				Patch                             patcher.Patch
			}
			require.NoError(t, json.Unmarshal([]byte(runOn(text, "-o=patch", askVariable, askFile).stdout), &line))
			assert.Equal(t, k.kind, line.Kind)
			patched, err := line.Patch.Apply([]byte(text))
			require.NoError(t, err)
			assert.Equal(t,
				decode(t, []byte(runOn(text, "-o=json", askVariable, askFile).stdout)),
				decode(t, patched))
		})
	}
}

func TestPassThrough(t *testing.T) {
	for _, tc := range []struct{ name, text string }{
		{"nothing", ""},
		{"only blanks and comments", " \n# a\n\t\n"},
		{"empty documents", "---\n---\n# a\n--- # b\n...\n---"},
		{"null", "--- ~\n---\nnull\n"},
		{"comments and formatting", "# a\napiVersion:   v1 # b\nkind: 'ConfigMap'\n\ndata: {a: \"b\"}\n# c\n"},
		{"no line break at the end", "apiVersion: v1\nkind: A"},
		{"separators in a text", "apiVersion: v1\nkind: A\na: |\n  ---\n  ...\nb: \"\n  ---\n  \"\n---\napiVersion: v1\nkind: B\n"},
		{"carriage returns", "apiVersion: v1\r\nkind: A\r\n---\r\napiVersion: v1\r\nkind: B\r\n"},
		{"byte order mark", "\uFEFFapiVersion: v1\nkind: A\n"},
		{"byte order mark before a separator", "\uFEFF---\napiVersion: v1\nkind: A\n"},
		{"directive", "%YAML 1.1\n---\napiVersion: v1\nkind: A\n...\n%YAML 1.1\n---\napiVersion: v1\nkind: B\n"},
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

// fetching is a manager that needs all that k8ssecret does not: an init
// container and an annotation.
type fetching struct{ seen []string }

func (*fetching) Name() string { return "fetching" }

func (f *fetching) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	f.seen = append(f.seen, target.Namespace())
	return mount.Fragment{
		File: true,
		InitContainers: []mount.InitContainer{{Container: &corev1.Container{
			Name: mount.Name("fetching"), Image: "i", VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/out"}},
		}}},
		Webhook: &mount.Webhook{Annotations: map[string]string{"example.com/a": "b"}},
	}, nil
}

func injectBy(t *testing.T, m injector.SecretManager, text string) document {
	t.Helper()
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	require.NoError(t, err)
	docs, err := parse("-", []byte(text))
	require.NoError(t, err)
	require.Len(t, docs, 1)
	require.NoError(t, docs[0].inject(t.Context(), in, []secret.Request{{Key: "k"}}))
	return docs[0]
}

func TestUnknownFields(t *testing.T) {
	for k, place := range places {
		t.Run(k.kind, func(t *testing.T) {
			text := manifest(k, place, unknownPod)
			d := injectBy(t, &fetching{}, text)
			after := decode(t, d.patched)
			assertKept(t, "", decode(t, []byte(text)), after)
			pod, err := lookUp(d.patched, place)
			require.NoError(t, err)
			var first corev1.Pod
			require.NoError(t, json.Unmarshal(pod, &first))
			assert.Equal(t, mount.Name("fetching"), first.Spec.InitContainers[0].Name)
		})
	}
}

func TestMissingMetadata(t *testing.T) {
	for _, metadata := range []string{"", `"metadata": null,`, `"metadata": {},`, `"metadata": {"annotations": null},`} {
		for k, place := range places {
			t.Run(k.kind+" "+metadata, func(t *testing.T) {
				text := manifest(k, place, "{"+metadata+`"spec": {"containers": [{"name": "c"}]}}`)
				d := injectBy(t, &fetching{}, text)
				annotations, err := lookUp(d.patched, place+"/metadata/annotations")
				require.NoError(t, err)
				assert.JSONEq(t, `{"example.com/a": "b"}`, string(annotations))
				assert.Empty(t, injectBy(t, &fetching{}, string(d.patched)).patched, "a second time")
			})
		}
	}
}

func TestNamespace(t *testing.T) {
	var m fetching
	d := injectBy(t, &m, `{"apiVersion": "v1", "kind": "List", "items": [
		{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "a"}, "spec": {"template":
			{"metadata": {"namespace": "b"}, "spec": {"containers": [{"name": "c"}]}}}},
		{"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "d"}, "spec": {"containers": [{"name": "c"}]}},
		{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c"}]}}]}`)
	assert.Equal(t, []string{"a", "d", ""}, m.seen)
	assert.Contains(t, string(d.patched), `"namespace":"b"`, "what the template says stays")
}
