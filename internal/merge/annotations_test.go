package merge_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
)

func TestAnnotations_BetweenRequests(t *testing.T) {
	set := func(of func(*mount.Webhook) map[string]string, key, value string) func(*merge.Secret) {
		return func(s *merge.Secret) { of(s.Fragment.Webhook)[key] = value }
	}
	required := func(w *mount.Webhook) map[string]string { return w.Annotations }
	defaults := func(w *mount.Webhook) map[string]string { return w.DefaultAnnotations }
	const webhookAdds = "/metadata/annotations containers/0/env(*,*)"
	run(t, []row{
		{name: "two-values", secrets: []merge.Secret{webhookFile("g", "a"), with(webhookFile("g", "b"), set(required, "agent/inject", "false"))}, index: 1,
			want: `metadata.annotations "agent/inject" would need two different values`},
		{name: "two-defaults", secrets: []merge.Secret{webhookFile("g", "a"), with(webhookFile("g", "b"), set(defaults, "agent/role", "x"))}, index: 1,
			want: `metadata.annotations "agent/role" would need two different values`},
		{name: "value-and-default", secrets: []merge.Secret{webhookFile("g", "a"), with(webhookFile("g", "b"), set(required, "agent/role", "x"))}, adds: webhookAdds},
		{name: "two-defaults-and-value", secrets: []merge.Secret{webhookFile("g", "a"), with(webhookFile("g", "b"), set(defaults, "agent/role", "x")), with(webhookFile("g", "c"), set(required, "agent/role", "y"))},
			adds: webhookAdds},
	})
}

func TestAnnotations_InPod(t *testing.T) {
	const field = `metadata.annotations `
	withInit := func(annotations ...string) *corev1.Pod {
		pod := &corev1.Pod{Spec: corev1.PodSpec{InitContainers: []corev1.Container{{Name: "init"}}, Containers: []corev1.Container{{Name: "app"}}}}
		if len(annotations) > 0 {
			pod.Annotations = map[string]string{annotations[0]: annotations[1]}
		}
		return pod
	}
	run(t, []row{
		{name: "other-value", pod: annotations("agent/inject", "false"), secrets: []merge.Secret{webhookFile("g", "k")}, want: field + `"agent/inject" already has a different value`, path: "metadata.annotations[agent/inject]"},
		{name: "other-value-twice", pod: annotations("agent/inject", "false"), secrets: []merge.Secret{webhookFile("g", "a"), webhookFile("g", "b")}, also: []int{1}, want: field + `"agent/inject" already has a different value`},
		{name: "own-default", pod: annotations("agent/role", "mine"), secrets: []merge.Secret{webhookFile("g", "k")},
			adds: "/metadata/annotations/agent~1file-" + mount.Name("g", "k") + " /metadata/annotations/agent~1inject containers/0/env(*,*)"},

		{name: "list-without-receiver", pod: annotations("agent/containers", "other"), secrets: []merge.Secret{webhookFile("g", "k")}, want: field + `"agent/containers" does not list all containers that receive secrets`},
		{name: "list-of-receivers", pod: annotations("agent/containers", "app"), secrets: []merge.Secret{webhookFile("g", "k")},
			adds: "/metadata/annotations/agent~1file-" + mount.Name("g", "k") + " /metadata/annotations/agent~1inject /metadata/annotations/agent~1role containers/0/env(*,*)"},
		{name: "list-of-more", why: "the Pod's author may let others see the files", pod: annotations("agent/containers", "other,app"), secrets: []merge.Secret{webhookFile("g", "k")},
			adds: "/metadata/annotations/agent~1file-" + mount.Name("g", "k") + " /metadata/annotations/agent~1inject /metadata/annotations/agent~1role containers/0/env(*,*)"},
		{name: "init-excluded", pod: withInit(), secrets: []merge.Secret{webhookFile("g", "k")}, options: merge.Options{Containers: func(c mount.Container) bool { return !c.Init }},
			want: field + `"agent/containers" cannot exclude an init container, such as "init"`},
		{name: "all-excluded", pod: withInit(), secrets: []merge.Secret{webhookFile("g", "k")}, options: merge.Options{Containers: func(c mount.Container) bool { return c.Init }},
			want: field + `"agent/containers" cannot exclude all containers`},

		{name: "marked", why: "none of its containers exists", pod: agentRan(func(pod *corev1.Pod) { pod.Spec.InitContainers = nil }), secrets: []merge.Secret{webhookFile("g", "k")},
			want: field + `"agent/status" is "done", but the pod has none of the containers that the other webhook adds`},
		{name: "ran-without-volume", pod: agentRan(func(pod *corev1.Pod) { pod.Spec.Containers[0].VolumeMounts = nil }), secrets: []merge.Secret{webhookFile("g", "k")},
			want: field + `"agent/status" is "done", but container "app" does not have its volume at "/etc/flyte/secrets"`},
		{name: "ran-elsewhere", pod: agentRan(func(pod *corev1.Pod) { pod.Spec.Containers[0].VolumeMounts[0].MountPath = "/elsewhere" }), secrets: []merge.Secret{webhookFile("g", "k")},
			want: field + `"agent/status" is "done", but container "app" does not have its volume at "/etc/flyte/secrets"`},
		{name: "ran-and-more", why: "the webhook will not read added annotations", pod: agentRan(nil), secrets: []merge.Secret{webhookFile("g", "k"), webhookFile("g", "l")}, also: []int{1},
			want: field + `"agent/status" is "done", but "agent/file-` + mount.Name("g", "l") + `" is missing, and the other webhook will not read it`},
		{name: "other-mark", pod: annotations("agent/status", "pending"), secrets: []merge.Secret{webhookFile("g", "k")},
			adds: "/metadata/annotations/agent~1file-" + mount.Name("g", "k") + " /metadata/annotations/agent~1inject /metadata/annotations/agent~1role containers/0/env(*,*)"},
	})
}

// The Pod's own annotations must not make the webhook write one of our files or mount a
// volume over it.
func TestAnnotations_OtherFiles(t *testing.T) {
	for name, tc := range map[string]struct {
		pod      []string
		key      string
		conflict bool
	}{
		"another file":         {pod: []string{"agent/file-x", "g/other"}},
		"our file":             {[]string{"agent/file-x", "g/k"}, "agent/file-x", true},
		"our file, not clean":  {[]string{"agent/file-x", "/g/./y/../k"}, "agent/file-x", true},
		"below our file":       {[]string{"agent/file-x", "g/k/x"}, "agent/file-x", true},
		"our file's directory": {[]string{"agent/file-x", "g"}, "agent/file-x", true},
		"id without a file":    {[]string{"agent/secret-G", "x"}, "agent/secret-G", true},
		"id with another file": {pod: []string{"agent/secret-G", "x", "agent/file-G", "y"}},
		"volume over our file": {[]string{"agent/secret-x", "x", "agent/dir-x", "/etc/flyte/secrets/g"}, "agent/secret-x", true},
		"volume elsewhere":     {pod: []string{"agent/file-x", "g/k", "agent/dir-x", "/elsewhere"}},
		"directory, no secret": {pod: []string{"agent/dir-x", "/etc/flyte/secrets/g"}},
	} {
		t.Run(name, func(t *testing.T) {
			change, problems := mergeAll(mount.Layout{}, []merge.Secret{webhookFile("g", "k")})
			require.Empty(t, problems)
			_, problems, err := change.Decide(merge.ViewPod(annotations(tc.pod...)), merge.Options{})
			require.NoError(t, err)
			if !tc.conflict {
				require.Empty(t, problems)
				return
			}
			require.Len(t, problems, 1)
			assert.EqualError(t, problems[0].Err, fmt.Sprintf("metadata.annotations %q makes the other webhook write or hide a file of a secret", tc.key))
		})
	}
}

// If a fragment sets the annotation that lists containers, it must list the receivers.
// Otherwise the second injection would conflict, so the first one must too.
func TestAnnotations_FragmentList(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a"}, {Name: "b"}}}}
	chosen := merge.Options{Containers: func(c mount.Container) bool { return c.Name == "a" }}
	decide := func(pod *corev1.Pod, set func(*mount.Webhook) map[string]string, value string) (*merge.Edits, []merge.Problem) {
		s := webhookFile("g", "k")
		set(s.Fragment.Webhook)["agent/containers"] = value
		change, problems := mergeAll(mount.Layout{}, []merge.Secret{s})
		require.Empty(t, problems)
		edits, problems, err := change.Decide(merge.ViewPod(pod), chosen)
		require.NoError(t, err)
		return edits, problems
	}
	for name, set := range map[string]func(*mount.Webhook) map[string]string{
		"required": func(w *mount.Webhook) map[string]string { return w.Annotations },
		"default":  func(w *mount.Webhook) map[string]string { return w.DefaultAnnotations },
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
			assert.EqualError(t, problems[0].Err, `metadata.annotations "agent/containers" does not list all containers that receive secrets`)
		})
	}
	_, problems := decide(&corev1.Pod{
		ObjectMeta: annotations("agent/containers", "a").ObjectMeta, Spec: pod.Spec,
	}, func(w *mount.Webhook) map[string]string { return w.DefaultAnnotations }, "b")
	assert.Empty(t, problems, "the Pod's own takes precedence over a default")
}

func TestAnnotations_ReceiverList(t *testing.T) {
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "a"}, {Name: "b"}, {Name: "c"}}}}
	listed := func(chosen string, changes ...func(*merge.Secret)) (string, bool) {
		t.Helper()
		edits := mustDecide(t, mount.Layout{}, []merge.Secret{with(webhookFile("g", "k"), changes...)}, pod, merge.Options{
			Containers: func(c mount.Container) bool { return strings.Contains(chosen, c.Name) },
		})
		value, ok := edits.Apply(pod).Annotations["agent/containers"]
		return value, ok
	}
	value, _ := listed("ac")
	assert.Equal(t, "a,c", value)
	_, ok := listed("abc")
	assert.False(t, ok, "all containers receive")
	value, _ = listed("abc", container("b"))
	assert.Equal(t, "b", value, "the request names it")

	pod.Annotations = map[string]string{"agent/containers": "c,a"}
	value, _ = listed("ac")
	assert.Equal(t, "c,a", value, "the order does not matter")
}

// Kubernetes limits the total size of a Pod's annotations.
func TestAnnotations_Limit(t *testing.T) {
	var secrets []merge.Secret
	for i := range 600 {
		secrets = append(secrets, with(webhookFile("g", fmt.Sprint("k", i)), func(s *merge.Secret) {
			s.Fragment.Webhook.Annotations[fmt.Sprint("agent/template-", i)] = strings.Repeat("t", 400)
		}))
	}
	decide := func(secrets []merge.Secret) error {
		change, problems := mergeAll(mount.Layout{}, secrets)
		require.Empty(t, problems)
		_, problems, err := change.Decide(merge.ViewPod(annotations("own", strings.Repeat("x", 50<<10))), merge.Options{})
		require.Empty(t, problems)
		return err
	}
	assert.NoError(t, decide(secrets[:400]))
	assert.ErrorIs(t, decide(secrets), mount.ErrTooLarge)
}

// Both forms of a patch escape "~" and "/" in JSON pointers (RFC 6901, section 3).
func TestAnnotations_EscapedKeys(t *testing.T) {
	s := webhookFile("g", "k")
	s.Fragment.Webhook.Annotations = map[string]string{"a~b/c~1": "v"}
	s.Fragment.Webhook.DefaultAnnotations = nil
	edits := mustDecide(t, mount.Layout{}, []merge.Secret{s}, annotations("other", "x"), merge.Options{})
	assert.Equal(t, "/metadata/annotations/a~0b~1c~01", edits.Operations()[0].Path)
	text, err := edits.JSON()
	require.NoError(t, err)
	var written []struct{ Path string }
	require.NoError(t, json.Unmarshal(text, &written))
	assert.Equal(t, "/metadata/annotations/a~0b~1c~01", written[0].Path)
}
