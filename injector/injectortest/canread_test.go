package injectortest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

var wanted = secret.Request{Group: "g", Key: "k"}

// where is a Pod, and its container "app".
type where struct {
	pod *corev1.Pod
	app *corev1.Container
}

func (w where) env(name, value string) where {
	w.app.Env = append(w.app.Env, corev1.EnvVar{Name: name, Value: value})
	return w
}

func (w where) ref(name, key string) where {
	w.app.Env = append(w.app.Env, corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: "s"}, Key: key,
	}}})
	return w
}

// mount adds a volume named after its path, and mounts it there.
func (w where) mount(at string, source corev1.VolumeSource) where {
	w.pod.Spec.Volumes = append(w.pod.Spec.Volumes, corev1.Volume{Name: at, VolumeSource: source})
	w.app.VolumeMounts = append(w.app.VolumeMounts, corev1.VolumeMount{Name: at, MountPath: at})
	return w
}

func (w where) annotate(name, value string) where {
	if w.pod.Annotations == nil {
		w.pod.Annotations = map[string]string{}
	}
	w.pod.Annotations["vault.hashicorp.com/"+name] = value
	return w
}

func items(paths ...string) corev1.VolumeSource {
	s := &corev1.SecretVolumeSource{SecretName: "s"}
	for _, p := range paths {
		s.Items = append(s.Items, corev1.KeyToPath{Key: "key", Path: p})
	}
	return corev1.VolumeSource{Secret: s}
}

// newWhere returns a Pod with a container "app" that is told Flyte's directory.
func newWhere() where {
	pod := Pod()
	return where{pod, &pod.Spec.Containers[0]}.env(mount.DefaultDirVar, dir)
}

type readCase struct {
	name string
	make func(where)
	req  secret.Request
	want string // in the error; "" means that it can be read
}

func (tc *readCase) test(t *testing.T) {
	w := newWhere()
	tc.make(w)
	before := w.pod.DeepCopy()
	req := tc.req
	if req == (secret.Request{}) {
		req = wanted
	}
	err := CanRead(w.pod, "app", req)
	assert.Equal(t, before, w.pod, "it changed the Pod")
	if tc.want == "" {
		assert.NoError(t, err)
		return
	}
	require.ErrorContains(t, err, tc.want)
	assert.NotContains(t, err.Error(), "c4nary")
}

func TestCanRead_Variables(t *testing.T) {
	for _, tc := range []readCase{
		{"literal", func(w where) { w.env("_FSEC_G_K", "c4nary") }, secret.Request{}, ""},
		{"empty", func(w where) { w.env("_FSEC_G_K", "") }, secret.Request{}, ""},
		{"reference", func(w where) { w.ref("_FSEC_G_K", "k") }, secret.Request{}, ""},
		{"nothing", func(where) {}, secret.Request{}, `it has no variable _FSEC_G_K, and no file /etc/flyte/secrets/g/k: no volume is mounted at or above it`},
		{"other case", func(w where) { w.env("_FSEC_g_k", "c4nary") }, secret.Request{}, "it has no variable _FSEC_G_K"},
		{"request in upper case", func(w where) { w.env("_FSEC_G_K", "c4nary") }, secret.Request{Group: "g", Key: "K"}, ""},
		{"prefix, last definition", func(w where) {
			w.env(mount.EnvPrefixVar, "A_").env(mount.EnvPrefixVar, "B_").env("B_G_K", "")
		}, secret.Request{}, ""},
		{"prefix, first definition", func(w where) {
			w.env(mount.EnvPrefixVar, "A_").env(mount.EnvPrefixVar, "B_").env("A_G_K", "")
		}, secret.Request{}, "no variable B_G_K"},
		{"prefix by reference", func(w where) {
			w.env("STAGE", "dev").env(mount.EnvPrefixVar, "$(STAGE)_").env("dev_G_K", "")
		}, secret.Request{}, ""},
		{"prefix by later variable", func(w where) {
			w.env(mount.EnvPrefixVar, "$(STAGE)_").env("STAGE", "dev").env("dev_G_K", "")
		}, secret.Request{}, "no variable $(STAGE)_G_K"},
		{"prefix with dollar", func(w where) { w.env(mount.EnvPrefixVar, "$$(X)_").env("$(X)_G_K", "") }, secret.Request{}, ""},
		{"prefix from an object", func(w where) { w.ref(mount.EnvPrefixVar, "prefix").env("_FSEC_G_K", "") }, secret.Request{}, "the pod does not show the value of FLYTE_SECRETS_ENV_PREFIX"},
		{"directory from an object", func(w where) {
			w.ref("STAGE", "stage").env(mount.DefaultDirVar, "/$(STAGE)").env("_FSEC_G_K", "")
		}, secret.Request{}, "the pod does not show the value of FLYTE_SECRETS_DEFAULT_DIR"},
		{"envFrom", func(w where) {
			w.app.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{}}}
		}, secret.Request{}, "no variable _FSEC_G_K in env (envFrom is not looked at)"},
		{"version", func(w where) { w.env("_FSEC_G_V1_K", "") }, secret.Request{Group: "g", Key: "k", GroupVersion: "v1"}, ""},
		{"version, asked without", func(w where) { w.env("_FSEC_G_V1_K", "") }, secret.Request{}, "no variable _FSEC_G_K"},
		{"no version, asked with", func(w where) { w.env("_FSEC_G_K", "") }, secret.Request{Group: "g", Key: "k", GroupVersion: "v1"}, "no variable _FSEC_G_V1_K"},
		{"as a variable", func(w where) { w.env("_FSEC_G_K", "") }, secret.Request{Group: "g", Key: "k", Mount: mount.EnvVar}, ""},
		{"file for a variable", func(w where) { w.mount(dir, items("g/k")) }, secret.Request{Group: "g", Key: "k", Mount: mount.EnvVar}, "no variable _FSEC_G_K"},
		{"variable for a file", func(w where) { w.env("_FSEC_G_K", "").mount(dir, items("g/k")) }, secret.Request{Group: "g", Key: "k", Mount: mount.File}, "its client finds the variable _FSEC_G_K before any file"},
		{"extra variable", func(w where) { w.ref("_FSEC_G_K", "k").ref("X", "k") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, ""},
		{"extra refers to literal", func(w where) { w.env("_FSEC_G_K", "c4nary$$").env("X", "$(_FSEC_G_K)") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, ""},
		{"extra refers to reference", func(w where) { w.ref("_FSEC_G_K", "k").env("X", "$(_FSEC_G_K)") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, ""},
		{"extra has more text", func(w where) { w.ref("_FSEC_G_K", "k").env("X", "Bearer $(_FSEC_G_K)") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "the pod does not show whether variable X"},
		{"both have more text", func(w where) {
			w.ref("R", "k").env("_FSEC_G_K", "a$(R)").env("X", "a$(R)")
		}, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "the pod does not show whether variable X"},
		{"name as text", func(w where) { w.ref("R", "k").env("_FSEC_G_K", "R").ref("X", "k") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "variable X differs"},
		{"two references", func(w where) {
			w.env("A", "1").env("B", "2").env(mount.EnvPrefixVar, "$(A)$(B)").env("12G_K", "")
		}, secret.Request{}, ""},
		{"extra missing", func(w where) { w.ref("_FSEC_G_K", "k") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "no variable X"},
		{"extra of another key", func(w where) { w.ref("_FSEC_G_K", "k").ref("X", "other") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "variable X differs"},
		{"extra of another value", func(w where) { w.env("_FSEC_G_K", "c4nary").env("X", "c4nary2") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "variable X differs"},
		{"extra with the path", func(w where) { w.mount(dir, items("g/k")).env("X", dir+"/g/k") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, ""},
		{"extra with another path", func(w where) { w.mount(dir, items("g/k")).env("X", dir+"/g/K") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "variable X differs"},
		{"invalid", func(where) {}, secret.Request{Group: "/g", Key: "k"}, `secret group="/g" key="k": group: begins with "/"`},
	} {
		t.Run(tc.name, tc.test)
	}
}
