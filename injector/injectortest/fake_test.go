package injectortest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func TestFake_Conformance(t *testing.T) {
	const canary = "c4nary$(X)"
	down := errors.New("the store is down")
	fake := &injectortest.Fake{
		Values: map[secret.Request]*mount.Value{
			{Group: "User-Info", Key: "Password"}: mount.Literal(canary),
			{Group: "user-info", Key: "a/b"}:      mount.Literal(canary),
			{Key: "alone"}:                        mount.Literal(canary),
			{Group: "reference", Key: "k"}: mount.FromSource(&corev1.EnvVarSource{
				FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"},
			}),
			{Group: "json", Key: "k"}: mount.Literal(`{"user": "c4nary-u", "port": 5432}`),
			{Group: "nil", Key: "k"}:  nil,
			{Group: "both", Key: "k"}: mount.Literal(canary),
		},
		Errors: map[secret.Request]error{
			{Group: "down", Key: "k"}: down,
			{Group: "both", Key: "k"}: down,
			{Group: "odd", Key: "k"}:  fmt.Errorf("%w: odd", secret.ErrUnsupported),
		},
	}
	injectortest.Run(t, fake,
		injectortest.Case{Request: secret.Request{Group: "User-Info", Key: "Password"}, Want: injectortest.Variable, Value: mount.Literal(canary)},
		injectortest.Case{Request: secret.Request{Group: "User-Info", Key: "Password", Mount: mount.File, EnvVar: "F"}},
		injectortest.Case{Request: secret.Request{Group: "User-Info", Key: "Password", GroupVersion: "v1"}, Value: mount.Literal(canary)},
		injectortest.Case{Request: secret.Request{Group: "user-info", Key: "a/b", Mount: mount.File}},
		injectortest.Case{Request: secret.Request{Group: "user-info", Key: "a/b"}, Want: injectortest.File},
		injectortest.Case{Request: secret.Request{Group: "user-info", Key: "a/b", Mount: mount.EnvVar}, Want: injectortest.Unsupported},
		injectortest.Case{Request: secret.Request{Group: "user-info", Key: "a/b", Mount: mount.EnvVar, EnvVar: "AB"}},
		injectortest.Case{Request: secret.Request{Group: "user-info", Key: "a/b", Path: "Dir/File", Mode: 0o440}},
		injectortest.Case{Request: secret.Request{Group: "json", Key: "k", Field: "user"}, Want: injectortest.Variable, Value: mount.Literal("c4nary-u")},
		injectortest.Case{Request: secret.Request{Group: "json", Key: "k", Field: "port"}, Want: injectortest.Variable, Value: mount.Literal("5432")},
		injectortest.Case{Request: secret.Request{Group: "json", Key: "k", Field: "user", Mount: mount.File}},
		injectortest.Case{Request: secret.Request{Group: "json", Key: "k", Field: "a b", Mount: mount.File}, Want: injectortest.Unsupported},
		injectortest.Case{Request: secret.Request{Group: "json", Key: "k", Field: "none"}, Want: injectortest.Unsupported},
		injectortest.Case{Request: secret.Request{Group: "reference", Key: "k", Field: "user"}, Want: injectortest.Unsupported},
		injectortest.Case{Request: secret.Request{Key: "alone"}, Value: mount.Literal(canary)},
		injectortest.Case{Request: secret.Request{Key: "alone", Mount: mount.File}},
		injectortest.Case{Request: secret.Request{Group: "reference", Key: "k"}, Want: injectortest.Variable},
		injectortest.Case{Request: secret.Request{Group: "down", Key: "k"}, Want: injectortest.Fails},
		injectortest.Case{Request: secret.Request{Group: "both", Key: "k"}, Want: injectortest.Fails, Value: mount.Literal(canary)},
		injectortest.Case{Request: secret.Request{Group: "odd", Key: "k"}, Want: injectortest.Unsupported},
		injectortest.Case{Request: secret.Request{Group: "nil", Key: "k"}, Want: injectortest.NotFound},
		injectortest.Case{Request: secret.Request{Group: "none", Key: "k"}, Want: injectortest.NotFound},
	)
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", fake, *fake, fake), "c4nary")
	assert.Equal(t, "fake", new(injectortest.Fake).Name())
	assert.Equal(t, "global", (&injectortest.Fake{ManagerName: "global"}).Name())
}

// All containers that start after the secrets are available can read injected
// secrets, and no others.
func TestCanRead_Injected(t *testing.T) {
	fake := &injectortest.Fake{Values: map[secret.Request]*mount.Value{
		{Group: "g", Key: "k"}: mount.Literal("v"), {Group: "g", Key: "other"}: mount.Literal("v"),
	}}
	in, err := injector.New(injector.Config{
		Managers:   []injector.SecretManager{fake},
		Containers: func(c mount.Container) bool { return c.Name != "log" },
	})
	require.NoError(t, err)
	pod := injectortest.Pod(mount.Container{Name: "init", Init: true}, mount.Container{Name: "app"}, mount.Container{Name: "log"})
	for _, req := range []secret.Request{
		{Group: "g", Key: "k"},
		{Group: "G", Key: "K", EnvVar: "X"},
		{Group: "g", Key: "k", Mount: mount.File},
		{Group: "g", Key: "k", Mount: mount.File, EnvVar: "X"},
	} {
		t.Run(req.String(), func(t *testing.T) {
			asked := req
			asked.Group, asked.Key = "g", "k" // the store's names have a case
			out, err := in.Inject(context.Background(), pod, asked)
			require.NoError(t, err)
			assert.NoError(t, injectortest.CanRead(out, "app", req))
			assert.NoError(t, injectortest.CanRead(out, "init", req))
			assert.Error(t, injectortest.CanRead(out, "log", req))
			assert.Error(t, injectortest.CanRead(pod, "app", req))
			req.Key = "other"
			assert.Error(t, injectortest.CanRead(out, "app", req))
		})
	}
}

// With exact names, the Fake uses the names in requests.
func TestCanReadExact_Injected(t *testing.T) {
	fake := &injectortest.Fake{Values: map[secret.Request]*mount.Value{{Group: "G/a", Key: "K"}: mount.Literal(`{"f": "v"}`)}}
	in, err := injector.New(injector.Config{
		Managers: []injector.SecretManager{fake}, Layout: mount.Layout{Exact: true, Dir: "/secrets"},
	})
	require.NoError(t, err)
	for _, req := range []secret.Request{
		{Group: "G/a", Key: "K"},
		{Group: "G/a", Key: "K", EnvVar: "X"},
		{Group: "G/a", Key: "K", EnvVar: "X", Field: "f"},
		{Group: "G/a", Key: "K", Path: "Dir/File", EnvVar: "X", Mode: 0o444, Field: "f"},
		{Group: "G/a", Key: "K", Mount: mount.File, Container: "app"},
	} {
		t.Run(req.String(), func(t *testing.T) {
			pod := injectortest.Pod(mount.Container{Name: "app"}, mount.Container{Name: "log"})
			out, err := in.Inject(context.Background(), pod, req)
			require.NoError(t, err)
			assert.NoError(t, injectortest.CanReadExact(out, "app", "/secrets", req))
			assert.Error(t, injectortest.CanReadExact(pod, "app", "/secrets", req))
			log := req
			log.Container = ""
			assert.Equal(t, req.Container == "", injectortest.CanReadExact(out, "log", "/secrets", log) == nil)
		})
	}
}

func TestPod(t *testing.T) {
	names := func(list []corev1.Container) (names []string) {
		for _, c := range list {
			names = append(names, c.Name)
		}
		return names
	}
	assert.Equal(t, []string{"app"}, names(injectortest.Pod().Spec.Containers))
	pod := injectortest.Pod(
		mount.Container{Name: "b"},
		mount.Container{Name: "a", Init: true},
		mount.Container{Name: "s", Sidecar: true},
		mount.Container{Name: "c"},
	)
	assert.Equal(t, []string{"a", "s"}, names(pod.Spec.InitContainers))
	assert.Equal(t, []string{"b", "c"}, names(pod.Spec.Containers))
	assert.Nil(t, pod.Spec.InitContainers[0].RestartPolicy)
	assert.Equal(t, corev1.ContainerRestartPolicyAlways, *pod.Spec.InitContainers[1].RestartPolicy)
	*pod.Spec.SecurityContext.RunAsNonRoot = false
	assert.True(t, *injectortest.Pod().Spec.SecurityContext.RunAsNonRoot, "Pods share nothing")
}
