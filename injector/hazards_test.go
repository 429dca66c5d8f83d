package injector_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

// hazard is an unusual Pod or list of requests, accidental or malicious, with
// the expected result. The package documentation explains them under "Special
// cases".
type hazard struct {
	name   string
	pod    func(*corev1.Pod) // changes a Pod with an init container and a container
	reqs   []secret.Request
	keep   bool   // with mount.ConflictKeepPod
	denied string // the message of the refusal, if any
	check  func(t *testing.T, before, after *corev1.Pod)
}

// ask makes requests for files from "group/key".
func ask(as mount.Type, names ...string) (reqs []secret.Request) {
	for _, name := range names {
		at := strings.LastIndexByte(name, '/')
		reqs = append(reqs, secret.Request{Group: name[:at], Key: name[at+1:], Mount: as})
	}
	return reqs
}

// hazardInjector has the managers of a typical cluster.
func hazardInjector(t *testing.T, policy mount.ConflictPolicy) *injector.Injector {
	held, err := global.New(global.Config{Source: values{
		"shared/token": canary, "a/b_c": canary, "a_b/c": canary, "G/one": canary, "g/one": canary,
	}})
	require.NoError(t, err)
	aws, err := awssm.New(awssm.Config{})
	require.NoError(t, err)
	vaults, err := vault.New(vault.Config{})
	require.NoError(t, err)
	in, err := injector.New(injector.Config{
		Managers:   []injector.SecretManager{held, aws, k8s(t), limited{vaults, "/"}},
		OnConflict: policy,
	})
	require.NoError(t, err)
	return in
}

// run reviews the Pod as an API server sends it, and checks what always holds:
// the typed API gives the same result, and injection is idempotent.
func (h hazard) run(t *testing.T) {
	policy := mount.ConflictFail
	if h.keep {
		policy = mount.ConflictKeepPod
	}
	in := hazardInjector(t, policy)
	pod := &corev1.Pod{Spec: corev1.PodSpec{
		InitContainers: []corev1.Container{{Name: "setup"}},
		Containers:     []corev1.Container{{Name: "app"}},
	}}
	pod.Namespace = "flytesnacks-development"
	if h.pod != nil {
		h.pod(pod)
	}
	before := stamped(t, pod, h.reqs...)
	raw := toJSON(t, before)
	response := in.Review(ctx, creation(raw))
	after, err := in.Inject(ctx, before, h.reqs...)
	if h.denied != "" {
		require.False(t, response.Allowed)
		assert.Equal(t, h.denied, response.Result.Message)
		assert.Less(t, response.Result.Code, int32(500), "the Pod's author can fix it")
		assert.Error(t, err)
		return
	}
	require.True(t, response.Allowed, "%+v", response.Result)
	require.NoError(t, err)
	patched := raw
	if response.Patch != nil {
		patched = applyPatch(t, response.Patch, raw)
	}
	assert.JSONEq(t, string(toJSON(t, after)), string(patched), "Review and Inject differ")
	again, err := in.Inject(ctx, after, h.reqs...)
	require.NoError(t, err)
	assert.Equal(t, after, again, "injection is not idempotent")
	h.check(t, before, after)
}

func runHazards(t *testing.T, hazards []hazard) {
	for _, h := range hazards {
		t.Run(h.name, h.run)
	}
}

func app(pod *corev1.Pod) *corev1.Container { return &pod.Spec.Containers[0] }

// env returns the last variable of that name, which is the one that counts.
func env(c *corev1.Container, name string) *corev1.EnvVar {
	for i := len(c.Env) - 1; i >= 0; i-- {
		if c.Env[i].Name == name {
			return &c.Env[i]
		}
	}
	return nil
}

func setEnv(name, value string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) { app(pod).Env = append(app(pod).Env, corev1.EnvVar{Name: name, Value: value}) }
}

// Unusual Pods.
func TestHazards_Pods(t *testing.T) {
	windows := func(pod *corev1.Pod) {
		pod.Labels = map[string]string{corev1.LabelOSStable: "windows"}
		pod.Spec.OS = &corev1.PodOS{Name: corev1.Windows}
	}
	served := func(t *testing.T, before, after *corev1.Pod) {
		for _, c := range slices.Concat(after.Spec.InitContainers, after.Spec.Containers) {
			assert.NotNil(t, env(&c, "_FSEC_G_K"), c.Name)
		}
		without := after.DeepCopy()
		for i := range without.Spec.InitContainers {
			without.Spec.InitContainers[i].Env = nil
		}
		for i := range without.Spec.Containers {
			without.Spec.Containers[i].Env = nil
		}
		assert.Equal(t, before, without, "all else is as it was")
	}
	runHazards(t, []hazard{
		{name: "windows variable", pod: windows, reqs: ask(mount.EnvVar, "g/k"), check: served},
		{name: "windows aws", pod: windows, reqs: ask(mount.Any, arn+"/k-AbCdEf"),
			denied: fmt.Sprintf(`secret group=%q key="k-AbCdEf": no manager serves it (global: not supported; aws: not supported; k8s: not supported; vault: not found)`, arn)},
		{name: "host network", pod: func(pod *corev1.Pod) {
			pod.Spec.HostNetwork, pod.Spec.HostPID = true, true
			app(pod).Ports = []corev1.ContainerPort{{ContainerPort: 80, HostPort: 80}}
		}, reqs: ask(mount.EnvVar, "g/k"), check: served},
		{name: "ephemeral containers", pod: func(pod *corev1.Pod) {
			pod.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug"}}}
		}, reqs: ask(mount.EnvVar, "g/k"), check: served},
		{name: "no containers", pod: func(pod *corev1.Pod) { pod.Spec = corev1.PodSpec{} }, reqs: ask(mount.EnvVar, "g/k"),
			denied: "no container of the pod receives the requested secrets"},
		{name: "only fetchers", pod: func(pod *corev1.Pod) {
			pod.Spec = corev1.PodSpec{InitContainers: []corev1.Container{{
				Name: mount.Name("x"), VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/out"}},
			}}}
		}, reqs: ask(mount.EnvVar, "g/k"), denied: "no container of the pod receives the requested secrets"},
		{name: "scheduled", pod: func(pod *corev1.Pod) { pod.Spec.NodeName = "node" }, reqs: ask(mount.EnvVar, "g/k"), check: served},
	})
}

// An API server refuses a mirror Pod that differs from what the kubelet sent.
func TestHazards_MirrorPods(t *testing.T) {
	pod := stamped(t, userStoryPod(), ask(mount.EnvVar, "g/k")...)
	pod.Annotations[corev1.MirrorPodAnnotationKey] = ""
	request := creation(toJSON(t, pod))
	response := hazardInjector(t, mount.ConflictFail).Review(ctx, request)
	assert.NotNil(t, response.Patch, "anyone can write the annotation")
	request.UserInfo.Groups = []string{"system:nodes", "system:authenticated"}
	response = hazardInjector(t, mount.ConflictFail).Review(ctx, request)
	assert.True(t, response.Allowed)
	assert.Nil(t, response.Patch)
}

// A review ignores the Pod's own namespace, and keys in other letters, which
// API servers do not know.
func TestReview_ClaimedNamespace(t *testing.T) {
	held, err := global.New(global.Config{
		Source: values{"shared/token": canary},
		Allow:  func(_ secret.Request, target mount.Target) bool { return target.Namespace() == "trusted" },
	})
	require.NoError(t, err)
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{held}})
	require.NoError(t, err)
	pod := stamped(t, userStoryPod(), ask(mount.EnvVar, "shared/token")...)
	pod.Namespace = "trusted"
	raw := string(toJSON(t, pod))
	for name, body := range map[string]string{
		"in metadata":      raw,
		"in other letters": strings.Replace(raw, `"namespace"`, `"Namespace"`, 1),
		"a second time":    strings.Replace(raw, `{`, `{"metadata":{"namespace":"trusted"},`, 1),
		"at the top":       strings.Replace(raw, `{`, `{"namespace":"trusted",`, 1),
	} {
		req := creation([]byte(body))
		req.Namespace = "hostile"
		response := in.Review(ctx, req)
		require.False(t, response.Allowed, name)
		assert.Equal(t, `secret group="shared" key="token" mount=ENV_VAR: no manager serves it (global: not found)`, response.Result.Message, name)
		req.Namespace = "trusted"
		assert.True(t, in.Review(ctx, req).Allowed, name)
	}
}
