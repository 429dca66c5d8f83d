package merge_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
)

func twoContainers() *corev1.Pod {
	return &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "web"}, {Name: "api"}}}}
}

func TestScopes(t *testing.T) {
	web := container("web")
	run(t, []row{
		{name: "variable-of-one", pod: twoContainers(), secrets: []merge.Secret{ref("g", "a"), with(ref("g", "b"), web)},
			adds: "containers/0/env(*,_FSEC_G_A,_FSEC_G_B) containers/1/env(*,_FSEC_G_A)"},
		{name: "only-one", pod: twoContainers(), secrets: []merge.Secret{with(ref("g", "b"), web)}, adds: "containers/0/env(*,_FSEC_G_B)"},
		{name: "one-name-in-two-containers", why: "no container gets both", pod: twoContainers(), secrets: []merge.Secret{with(ref("g", "a"), envVar("X"), web), with(ref("g", "b"), envVar("X"), container("api"))},
			adds: "containers/0/env(*,_FSEC_G_A,X) containers/1/env(*,_FSEC_G_B,X)"},
		{name: "one-name-in-one-container", pod: twoContainers(), secrets: []merge.Secret{with(ref("g", "a"), envVar("X")), with(ref("g", "b"), envVar("X"), web)}, index: 1,
			want: `env "X" would have two different meanings`},
		{name: "files-of-one", why: "its own volume has all files", pod: twoContainers(), secrets: []merge.Secret{item("g", "a"), with(item("g", "b"), web)},
			adds: "volumes(ours,ours) containers/0/env(*,*) containers/0/volumeMounts(/etc/flyte/secrets/g) containers/1/env(*,*) containers/1/volumeMounts(/etc/flyte/secrets/g)"},
		{name: "files-of-both", pod: twoContainers(), secrets: []merge.Secret{with(item("g", "a"), web), with(item("g", "b"), container("api"))},
			adds: "volumes(ours,ours) containers/0/env(*,*) containers/0/volumeMounts(/etc/flyte/secrets/g) containers/1/env(*,*) containers/1/volumeMounts(/etc/flyte/secrets/g)"},
		{name: "another-directory", why: "the volume for all receivers is shared", pod: twoContainers(), secrets: []merge.Secret{item("g", "a"), with(item("h", "b"), web)},
			adds: "volumes(ours,ours) containers/0/env(*,*) containers/0/volumeMounts(/etc/flyte/secrets/g,/etc/flyte/secrets/h) containers/1/env(*,*) containers/1/volumeMounts(/etc/flyte/secrets/g)"},
	})
}

// Files in a volume that several containers mount must be for the same containers.
func TestScopes_SharedVolumes(t *testing.T) {
	web := container("web")
	shows := `" shows its files to all containers that mount it: requests with files in it must be for the same container`
	fetching := func(name string) *corev1.Pod {
		pod := twoContainers()
		for i := range pod.Spec.Containers {
			if pod.Spec.Containers[i].Name == name {
				pod.Spec.Containers[i].VolumeMounts = []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/etc/flyte/secrets"}}
			}
		}
		return pod
	}
	noList := func(s *merge.Secret) { s.Fragment.Webhook.ContainersAnnotation = "" }
	onlyWeb := merge.Options{Containers: func(c mount.Container) bool { return c.Name == "web" }}
	listing := func(names string) *corev1.Pod {
		pod := twoContainers()
		pod.Annotations = map[string]string{"agent/containers": names}
		return pod
	}
	run(t, []row{
		{name: "fetched-for-one", pod: twoContainers(), secrets: []merge.Secret{with(fetched("g", "a"), web)},
			adds: "volumes(podsecrets-fetched) containers/0/env(*,*) containers/0/volumeMounts(/etc/flyte/secrets) initContainers(ours)"},
		{name: "fetched-for-one-and-all", pod: twoContainers(), secrets: []merge.Secret{fetched("g", "a"), with(fetched("g", "b"), web)}, index: 1, want: `volumes "podsecrets-fetched` + shows},
		{name: "fetched-for-two", pod: twoContainers(), secrets: []merge.Secret{with(fetched("g", "a"), container("api")), with(fetched("g", "b"), web)}, index: 1, want: `volumes "podsecrets-fetched` + shows},
		{name: "fetched-variables-for-two", why: "no receiver mounts env files", pod: twoContainers(), secrets: []merge.Secret{with(fetchedEnv("g", "a"), container("api")), with(fetchedEnv("g", "b"), web)},
			adds: "volumes(podsecrets-fetched,podsecrets-env) containers/0/env(*,_FSEC_G_B) containers/1/env(*,_FSEC_G_A) initContainers(ours)"},
		{name: "driver-for-two", pod: twoContainers(), secrets: []merge.Secret{with(driverFile("g", "a"), container("api")), with(driverFile("g", "b"), web)}, index: 1,
			want: `volumes "` + mount.Name("driver", "g") + shows},
		{name: "webhook-for-two", pod: twoContainers(), secrets: []merge.Secret{webhookFile("g", "a"), with(webhookFile("g", "b"), web)}, index: 1, want: `volumes "agent-secrets` + shows},
		{name: "webhook-variables-for-two", why: "receivers mount that volume", pod: twoContainers(), secrets: []merge.Secret{webhookEnv("g", "a"), with(webhookEnv("g", "b"), web)}, index: 1, want: `volumes "agent-secrets` + shows},
		{name: "webhook-variables-beside-files", why: "both mount a volume at the same path", secrets: []merge.Secret{webhookEnv("g", "a"), fetched("g", "b")}, index: 1,
			want: `volumeMounts "/etc/flyte/secrets" would have two volumes, one of them from another webhook`},
		{name: "webhook-without-list", pod: twoContainers(), secrets: []merge.Secret{with(webhookEnv("g", "a"), web, noList)},
			want: `volumeMounts "/etc/flyte/secrets" gets the other webhook's volume in all containers, including "api", which does not receive the secret`},
		{name: "webhook-without-list-for-all", pod: twoContainers(), secrets: []merge.Secret{with(webhookFile("g", "a"), noList)},
			adds: "/metadata/annotations containers/0/env(*,*) containers/1/env(*,*)"},
		{name: "webhook-longer-list", pod: listing("web,api"), secrets: []merge.Secret{with(webhookFile("g", "a"), web)},
			want: `metadata.annotations "agent/containers" lists containers that do not receive the secret`},
		{name: "webhook-longer-list-chosen", why: "the Pod's author chose it", pod: listing("web,api"), secrets: []merge.Secret{webhookFile("g", "a")}, options: onlyWeb,
			adds: "/metadata/annotations/agent~1file-" + mount.Name("g", "a") + " /metadata/annotations/agent~1inject /metadata/annotations/agent~1role containers/0/env(*,*)"},
		{name: "mounted-elsewhere", pod: fetching("api"), secrets: []merge.Secret{with(fetched("g", "a"), web)},
			want: `container "api": volumeMounts "podsecrets-fetched" is already mounted: the container would see files of secrets that it does not receive`,
			path: "spec.containers[1].volumeMounts[0].name"},
		{name: "mounted-not-chosen", pod: fetching("api"), secrets: []merge.Secret{fetched("g", "a")}, options: onlyWeb,
			want: `container "api": volumeMounts "podsecrets-fetched" is already mounted: the container would see files of secrets that it does not receive`},
		{name: "mounted-there", pod: fetching("web"), secrets: []merge.Secret{with(fetched("g", "a"), web)}, adds: "volumes(podsecrets-fetched) containers/0/env(*,*) initContainers(ours)"},
	})
}

// Other containers do not see the keys of a request for one container.
func TestScopes_OwnVolumes(t *testing.T) {
	edits := mustDecide(t, mount.Layout{}, []merge.Secret{item("g", "a"), with(item("g", "b"), container("web"))}, twoContainers(), merge.Options{})
	pod := edits.Apply(twoContainers())
	assert.Equal(t, []string{"a=a", "b=b"}, keysAt(pod, "web"))
	assert.Equal(t, []string{"a=a"}, keysAt(pod, "api"))
	assert.Equal(t, []string{"web"}, edits.Receivers(1))
	assert.Equal(t, []string{"web", "api"}, edits.Receivers(0))
}

// Later requests for all receivers use the own volume that a container already has.
func TestScopes_AllAfterOne(t *testing.T) {
	pod := twoContainers()
	for i, secrets := range [][]merge.Secret{
		{item("g", "a"), with(item("g", "b"), container("web"))},
		{item("g", "a")},
		{item("g", "c"), item("g", "a")},
		{item("g", "c"), with(item("g", "b"), container("web"))},
	} {
		change, problems := mergeAll(mount.Layout{}, secrets)
		require.Empty(t, problems)
		edits, problems, err := change.Decide(merge.ViewPod(pod), merge.Options{})
		require.NoError(t, err)
		require.Empty(t, problems)
		assert.Equal(t, i == 1 || i == 3, added(edits) == "", "edits of call %d", i)
		pod = edits.Apply(pod)
	}
	assert.Equal(t, []string{"a=a", "b=b", "c=c"}, keysAt(pod, "web"))
	assert.Equal(t, []string{"a=a", "c=c"}, keysAt(pod, "api"))

	change, _ := mergeAll(mount.Layout{}, []merge.Secret{with(item("g", "other"), func(s *merge.Secret) { firstItem(s).Path = "a"; s.Key = "a" })})
	_, problems, err := change.Decide(merge.ViewPod(pod), merge.Options{})
	require.NoError(t, err)
	require.NotEmpty(t, problems)
	assert.ErrorContains(t, problems[0].Err, `already has another key at "a"`)
}

// keysAt returns the items of the volumes that a container mounts.
func keysAt(pod *corev1.Pod, name string) (keys []string) {
	for _, c := range pod.Spec.Containers {
		for _, m := range c.VolumeMounts {
			for _, v := range pod.Spec.Volumes {
				if c.Name == name && v.Name == m.Name {
					for _, s := range v.Projected.Sources {
						for _, it := range s.Secret.Items {
							keys = append(keys, it.Key+"="+it.Path)
						}
					}
				}
			}
		}
	}
	return keys
}

// Only the request for a container that is not a receiver fails.
func TestScopes_NoReceiver(t *testing.T) {
	for name, tc := range map[string]struct {
		container string
		options   merge.Options
		want      string
	}{
		"missing":    {"other", merge.Options{}, `no container of the pod receives the requested secrets: the pod has no chosen container "other"`},
		"not chosen": {"api", merge.Options{Containers: func(c mount.Container) bool { return c.Name == "web" }}, `no container of the pod receives the requested secrets: the pod has no chosen container "api"`},
	} {
		t.Run(name, func(t *testing.T) {
			change, problems := mergeAll(mount.Layout{}, []merge.Secret{ref("g", "a"), with(ref("g", "b"), container(tc.container))})
			require.Empty(t, problems)
			_, problems, err := change.Decide(merge.ViewPod(twoContainers()), tc.options)
			require.NoError(t, err)
			require.Len(t, problems, 1)
			assert.Equal(t, 1, problems[0].Secret)
			assert.ErrorIs(t, problems[0].Err, mount.ErrNoContainer)
			assert.EqualError(t, problems[0].Err, tc.want)
		})
	}
}
