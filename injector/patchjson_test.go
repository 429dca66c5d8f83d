package injector_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

func TestPatchJSON_SameAsInject(t *testing.T) {
	forAll(t, func(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) {
		pod.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}
		raw := toJSON(t, pod)
		if hasBadNames(pod) {
			_, err := in.PatchJSON(ctx, raw, reqs...)
			require.Error(t, err)
			return
		}
		patch, err := in.PatchJSON(ctx, raw, reqs...)
		require.NoError(t, err)
		assert.JSONEq(t, string(toJSON(t, inject(t, in, pod, reqs...))), string(applyPatch(t, patch, raw)))

		template := &corev1.PodTemplateSpec{ObjectMeta: pod.ObjectMeta, Spec: pod.Spec}
		want, wantErr := in.InjectTemplate(ctx, template, reqs...)
		raw = toJSON(t, template)
		patch, err = in.PatchJSON(ctx, raw, reqs...)
		if wantErr != nil {
			require.EqualError(t, err, wantErr.Error())
			return
		}
		require.NoError(t, err)
		assert.JSONEq(t, string(toJSON(t, want)), string(applyPatch(t, patch, raw)))
	})
}

func hasBadNames(pod *corev1.Pod) bool {
	seen := map[string]bool{"": true}
	for _, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for _, c := range containers {
			if seen[c.Name] {
				return true
			}
			seen[c.Name] = true
		}
	}
	return false
}

func TestPatchJSON_CreatesMetadata(t *testing.T) {
	m, err := vault.New(vault.Config{Role: "app"})
	require.NoError(t, err)
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	require.NoError(t, err)
	req := secret.Request{Group: "secret/data/db", Key: "password", Mount: mount.File}
	const spec = `"spec":{"containers":[{"name":"app"}]}`
	for name, template := range map[string]string{
		"missing":             `{` + spec + `}`,
		"null":                `{"metadata":null,` + spec + `}`,
		"null behind spec":    `{` + spec + `,"metadata":null}`,
		"empty":               `{"metadata":{},` + spec + `}`,
		"null annotations":    `{"metadata":{"annotations":null},` + spec + `}`,
		"missing annotations": `{"metadata":{"labels":{"a":"b"}},` + spec + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			patch, err := in.PatchJSON(ctx, []byte(template), req)
			require.NoError(t, err)
			patched := applyPatch(t, patch, []byte(template))
			assert.Contains(t, string(patched), `"vault.hashicorp.com/agent-inject":"true"`)
			again, err := in.PatchJSON(ctx, patched, req)
			require.NoError(t, err)
			assert.Equal(t, "[]", string(again))
		})
	}
}

func TestPatchJSON_Refuses(t *testing.T) {
	m, err := k8ssecret.New(k8ssecret.Config{})
	require.NoError(t, err)
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	require.NoError(t, err)
	req := secret.Request{Group: "db", Key: "password"}
	for name, c := range map[string]struct{ object, want string }{
		"nothing":                      {"", "the object is empty"},
		"text":                         {"{", "the object cannot be decoded: unexpected end of JSON input"},
		"another kind":                 {`{"apiVersion":"apps/v1","kind":"Deployment"}`, `kind: "Deployment" of "apps/v1" is not supported`},
		"another group's Pod":          {`{"apiVersion":"example.com/v1","kind":"Pod"}`, `kind: "Pod" of "example.com/v1" is not supported`},
		"version without kind":         {`{"apiVersion":"v1"}`, `kind: "" of "v1" is not supported`},
		"a null container":             {`{"spec":{"containers":[{"name":"a"},null]}}`, "spec.containers[1].name: is required"},
		"a nameless init container":    {`{"spec":{"initContainers":[{}],"containers":[{"name":"a"}]}}`, "spec.initContainers[0].name: is required"},
		"duplicate container":          {`{"spec":{"containers":[{"name":"a"},{"name":"a"}]}}`, `spec.containers[1].name: "a" is already the name of another container, spec.containers[0].name`},
		"container and init container": {`{"spec":{"containers":[{"name":"a"}],"initContainers":[{"name":"a"}]}}`, `spec.containers[0].name: "a" is already the name of another container, spec.initContainers[0].name`},
		"no container":                 {`{"spec":{"containers":null}}`, mount.ErrNoContainer.Error()},
		"too much JSON":                {`{"a":"` + strings.Repeat("x", 3<<20) + `"}`, "the object has too many bytes of JSON: "},
		"too many annotations":         {`{"metadata":{"annotations":{"a":"` + strings.Repeat("x", 256<<10) + `"}}}`, "the object has too many bytes of annotations: "},
	} {
		t.Run(name, func(t *testing.T) {
			patch, err := in.PatchJSON(ctx, []byte(c.object), req)
			require.ErrorContains(t, err, c.want)
			assert.Nil(t, patch)
		})
	}
}
