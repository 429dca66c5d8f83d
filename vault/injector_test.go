package vault_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

// fetcher is a manager that fetches files with init containers.
type fetcher struct{}

func (fetcher) Name() string { return "fetcher" }

func (fetcher) Mount(_ context.Context, req secret.Request, _ mount.Target) (mount.Fragment, error) {
	if req.Group != "fetched" {
		return mount.Fragment{}, secret.ErrNotFound
	}
	return mount.Fragment{File: true, InitContainers: []mount.InitContainer{{Container: &corev1.Container{
		Name:         mount.Name("fetcher", req.Key),
		VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/out"}},
	}}}}, nil
}

// withSecrets returns an Injector with Vault, with fetched secrets, and with Kubernetes
// Secrets for groups that begin with "k8s".
func withSecrets(t *testing.T, change func(*injector.Config)) *injector.Injector {
	secrets, err := k8ssecret.New(k8ssecret.Config{})
	require.NoError(t, err)
	return newInjector(t, change, fetcher{}, only{"k8s", secrets}, newManager(t, vault.Config{}))
}

// only passes on requests whose group begins with a prefix.
type only struct {
	prefix string
	injector.SecretManager
}

func (o only) Mount(ctx context.Context, req secret.Request, at mount.Target) (mount.Fragment, error) {
	if !strings.HasPrefix(req.Group, o.prefix) {
		return mount.Fragment{}, secret.ErrNotFound
	}
	return o.SecretManager.Mount(ctx, req, at)
}

func podOfThree() *corev1.Pod {
	pod := podWith(map[string]string{"mine": "1"})
	pod.Spec.InitContainers = []corev1.Container{{Name: "setup"}}
	pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: "helper"})
	return pod
}

func TestInject(t *testing.T) {
	fromK8s := secret.Request{Group: "k8s", Key: "k", Mount: mount.File}
	extra := fromDB
	extra.EnvVar = "CREDS_FILE"
	for name, reqs := range map[string][]secret.Request{
		"one":           {fromKV},
		"several":       {fromKV, extra, {Group: "secret/data/task", Key: "l"}, {Group: "kv/x", Key: "K", GroupVersion: "kv1"}},
		"twice":         {fromKV, fromKV, fromDB, extra},
		"with Secrets":  {fromKV, fromK8s, {Group: "k8s", Key: "variable"}},
		"secrets first": {fromK8s, extra},
		"nested":        {{Group: "secret/a", Key: "b"}, {Group: "secret/a/c", Key: "d"}},
	} {
		t.Run(name, func(t *testing.T) {
			in, pod := withSecrets(t, nil), podOfThree()
			injected, err := in.Inject(ctx, pod, reqs...)
			require.NoError(t, err)
			ops, err := in.Patch(ctx, pod, reqs...)
			require.NoError(t, err)
			assert.JSONEq(t, asJSON(t, injected), applied(t, ops, pod))

			again, err := in.Inject(ctx, injected, reqs...)
			require.NoError(t, err)
			assert.Equal(t, injected, again)
			assert.NotContains(t, injected.Annotations, p+"agent-inject-containers", "all containers receive")
			for n := range reqs {
				first, err := in.Inject(ctx, pod, reqs[:n]...)
				require.NoError(t, err)
				_, err = in.Inject(ctx, first, reqs...)
				assert.NoError(t, err, "more requests than before")
			}
		})
	}
}

func asJSON(t *testing.T, v any) string {
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

func applied(t *testing.T, ops any, pod *corev1.Pod) string {
	patch, err := jsonpatch.DecodePatch([]byte(asJSON(t, ops)))
	require.NoError(t, err)
	out, err := patch.Apply([]byte(asJSON(t, pod)))
	require.NoError(t, err)
	return string(out)
}

func TestInject_PathVariable(t *testing.T) {
	req := fromDB
	req.EnvVar = "CREDS_FILE"
	pod, err := withSecrets(t, nil).Inject(ctx, podWith(nil), req)
	require.NoError(t, err)
	assert.Equal(t, "/etc/flyte/secrets/database/creds/task/creds", variable(pod, "CREDS_FILE"))
	assert.Empty(t, pod.Spec.Volumes, "the Vault Agent Injector adds its own")
	assert.Empty(t, pod.Spec.InitContainers)
}

func TestConflicts_BetweenSecrets(t *testing.T) {
	noSetup := func(cfg *injector.Config) {
		cfg.Containers = func(c mount.Container) bool { return c.Name != "setup" }
	}
	const list = p + "agent-inject-containers"
	noInit := mount.ConflictError{
		Path: "metadata.annotations[" + list + "]", Field: "metadata.annotations", Name: list, Reason: `cannot exclude an init container, such as "setup"`,
	}
	for _, tc := range []struct {
		name, why string
		change    func(*injector.Config)
		reqs      []secret.Request
		want      mount.ConflictError
	}{
		{"fetcher", "one directory, two volumes", nil, []secret.Request{fromKV, {Group: "fetched", Key: "k"}},
			mount.ConflictError{Field: "volumeMounts", Name: "/etc/flyte/secrets", Reason: "would have two volumes, one of them from another webhook"}},
		{"case of keys", "files are in lower case", nil, []secret.Request{fromKV, {Group: "secret/data/task", Key: "K"}},
			mount.ConflictError{Field: "files", Name: "/etc/flyte/secrets/secret/data/task/k", Reason: "would hold two different secrets"}},
		{"case of paths", "files are in lower case", nil, []secret.Request{fromKV, {Group: "secret/data/Task", Key: "k"}},
			mount.ConflictError{Field: "files", Name: "/etc/flyte/secrets/secret/data/task/k", Reason: "would hold two different secrets"}},
		{"engines", "the file has no version", nil, []secret.Request{{Group: "a", Key: "k", GroupVersion: "kv1"}, {Group: "a", Key: "k", GroupVersion: "db"}},
			mount.ConflictError{Field: "files", Name: "/etc/flyte/secrets/a/k", Reason: "would hold two different secrets"}},
		{"version in path", "a client with the version looks there", nil, []secret.Request{{Group: "a", Key: "k", GroupVersion: "kv2"}, {Group: "a/kv2", Key: "k"}},
			mount.ConflictError{Field: "files", Name: "/etc/flyte/secrets/a/kv2/k", Reason: "is a name of both secrets, and can hold only one"}},
		{"one path", "exact files must differ", nil, []secret.Request{{Group: "a", Key: "k", Path: "p"}, {Group: "b", Key: "k", Path: "p"}},
			mount.ConflictError{Field: "files", Name: "/etc/flyte/secrets/p", Reason: "would hold two different secrets"}},
		{"directory", "a file cannot be a directory", nil, []secret.Request{{Group: "a", Key: "k"}, {Group: "a/k", Key: "x"}},
			mount.ConflictError{Field: "files", Name: "/etc/flyte/secrets/a/k/x", Reason: `would be below another file, "/etc/flyte/secrets/a/k"`}},
		{"below a Secret", "the Secret's volume hides the file", nil, []secret.Request{{Group: "k8s", Key: "k", Mount: mount.File}, {Group: "./k8s", Key: "x"}},
			mount.ConflictError{Field: "files", Name: "/etc/flyte/secrets/k8s/x", Reason: `would be hidden by the volume mounted at "/etc/flyte/secrets/k8s"`}},
		{"init container", "the annotation cannot list it", noSetup, []secret.Request{fromKV}, noInit},
		{"container", "the init container would get it too", nil, []secret.Request{ofContainer(fromKV, "app")}, noInit},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pod, err := withSecrets(t, tc.change).Inject(ctx, podOfThree(), tc.reqs...)
			assert.Nil(t, pod)
			var conflict *mount.ConflictError
			require.True(t, errors.As(err, &conflict), "%v", err)
			assert.Equal(t, tc.want, *conflict, tc.why)
		})
	}
}

func TestContainers(t *testing.T) {
	in := withSecrets(t, func(cfg *injector.Config) {
		cfg.Containers = func(c mount.Container) bool { return c.Name != "helper" }
	})
	pod, err := in.Inject(ctx, podOfThree(), fromKV)
	require.NoError(t, err)
	assert.Equal(t, "app", pod.Annotations[p+"agent-inject-containers"])
	assert.Empty(t, pod.Spec.Containers[1].Env)
	again, err := in.Inject(ctx, pod, fromKV)
	require.NoError(t, err)
	assert.Equal(t, pod, again)
}

// With a request for one container, the annotation lists only that container.
func TestContainers_One(t *testing.T) {
	in, req := withSecrets(t, nil), ofContainer(fromKV, "helper")
	pod := podOfThree()
	pod.Spec.InitContainers = nil
	pod, err := in.Inject(ctx, pod, req)
	require.NoError(t, err)
	assert.Equal(t, "helper", pod.Annotations[p+"agent-inject-containers"])
	assert.Empty(t, pod.Spec.Containers[0].Env)
	again, err := in.Inject(ctx, pod, req)
	require.NoError(t, err)
	assert.Equal(t, pod, again)
	_, err = in.Inject(ctx, podWith(nil), fromDB, ofContainer(fromKV, "app"))
	assert.ErrorContains(t, err, `volumes "vault-secrets" shows its files to all containers that mount it: requests with files in it must be for the same container`)
}

func ofContainer(req secret.Request, name string) secret.Request {
	req.Container = name
	return req
}

// A Pod has one agent, so it cannot use two Vaults or two roles.
func TestInject_TwoManagers(t *testing.T) {
	in := newInjector(t, nil, only{"a", newManager(t, vault.Config{Role: "a"})}, newManager(t, vault.Config{Role: "b"}))
	_, err := in.Inject(ctx, podWith(nil), secret.Request{Group: "a", Key: "k"}, secret.Request{Group: "b", Key: "k"})
	assert.ErrorContains(t, err, `metadata.annotations "vault.hashicorp.com/role" would need two different values`)
	_, err = in.Inject(ctx, podWith(nil), secret.Request{Group: "b", Key: "k"})
	assert.NoError(t, err)
}
