package merge_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
)

func meshed() *corev1.Pod {
	return &corev1.Pod{Spec: corev1.PodSpec{
		InitContainers: []corev1.Container{{Name: "mesh", RestartPolicy: &always}, {Name: "setup"}},
		Containers:     []corev1.Container{{Name: "app"}},
	}}
}

// Only containers that start after an env file is written get variables from it.
func TestEnvFiles_LateReceivers(t *testing.T) {
	first := func(s *merge.Secret) { s.Fragment.Webhook.First = true }
	ran := meshed()
	ran.Spec.InitContainers = append(ran.Spec.InitContainers[:1:1], corev1.Container{Name: "agent-init"}, corev1.Container{Name: "setup"})
	for name, tc := range map[string]struct {
		pod    *corev1.Pod
		secret merge.Secret
		order  mount.InitOrder
		want   []string
	}{
		"fetched first":          {meshed(), fetchedEnv("g", "k"), mount.InitFirst, []string{"mesh", "setup", "app"}},
		"fetched after sidecars": {meshed(), fetchedEnv("g", "k"), mount.InitAfterSidecars, []string{"setup", "app"}},
		"webhook last":           {meshed(), webhookEnv("g", "k"), mount.InitFirst, []string{"app"}},
		"webhook first":          {meshed(), with(webhookEnv("g", "k"), first), mount.InitFirst, []string{"mesh", "setup", "app"}},
		"webhook ran":            {ran, webhookEnv("g", "k"), mount.InitFirst, []string{"setup", "app"}},
		"webhook ran, first":     {ran, with(webhookEnv("g", "k"), first), mount.InitFirst, []string{"setup", "app"}},
		"a file":                 {meshed(), fetchedFile("g", "k"), mount.InitAfterSidecars, []string{"mesh", "setup", "app"}},
	} {
		t.Run(name, func(t *testing.T) {
			change, problems := mergeAll(mount.Layout{}, []merge.Secret{tc.secret})
			require.Empty(t, problems)
			edits, problems, err := change.Decide(merge.ViewPod(tc.pod), merge.Options{InitOrder: tc.order})
			require.NoError(t, err)
			require.Empty(t, problems)
			assert.Equal(t, tc.want, edits.Receivers(0))
			var got []string
			once := edits.Apply(tc.pod)
			for _, c := range append(once.Spec.InitContainers, once.Spec.Containers...) {
				for _, v := range c.Env {
					if v.Name == "_FSEC_G_K" || v.Name == mount.DefaultDirVar {
						got = append(got, c.Name)
					}
				}
			}
			assert.Equal(t, tc.want, got)

			again, problems, err := change.Decide(merge.ViewPod(once), merge.Options{InitOrder: tc.order})
			require.NoError(t, err)
			require.Empty(t, problems)
			assert.Empty(t, again.Operations())
		})
	}
}

func TestEnvFiles_Conflicts(t *testing.T) {
	// A webhook has moved a container with our variable before the fetcher.
	moved := withFetcher(nil, fetchedEnv("g", "k"))
	early := corev1.Container{Name: "early", Env: []corev1.EnvVar{fetchedEnv("g", "k").Fragment.Value.EnvVar("_FSEC_G_K")}}
	moved.Spec.InitContainers = append([]corev1.Container{early}, moved.Spec.InitContainers...)
	moved.Spec.Containers[0].VolumeMounts = nil
	mounting := app(func(c *corev1.Container) {
		c.VolumeMounts = []corev1.VolumeMount{{Name: mount.EnvVolume, MountPath: "/env"}}
	})
	earlyOwn := meshed()
	earlyOwn.Spec.InitContainers[0].Env = []corev1.EnvVar{{Name: "_FSEC_G_K", Value: "mine"}}
	run(t, []row{
		{name: "moved-before", pod: moved, secrets: []merge.Secret{fetchedEnv("g", "k")},
			want: `container "early": env "_FSEC_G_K" refers to an env file that is written after the container starts`, path: "spec.initContainers[0].env[0].name"},
		{name: "mounts-env-files", pod: mounting, secrets: []merge.Secret{fetchedEnv("g", "k")},
			want: `container "app": volumeMounts "podsecrets-env" is only for init containers that fetch secrets: any other container could change what others read`},
		{name: "early-own-variable", why: "it would not get ours", pod: earlyOwn, secrets: []merge.Secret{fetchedEnv("g", "k")}, options: merge.Options{InitOrder: mount.InitAfterSidecars},
			adds: "volumes(podsecrets-fetched,podsecrets-env) initContainers/0/env/0 initContainers/1/env(*,_FSEC_G_K) containers/0/env(*,_FSEC_G_K) initContainers/1"},
	})
}

// A container that starts too early does not receive a variable.
func TestEnvFiles_NoReceiver(t *testing.T) {
	for name, tc := range map[string]struct {
		secret merge.Secret
		chosen string
		want   string
	}{
		"container of the request": {with(fetchedEnv("g", "k"), container("mesh")), "", `no container of the pod receives the requested secrets: container "mesh" starts before the secret is fetched`},
		"all chosen":               {fetchedEnv("g", "k"), "mesh", `no container of the pod receives the requested secrets: all chosen containers start before the secret is fetched`},
	} {
		t.Run(name, func(t *testing.T) {
			change, problems := mergeAll(mount.Layout{}, []merge.Secret{tc.secret})
			require.Empty(t, problems)
			_, problems, err := change.Decide(merge.ViewPod(meshed()), merge.Options{
				InitOrder:  mount.InitAfterSidecars,
				Containers: func(c mount.Container) bool { return tc.chosen == "" || c.Name == tc.chosen },
			})
			require.NoError(t, err)
			require.Len(t, problems, 1)
			assert.ErrorIs(t, problems[0].Err, mount.ErrNoContainer)
			assert.EqualError(t, problems[0].Err, tc.want)
		})
	}
}
