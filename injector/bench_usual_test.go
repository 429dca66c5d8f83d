package injector_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gomodules.xyz/jsonpatch/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// usual does about what a typical injector does for as many secrets of that kind:
// decode the Pod, append to it, marshal, and compare the two documents. It calls
// nothing of this library, so that no progress here makes it faster.
func (w workload) usual() ([]byte, error) {
	pod := new(corev1.Pod)
	if err := json.Unmarshal(w.ask.Object.Raw, pod); err != nil {
		return nil, err
	}
	for i := range w.reqs {
		usualAppend[w.store](pod, i)
	}
	injected, err := json.Marshal(pod)
	if err != nil {
		return nil, err
	}
	ops, err := jsonpatch.CreatePatch(w.ask.Object.Raw, injected)
	if err != nil {
		return nil, err
	}
	return json.Marshal(ops)
}

// usualAppend are, by store, what a typical injector appends for the secret of
// that index.
var usualAppend = map[string]func(pod *corev1.Pod, i int){
	"k8s": func(pod *corev1.Pod, i int) {
		usualEnv(pod, corev1.EnvVar{Name: fmt.Sprintf("_FSEC_GROUP-%d_TOKEN", i), ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: fmt.Sprintf("group-%d", i)}, Key: "token",
		}}})
	},
	"k8s-file": func(pod *corev1.Pod, i int) {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: fmt.Sprintf("secret-%d", i), VolumeSource: corev1.VolumeSource{
			Secret: &corev1.SecretVolumeSource{SecretName: fmt.Sprintf("group-%d", i), Items: []corev1.KeyToPath{{Key: "token", Path: "token"}}},
		}})
		usualMount(pod, corev1.VolumeMount{Name: fmt.Sprintf("secret-%d", i), MountPath: fmt.Sprintf("/etc/flyte/secrets/group-%d", i), ReadOnly: true})
	},
	"vault": func(pod *corev1.Pod, i int) {
		for key, value := range map[string]string{
			"vault.hashicorp.com/agent-inject":                             "true",
			"vault.hashicorp.com/agent-pre-populate-only":                  "true",
			"vault.hashicorp.com/secret-volume-path":                       "/etc/flyte/secrets",
			fmt.Sprintf("vault.hashicorp.com/agent-inject-secret-%d", i):   "secret/data/task",
			fmt.Sprintf("vault.hashicorp.com/agent-inject-file-%d", i):     fmt.Sprintf("secret/data/task/token-%d", i),
			fmt.Sprintf("vault.hashicorp.com/agent-inject-template-%d", i): fmt.Sprintf(`{{ with secret "secret/data/task" }}{{ index .Data.data "token-%d" }}{{ end }}`, i),
			fmt.Sprintf("vault.hashicorp.com/error-on-missing-key-%d", i):  "true",
			fmt.Sprintf("vault.hashicorp.com/agent-inject-perms-%d", i):    "0444",
		} {
			pod.Annotations[key] = value
		}
	},
	"aws": func(pod *corev1.Pod, i int) {
		usualVolume(pod, i)
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, usualFetcher(fmt.Sprintf("fetch-%d", i), usualFetch(i)...))
	},
	"fetched": func(pod *corev1.Pod, i int) {
		if usualVolume(pod, i); i == 0 {
			pod.Spec.InitContainers = append(pod.Spec.InitContainers, usualFetcher("fetch"))
		}
		c := &pod.Spec.InitContainers[0]
		c.Env = append(c.Env, usualFetch(i)...)
	},
	"global": func(pod *corev1.Pod, i int) {
		usualEnv(pod, corev1.EnvVar{Name: fmt.Sprintf("_FSEC_GROUP-%d_TOKEN", i), Value: "value"})
	},
}

func usualEnv(pod *corev1.Pod, v corev1.EnvVar) {
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		c.Env = append(c.Env, v)
	}
}

func usualMount(pod *corev1.Pod, m corev1.VolumeMount) {
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		c.VolumeMounts = append(c.VolumeMounts, m)
	}
}

// usualVolume appends, with the first secret, the volume into which all are
// fetched.
func usualVolume(pod *corev1.Pod, i int) {
	if i > 0 {
		return
	}
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "secrets", VolumeSource: corev1.VolumeSource{
		EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory},
	}})
	usualMount(pod, corev1.VolumeMount{Name: "secrets", MountPath: "/etc/flyte/secrets", ReadOnly: true})
}

func usualFetcher(name string, env ...corev1.EnvVar) corev1.Container {
	no, yes := false, true
	limits := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("200m"), corev1.ResourceMemory: resource.MustParse("500Mi")}
	return corev1.Container{
		Name: name, Image: "registry.example.com/fetch:v1", Env: env,
		VolumeMounts: []corev1.VolumeMount{{Name: "secrets", MountPath: "/secrets"}},
		Resources:    corev1.ResourceRequirements{Limits: limits, Requests: limits},
		SecurityContext: &corev1.SecurityContext{
			SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			AllowPrivilegeEscalation: &no, RunAsNonRoot: &yes, ReadOnlyRootFilesystem: &yes,
			Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
	}
}

func usualFetch(i int) []corev1.EnvVar {
	return []corev1.EnvVar{
		{Name: fmt.Sprintf("SECRET_%d", i), Value: fmt.Sprintf("%s:token-%d-AbCdEf", arn, i)},
		{Name: fmt.Sprintf("FILE_%d", i), Value: fmt.Sprintf("/secrets/group/token-%d", i)},
	}
}

// The usual way adds hardly more bytes than a review, and not much less.
func TestUsualWay_SamePatch(t *testing.T) {
	for _, s := range stores(t) {
		for _, secrets := range []int{1, 3, 100} {
			w := newWorkload(t, benchPod(sizes[0]), s, secrets)
			patch, err := w.usual()
			require.NoError(t, err)
			before := len(w.ask.Object.Raw)
			usual, ours := len(applyPatch(t, patch, w.ask.Object.Raw))-before, len(patched(t, w))-before
			assert.Less(t, 2*usual, 3*ours, "%s, %d secrets: %d bytes, ours %d", s.name, secrets, usual, ours)
			assert.Less(t, ours, 4*usual, "%s, %d secrets: %d bytes, ours %d", s.name, secrets, usual, ours)
		}
	}
}
