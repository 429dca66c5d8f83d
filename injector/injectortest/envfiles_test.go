package injectortest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// envFromFile adds a variable from an env file.
func (w where) envFromFile(name, volume, file string) where {
	w.app.Env = append(w.app.Env, corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{
		FileKeyRef: &corev1.FileKeySelector{VolumeName: volume, Path: file, Key: "V"},
	}})
	return w
}

// envFetcher adds the volume "env", and an init container that has it at /env and
// is told of a file.
func (w where) envFetcher(file string) where {
	w.pod.Spec.Volumes = append(w.pod.Spec.Volumes, corev1.Volume{Name: "env", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
	w.pod.Spec.InitContainers = append(w.pod.Spec.InitContainers, corev1.Container{
		Name: "fetch", Args: []string{file}, VolumeMounts: []corev1.VolumeMount{{Name: "env", MountPath: "/env"}},
	})
	return w
}

func TestCanRead_EnvFile(t *testing.T) {
	yes := true
	always := corev1.ContainerRestartPolicyAlways
	relaxed := secret.Request{Group: "g/a b", Key: "1"}
	last := func(w where) *corev1.FileKeySelector { return w.app.Env[len(w.app.Env)-1].ValueFrom.FileKeyRef }
	for _, tc := range []readCase{
		{"written", func(w where) { w.envFetcher("/env/f").envFromFile("_FSEC_G_K", "env", "f") }, secret.Request{}, ""},
		{"relative", func(w where) { w.envFetcher("f").envFromFile("_FSEC_G_K", "env", "f") }, secret.Request{}, ""},
		{"as a variable", func(w where) { w.envFetcher("f").envFromFile("_FSEC_G_K", "env", "f") }, secret.Request{Group: "g", Key: "k", Mount: mount.EnvVar}, ""},
		{"extra variable", func(w where) {
			w.envFetcher("f").envFromFile("_FSEC_G_K", "env", "f").envFromFile("X", "env", "f")
		}, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, ""},
		{"extra variable of another file", func(w where) {
			w.envFetcher("f").envFetcher("e").envFromFile("_FSEC_G_K", "env", "f").envFromFile("X", "env", "e")
		}, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "variable X differs"},
		{"relaxed name", func(w where) { w.envFetcher("f").envFromFile("_FSEC_G/A B_1", "env", "f") }, relaxed, ""},

		{"not named", func(w where) { w.envFetcher("e").envFromFile("_FSEC_G_K", "env", "f") }, secret.Request{},
			`it does not start, as variable _FSEC_G_K needs the file "f" of volume "env": no earlier init container with the emptyDir "env" names "f"`},
		{"optional", func(w where) {
			last(w.envFetcher("e").envFromFile("_FSEC_G_K", "env", "f")).Optional = &yes
		}, secret.Request{}, "it does not start"},
		{"another variable's", func(w where) { w.env("_FSEC_G_K", "").envFetcher("e").envFromFile("X", "env", "f") }, secret.Request{}, "it does not start, as variable X"},
		{"replaced variable's", func(w where) { w.envFetcher("e").envFromFile("X", "env", "f").env("X", "").env("_FSEC_G_K", "") }, secret.Request{}, "it does not start, as variable X"},
		{"another's file", func(w where) { w.mount(dir, items("g/k")).envFetcher("e").envFromFile("X", "env", "f") }, secret.Request{}, "it does not start, as variable X"},
		{"nobody mounts it", func(w where) {
			w.envFetcher("f").envFromFile("_FSEC_G_K", "env", "f").pod.Spec.InitContainers = nil
		}, secret.Request{}, `mounts the emptyDir "env"`},
		{"sidecar", func(w where) {
			w.envFetcher("f").envFromFile("_FSEC_G_K", "env", "f").pod.Spec.InitContainers[0].RestartPolicy = &always
		}, secret.Request{}, `mounts the emptyDir "env"`},
		{"no volume", func(w where) { w.envFromFile("_FSEC_G_K", "env", "f") }, secret.Request{}, `the pod does not show what writes an env file into volume "env"`},
		{"no volume, exact name", func(w where) { w.envFromFile("X", "env", "f") }, secret.Request{Group: "g/a", Key: "k", EnvVar: "X"}, "the pod does not show what"},
		{"no volume, another variable's", func(w where) { w.env("_FSEC_G_K", "").envFromFile("X", "env", "f") }, secret.Request{}, ""},
		{"no emptyDir", func(w where) { w.mount("/env", items("f")).envFromFile("_FSEC_G_K", "/env", "f") }, secret.Request{}, "the volume is not an emptyDir"},

		{"agent", func(w where) {
			w.instruct().envFromFile("_FSEC_A_B", "vault-secrets", "g/k").annotate("agent-inject-containers", "other")
		}, secret.Request{Group: "a", Key: "b"}, ""},
		{"agent, not named", func(w where) { w.instruct().envFromFile("_FSEC_A_B", "vault-secrets", "env") }, secret.Request{Group: "a", Key: "b"}, "no annotation makes the agent's init container write it"},
		{"agent, another volume", func(w where) {
			w.instruct().annotate("secret-volume-path-1", dir+"/g").annotate("agent-inject-file-1", "k").envFromFile("_FSEC_A_B", "vault-secrets", "g/k")
		}, secret.Request{Group: "a", Key: "b"}, "no annotation makes the agent's init container write it"},
		{"agent, later", func(w where) {
			w.instruct().envFromFile("_FSEC_A_B", "vault-secrets", "g/k").annotate("agent-pre-populate", "false")
		}, secret.Request{Group: "a", Key: "b"}, "no init container writes secrets"},
		{"agent, off", func(w where) {
			w.instruct().envFromFile("_FSEC_A_B", "vault-secrets", "g/k").annotate("agent-inject", "false")
		}, secret.Request{Group: "a", Key: "b"}, `does not show what writes an env file into volume "vault-secrets"`},
		{"agent, injected", func(w where) { w.injected().envFromFile("_FSEC_A_B", "vault-secrets", "g/k") }, secret.Request{Group: "a", Key: "b"}, ""},
	} {
		t.Run(tc.name, tc.test)
	}
}

func TestCanRead_EnvFileTooEarly(t *testing.T) {
	w := newWhere().envFetcher("f")
	early := corev1.Container{Name: "early", Env: []corev1.EnvVar{w.envFromFile("_FSEC_G_K", "env", "f").app.Env[1]}}
	w.pod.Spec.InitContainers = append([]corev1.Container{early}, w.pod.Spec.InitContainers...)
	assert.NoError(t, CanRead(w.pod, "app", wanted))
	assert.ErrorContains(t, CanRead(w.pod, "early", wanted), "it does not start")

	agent := newWhere().instruct()
	early.Env = agent.envFromFile("_FSEC_G_K", "vault-secrets", "g/k").app.Env[1:]
	agent.pod.Spec.InitContainers = []corev1.Container{early}
	assert.NoError(t, CanRead(agent.pod, "app", wanted))
	assert.ErrorContains(t, CanRead(agent.pod, "early", wanted), "it does not start")
	agent.annotate("agent-init-first", "true")
	assert.NoError(t, CanRead(agent.pod, "early", wanted))
}
