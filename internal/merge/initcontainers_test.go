package merge_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
)

var always = corev1.ContainerRestartPolicyAlways

// withFetcher returns a Pod with the shared fetcher, which has the secrets' variables.
func withFetcher(change func(*corev1.Container), secrets ...merge.Secret) *corev1.Pod {
	fetcher := *shared.DeepCopy()
	for _, s := range secrets {
		fetcher.Env = append(fetcher.Env, s.Fragment.InitContainers[0].Env...)
	}
	pod := app(func(c *corev1.Container) {
		c.VolumeMounts = []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/etc/flyte/secrets"}}
	})
	if change != nil {
		change(&fetcher)
	}
	pod.Spec.InitContainers = []corev1.Container{fetcher}
	return pod
}

func TestFetchers_BetweenRequests(t *testing.T) {
	const files = "volumes(podsecrets-fetched,podsecrets-env) containers/0/env(*,*) containers/0/volumeMounts(/etc/flyte/secrets) "
	other := *shared
	other.Image = "registry.example.com/team/fetch:v2"
	equal := *shared
	run(t, []row{
		{name: "one-container", secrets: []merge.Secret{fetchedFile("g", "a"), fetchedFile("g", "b")}, adds: files + "initContainers(ours)"},
		{name: "equal-pointer", why: "another pointer to the same content", secrets: []merge.Secret{fetchedFile("g", "a"), with(fetchedFile("g", "b"), func(s *merge.Secret) { s.Fragment.InitContainers[0].Container = &equal })},
			adds: files + "initContainers(ours)"},
		{name: "another-image", index: 1, secrets: []merge.Secret{fetchedFile("g", "a"), with(fetchedFile("g", "b"), func(s *merge.Secret) { s.Fragment.InitContainers[0].Container = &other })},
			want: `initContainers "` + shared.Name + `" would need two different definitions`},
		{name: "two-values", index: 1, secrets: []merge.Secret{fetchedFile("g", "a"), with(fetchedFile("g", "b"), func(s *merge.Secret) {
			s.Fragment.InitContainers[0].Env = []corev1.EnvVar{{Name: sharedEnv("g", "a").Name, Value: "x"}}
		})}, want: `initContainers "` + shared.Name + `" would need two different values for variable "` + sharedEnv("g", "a").Name + `"`},
		{name: "too-many-variables", index: 1, secrets: []merge.Secret{
			with(fetchedFile("g", "a"), func(s *merge.Secret) { s.Fragment.InitContainers[0].Env[0].Value = strings.Repeat("v", 600<<10) }),
			with(fetchedFile("g", "b"), func(s *merge.Secret) { s.Fragment.InitContainers[0].Env[0].Value = strings.Repeat("v", 600<<10) }),
		}, want: `variable "` + sharedEnv("g", "b").Name + `": the variables of init container "` + shared.Name + `" would have more than 1048576 bytes`},
	})
}

func TestFetchers_Env(t *testing.T) {
	change, problems := mergeAll(mount.Layout{}, []merge.Secret{fetchedFile("g", "a"), fetchedEnv("g", "b"), fetchedFile("g", "a")})
	require.Empty(t, problems)
	edits, _, err := change.Decide(merge.ViewPod(app(nil)), merge.Options{})
	require.NoError(t, err)
	fetcher := edits.Apply(app(nil)).Spec.InitContainers[0]
	assert.Equal(t, append(shared.Env, sharedEnv("g", "a"), sharedEnv("g", "b")), fetcher.Env)
	fetcher.Env = shared.Env
	assert.Equal(t, *shared, fetcher)
}

func TestFetchers_InPod(t *testing.T) {
	a, b := fetchedFile("g", "a"), fetchedFile("g", "b")
	name := `initContainers "` + shared.Name + `" `
	const volumes, env = "volumes(podsecrets-fetched,podsecrets-env) ", "containers/0/env(*,*) "
	more := volumes + env + "initContainers/0/env/2"
	changed := func(change func(*corev1.Container)) *corev1.Pod { return withFetcher(change, a) }
	moved := changed(nil)
	moved.Spec.InitContainers = append([]corev1.Container{{Name: "mine"}}, moved.Spec.InitContainers...)
	sidecar := changed(nil)
	sidecar.Spec.InitContainers = append([]corev1.Container{{Name: "mesh", RestartPolicy: &always}}, sidecar.Spec.InitContainers...)
	run(t, []row{
		{name: "same", pod: changed(nil), secrets: []merge.Secret{a}, adds: volumes + "containers/0/env(*,*)"},
		{name: "more", pod: changed(nil), secrets: []merge.Secret{a, b}, adds: more},
		{name: "more-than-others", pod: changed(func(c *corev1.Container) { c.Env = append(c.Env, corev1.EnvVar{Name: "ADDED"}) }), secrets: []merge.Secret{a, b},
			adds: volumes + env + "initContainers/0/env/3"},
		{name: "stranger", why: "it has our name but none of our variables", pod: withFetcher(func(c *corev1.Container) { c.Env = []corev1.EnvVar{{Name: "X", Value: "x"}} }), secrets: []merge.Secret{a},
			want: name + "is already another container: it has none of the fetcher's variables", path: "spec.initContainers[0].name"},
		{name: "another-value", pod: withFetcher(func(c *corev1.Container) { c.Env[0].Value = "x" }), secrets: []merge.Secret{a},
			want: name + `already fetches something else: its variable "STORE" has a different value`},
		{name: "fewer", pod: withFetcher(nil, a, b), secrets: []merge.Secret{b}, adds: volumes + "containers/0/env(*,*)"},
		{name: "other-command", pod: changed(func(c *corev1.Container) { c.Command = []string{"sh"} }), secrets: []merge.Secret{a, b}, also: []int{1}, want: name + "cannot fetch more secrets: its command or args differ"},
		{name: "other-command-complete", pod: changed(func(c *corev1.Container) { c.Command = []string{"sh"} }), secrets: []merge.Secret{a}, adds: volumes + "containers/0/env(*,*)"},
		{name: "other-args", pod: changed(func(c *corev1.Container) { c.Args = []string{"x"} }), secrets: []merge.Secret{a, b}, also: []int{1}, want: name + "cannot fetch more secrets: its command or args differ"},
		{name: "other-image", pod: changed(func(c *corev1.Container) { c.Image = "registry.example.com/team/fetch:v2" }), secrets: []merge.Secret{a, b}, also: []int{1}, want: name + "cannot fetch more secrets: its image differs"},
		{name: "other-registry", pod: changed(func(c *corev1.Container) { c.Image = "mirror.example.com/team/fetch:v1" }), secrets: []merge.Secret{a, b}, adds: more},
		{name: "mirror", pod: changed(func(c *corev1.Container) { c.Image = "mirror.example.com/registry.example.com/team/fetch:v1" }), secrets: []merge.Secret{a, b}, adds: more},
		{name: "digest", pod: changed(func(c *corev1.Container) { c.Image += "@sha256:0123" }), secrets: []merge.Secret{a, b}, adds: more},
		{name: "digest-for-tag", pod: changed(func(c *corev1.Container) { c.Image = "registry.example.com/team/fetch@sha256:0123" }), secrets: []merge.Secret{a, b}, adds: more},
		{name: "similar-image", pod: changed(func(c *corev1.Container) { c.Image = "registry.example.com/evil-team/fetch:v1" }), secrets: []merge.Secret{a, b}, also: []int{1}, want: name + "cannot fetch more secrets: its image differs"},
		{name: "mount-missing", pod: changed(func(c *corev1.Container) { c.VolumeMounts = c.VolumeMounts[:1] }), secrets: []merge.Secret{a, b}, also: []int{1},
			want: name + `cannot fetch more secrets: it does not mount volume "podsecrets-env" at "/env"`},
		{name: "mount-added", pod: changed(func(c *corev1.Container) {
			c.VolumeMounts = append([]corev1.VolumeMount{{Name: "token", MountPath: "/token"}}, c.VolumeMounts...)
		}), secrets: []merge.Secret{a, b}, adds: more},
		{name: "sidecar", pod: changed(func(c *corev1.Container) { c.RestartPolicy = &always }), secrets: []merge.Secret{a, b}, also: []int{1}, want: name + "cannot fetch more secrets: it is a sidecar"},
		{name: "behind-a-receiver", pod: moved, secrets: []merge.Secret{a, b}, also: []int{1}, want: name + `cannot fetch more secrets: container "mine" receives secrets and starts before it`},
		{name: "behind-non-receiver", pod: moved, secrets: []merge.Secret{a, b}, options: merge.Options{Containers: func(c mount.Container) bool { return c.Name == "app" }},
			adds: volumes + env + "initContainers/1/env/2"},
		{name: "behind-a-sidecar", pod: sidecar, secrets: []merge.Secret{a, b}, options: merge.Options{InitOrder: mount.InitAfterSidecars},
			adds: volumes + "initContainers/0/env(*,*) initContainers/0/volumeMounts(/etc/flyte/secrets) containers/0/env(*,*) initContainers/1/env/2"},
		{name: "a-container", pod: func() *corev1.Pod {
			pod := app(nil)
			pod.Spec.Containers[0].Name = shared.Name
			return pod
		}(), secrets: []merge.Secret{a}, want: `containers "` + shared.Name + `" has the name of an init container that fetches secrets`, path: "spec.containers[0].name"},
	})
}

// Only fetchers are excluded from the receivers, not other containers with a generated
// name.
func TestFetchers_ForeignNames(t *testing.T) {
	pod := app(nil)
	pod.Spec.InitContainers = []corev1.Container{
		{Name: mount.Name("mine")},
		{Name: mount.Name("earlier"), VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/out"}}},
		{Name: mount.Name("earlier env"), VolumeMounts: []corev1.VolumeMount{{Name: mount.EnvVolume, MountPath: "/env"}}},
	}
	edits := mustDecide(t, mount.Layout{}, []merge.Secret{ref("g", "k")}, pod, merge.Options{})
	assert.Equal(t, []string{mount.Name("mine"), "app"}, edits.Receivers(0))
}

func TestFetchers_Order(t *testing.T) {
	pod := app(nil)
	pod.Spec.InitContainers = []corev1.Container{{Name: "mesh", RestartPolicy: &always}, {Name: "logs", RestartPolicy: &always}, {Name: "setup"}, {Name: "late", RestartPolicy: &always}}
	for order, at := range map[mount.InitOrder]int{mount.InitFirst: 0, mount.InitAfterSidecars: 2} {
		edits := mustDecide(t, mount.Layout{}, []merge.Secret{fetched("g", "k")}, pod, merge.Options{InitOrder: order})
		assert.Equal(t, mount.Name("fetch", "g", "k"), edits.Apply(pod).Spec.InitContainers[at].Name, order)
	}
}

// A Pod with its own resources stays valid: those that it sets are omitted from the
// fetcher.
func TestFetchers_PodResources(t *testing.T) {
	list := func(cpu, memory string) corev1.ResourceList {
		l := corev1.ResourceList{}
		for name, value := range map[corev1.ResourceName]string{corev1.ResourceCPU: cpu, corev1.ResourceMemory: memory} {
			if value != "" {
				l[name] = resource.MustParse(value)
			}
		}
		return l
	}
	s := fetched("g", "k")
	s.Fragment.InitContainers[0].Resources = corev1.ResourceRequirements{Requests: list("200m", "500Mi"), Limits: list("200m", "500Mi")}
	s.Fragment.InitContainers[0].Resources.Limits[corev1.ResourceEphemeralStorage] = resource.MustParse("1Gi")
	for name, tc := range map[string]struct {
		pod            *corev1.ResourceRequirements
		requests, want corev1.ResourceList
	}{
		"none":          {nil, list("200m", "500Mi"), list("200m", "500Mi")},
		"cpu":           {&corev1.ResourceRequirements{Limits: list("100m", "")}, list("", "500Mi"), list("", "500Mi")},
		"both":          {&corev1.ResourceRequirements{Limits: list("100m", "128Mi")}, list("", ""), list("", "")},
		"requests only": {&corev1.ResourceRequirements{Requests: list("100m", "128Mi")}, list("", ""), list("", "")},
	} {
		t.Run(name, func(t *testing.T) {
			pod := app(nil)
			pod.Spec.Resources = tc.pod
			edits := mustDecide(t, mount.Layout{}, []merge.Secret{s}, pod, merge.Options{})
			got := edits.Apply(pod).Spec.InitContainers[0].Resources
			tc.want[corev1.ResourceEphemeralStorage] = resource.MustParse("1Gi")
			assert.True(t, equalLists(tc.requests, got.Requests), got.Requests)
			assert.True(t, equalLists(tc.want, got.Limits), got.Limits)
		})
	}
}

func equalLists(want, got corev1.ResourceList) bool {
	if len(want) != len(got) {
		return false
	}
	for name, quantity := range want {
		if q, ok := got[name]; !ok || q.Cmp(quantity) != 0 {
			return false
		}
	}
	return true
}

// The variables of fetchers count toward the limit on growth.
func TestFetchers_Growth(t *testing.T) {
	var secrets []merge.Secret
	for i := range 4 {
		s := fetched("g", fmt.Sprint("k", i))
		s.Fragment.InitContainers[0].Env[0].Value = strings.Repeat("v", 900<<10)
		secrets = append(secrets, s)
	}
	decide := func(secrets []merge.Secret) error {
		change, problems := mergeAll(mount.Layout{}, secrets)
		require.Empty(t, problems)
		_, _, err := change.Decide(merge.ViewPod(app(nil)), merge.Options{})
		return err
	}
	assert.NoError(t, decide(secrets[:3]))
	assert.ErrorIs(t, decide(secrets), mount.ErrTooLarge)
}
