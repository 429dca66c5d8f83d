package merge_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
)

// An annotation that lists the containers, and that a fragment sets itself, is
// written once if both mean the same, and otherwise is a conflict the first
// time already: when the Pod is looked at again, it would be one.
func TestContainersAnnotationThatAFragmentSets(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a"}, {Name: "b"}}}}
	chosen := merge.Options{Containers: func(c mount.Container) bool { return c.Name == "a" }}
	decide := func(pod *corev1.Pod, set func(*mount.Fragment) map[string]string, value string) (*merge.Edits, []merge.Problem) {
		s := annotated("g", "k")
		set(&s.Fragment)["agent/containers"] = value
		change, problems := mergeAll(mount.Layout{}, []merge.Secret{s})
		require.Empty(t, problems)
		edits, problems, err := change.Decide(merge.ViewPod(pod), chosen)
		require.NoError(t, err)
		return edits, problems
	}
	for name, set := range map[string]func(*mount.Fragment) map[string]string{
		"must":    func(f *mount.Fragment) map[string]string { return f.Annotations },
		"default": func(f *mount.Fragment) map[string]string { return f.DefaultAnnotations },
	} {
		t.Run(name, func(t *testing.T) {
			edits, problems := decide(pod, set, "a")
			require.Empty(t, problems)
			once := edits.Apply(pod)
			assert.Equal(t, "a", once.Annotations["agent/containers"])
			again, problems := decide(once, set, "a")
			require.Empty(t, problems)
			assert.True(t, again.Empty())

			_, problems = decide(pod, set, "b")
			require.Len(t, problems, 1)
			assert.EqualError(t, problems[0].Err, `metadata.annotations "agent/containers" lists other containers than those that receive secrets`)
		})
	}
	_, problems := decide(&corev1.Pod{
		ObjectMeta: annotations("agent/containers", "a").ObjectMeta, Spec: pod.Spec,
	}, func(f *mount.Fragment) map[string]string { return f.DefaultAnnotations }, "b")
	assert.Empty(t, problems, "the Pod's own wins over a default")
}
