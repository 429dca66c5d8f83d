package injector_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// otherWebhooks are those that bring secrets, by the annotation that calls them.
var otherWebhooks = map[string]struct{ dir, first, container, volume string }{
	"agent.example.com/inject":         {"", "", "agent-init", "agent"},
	"vault.hashicorp.com/agent-inject": {"vault.hashicorp.com/secret-volume-path", "vault.hashicorp.com/agent-init-first", "vault-agent-init", "vault-secrets"},
	"openbao.org/agent-inject":         {"openbao.org/secret-volume-path", "openbao.org/agent-init-first", "openbao-agent-init", "openbao-secrets"},
}

// runOtherWebhooks does to an injected Pod what the webhooks do that bring secrets.
func runOtherWebhooks(pod *corev1.Pod) {
	for annotation, w := range otherWebhooks {
		if pod.Annotations[annotation] != "true" {
			continue
		}
		dir := mount.Layout{}.WithDefaults().Dir
		if own, ok := pod.Annotations[w.dir]; ok {
			dir = own
		}
		for _, containers := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
			for i := range containers {
				containers[i].VolumeMounts = append(containers[i].VolumeMounts, corev1.VolumeMount{Name: w.volume, MountPath: dir})
			}
		}
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: w.volume})
		at := len(pod.Spec.InitContainers)
		if w.first == "" || pod.Annotations[w.first] == "true" {
			at = 0
		}
		pod.Spec.InitContainers = slices.Insert(pod.Spec.InitContainers, at, corev1.Container{Name: w.container})
	}
}

func verify(t *testing.T, in *injector.Injector, pod *corev1.Pod) *admissionv1.AdmissionResponse {
	t.Helper()
	response := in.Verify(ctx, creation(toJSON(t, pod)))
	require.NotNil(t, response)
	assert.Nil(t, response.Patch)
	return response
}

func TestVerify_AllowsInjected(t *testing.T) {
	forAll(t, func(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) {
		once := stamped(t, inject(t, in, pod, reqs...), reqs...)
		fillDefaults(once)
		runOtherWebhooks(once)
		response := verify(t, in, once)
		require.True(t, response.Allowed, "%v", response.Result)
		want := injector.OutcomeVerified
		if len(reqs) == 0 {
			want = injector.OutcomeSkipped
		}
		assert.Equal(t, want, response.AuditAnnotations[injector.AuditOutcome])
	})
}

func TestVerify_RefusesIncomplete(t *testing.T) {
	forAll(t, func(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) {
		once := stamped(t, inject(t, in, pod, reqs...), reqs...)
		runOtherWebhooks(once)
		require.True(t, verify(t, in, once).Allowed)
		for what, lacking := range withoutOne(stamped(t, pod, reqs...), once) {
			response := verify(t, in, lacking)
			assert.False(t, response.Allowed, "without %s", what)
		}
	})
}

// withoutOne returns the Pod without each single thing that it has and the first
// one has not.
func withoutOne(first, pod *corev1.Pod) map[string]*corev1.Pod {
	all := make(map[string]*corev1.Pod)
	for name := range pod.Annotations {
		if _, ok := first.Annotations[name]; !ok {
			out := pod.DeepCopy()
			delete(out.Annotations, name)
			all["annotation "+name] = out
		}
	}
	for i, v := range pod.Spec.Volumes {
		if mount.IsName(v.Name) && !slices.ContainsFunc(first.Spec.Volumes, func(w corev1.Volume) bool { return w.Name == v.Name }) {
			out := pod.DeepCopy()
			out.Spec.Volumes = slices.Delete(out.Spec.Volumes, i, i+1)
			all["volume "+v.Name] = out
		}
	}
	had := make(map[string]*corev1.Container)
	for _, containers := range [][]corev1.Container{first.Spec.InitContainers, first.Spec.Containers} {
		for i := range containers {
			had[containers[i].Name] = &containers[i]
		}
	}
	lists := func(pod *corev1.Pod) []*[]corev1.Container {
		return []*[]corev1.Container{&pod.Spec.InitContainers, &pod.Spec.Containers}
	}
	for l, containers := range lists(pod) {
		for i := range *containers {
			c := &(*containers)[i]
			before, ok := had[c.Name]
			if !ok {
				out := pod.DeepCopy()
				list := lists(out)[l]
				*list = slices.Delete(*list, i, i+1)
				all["container "+c.Name] = out
				continue
			}
			for j, v := range c.Env {
				if !slices.ContainsFunc(before.Env, func(w corev1.EnvVar) bool { return w.Name == v.Name }) {
					out := pod.DeepCopy()
					env := &(*lists(out)[l])[i].Env
					*env = slices.Delete(*env, j, j+1)
					all["variable "+v.Name+" of "+c.Name] = out
				}
			}
			for j, m := range c.VolumeMounts {
				if mount.IsName(m.Name) && !slices.ContainsFunc(before.VolumeMounts, func(w corev1.VolumeMount) bool { return w.MountPath == m.MountPath }) {
					out := pod.DeepCopy()
					mounts := &(*lists(out)[l])[i].VolumeMounts
					*mounts = slices.Delete(*mounts, j, j+1)
					all["mount "+m.MountPath+" of "+c.Name] = out
				}
			}
		}
	}
	return all
}

func TestVerify_Refusals(t *testing.T) {
	late := func(cfg *injector.Config) {
		cfg.Late = func(c mount.Container) bool { return c.Name == "mesh" }
	}
	user := secret.Request{Group: "user-info", Key: "username"}
	file := secret.Request{Group: "fetch/a", Key: "one"}
	agent := secret.Request{Group: "annotate/a", Key: "one"}
	for name, tc := range map[string]struct {
		req    secret.Request
		change func(*corev1.Pod)
		want   string // of the message; empty if it is allowed
	}{
		"a variable is removed": {user, func(pod *corev1.Pod) { pod.Spec.Containers[0].Env = nil },
			`secret group="user-info" key="username": manager k8s: container "app": env "_FSEC_USER-INFO_USERNAME" is missing`},
		"a sidecar is added": {user, func(pod *corev1.Pod) {
			pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: "added"})
		}, `container "added": env "_FSEC_USER-INFO_USERNAME" is missing`},
		"a sidecar is added that may be": {user, func(pod *corev1.Pod) {
			pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: "mesh"})
		}, ""},
		"both": {user, func(pod *corev1.Pod) {
			pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: "mesh"}, corev1.Container{Name: "added"})
		}, `containers of other webhooks were not verified: ["mesh"]`},
		"an init container is moved in front of the fetcher": {file, func(pod *corev1.Pod) {
			pod.Spec.InitContainers[0], pod.Spec.InitContainers[1] = pod.Spec.InitContainers[1], pod.Spec.InitContainers[0]
		}, `initContainers "setup" starts before the init container that fetches the secret`},
		"another webhook has not run": {agent, func(pod *corev1.Pod) {},
			`volumes "agent" is missing: the webhook that adds it has not run: the pod has none of the containers that the other webhook adds`},
		"another webhook has run": {agent, runOtherWebhooks, ""},
		"another webhook's volume is removed": {agent, func(pod *corev1.Pod) {
			runOtherWebhooks(pod)
			pod.Spec.Containers[0].VolumeMounts = nil
		}, `volumes "agent" is missing: the webhook that adds it has not run: container "app" does not have its volume at "/etc/flyte/secrets"`},
		"a mirror Pod that no node creates": {user, func(pod *corev1.Pod) {
			pod.Annotations[corev1.MirrorPodAnnotationKey] = "hash"
			pod.Spec.Containers[0].Env = nil
		}, `is missing`},
	} {
		t.Run(name, func(t *testing.T) {
			in := newInjector(t, late)
			pod := &corev1.Pod{Spec: corev1.PodSpec{
				InitContainers: []corev1.Container{{Name: "setup"}}, Containers: []corev1.Container{{Name: "app"}},
			}}
			pod = stamped(t, inject(t, in, pod, tc.req), tc.req)
			tc.change(pod)
			response := verify(t, in, pod)
			if tc.want == "" {
				assert.True(t, response.Allowed, "%v", response.Result)
				return
			}
			require.False(t, response.Allowed)
			assert.Contains(t, response.Result.Message, tc.want)
			assert.EqualValues(t, 422, response.Result.Code)
			assert.Equal(t, injector.OutcomeIncomplete, response.AuditAnnotations[injector.AuditOutcome])
			assert.NotEmpty(t, response.Result.Details.Causes)
		})
	}
}

// A Pod that bypassed Review, because its label was missing or the webhook was
// down.
func TestVerify_PodWithoutReview(t *testing.T) {
	pod := stamped(t, userStoryPod(), secret.Request{Group: "user-info", Key: "password"})
	response := verify(t, newInjector(t, nil), pod)
	require.False(t, response.Allowed)
	assert.Contains(t, response.Result.Message, `secret group="user-info" key="password"`)
	cause := response.Result.Details.Causes[0]
	assert.Equal(t, "spec.initContainers[0].env", cause.Field)
}
