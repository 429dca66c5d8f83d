package merge_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
)

// What a request with a version gets: the primary name, and the second one
// where it is free.
func TestSecondNames(t *testing.T) {
	versioned := func(s *merge.Secret) { s.GroupVersion, s.Fragment.Versioned = "v", true }
	mountedAt := func(path string, change func(*corev1.VolumeMount)) func(*merge.Secret) {
		return func(s *merge.Secret) {
			s.GroupVersion = "v"
			s.Fragment.VolumeMounts[0].MountPath = path
			if change != nil {
				change(&s.Fragment.VolumeMounts[0])
			}
		}
	}
	for _, tc := range []struct {
		name    string
		pod     *corev1.Pod
		layout  mount.Layout
		secrets []merge.Secret
		want    string // variables that hold secrets, then items of volumes as key=path
	}{
		{name: "a variable", secrets: []merge.Secret{with(ref("g", "k"), version("v"))}, want: "_FSEC_G_K _FSEC_G_V_K"},
		{name: "a variable of a store with versions", secrets: []merge.Secret{with(ref("g", "k"), versioned)}, want: "_FSEC_G_V_K _FSEC_G_K"},
		{name: "never for a literal", secrets: []merge.Secret{with(literal("g", "k", "x"), version("v"))}, want: "_FSEC_G_K"},
		{name: "another's variable is in the way, whoever comes first", secrets: []merge.Secret{with(ref("g", "k"), version("v")), ref("g", "v_k")}, want: "_FSEC_G_K _FSEC_G_V_K=v_k"},
		{name: "two versions of one", secrets: []merge.Secret{with(ref("g", "k"), version("v")), with(ref("g", "k"), version("w"))}, want: "_FSEC_G_K _FSEC_G_V_K _FSEC_G_W_K"},
		{name: "a name that no variable can have", secrets: []merge.Secret{with(ref("g", "k"), version("a b"))}, want: "_FSEC_G_K"},
		{name: "a name that is a discovery variable's", layout: mount.Layout{EnvPrefix: "FLYTE_"}, secrets: []merge.Secret{with(ref("secrets", "dir"), version("default"))}, want: "FLYTE_SECRETS_DIR"},
		{name: "a variable that the Pod has", pod: env("_FSEC_G_V_K", "mine"), secrets: []merge.Secret{with(ref("g", "k"), version("v"))}, want: "_FSEC_G_K _FSEC_G_V_K=mine"},

		{name: "an item", secrets: []merge.Secret{with(item("g", "Key"), version("v"))}, want: "Key=key Key=v/key"},
		{name: "another's item is in the way", secrets: []merge.Secret{with(item("g", "k"), version("v")), item("g", "v")}, want: "k=k v=v"},
		{name: "another's fetched file is in the way", secrets: []merge.Secret{with(item("g", "k"), mountedAt("/etc/flyte/secrets", nil)), fetchedInto("g/v/k")}, want: "k=k"},
		{name: "an item of the fragment's own is in the way", secrets: []merge.Secret{with(item("g", "k"), func(s *merge.Secret) {
			s.GroupVersion = "v"
			s.Fragment.Volumes[0].Secret.Items = append(s.Fragment.Volumes[0].Secret.Items, corev1.KeyToPath{Key: "ca", Path: "v/k"})
		})}, want: "k=k ca=v/k"},
		{name: "a path that Kubernetes refuses", secrets: []merge.Secret{with(item("g", "k"), version("..v"))}, want: "k=k"},
		{name: "a mount of a part of the volume", secrets: []merge.Secret{with(item("g", "k"), mountedAt("/etc/flyte/secrets/g", func(m *corev1.VolumeMount) { m.SubPath = "x" }))}, want: "k=k"},
		{name: "a mount of an expanded part of the volume", secrets: []merge.Secret{with(item("g", "k"), mountedAt("/etc/flyte/secrets/g", func(m *corev1.VolumeMount) { m.SubPathExpr = "x" }))}, want: "k=k"},
		{name: "a mount of the file alone", secrets: []merge.Secret{with(item("g", "k"), mountedAt("/etc/flyte/secrets/g/k", nil))}, want: "k=k"},
		{name: "a mount with a name that begins like the file's", secrets: []merge.Secret{with(item("g", "k"), func(s *merge.Secret) {
			s.GroupVersion = "v"
			other := s.Fragment.VolumeMounts[0]
			other.MountPath = "/etc/flyte/secrets/g/key-of-another"
			s.Fragment.VolumeMounts = append(s.Fragment.VolumeMounts, other)
		})}, want: "k=k k=v/k"},
		{name: "a directory that the Pod mounts below", pod: mounts("/etc/flyte/secrets/g/v/k/x", false), secrets: []merge.Secret{with(item("g", "k"), version("v"))}, want: "k=k"},
		{name: "a directory below which the Pod has a device", pod: app(func(c *corev1.Container) {
			c.VolumeDevices = []corev1.VolumeDevice{{Name: "disk", DevicePath: "/etc/flyte/secrets/g/v/k/x"}}
		}), secrets: []merge.Secret{with(item("g", "k"), version("v"))}, want: "k=k"},
		{name: "a directory that the Pod mounts below, in a volume that is there", pod: func() *corev1.Pod {
			pod := mounts("/etc/flyte/secrets/g/v/k/x", false)
			pod.Spec.Volumes = secretVolume(volumeName("g"), "g", corev1.KeyToPath{Key: "k", Path: "k"}).Spec.Volumes
			return pod
		}(), secrets: []merge.Secret{with(item("g", "k"), version("v"))}, want: "k=k"},
		{name: "a directory that the Pod mounts elsewhere", pod: mounts("/x/etc/flyte/secrets/g/v/k/x", false), secrets: []merge.Secret{with(item("g", "k"), version("v"))}, want: "k=k k=v/k"},
		{name: "an item that the Pod has", pod: secretVolume(volumeName("g"), "g", corev1.KeyToPath{Key: "x", Path: "v/k"}), secrets: []merge.Secret{with(item("g", "k"), version("v"))}, want: "x=v/k k=k"},
		{name: "a mount of another secret would hide it", secrets: []merge.Secret{with(item("g", "k"), version("v")), driven("g/v", "b")}, want: "k=k"},
		{name: "a file of no volume's", secrets: []merge.Secret{with(fetched("g", "k"), version("v"))}, want: ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pod := tc.pod
			if pod == nil {
				pod = app(nil)
			}
			change, problems := mergeAll(tc.layout, tc.secrets)
			require.Empty(t, problems)
			edits, problems, err := change.Decide(merge.ViewPod(pod), merge.Options{})
			require.NoError(t, err)
			require.Empty(t, problems)
			assert.Equal(t, tc.want, strings.Join(holders(edits.Apply(pod)), " "))
		})
	}
}

// fetchedInto is a file at a path below the directory of secrets, from a
// fetcher with a mount of its own, so that no other covers it.
func fetchedInto(file string) merge.Secret {
	s := fetched("", file)
	s.Fragment.Fetchers = nil
	name := mount.Name("driver", file)
	s.Fragment.Volumes = []corev1.Volume{{Name: name, VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{Driver: "x"}}}}
	s.Fragment.VolumeMounts = []corev1.VolumeMount{{Name: name, MountPath: "/etc/flyte/secrets/" + file}}
	return s
}

// holders returns the variables of the first container other than the discovery
// variables, with what tells them apart if that is not the key "k", and the
// items of the Secrets' volumes.
func holders(pod *corev1.Pod) (found []string) {
	for _, v := range pod.Spec.Containers[0].Env {
		switch {
		case mount.IsDiscoveryVar(v.Name):
		case v.Value != "" && v.Value != "x":
			found = append(found, v.Name+"="+v.Value)
		case v.ValueFrom != nil && !slices.Contains([]string{"k", "dir"}, v.ValueFrom.SecretKeyRef.Key):
			found = append(found, v.Name+"="+v.ValueFrom.SecretKeyRef.Key)
		default:
			found = append(found, v.Name)
		}
	}
	for _, v := range pod.Spec.Volumes {
		if v.Secret != nil {
			for _, it := range v.Secret.Items {
				found = append(found, it.Key+"="+it.Path)
			}
		}
	}
	return found
}
