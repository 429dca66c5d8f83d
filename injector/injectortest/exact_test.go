package injectortest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func TestCanRead_ExactNames(t *testing.T) {
	slash := secret.Request{Group: "g/a", Key: "k", EnvVar: "X"} // not every cluster accepts its derived name
	file := secret.Request{Group: "g", Key: "k", Path: "Sub/File"}
	for _, tc := range []readCase{
		{"variable alone", func(w where) { w.ref("X", "k") }, slash, ""},
		{"no variable", func(where) {}, slash, "it has no variable X, and no file /etc/flyte/secrets/g/a/k"},
		{"variable alone, as a variable", func(w where) { w.ref("X", "k") }, secret.Request{Group: "g/a", Key: "k", EnvVar: "X", Mount: mount.EnvVar}, ""},
		{"valid derived name", func(w where) { w.ref("X", "k") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "it has no variable _FSEC_G_K"},
		{"derived name besides", func(w where) { w.ref("X", "k").ref("_FSEC_G/A_K", "k") }, slash, ""},
		{"derived name of another key", func(w where) { w.ref("X", "k").ref("_FSEC_G/A_K", "other") }, slash, "variable X differs"},
		{"path in the variable", func(w where) { w.env("X", dir+"/g/a/k").mount(dir, items("g/a/k")) }, slash, ""},
		{"path of no file", func(w where) { w.env("X", dir+"/g/a/k") }, slash, "no file /etc/flyte/secrets/g/a/k"},

		{"path", func(w where) { w.mount(dir, items("Sub/File")) }, file, ""},
		{"path in other case", func(w where) { w.mount(dir, items("sub/file")) }, file, `it has no file /etc/flyte/secrets/Sub/File: volume "/etc/flyte/secrets" has no file "Sub/File"`},
		{"derived path", func(w where) { w.mount(dir, items("g/k")) }, file, "it has no file /etc/flyte/secrets/Sub/File"},
		{"path, and a variable", func(w where) { w.env("_FSEC_G_K", "").mount(dir, items("Sub/File")) }, file, ""},
		{"path below another directory", func(w where) { w.env(mount.DefaultDirVar, "/d").mount("/d", items("Sub/File")) }, file, ""},
		{"path without a directory", func(w where) { w.app.Env = nil; w.mount(dir, items("Sub/File")) }, file,
			`it has no variable FLYTE_SECRETS_DEFAULT_DIR, which names the directory of path "Sub/File"`},
		{"path with its variable", func(w where) { w.mount(dir, items("Sub/File")).env("F", dir+"/Sub/File") },
			secret.Request{Group: "g", Key: "k", Path: "Sub/File", EnvVar: "F"}, ""},
		{"path with another variable", func(w where) { w.mount(dir, items("Sub/File")).env("F", dir+"/g/k") },
			secret.Request{Group: "g", Key: "k", Path: "Sub/File", EnvVar: "F"}, "variable F differs"},

		{"container", func(w where) { w.ref("_FSEC_G_K", "k") }, secret.Request{Group: "g", Key: "k", Container: "app"}, ""},
		{"another container", func(w where) { w.ref("_FSEC_G_K", "k") }, secret.Request{Group: "g", Key: "k", Container: "web"}, `the request is for container "web"`},
		{"field", func(w where) { w.ref("_FSEC_G_K", "k") }, secret.Request{Group: "g", Key: "k", Field: "f"}, ""},
	} {
		t.Run(tc.name, tc.test)
	}
}

func TestCanReadExact(t *testing.T) {
	for _, tc := range []struct {
		name string
		dir  string
		make func(where)
		req  secret.Request
		want string
	}{
		{"variable", "", func(w where) { w.ref("X", "k") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, ""},
		{"no variable", "", func(w where) { w.ref("_FSEC_G_K", "k") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "it has no variable X"},
		{"no name", "", func(w where) { w.ref("_FSEC_G_K", "k") }, secret.Request{Group: "g", Key: "k", Mount: mount.EnvVar}, "the request has no EnvVar"},
		{"file", "/d", func(w where) { w.mount("/d", items("G/K")) }, secret.Request{Group: "G", Key: "K"}, ""},
		{"file in other case", "/d", func(w where) { w.mount("/d", items("g/k")) }, secret.Request{Group: "G", Key: "K"}, "it has no file /d/G/K"},
		{"file without a group", "/d", func(w where) { w.mount("/d", items("K")) }, secret.Request{Key: "K"}, ""},
		{"file of a version", "/d", func(w where) { w.mount("/d", items("g/k")) }, secret.Request{Group: "g", Key: "k", GroupVersion: "v1"}, ""},
		{"only a version", "/d", func(where) {}, secret.Request{GroupVersion: "v1"}, "the request has no Path, Group or Key"},
		{"path", "/d", func(w where) { w.mount("/d", items("a/B")) }, secret.Request{Group: "g", Key: "k", Path: "a/B"}, ""},
		{"path with its variable", "/d", func(w where) { w.mount("/d", items("a/B")).env("F", "/d/a/B") }, secret.Request{Group: "g", Key: "k", Path: "a/B", EnvVar: "F"}, ""},
		{"path without its variable", "/d", func(w where) { w.mount("/d", items("a/B")) }, secret.Request{Group: "g", Key: "k", Path: "a/B", EnvVar: "F"}, "it has no variable F"},
		{"Flyte's directory", "", func(w where) { w.mount(dir, items("g/k")) }, secret.Request{Group: "g", Key: "k"}, ""},
		{"derived variable", "/d", func(w where) { w.env("_FSEC_G_K", "").mount("/d", items("g/k")) }, secret.Request{Group: "g", Key: "k", Mount: mount.File}, ""},
		{"discovery from an object", "/d", func(w where) { w.ref(mount.DefaultDirVar, "x").mount("/d", items("g/k")) }, secret.Request{Group: "g", Key: "k"}, ""},
		{"invalid", "/d", func(where) {}, secret.Request{Group: "/g"}, `group: begins with "/"`},
		{"env file missing", "/d", func(w where) { w.envFetcher("e").envFromFile("X", "env", "f") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "it does not start"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWhere()
			tc.make(w)
			err := CanReadExact(w.pod, "app", tc.dir, tc.req)
			if tc.want == "" {
				assert.NoError(t, err)
			} else {
				require.ErrorContains(t, err, tc.want)
			}
		})
	}
}

func TestCanRead_Mode(t *testing.T) {
	req := secret.Request{Group: "g", Key: "k", Mode: 0o440}
	for _, tc := range []struct {
		name          string
		item, volumes *int32
		want          string
	}{
		{"item's", ptr[int32](0o440), nil, ""},
		{"volume's", nil, ptr[int32](0o440), ""},
		{"item's before volume's", ptr[int32](0o444), ptr[int32](0o440), "its mode is 0444, not 0440"},
		{"default", nil, nil, "its mode is 0644, not 0440"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWhere().mount(dir, items("g/k"))
			s := w.pod.Spec.Volumes[0].Secret
			s.DefaultMode, s.Items[0].Mode = tc.volumes, tc.item
			if err := CanRead(w.pod, "app", req); tc.want == "" {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, tc.want)
			}
		})
	}
	w := newWhere().env("_FSEC_G_K", "").mount(dir, items("g/k"))
	assert.ErrorContains(t, CanRead(w.pod, "app", req), "its client finds the variable _FSEC_G_K before any file", "a mode is for a file")
	assert.NoError(t, CanRead(newWhere().fetch(func(c *corev1.Container) { c.Args = []string{"g/k"} }).pod, "app", req), "a fetcher's mode is not known")
}

func TestCanRead_Windows(t *testing.T) {
	linux := newWhere().mount(`C:\etc\Flyte\secrets`, items("g/K"))
	linux.pod.Spec.Volumes[0].Secret.DefaultMode = ptr[int32](0)
	assert.Error(t, CanRead(linux.pod, "app", wanted))
	on := true
	for name, set := range map[string]func(*corev1.Pod){
		"os":            func(pod *corev1.Pod) { pod.Spec.OS = &corev1.PodOS{Name: corev1.Windows} },
		"node selector": func(pod *corev1.Pod) { pod.Spec.NodeSelector = map[string]string{corev1.LabelOSStable: "windows"} },
		"label":         func(pod *corev1.Pod) { pod.Labels = map[string]string{corev1.LabelOSStable: "windows"} },
		"host process": func(pod *corev1.Pod) {
			pod.Spec.SecurityContext = &corev1.PodSecurityContext{WindowsOptions: &corev1.WindowsSecurityContextOptions{HostProcess: &on}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			pod := linux.pod.DeepCopy()
			set(pod)
			assert.NoError(t, CanRead(pod, "app", wanted), "neither case nor mode matter")
		})
	}
	linux.pod.Labels = map[string]string{corev1.LabelOSStable: "windows"}
	linux.pod.Spec.OS = &corev1.PodOS{Name: corev1.Linux}
	assert.Error(t, CanRead(linux.pod, "app", wanted), "spec.os decides")
}

func TestCanRead_EveryContainer(t *testing.T) {
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
	assert.EqualError(t, CanRead(nil, "app", wanted), "the pod is nil")
}

// ErrUnknown is used only if the Pod cannot show the result.
func TestErrUnknown(t *testing.T) {
	w := newWhere().mount(dir, corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{}})
	assert.ErrorIs(t, CanRead(w.pod, "app", wanted), ErrUnknown)
	assert.ErrorIs(t, CanReadExact(w.pod, "app", dir, wanted), ErrUnknown)
	w.mount(dir+"/g", items("other"))
	assert.NotErrorIs(t, CanRead(w.pod, "app", wanted), ErrUnknown, "whatever the driver's volume has")
}
