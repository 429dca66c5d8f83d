package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/azurekv"
	"github.com/podsecrets/podsecrets/csi"
	"github.com/podsecrets/podsecrets/gcpsm"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// kinds are the managers and layouts with requests for each kind of change. The API
// server must accept the changed Pods and templates in a namespace that enforces
// "restricted", and injecting the stored objects again must change nothing.
var kinds = map[string]struct {
	manager func() (injector.SecretManager, error)
	layout  mount.Layout
	reqs    []secret.Request
}{
	"k8s": {manager: manager(k8ssecret.New, k8ssecret.Config{}), reqs: []secret.Request{
		{Group: "a", Key: "variable"},
		{Group: "a", Key: "file", Mount: mount.File, Mode: 0o400},
		{Group: "b.c", Key: "path", Path: "Conf.d/App.yaml", GroupVersion: "v1"},
		{Group: "a", Key: "one", Mount: mount.File, Container: "web"},
	}},
	"exact": {manager: manager(k8ssecret.New, k8ssecret.Config{}), layout: mount.Layout{Dir: "/secrets", Exact: true}, reqs: []secret.Request{
		{Group: "a", Key: "variable", EnvVar: "VARIABLE"},
		{Group: "a", Key: "file", Path: "File"},
	}},
	"aws-stock": {manager: manager(awssm.New, awssm.Config{}), reqs: []secret.Request{
		{Group: account, Key: "one"}, {Group: account, Key: "two", Mount: mount.File},
	}},
	"aws-fetch": {manager: manager(awssm.New, awssm.Config{Fetcher: awssm.Fetch, Image: "example.com/fetch:v1", EnvFiles: true}), reqs: []secret.Request{
		{Group: account, Key: "variable"},
		{Group: account, Key: "json", Field: "user", EnvVar: "db.user-name"},
		{Group: account, Key: "file", Mount: mount.File, Mode: 0o440},
		{Group: account, Key: "one", EnvVar: "ONE", Container: "web"},
	}},
	"gcp-stock": {manager: manager(gcpsm.New, gcpsm.Config{Project: "project-1"}), reqs: []secret.Request{
		{Group: "one", Key: "k"}, {Group: "two", Key: "k", Mount: mount.File, GroupVersion: "3"},
	}},
	"gcp-fetch": {manager: manager(gcpsm.New, gcpsm.Config{Project: "project-1", Fetcher: gcpsm.Fetch, Image: "example.com/fetch:v1", EnvFiles: true}), reqs: []secret.Request{
		{Group: "one", Key: "k", EnvVar: "ONE"}, {Group: "two", Key: "k", Mount: mount.File, GroupVersion: "3"},
	}},
	"azure-stock": {manager: manager(azurekv.New, azurekv.Config{Vault: "https://team.vault.azure.net"}), reqs: []secret.Request{
		{Group: "one", Key: "k"}, {Group: "two", Key: "k", Mount: mount.File},
	}},
	"azure-fetch": {manager: manager(azurekv.New, azurekv.Config{Vault: "https://team.vault.azure.net", Fetcher: azurekv.Fetch, Image: "example.com/fetch:v1", EnvFiles: true}), reqs: []secret.Request{
		{Group: "one", Key: "k", EnvVar: "ONE"}, {Group: "two", Key: "k", Mount: mount.File},
	}},
	"csi": {manager: manager(csi.New, csi.Config{}), reqs: []secret.Request{
		{Group: "class", Key: "one"}, {Group: "class", Key: "two", Mount: mount.File, EnvVar: "TWO"},
	}},
}

func manager[C any, M injector.SecretManager](construct func(C) (M, error), cfg C) func() (injector.SecretManager, error) {
	return func() (injector.SecretManager, error) { return construct(cfg) }
}

func TestInject_AllManagers(t *testing.T) {
	ns := server.Namespace(t, restricted)
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			m, err := kind.manager()
			require.NoError(t, err)
			in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}, Layout: kind.layout})
			require.NoError(t, err)
			pod := newPod(t)
			pod.Spec.Containers = append(pod.Spec.Containers, container("web"))

			t.Run("pod", func(t *testing.T) {
				injected, err := in.Inject(t.Context(), pod, kind.reqs...)
				require.NoError(t, err)
				assertAccepted(t, ns, in, injected, kind.reqs)
			})
			t.Run("template", func(t *testing.T) {
				template := &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "story"}}, Spec: pod.Spec}
				template, err := in.InjectTemplate(t.Context(), template, kind.reqs...)
				require.NoError(t, err)
				_, stored := createDeployment(t, server.Namespace(t, restricted), *template)
				again, err := in.InjectTemplate(t.Context(), &stored, kind.reqs...)
				require.NoError(t, err)
				assert.Equal(t, &stored, again, "injecting the stored template changes nothing")
				assertAccepted(t, ns, in, &corev1.Pod{ObjectMeta: stored.ObjectMeta, Spec: stored.Spec}, kind.reqs)
			})
		})
	}
}

// assertAccepted stores an injected Pod.
func assertAccepted(t *testing.T, ns string, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) {
	pod.Name, pod.GenerateName = "", "story-"
	stored := create(t, ns, pod)
	patch, err := in.Patch(t.Context(), stored, reqs...)
	require.NoError(t, err)
	assert.Empty(t, patch, "injecting the stored Pod changes nothing")
	for i, c := range pod.Spec.Containers {
		env := stored.Spec.Containers[i].Env
		assert.True(t, equality.Semantic.DeepDerivative(c.Env, env), "stored %v of %v", env, c.Env)
	}
}
