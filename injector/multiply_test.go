package injector_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// A long text in a Pod must not be copied into the error of each of many
// requests. Kubernetes' own limits on names apply only after all mutating
// webhooks.
func TestGrowth_LongTexts(t *testing.T) {
	long := strings.Repeat("x\x01", 50_000)
	for _, tc := range []struct {
		name string
		pod  func(*corev1.Pod)
		as   mount.Type
		of   string // the group
		want string // the beginning of what is said of the first request
	}{
		{"the name of a container", func(pod *corev1.Pod) {
			app(pod).Name = long
			setEnv(mount.EnvPrefixVar, "mine")(pod)
		}, mount.EnvVar, "g", `container "x\x01x`},
		{"the name of a volume", func(pod *corev1.Pod) {
			app(pod).VolumeMounts = []corev1.VolumeMount{{Name: long, MountPath: "/etc/flyte/secrets/g"}}
		}, mount.File, "g", `container "app": volumeMounts "/etc/flyte/secrets/g" already has the volume "x\x01`},
		{"the path of a mount", func(pod *corev1.Pod) {
			app(pod).VolumeMounts = []corev1.VolumeMount{{Name: "v", MountPath: "/etc/flyte/secrets/g/k0/" + long}}
		}, mount.File, "g", `container "app": volumeMounts "/etc/flyte/secrets/g/k0/x\x01`},
		{"an annotation of Vault's", func(pod *corev1.Pod) {
			pod.Annotations = map[string]string{"vault.hashicorp.com/agent-inject": long}
		}, mount.File, "a/b", `metadata.annotations "vault.hashicorp.com/agent-inject" is "x\x01`},
		{"the directory of Vault's files", func(pod *corev1.Pod) {
			pod.Annotations = map[string]string{"vault.hashicorp.com/secret-volume-path": strings.Repeat("/a", len(long)/2)}
		}, mount.File, "a/b", `metadata.annotations "vault.hashicorp.com/secret-volume-path" is too long (maximum 4096 bytes)`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}
			tc.pod(pod)
			reqs := manyRequests(1_000, tc.as)
			for i := range reqs {
				reqs[i].Group = tc.of
			}
			raw := toJSON(t, stamped(t, pod, reqs...))
			in := hazardInjector(t, mount.ConflictFail)
			used := allocated(func() {
				response := in.Review(ctx, creation(raw))
				require.False(t, response.Allowed)
				_, said, _ := strings.Cut(response.Result.Message, "manager ")
				_, said, _ = strings.Cut(said, ": ")
				assert.True(t, strings.HasPrefix(said, tc.want), "%.200s", said)
			})
			assert.Less(t, used, uint64(24<<20), "for %d bytes", len(raw))
		})
	}
}
