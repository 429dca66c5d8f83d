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

func TestNoContainerReceives(t *testing.T) {
	change, problems := mergeAll(mount.Layout{}, []merge.Secret{fetched("g", "k")})
	require.Empty(t, problems)
	for name, pod := range map[string]*corev1.Pod{
		"no containers":        {},
		"a fetcher only":       {Spec: corev1.PodSpec{InitContainers: []corev1.Container{{Name: mount.Name("other")}}}},
		"ephemeral containers": {Spec: corev1.PodSpec{EphemeralContainers: []corev1.EphemeralContainer{{}}}},
	} {
		_, _, err := change.Decide(merge.ViewPod(pod), merge.Options{})
		assert.ErrorIs(t, err, mount.ErrNoContainer, name)
	}
	_, _, err := change.Decide(merge.ViewPod(app(nil)), merge.Options{Containers: func(mount.Container) bool { return false }})
	assert.ErrorIs(t, err, mount.ErrNoContainer, "none is chosen")
}

// What one mount of the Pod hides, and what one Pod gains, is reported in full
// and has a limit.
func TestManyProblems(t *testing.T) {
	decide := func(pod *corev1.Pod, secrets []merge.Secret) ([]merge.Problem, error) {
		change, problems := mergeAll(mount.Layout{}, secrets)
		require.Empty(t, problems)
		_, problems, err := change.Decide(merge.ViewPod(pod), merge.Options{})
		return problems, err
	}
	problems, err := decide(mounts("/etc/flyte/secrets/g", false), []merge.Secret{annotated("g", "a"), annotated("h", "b"), annotated("g", "c")})
	require.NoError(t, err)
	require.Len(t, problems, 2)
	assert.Equal(t, 0, problems[0].Secret)
	assert.Equal(t, 2, problems[1].Secret)

	wide, narrow := new(corev1.Pod), new(corev1.Pod)
	for range 1000 {
		wide.Spec.Containers = append(wide.Spec.Containers, corev1.Container{Env: []corev1.EnvVar{{Name: mount.EnvPrefixVar}}})
		narrow.Spec.Containers = append(narrow.Spec.Containers, corev1.Container{})
	}
	var many []merge.Secret
	for i := range 500 {
		many = append(many, ref("group", fmt.Sprint("a-key-of-some-length-", i)))
	}
	problems, err = decide(wide, many)
	assert.NoError(t, err)
	assert.Len(t, problems, 1000)
	_, err = decide(narrow, many)
	assert.ErrorIs(t, err, mount.ErrTooLarge)
	_, err = decide(app(nil), many)
	assert.NoError(t, err)

	// Each of many mounts hides each of many files. Told of all, or even only
	// looked at, that would be so many that the run as a whole is ended.
	var files []merge.Secret
	for i := range 20_000 {
		files = append(files, fetched("g", fmt.Sprint("k", i)))
	}
	hiding := app(func(c *corev1.Container) {
		for range 20_000 {
			c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "mine", MountPath: "/etc/flyte/secrets/g"})
		}
	})
	problems, err = decide(hiding, files)
	require.NoError(t, err)
	assert.Len(t, problems, 1000)
}

// A list or map that has nothing yet is written whole, by one operation.
func TestWhatIsMissingIsWrittenWhole(t *testing.T) {
	change, problems := mergeAll(mount.Layout{}, []merge.Secret{annotated("g", "k")})
	require.Empty(t, problems)
	edits, _, err := change.Decide(merge.ViewPod(app(nil)), merge.Options{})
	require.NoError(t, err)
	var paths []string
	for _, op := range edits.Operations() {
		paths = append(paths, op.Path)
	}
	assert.Equal(t, []string{"/metadata/annotations", "/spec/containers/0/env"}, paths)
}

func TestContainersAnnotation(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a"}, {Name: "b"}, {Name: "c"}}}}
	change, problems := mergeAll(mount.Layout{}, []merge.Secret{annotated("g", "k")})
	require.Empty(t, problems)
	listed := func(chosen string) (string, bool) {
		t.Helper()
		edits, problems, err := change.Decide(merge.ViewPod(pod), merge.Options{
			Containers: func(c mount.Container) bool { return strings.Contains(chosen, c.Name) },
		})
		require.NoError(t, err)
		require.Empty(t, problems)
		value, ok := edits.Apply(pod).Annotations["agent/containers"]
		return value, ok
	}
	value, _ := listed("ac")
	assert.Equal(t, "a,c", value)
	_, ok := listed("abc")
	assert.False(t, ok, "all receive")

	pod.Annotations = map[string]string{"agent/containers": "c,a"}
	value, _ = listed("ac")
	assert.Equal(t, "c,a", value, "another order is as good")
}

// What is decided of a Pod does not depend on whether it is typed, in the JSON
// that an API server writes, or in any other.
func TestViewsAreTheSame(t *testing.T) {
	pod := env("A", "1", "_FSEC_G_K", "x", "_FSEC_G_K", "$$", "FLYTE_SECRETS_ENV_PREFIX", "_FSEC_", `"\<`, "quoted")
	pod.ObjectMeta = metav1.ObjectMeta{Name: "n", Labels: map[string]string{"l": "1"}}
	pod.Spec.Volumes = secretVolume(volumeName("g"), "g", corev1.KeyToPath{Key: "a", Path: "a"}).Spec.Volumes
	written, err := json.Marshal(pod)
	require.NoError(t, err)
	change, problems := mergeAll(mount.Layout{}, []merge.Secret{literal("g", "k", "$"), item("g", "b"), fetched("h", "c")})
	require.Empty(t, problems)
	typed, problems, err := change.Decide(merge.ViewPod(pod), merge.Options{})
	require.NoError(t, err)
	require.Empty(t, problems)

	for name, text := range map[string]string{
		"as API servers write it": string(written),
		"names last":              regexp.MustCompile(`\{("name":"[^"]*"),("value":"[^"]*")`).ReplaceAllString(strings.Replace(string(written), `"volumes":[{`, `"volumes":[{"hostPath":null,`, 1), "{$2,$1"),
		"names escaped":           strings.ReplaceAll(string(written), `"name":"_FSEC`, `"name":"\u005fFSEC`),
		"blanks, another case":    `{"Metadata": {"name": "x"}, ` + strings.ReplaceAll(string(written[1:]), `":`, `" : `),
	} {
		t.Run(name, func(t *testing.T) {
			view, err := merge.ViewJSON([]byte(text))
			require.NoError(t, err, text)
			assert.Equal(t, merge.ViewPod(pod).Metadata, view.Metadata)
			edits, problems, err := change.Decide(view, merge.Options{})
			require.NoError(t, err)
			require.Empty(t, problems, text)
			assert.Equal(t, typed.Operations(), edits.Operations())
		})
	}
}
