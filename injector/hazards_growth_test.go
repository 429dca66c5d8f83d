package injector_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// caseVariants returns n spellings of one group.
func caseVariants(n int) []string {
	groups := make([]string, n)
	for i := range groups {
		letters := []byte("abcdefghijklmnop")
		for bit := range letters {
			if i>>bit&1 == 1 {
				letters[bit] -= 'a' - 'A'
			}
		}
		groups[i] = string(letters)
	}
	return groups
}

// Many requests for one variable, and as many for files that it might hide,
// must not be compared pairwise.
func TestGrowth_Spellings(t *testing.T) {
	for _, tc := range []struct {
		name string
		key  string // of the files
		want string // the error of each
	}{
		{"same secret", "k", ""},
		{"hidden file", "K", "would be read before the file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := hazardInjector(t, mount.ConflictFail)
			cost := func(n int) float64 {
				var reqs []secret.Request
				for _, group := range caseVariants(n) {
					reqs = append(reqs, secret.Request{Group: group, Key: "k", Mount: mount.EnvVar}, secret.Request{Group: group, Key: tc.key, Mount: mount.File})
				}
				return float64(allocated(func() {
					_, err := in.Plan(ctx, userStoryPod(), reqs...)
					if tc.want == "" {
						require.NoError(t, err)
					} else {
						require.ErrorContains(t, err, tc.want)
					}
				}))
			}
			cost(10) // what is made once only
			few, many := cost(200), cost(2_000)
			assert.Less(t, many/few, 16.0, "%.0f bytes, then %.0f", few, many)
		})
	}
}

// Every request needs every annotation, and the Pod has another value of each.
// The search ends after enough conflicts.
func TestGrowth_AnnotationConflicts(t *testing.T) {
	annotations := map[string]string{}
	pod := userStoryPod()
	pod.Annotations = map[string]string{}
	for i := range 1_000 {
		name := fmt.Sprint("agent.example.com/a", i)
		annotations[name], pod.Annotations[name] = "true", "false"
	}
	m := always{"m", func(secret.Request, mount.Target) (mount.Fragment, error) {
		return mount.Fragment{File: true, Webhook: &mount.Webhook{Annotations: annotations}}, nil
	}}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	require.NoError(t, err)
	used := allocated(func() {
		_, err := in.Plan(ctx, pod, manyRequests(1_000, mount.File)...)
		require.ErrorContains(t, err, "already has a different value")
	})
	assert.Less(t, used, uint64(8<<20))
}

// A Pod of 3 MiB can have more than a million directories above its mounts and
// the items of a volume with our name. A review must not store them, because
// the webhook has only some hundred MiB.
func TestGrowth_Directories(t *testing.T) {
	const paths = 600
	deep := func(i int) string { return fmt.Sprint(i) + strings.Repeat("/a", 2_030) }
	for _, tc := range []struct {
		name string
		pod  func(*corev1.Pod)
	}{
		{"above mounts", func(pod *corev1.Pod) {
			for i := range paths {
				app(pod).VolumeMounts = append(app(pod).VolumeMounts, corev1.VolumeMount{Name: "v", MountPath: "/" + deep(i)})
			}
		}},
		{"above items of a volume", func(pod *corev1.Pod) {
			var items []corev1.KeyToPath
			for i := range paths {
				items = append(items, corev1.KeyToPath{Key: "k", Path: deep(i)})
			}
			pod.Spec.Volumes = []corev1.Volume{{Name: mount.Name("k8s", "g"), VolumeSource: corev1.VolumeSource{
				Secret: &corev1.SecretVolumeSource{SecretName: "g", Items: items},
			}}}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pod := userStoryPod()
			tc.pod(pod)
			// With a version, so that there is a second name in whose way they may be.
			raw := toJSON(t, stamped(t, pod, secret.Request{Group: "g", Key: "k", GroupVersion: "v", Mount: mount.File}))
			used := allocated(func() { require.True(t, hazardInjector(t, mount.ConflictFail).Review(ctx, creation(raw)).Allowed) })
			assert.Less(t, used, uint64(16<<20), "for %d bytes", len(raw))
		})
	}
}
