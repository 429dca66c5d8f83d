package merge_test

import (
	"fmt"
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
	change, problems := merge.Merge(mount.Layout{}, []merge.Secret{fetched("g", "k")})
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
		change, problems := merge.Merge(mount.Layout{}, secrets)
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
	change, problems := merge.Merge(mount.Layout{}, []merge.Secret{annotated("g", "k")})
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
	change, problems := merge.Merge(mount.Layout{}, []merge.Secret{annotated("g", "k")})
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

func TestViewsAreTheSame(t *testing.T) {
	pod := app(func(c *corev1.Container) { c.Env = []corev1.EnvVar{{Name: "A", Value: "1"}} })
	pod.ObjectMeta = metav1.ObjectMeta{Name: "n", Labels: map[string]string{"l": "1"}}
	view, err := merge.ViewJSON([]byte(`{"metadata":{"name":"n","labels":{"l":"1"},"Annotations":{"x":"case matters"}},"spec":{"containers":[{"name":"app","env":[{"name":"A","value":"1"}]}]}}`))
	require.NoError(t, err)
	assert.Equal(t, merge.ViewPod(pod).Meta(), view.Meta())
	assert.Equal(t, merge.ViewPod(pod).Spec.Containers, view.Spec.Containers)
}
