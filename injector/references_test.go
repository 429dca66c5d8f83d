package injector_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func TestPlan_References(t *testing.T) {
	optional := true
	from := func(s *corev1.EnvVarSource) mount.Fragment { return mount.Fragment{Value: mount.FromSource(s)} }
	key := func(name, key string, optional *bool) mount.Fragment {
		return from(&corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key, Optional: optional,
		}})
	}
	fragments := map[string]mount.Fragment{
		"literal":  {Value: mount.Literal(canary)},
		"required": key("db", "password", nil),
		"again":    key("db", "password", &optional),
		"also":     key("db", "user", &optional),
		"config": from(&corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: "settings"}, Key: "url",
		}}),
	}
	in := newInjector(t, func(cfg *injector.Config) {
		m, err := k8ssecret.New(k8ssecret.Config{})
		require.NoError(t, err)
		cfg.Managers = []injector.SecretManager{always{"fixed", func(req secret.Request, _ mount.Target) (mount.Fragment, error) {
			if f, ok := fragments[req.Key]; ok {
				return f, nil
			}
			return mount.Fragment{}, secret.ErrNotFound
		}}, m}
	})
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}
	pod.Namespace = "own-word"
	reqs := []secret.Request{{Group: "g", Key: "required"}, {Group: "g", Key: "again"}, {Group: "g", Key: "also"},
		{Group: "g", Key: "config"}, {Group: "g", Key: "literal"}, {Group: "files", Key: "b", Mount: mount.File}, {Group: "files", Key: "a", Mount: mount.File}}
	plan, err := in.For("team-a").Plan(ctx, pod, reqs...)
	require.NoError(t, err)
	assert.Equal(t, []injector.Reference{
		{Kind: "ConfigMap", Namespace: "team-a", Name: "settings", Keys: []string{"url"}},
		{Kind: "Secret", Namespace: "team-a", Name: "db", Keys: []string{"password"}},
		{Kind: "Secret", Namespace: "team-a", Name: "db", Keys: []string{"user"}, Optional: true},
		{Kind: "Secret", Namespace: "team-a", Name: "files", Keys: []string{"a", "b"}, Optional: true},
	}, plan.References())
	assertNoValue(t, printed(plan.References()), "a reference")

	plan, err = newInjector(t, nil).Plan(ctx, pod, secret.Request{Group: "class-a", Key: "one"})
	require.NoError(t, err)
	assert.Equal(t, []injector.Reference{{Kind: "SecretProviderClass", Namespace: "own-word", Name: "class-a"}}, plan.References())
	plan, err = in.Plan(ctx, pod)
	require.NoError(t, err)
	assert.Empty(t, plan.References())
}
