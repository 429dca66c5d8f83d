package main

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	patcher "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/examples/inject/internal/manifest"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// fetching is a manager that needs what k8ssecret does not: an init container and an
// annotation.
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

// injectBy injects a secret with the manager m.
func injectBy(t *testing.T, m injector.SecretManager, text string) string {
	t.Helper()
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	require.NoError(t, err)
	reqs := []secret.Request{{Key: "k"}}
	injecting := tool{act: inject(in, reqs, new(rules)), kinds: manifest.Known(), requests: reqs, skip: failure, output: outputYAML}
	s := source{name: "f", text: []byte(text)}
	injecting.run(t.Context(), []*source{&s})
	require.Empty(t, injecting.notes)
	return string(s.edited())
}

func TestUnknownFields(t *testing.T) {
	for kind, shapes := range manifest.Known() {
		if shapes[0].InitContainers == "-" {
			continue
		}
		t.Run(kind.String(), func(t *testing.T) {
			text, _ := object(t, kind, shapes)
			after := injectBy(t, &fetching{}, text)
			assertKept(t, "", decodeJSON(t, []byte(text)), decodeJSON(t, []byte(after)))
			assert.Contains(t, after, mount.Name("fetching"))
			assert.Equal(t, after, injectBy(t, &fetching{}, after), "a second time")
		})
	}
}

func TestMissingMetadata(t *testing.T) {
	for _, metadata := range []string{"", `"metadata": null,`, `"metadata": {},`, `"metadata": {"annotations": null},`} {
		for kind, shapes := range manifest.Known() {
			root := shapes[0].Root
			if shapes[0].Containers != nil || root == "" || strings.Contains(root, "*") {
				continue
			}
			t.Run(kind.String()+" "+metadata, func(t *testing.T) {
				text, _ := object(t, kind, []manifest.Shape{{Root: root}})
				pod := "{" + metadata + `"spec": {"containers": [{"name": "c"}]}}`
				replace, err := patcher.DecodePatch([]byte(`[{"op": "replace", "path": "` + root + `", "value": ` + pod + `}]`))
				require.NoError(t, err)
				raw, err := replace.Apply([]byte(text))
				require.NoError(t, err)
				after := injectBy(t, &fetching{}, string(raw))
				assert.Contains(t, after, `"example.com/a"`)
				assert.Equal(t, after, injectBy(t, &fetching{}, after), "a second time")
			})
		}
	}
}

func TestNamespace(t *testing.T) {
	var m fetching
	after := injectBy(t, &m, `{"apiVersion": "v1", "kind": "List", "items": [
		{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "a"}, "spec": {"template":
			{"metadata": {"namespace": "b"}, "spec": {"containers": [{"name": "c"}]}}}},
		{"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "d"}, "spec": {"containers": [{"name": "c"}]}},
		{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c"}]}}]}`)
	assert.Equal(t, []string{"a", "d", ""}, m.seen)
	assert.Contains(t, after, `"namespace": "b"`, "what the template says stays")
}
