package injectortest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/secret"
)

func TestCanRead_Volumes(t *testing.T) {
	projected := func(p *corev1.ProjectedVolumeSource) corev1.VolumeSource { return corev1.VolumeSource{Projected: p} }
	for _, tc := range []readCase{
		{"item", func(w where) { w.mount(dir+"/g", items("other", "k")) }, secret.Request{}, ""},
		{"item in directories", func(w where) { w.mount("/etc", items("flyte/secrets/g/k")) }, secret.Request{}, ""},
		{"mount not clean", func(w where) { w.mount("/etc//flyte/./secrets/g/", items("k")) }, secret.Request{}, ""},
		{"no item", func(w where) { w.mount(dir+"/g", items("other")) }, secret.Request{}, `volume "/etc/flyte/secrets/g" has no file "k"`},
		{"other case", func(w where) { w.mount(dir+"/g", items("K")) }, secret.Request{Group: "g", Key: "K"}, `has no file "k"`},
		{"directory item", func(w where) { w.mount(dir+"/g", items("k/l")) }, secret.Request{}, "it is a directory of volume"},
		{"mount is the file", func(w where) { w.mount(dir+"/g/k", items("l")) }, secret.Request{}, "it is a directory, where volume"},
		{"mount below", func(w where) { w.mount(dir+"/g", items("k")).mount(dir+"/g/k/x", items("l")) }, secret.Request{}, "it is a directory, as /etc/flyte/secrets/g/k/x is mounted below"},
		{"longer neighbor", func(w where) { w.mount(dir+"/g", items("k")).mount(dir+"/g/key", items("l")) }, secret.Request{}, ""},
		{"whole Secret", func(w where) { w.mount(dir+"/g", items()) }, secret.Request{}, ""},
		{"whole Secret, slash", func(w where) { w.mount(dir, items()) }, secret.Request{}, `has no file "g/k"`},
		{"deeper mount hides", func(w where) { w.mount(dir, items("g/k")).mount(dir+"/g", items("other")) }, secret.Request{}, `volume "/etc/flyte/secrets/g" has no file "k"`},
		{"deeper mount brings", func(w where) { w.mount(dir+"/g", items("k")).mount(dir, items("other")) }, secret.Request{}, ""},
		{"shorter neighbor", func(w where) { w.mount("/etc/flyte/secret", items("s/g/k")) }, secret.Request{}, "no volume is mounted at or above it"},
		{"root", func(w where) { w.mount("/", items("etc/flyte/secrets/g/k")) }, secret.Request{}, ""},
		{"no volume", func(w where) { w.mount(dir, items("g/k")); w.pod.Spec.Volumes = nil }, secret.Request{}, `the pod has no volume "/etc/flyte/secrets"`},
		{"ConfigMap", func(w where) {
			w.mount(dir+"/g", corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{}})
		}, secret.Request{}, ""},
		{"downward API", func(w where) {
			w.mount(dir, corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{{Path: "g/k"}}}})
		}, secret.Request{}, ""},
		{"projected", func(w where) {
			w.mount(dir, projected(&corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
				{ConfigMap: &corev1.ConfigMapProjection{}},
				{DownwardAPI: &corev1.DownwardAPIProjection{}},
				{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}},
				{Secret: &corev1.SecretProjection{Items: []corev1.KeyToPath{{Path: "g/k"}}}},
			}}))
		}, secret.Request{}, ""},
		{"token", func(w where) {
			w.mount(dir, projected(&corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
				{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "g/k"}},
			}}))
		}, secret.Request{}, ""},
		{"projected, none", func(w where) {
			w.mount(dir, projected(&corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{ConfigMap: &corev1.ConfigMapProjection{}}}}))
		}, secret.Request{}, `has no file "g/k"`},
		{"driver", func(w where) {
			w.mount(dir, corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{}})
		}, secret.Request{}, `the pod does not show what is in volume "/etc/flyte/secrets"`},
		{"emptyDir", func(w where) {
			w.mount(dir, corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}})
		}, secret.Request{}, `mounts the emptyDir "/etc/flyte/secrets"`},
		{"client's own directory", func(w where) {
			w.app.Env = nil
			w.mount(dir, items("g/k"))
		}, secret.Request{}, "no file /etc/secrets/g/k"},
	} {
		t.Run(tc.name, tc.test)
	}
}

func TestCanRead_SubPath(t *testing.T) {
	sub := func(w where, sub string) { w.app.VolumeMounts[len(w.app.VolumeMounts)-1].SubPath = sub }
	for _, tc := range []readCase{
		{"subPath, file", func(w where) { w.mount(dir+"/g/k", items("a/b")); sub(w, "a/b") }, secret.Request{}, ""},
		{"subPath, directory", func(w where) { w.mount(dir, items("a/g/k")); sub(w, "a") }, secret.Request{}, ""},
		{"subPath, other", func(w where) { w.mount(dir, items("g/k")); sub(w, "a") }, secret.Request{}, `has no file "a/g/k"`},
		{"subPathExpr", func(w where) {
			w.mount(dir, items("g/k"))
			w.app.VolumeMounts[0].SubPathExpr = "$(POD)"
		}, secret.Request{}, "the pod does not show what subPathExpr"},
	} {
		t.Run(tc.name, tc.test)
	}
}

func TestCanRead_Permissions(t *testing.T) {
	yes, no := true, false
	for _, tc := range []struct {
		name string
		mode int32
		item *int32
		pods *corev1.PodSecurityContext
		own  *corev1.SecurityContext
		can  bool
	}{
		{"unknown user", 0o400, nil, nil, nil, true},
		{"root", 0o400, nil, nil, &corev1.SecurityContext{RunAsUser: ptr[int64](0)}, true},
		{"no bits", 0, nil, nil, nil, false},
		{"not root", 0o400, nil, nil, &corev1.SecurityContext{RunAsNonRoot: &yes}, false},
		{"Pod not root", 0o400, nil, &corev1.PodSecurityContext{RunAsNonRoot: &yes}, nil, false},
		{"container overrides", 0o400, nil, &corev1.PodSecurityContext{RunAsNonRoot: &yes}, &corev1.SecurityContext{RunAsNonRoot: &no}, true},
		{"user", 0o400, nil, nil, &corev1.SecurityContext{RunAsUser: ptr[int64](1000)}, false},
		{"others may", 0o404, nil, nil, &corev1.SecurityContext{RunAsUser: ptr[int64](1000)}, true},
		{"item's own mode", 0o444, ptr[int32](0o400), nil, &corev1.SecurityContext{RunAsUser: ptr[int64](1000)}, false},
		{"perhaps group 0", 0o440, nil, nil, &corev1.SecurityContext{RunAsUser: ptr[int64](1000)}, true},
		{"other group", 0o440, nil, nil, &corev1.SecurityContext{RunAsUser: ptr[int64](1000), RunAsGroup: ptr[int64](1000)}, false},
		{"supplemental group 0", 0o440, nil, &corev1.PodSecurityContext{SupplementalGroups: []int64{5, 0}}, &corev1.SecurityContext{RunAsUser: ptr[int64](1000), RunAsGroup: ptr[int64](1000)}, true},
		{"fsGroup", 0o400, nil, &corev1.PodSecurityContext{FSGroup: ptr[int64](5)}, &corev1.SecurityContext{RunAsUser: ptr[int64](1000), RunAsGroup: ptr[int64](1000)}, true},
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
