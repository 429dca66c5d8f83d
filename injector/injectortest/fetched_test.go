package injectortest

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

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

func args(words ...string) func(*corev1.Container) {
	return func(c *corev1.Container) { c.Args = words }
}

func env(vars ...corev1.EnvVar) func(*corev1.Container) {
	return func(c *corev1.Container) { c.Env = vars }
}

func both(changes ...func(*corev1.Container)) func(*corev1.Container) {
	return func(c *corev1.Container) {
		for _, change := range changes {
			change(c)
		}
	}
}

const (
	unnamed   = `names "g/k" in a variable or argument`
	unmounted = `mounts the emptyDir`
)

func TestCanRead_FetchedNames(t *testing.T) {
	for _, tc := range []readCase{
		{"variable", func(w where) { w.fetch(env(corev1.EnvVar{Name: "FILE", Value: "/out/g/k"})) }, secret.Request{}, ""},
		{"variable below the mount", func(w where) { w.fetch(env(corev1.EnvVar{Name: "FILE", Value: "/g/k"})) }, secret.Request{}, ""},
		{"relative", func(w where) { w.fetch(args("g/k")) }, secret.Request{}, ""},
		{"behind =", func(w where) { w.fetch(args("--to=/out/g/k")) }, secret.Request{}, ""},
		{"command", func(w where) { w.fetch(func(c *corev1.Container) { c.Command = []string{"cp", "x", "/out/g/k"} }) }, secret.Request{}, ""},
		{"script", func(w where) { w.fetch(args("-c", "fetch g k > /out/g/k")) }, secret.Request{}, ""},
		{"blank", func(w where) { w.fetch(args("/out/g/a b")) }, secret.Request{Group: "g", Key: "a b"}, ""},
		{"expanded", func(w where) {
			w.fetch(both(env(corev1.EnvVar{Name: "D", Value: "/out"}), args("$(D)/g/k")))
		}, secret.Request{}, ""},
		{"doubled dollar", func(w where) { w.fetch(args("/out/g/$$(x)")) }, secret.Request{Group: "g", Key: "$(x)"}, ""},
		{"single dollar", func(w where) { w.fetch(args("/out/g/a$$b")) }, secret.Request{Group: "g", Key: "a$$b"},
			`has that file at "/out/g/a$$b", where "$" is doubled`},
		{"JSON", func(w where) { w.fetch(args(`{"all":[{"to":"/out/g/k"}]}`)) }, secret.Request{}, ""},
		{"JSON key", func(w where) { w.fetch(args(`{"/out/g/k":1}`)) }, secret.Request{}, unnamed},
		{"not JSON", func(w where) { w.fetch(args(`{"to":"/out/g/k"`)) }, secret.Request{}, unnamed},
		{"reader's own variable", func(w where) {
			w.env("K_FILE", dir+"/g/k").fetch(both(env(corev1.EnvVar{Name: "K_FILE", Value: dir + "/g/k"}), func(c *corev1.Container) {
				c.VolumeMounts[0].MountPath = dir
			}))
		}, secret.Request{Group: "g", Key: "k", EnvVar: "K_FILE"}, unnamed},
		{"another file", func(w where) { w.fetch(args("/out/g/other")) }, secret.Request{}, unnamed},
		{"other case", func(w where) { w.fetch(args("/out/G/K")) }, secret.Request{Group: "G", Key: "K"}, unnamed},
		{"outside the mount", func(w where) { w.fetch(args("/tmp/g/k")) }, secret.Request{}, unnamed + `: init container "fetch" has that file at "/out/g/k"`},
		{"deeper", func(w where) { w.fetch(args("/out/a/g/k")) }, secret.Request{}, unnamed},
		{"longer name", func(w where) { w.fetch(args("/out/xg/k")) }, secret.Request{}, unnamed},
		{"directory", func(w where) { w.fetch(args("/out/g")) }, secret.Request{}, unnamed},
		{"from an object", func(w where) {
			w.fetch(both(env(corev1.EnvVar{Name: "D", ValueFrom: &corev1.EnvVarSource{}}), args("$(D)/g/k")))
		}, secret.Request{}, unnamed},
	} {
		t.Run(tc.name, tc.test)
	}
}

func TestCanRead_Fetched(t *testing.T) {
	always := corev1.ContainerRestartPolicyAlways
	for _, tc := range []readCase{
		{"second container", func(w where) { w.fetch(args("/out/g/other")).fetch(args("/out/g/k")) }, secret.Request{}, ""},
		{"read-only", func(w where) {
			w.fetch(both(args("/out/g/k"), func(c *corev1.Container) { c.VolumeMounts[0].ReadOnly = true }))
		}, secret.Request{}, unnamed},
		{"no mount", func(w where) {
			w.fetch(both(args("/out/g/k"), func(c *corev1.Container) { c.VolumeMounts = nil }))
		}, secret.Request{}, unmounted},
		{"another volume", func(w where) {
			w.mount("/other", corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}).mount(dir, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})
			w.fetch(both(args("/out/g/k"), func(c *corev1.Container) { c.VolumeMounts[0].Name = "/other" }))
		}, secret.Request{}, unmounted},
		{"subPathExpr", func(w where) {
			w.fetch(both(args("/out/g/k"), func(c *corev1.Container) { c.VolumeMounts[0].SubPathExpr = "$(POD)" }))
		}, secret.Request{}, unnamed},
		{"subPath", func(w where) {
			w.fetch(both(args("/out/k"), func(c *corev1.Container) { c.VolumeMounts[0].SubPath = "g" }))
		}, secret.Request{}, ""},
		{"subPath, other", func(w where) {
			w.fetch(both(args("/out/g/k"), func(c *corev1.Container) { c.VolumeMounts[0].SubPath = "g" }))
		}, secret.Request{}, unnamed},
		{"sidecar", func(w where) {
			w.fetch(both(args("/out/g/k"), func(c *corev1.Container) { c.RestartPolicy = &always }))
		}, secret.Request{}, unmounted},
		{"sidecar with probe", func(w where) {
			w.fetch(both(args("/out/g/k"), func(c *corev1.Container) { c.RestartPolicy, c.StartupProbe = &always, &corev1.Probe{} }))
		}, secret.Request{}, ""},
		{"container beside it", func(w where) {
			w.fetch(args("x"))
			w.pod.Spec.Containers = append(w.pod.Spec.Containers, corev1.Container{Name: "b", Args: []string{"/out/g/k"}, VolumeMounts: []corev1.VolumeMount{{Name: dir, MountPath: "/out"}}})
		}, secret.Request{}, unnamed},
		{"hidden", func(w where) {
			w.mount(dir, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}).mount(dir+"/g", items("other")).fetch(args("/out/g/k"))
		}, secret.Request{}, `volume "/etc/flyte/secrets/g" has no file "k"`},
	} {
		t.Run(tc.name, tc.test)
	}
}
