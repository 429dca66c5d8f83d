package injectortest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// instruct adds the annotations by which Vault's agent brings g/k.
func (w where) instruct() where {
	return w.annotate("agent-inject", "true").annotate("secret-volume-path", dir).
		annotate("agent-inject-secret-1", "secret/data/g").annotate("agent-inject-file-1", "g/k")
}

// injected makes of the Pod what the agent's webhook makes of it.
func (w where) injected() where {
	w.instruct().annotate("agent-inject-status", "injected").mount(dir, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})
	w.pod.Spec.Volumes[0].Name, w.app.VolumeMounts[0].Name = "vault-secrets", "vault-secrets"
	w.pod.Spec.InitContainers = []corev1.Container{{
		Name: "vault-agent-init", VolumeMounts: []corev1.VolumeMount{{Name: "vault-secrets", MountPath: dir}},
	}}
	return w
}

func TestCanRead_Agent(t *testing.T) {
	mode := secret.Request{Group: "g", Key: "k", Mode: 0o400}
	for _, tc := range []readCase{
		{"as told", func(w where) { w.instruct() }, secret.Request{}, ""},
		{"off", func(w where) { w.instruct().annotate("agent-inject", "false") }, secret.Request{}, "no volume is mounted at or above it"},
		{"another file", func(w where) { w.instruct().annotate("agent-inject-file-1", "g/other") }, secret.Request{}, "no annotation makes the agent's init container write it in /etc/flyte/secrets"},
		{"other case", func(w where) { w.instruct().annotate("agent-inject-file-1", "g/K") }, secret.Request{Group: "g", Key: "K"}, "no annotation"},
		{"no secret", func(w where) { w.instruct().annotate("agent-inject-secret-1", "") }, secret.Request{}, "no annotation"},
		{"another directory", func(w where) { w.instruct().annotate("secret-volume-path", "/x") }, secret.Request{}, "no volume is mounted at or above it"},
		{"another directory for this one", func(w where) { w.instruct().annotate("secret-volume-path-1", "/x") }, secret.Request{}, "no annotation"},
		{"default directory", func(w where) {
			w.instruct().env(mount.DefaultDirVar, "/vault/secrets")
			delete(w.pod.Annotations, "vault.hashicorp.com/secret-volume-path")
		}, secret.Request{}, ""},
		{"named by the id", func(w where) { w.instruct().annotate("agent-inject-secret-Key", "s") }, secret.Request{Key: "key"}, ""},
		{"alias", func(w where) {
			w.instruct().annotate("agent-inject-secret-2", "secret/data/g").annotate("agent-inject-file-2", "g/v1/k")
		}, secret.Request{Group: "g", GroupVersion: "v1", Key: "k"}, ""},
		{"no alias", func(w where) { w.instruct() }, secret.Request{Group: "g", GroupVersion: "v1", Key: "k"}, "no annotation"},
		{"exact path", func(w where) { w.instruct().annotate("agent-inject-file-1", "G/K.txt") }, secret.Request{Group: "g", Key: "k", Path: "G/K.txt"}, ""},
		{"listed", func(w where) { w.instruct().annotate("agent-inject-containers", "other,app") }, secret.Request{}, ""},
		{"not listed", func(w where) { w.instruct().annotate("agent-inject-containers", "other") }, secret.Request{}, "does not list the container"},
		{"later", func(w where) { w.instruct().annotate("agent-pre-populate", "false") }, secret.Request{}, "no init container writes secrets"},
		{"configured elsewhere", func(w where) { w.instruct().annotate("agent-configmap", "x") }, secret.Request{}, "the pod does not show what the agent does"},
		{"mode", func(w where) { w.instruct().annotate("agent-inject-perms-1", "0400") }, mode, ""},
		{"another mode", func(w where) { w.instruct().annotate("agent-inject-perms-1", "0440") }, mode, `its annotation for the mode is "0440", not 0400`},
		{"no mode", func(w where) { w.instruct() }, mode, `its annotation for the mode is ""`},
		{"hidden", func(w where) { w.instruct().mount(dir+"/g", items("other")) }, secret.Request{}, `has no file "k"`},
		{"below it", func(w where) {
			w.instruct().annotate("agent-inject-file-1", "x").mount(dir+"/g", items("k"))
		}, secret.Request{}, ""},
		{"Windows", func(w where) { w.instruct().pod.Spec.OS = &corev1.PodOS{Name: corev1.Windows} }, secret.Request{}, "cannot run in a Windows Pod"},
		{"OpenBao", func(w where) {
			w.pod.Annotations = map[string]string{
				"openbao.org/agent-inject": "true", "openbao.org/secret-volume-path": dir,
				"openbao.org/agent-inject-secret-1": "s", "openbao.org/agent-inject-file-1": "g/k",
			}
		}, secret.Request{}, ""},

		{"injected", func(w where) { w.injected() }, secret.Request{}, ""},
		{"injected, mode", func(w where) { w.injected().annotate("agent-inject-perms-1", "400") }, mode, ""},
		{"injected, another mode", func(w where) { w.injected() }, mode, `its annotation for the mode is ""`},
		{"injected, another file", func(w where) { w.injected().annotate("agent-inject-file-1", "x") }, secret.Request{}, `names "g/k"`},
		{"injected, other annotations", func(w where) { w.injected().annotate("agent-inject-containers", "other") }, secret.Request{}, ""},
		{"injected, no mount", func(w where) { w.injected().app.VolumeMounts = nil }, secret.Request{}, "no volume is mounted at or above it"},
		{"injected, no init container", func(w where) { w.injected().pod.Spec.InitContainers = nil }, secret.Request{}, "mounts the emptyDir"},
		{"injected, in word only", func(w where) { w.instruct().annotate("agent-inject-status", "injected") }, secret.Request{}, "no volume is mounted at or above it"},
	} {
		t.Run(tc.name, tc.test)
	}
}

func TestCanRead_AgentInitContainers(t *testing.T) {
	pod := Pod(mount.Container{Name: "init", Init: true})
	const prefix = "vault.hashicorp.com/"
	pod.Annotations = map[string]string{prefix + agentInject: "true", prefix + agentSecret + "1": "s", prefix + agentFile + "1": "k", prefix + agentContainers: "app"}
	for _, c := range []*corev1.Container{&pod.Spec.InitContainers[0], &pod.Spec.Containers[0]} {
		c.Env = []corev1.EnvVar{{Name: mount.DefaultDirVar, Value: "/vault/secrets"}}
	}
	key := secret.Request{Key: "k"}
	assert.NoError(t, CanRead(pod, "app", key))
	assert.ErrorContains(t, CanRead(pod, "init", key), "comes before the agent's")
	pod.Annotations[prefix+agentFirst] = "true"
	assert.NoError(t, CanRead(pod, "init", key), "the list does not concern init containers")
}
