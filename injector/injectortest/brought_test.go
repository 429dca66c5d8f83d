package injectortest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// fetch adds an emptyDir, mounted at Flyte's directory, and an init container
// that has it at /out.
func (w where) fetch(change func(*corev1.Container)) where {
	if len(w.pod.Spec.Volumes) == 0 {
		w.mount(dir, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})
	}
	c := corev1.Container{Name: "fetch", VolumeMounts: []corev1.VolumeMount{{Name: dir, MountPath: "/out"}}}
	change(&c)
	w.pod.Spec.InitContainers = append(w.pod.Spec.InitContainers, c)
	return w
}

func TestCanReadFetchedFiles(t *testing.T) {
	args := func(words ...string) func(*corev1.Container) {
		return func(c *corev1.Container) { c.Args = words }
	}
	env := func(vars ...corev1.EnvVar) func(*corev1.Container) {
		return func(c *corev1.Container) { c.Env = vars }
	}
	both := func(changes ...func(*corev1.Container)) func(*corev1.Container) {
		return func(c *corev1.Container) {
			for _, change := range changes {
				change(c)
			}
		}
	}
	always := corev1.ContainerRestartPolicyAlways
	const none = `names "g/k" in a variable or argument`
	const unmounted = `none mounts the emptyDir`
	for _, tc := range []readCase{
		{"in a variable", func(w where) { w.fetch(env(corev1.EnvVar{Name: "FILE", Value: "/out/g/k"})) }, secret.Request{}, ""},
		{"in a variable, below the mount", func(w where) { w.fetch(env(corev1.EnvVar{Name: "FILE", Value: "/g/k"})) }, secret.Request{}, ""},
		{"without a slash", func(w where) { w.fetch(args("g/k")) }, secret.Request{}, ""},
		{"behind an equals sign", func(w where) { w.fetch(args("--to=/out/g/k")) }, secret.Request{}, ""},
		{"in the command", func(w where) { w.fetch(func(c *corev1.Container) { c.Command = []string{"cp", "x", "/out/g/k"} }) }, secret.Request{}, ""},
		{"in a script", func(w where) { w.fetch(args("-c", "fetch g k > /out/g/k")) }, secret.Request{}, ""},
		{"with a blank in its name", func(w where) { w.fetch(args("/out/g/a b")) }, secret.Request{Group: "g", Key: "a b"}, ""},
		{"as the kubelet expands it", func(w where) {
			w.fetch(both(env(corev1.EnvVar{Name: "D", Value: "/out"}), args("$(D)/g/k")))
		}, secret.Request{}, ""},
		{"with a doubled dollar", func(w where) { w.fetch(args("/out/g/$$(x)")) }, secret.Request{Group: "g", Key: "$(x)"}, ""},
		{"with a dollar that the kubelet takes away", func(w where) { w.fetch(args("/out/g/a$$b")) }, secret.Request{Group: "g", Key: "a$$b"},
			`has that file at "/out/g/a$$b", where "$" is doubled`},
		{"another file", func(w where) { w.fetch(args("/out/g/other")) }, secret.Request{}, none},
		{"in another case", func(w where) { w.fetch(args("/out/G/K")) }, secret.Request{Group: "G", Key: "K"}, none},
		{"in another directory", func(w where) { w.fetch(args("/tmp/g/k")) }, secret.Request{}, none + `: init container "fetch" has that file at "/out/g/k"`},
		{"in a deeper one", func(w where) { w.fetch(args("/out/a/g/k")) }, secret.Request{}, none},
		{"only its end", func(w where) { w.fetch(args("/out/xg/k")) }, secret.Request{}, none},
		{"only its directory", func(w where) { w.fetch(args("/out/g")) }, secret.Request{}, none},
		{"from an object", func(w where) {
			w.fetch(both(env(corev1.EnvVar{Name: "D", ValueFrom: &corev1.EnvVarSource{}}), args("$(D)/g/k")))
		}, secret.Request{}, none},
		{"the second of two", func(w where) { w.fetch(args("/out/g/other")).fetch(args("/out/g/k")) }, secret.Request{}, ""},
		{"read-only", func(w where) {
			w.fetch(both(args("/out/g/k"), func(c *corev1.Container) { c.VolumeMounts[0].ReadOnly = true }))
		}, secret.Request{}, none},
		{"without the volume", func(w where) {
			w.fetch(both(args("/out/g/k"), func(c *corev1.Container) { c.VolumeMounts = nil }))
		}, secret.Request{}, unmounted},
		{"another volume at that path", func(w where) {
			w.mount("/other", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}).mount(dir, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})
			w.fetch(both(args("/out/g/k"), func(c *corev1.Container) { c.VolumeMounts[0].Name = "/other" }))
		}, secret.Request{}, unmounted},
		{"a part of it that is to be expanded", func(w where) {
			w.fetch(both(args("/out/g/k"), func(c *corev1.Container) { c.VolumeMounts[0].SubPathExpr = "$(POD)" }))
		}, secret.Request{}, none},
		{"a part of the volume", func(w where) {
			w.fetch(both(args("/out/k"), func(c *corev1.Container) { c.VolumeMounts[0].SubPath = "g" }))
		}, secret.Request{}, ""},
		{"another part of it", func(w where) {
			w.fetch(both(args("/out/g/k"), func(c *corev1.Container) { c.VolumeMounts[0].SubPath = "g" }))
		}, secret.Request{}, none},
		{"a sidecar may be late", func(w where) {
			w.fetch(both(args("/out/g/k"), func(c *corev1.Container) { c.RestartPolicy = &always }))
		}, secret.Request{}, unmounted},
		{"unless it has a probe for which the others wait", func(w where) {
			w.fetch(both(args("/out/g/k"), func(c *corev1.Container) { c.RestartPolicy, c.StartupProbe = &always, &corev1.Probe{} }))
		}, secret.Request{}, ""},
		{"a container beside it is no fetcher", func(w where) {
			w.fetch(args("x"))
			w.pod.Spec.Containers = append(w.pod.Spec.Containers, corev1.Container{Name: "b", Args: []string{"/out/g/k"}, VolumeMounts: []corev1.VolumeMount{{Name: dir, MountPath: "/out"}}})
		}, secret.Request{}, none},
		{"below a volume of another Secret", func(w where) {
			w.mount(dir, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}).mount(dir+"/g", items("other")).fetch(args("/out/g/k"))
		}, secret.Request{}, `volume "/etc/flyte/secrets/g" has no file "k"`},
	} {
		t.Run(tc.name, tc.test)
	}
}

func TestCanReadVaultsFiles(t *testing.T) {
	instructed := func(w where) where {
		return w.annotate("agent-inject", "true").annotate("secret-volume-path", dir).
			annotate("agent-inject-secret-1", "secret/data/g").annotate("agent-inject-file-1", "g/k")
	}
	for _, tc := range []readCase{
		{"as told", func(w where) { instructed(w) }, secret.Request{}, ""},
		{"not asked to inject", func(w where) { instructed(w).annotate("agent-inject", "false") }, secret.Request{}, "no volume is mounted at or above it"},
		{"injected before", func(w where) { instructed(w).annotate("agent-inject-status", "injected") }, secret.Request{}, "no volume is mounted at or above it"},
		{"another file", func(w where) { instructed(w).annotate("agent-inject-file-1", "g/other") }, secret.Request{}, "no annotation has the Vault Agent Injector bring it"},
		{"in another case", func(w where) { instructed(w).annotate("agent-inject-file-1", "g/K") }, secret.Request{Group: "g", Key: "K"}, "no annotation"},
		{"without a secret", func(w where) { instructed(w).annotate("agent-inject-secret-1", "") }, secret.Request{}, "no annotation"},
		{"in another directory", func(w where) { instructed(w).annotate("secret-volume-path", "/x") }, secret.Request{}, "no volume is mounted at or above it"},
		{"this one in another", func(w where) { instructed(w).annotate("secret-volume-path-1", "/x") }, secret.Request{}, "no annotation"},
		{"in Vault's own directory", func(w where) {
			instructed(w).env(mount.DefaultDirVar, "/vault/secrets")
			delete(w.pod.Annotations, "vault.hashicorp.com/secret-volume-path")
		}, secret.Request{}, ""},
		{"the file is named after the id", func(w where) {
			instructed(w).annotate("agent-inject-secret-Key", "s")
		}, secret.Request{Key: "key"}, ""},
		{"listed", func(w where) { instructed(w).annotate("agent-inject-containers", "other,app") }, secret.Request{}, ""},
		{"not listed", func(w where) { instructed(w).annotate("agent-inject-containers", "other") }, secret.Request{}, "does not list the container"},
		{"not before it starts", func(w where) { instructed(w).annotate("agent-pre-populate", "false") }, secret.Request{}, "no init container brings secrets"},
		{"configured elsewhere", func(w where) { instructed(w).annotate("agent-configmap", "x") }, secret.Request{}, "the pod does not tell what the agent does"},
		{"hidden by a volume of a Secret", func(w where) { instructed(w).mount(dir+"/g", items("other")) }, secret.Request{}, `has no file "k"`},
		{"above a volume of a Secret that has it", func(w where) {
			instructed(w).annotate("agent-inject-file-1", "x").mount(dir+"/g", items("k"))
		}, secret.Request{}, ""},
	} {
		t.Run(tc.name, tc.test)
	}
}

func TestCanReadOfEveryContainer(t *testing.T) {
	fetcher := mount.Container{Name: "fetcher", Init: true}
	pod := Pod(mount.Container{Name: "early", Init: true}, fetcher, mount.Container{Name: "late", Init: true},
		mount.Container{Name: "proxy", Init: true, Sidecar: true}, mount.Container{Name: "app"})
	pod.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for i := range list {
			list[i].Env = []corev1.EnvVar{{Name: mount.DefaultDirVar, Value: dir}}
			list[i].VolumeMounts = []corev1.VolumeMount{{Name: "v", MountPath: dir}}
		}
	}
	pod.Spec.InitContainers[1].Args = []string{dir + "/g/k"}
	for name, can := range map[string]bool{"early": false, "fetcher": false, "late": true, "proxy": true, "app": true} {
		assert.Equal(t, can, CanRead(pod, name, wanted) == nil, name)
	}
	assert.EqualError(t, CanRead(pod, "nobody", wanted), `the pod has no container "nobody"`)
	assert.EqualError(t, CanRead(nil, "app", wanted), "there is no pod")

	vaults := Pod(mount.Container{Name: "init", Init: true})
	vaults.Annotations = map[string]string{vaultInject: "true", vaultSecret + "1": "s", vaultName + "1": "k", vaultContainers: "app"}
	for _, c := range []*corev1.Container{&vaults.Spec.InitContainers[0], &vaults.Spec.Containers[0]} {
		c.Env = []corev1.EnvVar{{Name: mount.DefaultDirVar, Value: "/vault/secrets"}}
	}
	key := secret.Request{Key: "k"}
	assert.NoError(t, CanRead(vaults, "app", key))
	assert.ErrorContains(t, CanRead(vaults, "init", key), "comes before the agent's")
	vaults.Annotations[vaultFirst] = "true"
	assert.NoError(t, CanRead(vaults, "init", key), "the list does not concern init containers")
}

// What wraps ErrUnknown is what no more looking could find out.
func TestErrUnknown(t *testing.T) {
	w := newWhere().mount(dir, corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{}})
	assert.ErrorIs(t, CanRead(w.pod, "app", wanted), ErrUnknown)
	w.mount(dir+"/g", items("other"))
	assert.NotErrorIs(t, CanRead(w.pod, "app", wanted), ErrUnknown, "whatever the driver's volume has")
}
