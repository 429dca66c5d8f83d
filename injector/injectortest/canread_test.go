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

func TestCanReadVariables(t *testing.T) {
	for _, tc := range []readCase{
		{"a literal", func(w where) { w.env("_FSEC_G_K", "c4nary") }, secret.Request{}, ""},
		{"an empty one", func(w where) { w.env("_FSEC_G_K", "") }, secret.Request{}, ""},
		{"a reference", func(w where) { w.ref("_FSEC_G_K", "k") }, secret.Request{}, ""},
		{"nothing at all", func(where) {}, secret.Request{}, `it has no variable _FSEC_G_K, and no file /etc/flyte/secrets/g/k: no volume is mounted at or above it`},
		{"in another case", func(w where) { w.env("_FSEC_g_k", "c4nary") }, secret.Request{}, "it has no variable _FSEC_G_K"},
		{"the request is not case sensitive", func(w where) { w.env("_FSEC_G_K", "c4nary") }, secret.Request{Group: "g", Key: "K"}, ""},
		{"a prefix is announced, and its last definition counts", func(w where) {
			w.env(mount.EnvPrefixVar, "A_").env(mount.EnvPrefixVar, "B_").env("B_G_K", "")
		}, secret.Request{}, ""},
		{"and not its first one", func(w where) {
			w.env(mount.EnvPrefixVar, "A_").env(mount.EnvPrefixVar, "B_").env("A_G_K", "")
		}, secret.Request{}, "no variable B_G_K"},
		{"a prefix that refers to another variable", func(w where) {
			w.env("STAGE", "dev").env(mount.EnvPrefixVar, "$(STAGE)_").env("dev_G_K", "")
		}, secret.Request{}, ""},
		{"one that stands behind it is not seen", func(w where) {
			w.env(mount.EnvPrefixVar, "$(STAGE)_").env("STAGE", "dev").env("dev_G_K", "")
		}, secret.Request{}, "no variable $(STAGE)_G_K"},
		{"a prefix with a doubled dollar", func(w where) { w.env(mount.EnvPrefixVar, "$$(X)_").env("$(X)_G_K", "") }, secret.Request{}, ""},
		{"a prefix from an object", func(w where) { w.ref(mount.EnvPrefixVar, "prefix").env("_FSEC_G_K", "") }, secret.Request{}, "the pod does not tell what FLYTE_SECRETS_ENV_PREFIX is"},
		{"a directory with a part from an object", func(w where) {
			w.ref("STAGE", "stage").env(mount.DefaultDirVar, "/$(STAGE)").env("_FSEC_G_K", "")
		}, secret.Request{}, "the pod does not tell what FLYTE_SECRETS_DEFAULT_DIR is"},
		{"variables of another object are not seen", func(w where) {
			w.app.EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{}}}
		}, secret.Request{}, "no variable _FSEC_G_K in env (envFrom is not looked at)"},
		{"with its version", func(w where) { w.env("_FSEC_G_V1_K", "") }, secret.Request{Group: "g", Key: "k", GroupVersion: "v1"}, ""},
		{"with a version, asked without", func(w where) { w.env("_FSEC_G_V1_K", "") }, secret.Request{}, "no variable _FSEC_G_K"},
		{"without a version, asked with", func(w where) { w.env("_FSEC_G_K", "") }, secret.Request{Group: "g", Key: "k", GroupVersion: "v1"}, "no variable _FSEC_G_V1_K"},
		{"as a variable", func(w where) { w.env("_FSEC_G_K", "") }, secret.Request{Group: "g", Key: "k", Mount: mount.EnvVar}, ""},
		{"a file is no variable", func(w where) { w.mount(dir, items("g/k")) }, secret.Request{Group: "g", Key: "k", Mount: mount.EnvVar}, "no variable _FSEC_G_K"},
		{"a variable hides the file", func(w where) { w.env("_FSEC_G_K", "").mount(dir, items("g/k")) }, secret.Request{Group: "g", Key: "k", Mount: mount.File}, "its client finds the variable _FSEC_G_K before any file"},
		{"an extra variable", func(w where) { w.ref("_FSEC_G_K", "k").ref("X", "k") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, ""},
		{"an extra variable that refers to the first", func(w where) { w.env("_FSEC_G_K", "c4nary$$").env("X", "$(_FSEC_G_K)") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, ""},
		{"an extra variable that is the first, which is a reference", func(w where) { w.ref("_FSEC_G_K", "k").env("X", "$(_FSEC_G_K)") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, ""},
		{"an extra variable that has the first in it", func(w where) { w.ref("_FSEC_G_K", "k").env("X", "Bearer $(_FSEC_G_K)") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "the pod does not tell whether the variable X"},
		{"two variables that have a reference in them", func(w where) {
			w.ref("R", "k").env("_FSEC_G_K", "a$(R)").env("X", "a$(R)")
		}, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "the pod does not tell whether the variable X"},
		{"a text that is the name of another variable", func(w where) { w.ref("R", "k").env("_FSEC_G_K", "R").ref("X", "k") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "the variable X is something else"},
		{"a reference to two variables", func(w where) {
			w.env("A", "1").env("B", "2").env(mount.EnvPrefixVar, "$(A)$(B)").env("12G_K", "")
		}, secret.Request{}, ""},
		{"no extra variable", func(w where) { w.ref("_FSEC_G_K", "k") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "no variable X"},
		{"an extra variable of another key", func(w where) { w.ref("_FSEC_G_K", "k").ref("X", "other") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "the variable X is something else"},
		{"an extra variable with another value", func(w where) { w.env("_FSEC_G_K", "c4nary").env("X", "c4nary2") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "the variable X is something else"},
		{"an extra variable with the path", func(w where) { w.mount(dir, items("g/k")).env("X", dir+"/g/k") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, ""},
		{"an extra variable with another path", func(w where) { w.mount(dir, items("g/k")).env("X", dir+"/g/K") }, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, "the variable X is something else"},
		{"a request that is none", func(where) {}, secret.Request{Group: "/g", Key: "k"}, `secret group="/g" key="k": group: begins with "/"`},
	} {
		t.Run(tc.name, tc.test)
	}
}

func TestCanReadVolumes(t *testing.T) {
	sub := func(w where, sub string) { w.app.VolumeMounts[len(w.app.VolumeMounts)-1].SubPath = sub }
	projected := func(p *corev1.ProjectedVolumeSource) corev1.VolumeSource { return corev1.VolumeSource{Projected: p} }
	for _, tc := range []readCase{
		{"an item", func(w where) { w.mount(dir+"/g", items("other", "k")) }, secret.Request{}, ""},
		{"an item in directories", func(w where) { w.mount("/etc", items("flyte/secrets/g/k")) }, secret.Request{}, ""},
		{"a mount path that is not clean", func(w where) { w.mount("/etc//flyte/./secrets/g/", items("k")) }, secret.Request{}, ""},
		{"no such item", func(w where) { w.mount(dir+"/g", items("other")) }, secret.Request{}, `volume "/etc/flyte/secrets/g" has no file "k"`},
		{"in another case", func(w where) { w.mount(dir+"/g", items("K")) }, secret.Request{Group: "g", Key: "K"}, `has no file "k"`},
		{"the item is a directory", func(w where) { w.mount(dir+"/g", items("k/l")) }, secret.Request{}, "it is a directory of volume"},
		{"the mount is", func(w where) { w.mount(dir+"/g/k", items("l")) }, secret.Request{}, "it is a directory, where volume"},
		{"something is mounted below", func(w where) { w.mount(dir+"/g", items("k")).mount(dir+"/g/k/x", items("l")) }, secret.Request{}, "it is a directory, as /etc/flyte/secrets/g/k/x is mounted below"},
		{"a name that only begins so", func(w where) { w.mount(dir+"/g", items("k")).mount(dir+"/g/key", items("l")) }, secret.Request{}, ""},
		{"all of a Secret", func(w where) { w.mount(dir+"/g", items()) }, secret.Request{}, ""},
		{"a key has no slash", func(w where) { w.mount(dir, items()) }, secret.Request{}, `has no file "g/k"`},
		{"a deeper mount hides it", func(w where) { w.mount(dir, items("g/k")).mount(dir+"/g", items("other")) }, secret.Request{}, `volume "/etc/flyte/secrets/g" has no file "k"`},
		{"a deeper mount brings it", func(w where) { w.mount(dir+"/g", items("k")).mount(dir, items("other")) }, secret.Request{}, ""},
		{"a neighbour is no parent", func(w where) { w.mount("/etc/flyte/secret", items("s/g/k")) }, secret.Request{}, "no volume is mounted at or above it"},
		{"all of the file system", func(w where) { w.mount("/", items("etc/flyte/secrets/g/k")) }, secret.Request{}, ""},
		{"a volume that is not there", func(w where) { w.mount(dir, items("g/k")); w.pod.Spec.Volumes = nil }, secret.Request{}, `the pod has no volume "/etc/flyte/secrets"`},
		{"a file by subPath", func(w where) { w.mount(dir+"/g/k", items("a/b")); sub(w, "a/b") }, secret.Request{}, ""},
		{"a directory by subPath", func(w where) { w.mount(dir, items("a/g/k")); sub(w, "a") }, secret.Request{}, ""},
		{"another subPath", func(w where) { w.mount(dir, items("g/k")); sub(w, "a") }, secret.Request{}, `has no file "a/g/k"`},
		{"a subPath that is to be expanded", func(w where) {
			w.mount(dir, items("g/k"))
			w.app.VolumeMounts[0].SubPathExpr = "$(POD)"
		}, secret.Request{}, "the pod does not tell what subPathExpr"},
		{"a ConfigMap", func(w where) {
			w.mount(dir+"/g", corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{}})
		}, secret.Request{}, ""},
		{"a field of the Pod", func(w where) {
			w.mount(dir, corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{{Path: "g/k"}}}})
		}, secret.Request{}, ""},
		{"several sources", func(w where) {
			w.mount(dir, projected(&corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
				{ConfigMap: &corev1.ConfigMapProjection{}},
				{DownwardAPI: &corev1.DownwardAPIProjection{}},
				{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}},
				{Secret: &corev1.SecretProjection{Items: []corev1.KeyToPath{{Path: "g/k"}}}},
			}}))
		}, secret.Request{}, ""},
		{"a token", func(w where) {
			w.mount(dir, projected(&corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
				{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "g/k"}},
			}}))
		}, secret.Request{}, ""},
		{"no source has it", func(w where) {
			w.mount(dir, projected(&corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{ConfigMap: &corev1.ConfigMapProjection{}}}}))
		}, secret.Request{}, `has no file "g/k"`},
		{"a driver's volume", func(w where) {
			w.mount(dir, corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{}})
		}, secret.Request{}, `the pod does not tell what is in volume "/etc/flyte/secrets"`},
		{"an empty volume", func(w where) {
			w.mount(dir, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})
		}, secret.Request{}, `none mounts the emptyDir "/etc/flyte/secrets"`},
		{"nothing is announced, and the client has a directory of its own", func(w where) {
			w.app.Env = nil
			w.mount(dir, items("g/k"))
		}, secret.Request{}, "no file /etc/secrets/g/k"},
	} {
		t.Run(tc.name, tc.test)
	}
}

func TestCanReadFileModes(t *testing.T) {
	yes, no := true, false
	for _, tc := range []struct {
		name string
		mode int32
		item *int32
		pods *corev1.PodSecurityContext
		own  *corev1.SecurityContext
		can  bool
	}{
		{"nothing is known of the user", 0o400, nil, nil, nil, true},
		{"root", 0o400, nil, nil, &corev1.SecurityContext{RunAsUser: ptr[int64](0)}, true},
		{"no bit for anybody", 0, nil, nil, nil, false},
		{"not root", 0o400, nil, nil, &corev1.SecurityContext{RunAsNonRoot: &yes}, false},
		{"not root, says the Pod", 0o400, nil, &corev1.PodSecurityContext{RunAsNonRoot: &yes}, nil, false},
		{"the container says otherwise", 0o400, nil, &corev1.PodSecurityContext{RunAsNonRoot: &yes}, &corev1.SecurityContext{RunAsNonRoot: &no}, true},
		{"a user", 0o400, nil, nil, &corev1.SecurityContext{RunAsUser: ptr[int64](1000)}, false},
		{"everybody may", 0o404, nil, nil, &corev1.SecurityContext{RunAsUser: ptr[int64](1000)}, true},
		{"the item's own mode counts", 0o444, ptr[int32](0o400), nil, &corev1.SecurityContext{RunAsUser: ptr[int64](1000)}, false},
		{"a user without a group may be of group 0", 0o440, nil, nil, &corev1.SecurityContext{RunAsUser: ptr[int64](1000)}, true},
		{"a user of another group", 0o440, nil, nil, &corev1.SecurityContext{RunAsUser: ptr[int64](1000), RunAsGroup: ptr[int64](1000)}, false},
		{"and of group 0 besides", 0o440, nil, &corev1.PodSecurityContext{SupplementalGroups: []int64{5, 0}}, &corev1.SecurityContext{RunAsUser: ptr[int64](1000), RunAsGroup: ptr[int64](1000)}, true},
		{"an fsGroup", 0o400, nil, &corev1.PodSecurityContext{FSGroup: ptr[int64](5)}, &corev1.SecurityContext{RunAsUser: ptr[int64](1000), RunAsGroup: ptr[int64](1000)}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newWhere().mount(dir, items("g/k"))
			w.pod.Spec.SecurityContext, w.app.SecurityContext = tc.pods, tc.own
			volume := w.pod.Spec.Volumes[0].Secret
			volume.DefaultMode, volume.Items[0].Mode = &tc.mode, tc.item
			err := CanRead(w.pod, "app", wanted)
			if tc.can {
				assert.NoError(t, err)
			} else {
				assert.ErrorContains(t, err, "neither root nor in its group")
			}
		})
	}
}
