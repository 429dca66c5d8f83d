package merge_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
)

func TestDecide_NoContainer(t *testing.T) {
	change, problems := mergeAll(mount.Layout{}, []merge.Secret{fetched("g", "k")})
	require.Empty(t, problems)
	fetcher := corev1.Container{Name: mount.Name("other"), VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/out"}}}
	for name, pod := range map[string]*corev1.Pod{
		"no containers":        {},
		"only a fetcher":       {Spec: corev1.PodSpec{InitContainers: []corev1.Container{fetcher}}},
		"ephemeral containers": {Spec: corev1.PodSpec{EphemeralContainers: []corev1.EphemeralContainer{{}}}},
	} {
		_, _, err := change.Decide(merge.ViewPod(pod), merge.Options{})
		assert.ErrorIs(t, err, mount.ErrNoContainer, name)
	}
	_, _, err := change.Decide(merge.ViewPod(app(nil)), merge.Options{Containers: func(mount.Container) bool { return false }})
	assert.ErrorIs(t, err, mount.ErrNoContainer, "no container is chosen")
}

func TestDecide_WebhookContainers(t *testing.T) {
	pod := app(nil)
	pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: "agent"})
	for name, tc := range map[string]struct {
		secret merge.Secret
		want   []string
	}{
		"the webhook":   {webhookFile("g", "k"), []string{"app"}},
		"another store": {ref("g", "k"), []string{"app", "agent"}},
	} {
		edits := mustDecide(t, mount.Layout{}, []merge.Secret{tc.secret}, pod, merge.Options{})
		assert.Equal(t, tc.want, edits.Receivers(0), name)
	}
}

func TestDecide_Limits(t *testing.T) {
	decide := func(pod *corev1.Pod, secrets []merge.Secret) ([]merge.Problem, error) {
		change, problems := mergeAll(mount.Layout{}, secrets)
		require.Empty(t, problems)
		_, problems, err := change.Decide(merge.ViewPod(pod), merge.Options{})
		return problems, err
	}
	wide, narrow := new(corev1.Pod), new(corev1.Pod)
	for range 1000 {
		wide.Spec.Containers = append(wide.Spec.Containers, corev1.Container{Env: []corev1.EnvVar{{Name: mount.EnvPrefixVar}}})
		narrow.Spec.Containers = append(narrow.Spec.Containers, corev1.Container{})
	}
	var many []merge.Secret
	for i := range 500 {
		many = append(many, ref("group", fmt.Sprint("a-key-of-some-length-", i)))
	}
	problems, err := decide(wide, many)
	assert.NoError(t, err)
	assert.Len(t, problems, 1000)
	_, err = decide(narrow, many)
	assert.ErrorIs(t, err, mount.ErrTooLarge)
	_, err = decide(app(nil), many)
	assert.NoError(t, err)
}

// A conflict that concerns several secrets is a problem of each, up to the limit.
func TestDecide_SharedProblems(t *testing.T) {
	decide := func(pod *corev1.Pod, secrets []merge.Secret) []merge.Problem {
		change, problems := mergeAll(mount.Layout{}, secrets)
		require.Empty(t, problems)
		_, problems, err := change.Decide(merge.ViewPod(pod), merge.Options{})
		require.NoError(t, err)
		return problems
	}
	both := []merge.Secret{item("g", "a"), with(item("g", "a"), envVar("X"))}
	problems := decide(podProjecting(volumeName("g"), "g", corev1.KeyToPath{Key: "other", Path: "a"}), both)
	require.Len(t, problems, 2)
	assert.Equal(t, []int{0, 1}, []int{problems[0].Secret, problems[1].Secret})

	var many []merge.Secret
	for i := range 1001 {
		many = append(many, ref("g", fmt.Sprint("k", i)))
	}
	assert.Len(t, decide(env(mount.EnvPrefixVar, "other"), many), 1000)
}

// Decisions are the same for a typed Pod, for the JSON that API servers write, and for any
// other JSON of it.
func TestDecide_Views(t *testing.T) {
	pod := env("A", "1", "_FSEC_G_K", "x", "_FSEC_G_K", "$$", "FLYTE_SECRETS_ENV_PREFIX", "_FSEC_", `"\<`, "quoted")
	pod.ObjectMeta = metav1.ObjectMeta{Name: "n", Labels: map[string]string{"l": "1"}}
	pod.Spec.Volumes = podProjecting(volumeName("g"), "g", corev1.KeyToPath{Key: "a", Path: "a"}).Spec.Volumes
	pod.Spec.InitContainers = withFetcher(nil, fetchedFile("s", "a")).Spec.InitContainers
	pod.Spec.OS, pod.Spec.NodeSelector = &corev1.PodOS{Name: corev1.Linux}, map[string]string{corev1.LabelOSStable: "windows"}
	pod.Spec.ServiceAccountName = "runner"
	pod.Spec.Resources = &corev1.ResourceRequirements{}
	written, err := json.Marshal(pod)
	require.NoError(t, err)
	change, problems := mergeAll(mount.Layout{}, []merge.Secret{literal("g", "k", "$"), item("g", "b"), fetchedFile("s", "a"), fetchedFile("s", "b"), fetched("h", "c")})
	require.Empty(t, problems)
	typed, problems, err := change.Decide(merge.ViewPod(pod), merge.Options{})
	require.NoError(t, err)
	require.Empty(t, problems)

	for name, text := range map[string]string{
		"from API server":       string(written),
		"names last":            regexp.MustCompile(`\{("name":"[^"]*"),("value":"[^"]*")`).ReplaceAllString(strings.Replace(string(written), `"volumes":[{`, `"volumes":[{"hostPath":null,`, 1), "{$2,$1"),
		"names escaped":         strings.ReplaceAll(string(written), `"name":"_FSEC`, `"name":"\u005fFSEC`),
		"spaces and other case": `{"Metadata": {"name": "x"}, ` + strings.ReplaceAll(string(written[1:]), `":`, `" : `),
	} {
		t.Run(name, func(t *testing.T) {
			view, err := merge.ViewJSON([]byte(text))
			require.NoError(t, err, text)
			assert.Equal(t, merge.ViewPod(pod).Metadata, view.Metadata)
			assert.Equal(t, mount.TargetSpec{ServiceAccount: "runner", OS: "linux"}, view.Spec())
			assert.Equal(t, merge.ViewPod(pod).Spec(), view.Spec())
			edits, problems, err := change.Decide(view, merge.Options{})
			require.NoError(t, err)
			require.Empty(t, problems, text)
			assert.Equal(t, typed.Operations(), edits.Operations())
		})
	}
}
