package injector_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/csi"
	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// What one tenant of several can try, found by trying.

func reviewOf(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs ...secret.Request) (allowed bool, message string, bytes uint64) {
	request := creation(toJSON(t, stamped(t, pod, reqs...)))
	request.Namespace = "team-a"
	bytes = allocated(func() {
		response := in.Review(ctx, request)
		if allowed = response.Allowed; !allowed {
			message = response.Result.Message
		}
	})
	return allowed, message, bytes
}

// Each container that a request names also has the secrets of all containers.
func TestTenants_ManyNamedContainers(t *testing.T) {
	var reqs []secret.Request
	for i := range 2000 {
		reqs = append(reqs, secret.Request{Group: "a", Key: fmt.Sprint(i)}, secret.Request{Group: "b", Key: fmt.Sprint(i), Container: fmt.Sprint("c", i)})
	}
	allowed, message, bytes := reviewOf(t, newInjector(t, nil), userStoryPod(), reqs...)
	assert.False(t, allowed)
	assert.Contains(t, message, "secrets of all containers")
	assert.Less(t, bytes, uint64(64<<20))
}

// A Pod can forge the names of volumes for one container; each such container
// would copy the volumes of all requests.
func TestTenants_ForgedVolumes(t *testing.T) {
	m, err := k8ssecret.New(k8ssecret.Config{})
	require.NoError(t, err)
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	require.NoError(t, err)
	one, err := in.Inject(ctx, &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}, secret.Request{Group: "g0", Key: "k", Mount: mount.File})
	require.NoError(t, err)
	volume := one.Spec.Volumes[0].Name

	pod := &corev1.Pod{}
	var reqs []secret.Request
	for i := range 1250 {
		reqs = append(reqs, secret.Request{Group: fmt.Sprint("g", i), Key: "k", Mount: mount.File})
		c := fmt.Sprint("c", i)
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: c, VolumeMounts: []corev1.VolumeMount{
			{Name: mount.Name(volume, "container", c), MountPath: "/etc/flyte/secrets/g0"},
		}})
	}
	allowed, message, bytes := reviewOf(t, in, pod, reqs...)
	assert.False(t, allowed)
	assert.Contains(t, message, mount.ErrTooLarge.Error())
	assert.Less(t, bytes, uint64(64<<20))
}

// Each request keeps a copy of a global secret's value.
func TestTenants_LargeSecret(t *testing.T) {
	m, err := global.New(global.Config{Source: large{}})
	require.NoError(t, err)
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	require.NoError(t, err)
	var reqs []secret.Request
	for i := range 2000 {
		reqs = append(reqs, secret.Request{Group: "g", Key: "k", EnvVar: fmt.Sprint("E", i)})
	}
	allowed, message, bytes := reviewOf(t, in, userStoryPod(), reqs...)
	assert.False(t, allowed)
	assert.Contains(t, message, "the literals added to the pod would have more than 524288 bytes")
	assert.Less(t, bytes, uint64(16<<20))
}

// large holds 60 KB under every name, of its own each time.
type large struct{}

func (large) Lookup(context.Context, secret.Request) (string, error) {
	return strings.Repeat("x", 60_000), nil
}

// Refusing a global secret does not reveal that it exists, for any form and
// content.
func TestTenants_RefusedGlobalSecret(t *testing.T) {
	t.Setenv("FLYTE_SECRET_G_THERE", canary)
	t.Setenv("FLYTE_SECRET_G_BINARY", "\xff")
	t.Setenv("FLYTE_SECRET_G_LONG", strings.Repeat("x", mount.MaxEnvVar))
	m, err := global.New(global.Config{})
	require.NoError(t, err)
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}, Allow: injector.Rules{{Namespaces: []string{"team-b"}}}.Allow})
	require.NoError(t, err)
	for _, as := range []secret.Request{{}, {Mount: mount.File}, {Mount: mount.EnvVar}, {Path: "x"}, {EnvVar: "X"}} {
		messages := map[string]bool{}
		for _, key := range []string{"there", "binary", "long", "missing"} {
			req := as
			req.Group, req.Key = "g", key
			_, message, _ := reviewOf(t, in, userStoryPod(), req)
			messages[strings.ReplaceAll(message, key, "KEY")] = true
		}
		assert.Len(t, messages, 1, "%v", as)
	}
}

// The volume of a class has all its files, so a rule for one key does not allow
// it.
func TestTenants_ClassFile(t *testing.T) {
	m, err := csi.New(csi.Config{})
	require.NoError(t, err)
	for keys, want := range map[string]bool{"public": false, "": true} {
		rules := injector.Rules{{Names: []string{"shared"}, Keys: []string{keys}}}
		in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}, Allow: rules.Allow})
		require.NoError(t, err)
		allowed, _, _ := reviewOf(t, in, userStoryPod(), secret.Request{Group: "shared", Key: "public"})
		assert.Equal(t, want, allowed, keys)
	}
}

// A request may name a container that later webhooks add; Verify does not check
// it.
func TestVerify_LateContainer(t *testing.T) {
	in := newInjector(t, func(cfg *injector.Config) {
		cfg.Late = func(c mount.Container) bool { return c.Name == "mesh" }
	})
	req := secret.Request{Group: "user-info", Key: "username", Container: "mesh"}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}, {Name: "mesh"}}}}
	response := verify(t, in, stamped(t, inject(t, in, pod, req), req))
	assert.True(t, response.Allowed, "%v", response.Result)
}
