package merge_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
)

// The conflicts that two secrets, or a secret and the Pod, can have. Each is
// reported for the secret at an index.
func TestConflicts(t *testing.T) {
	for _, tc := range []struct {
		name    string
		pod     *corev1.Pod // nil: one container "app"
		secrets []merge.Secret
		options merge.Options
		index   int
		want    string // "" means no conflict
		also    []int  // the other secrets that have the same conflict
	}{
		// Two secrets and one variable.
		{name: "parts that join to one name", secrets: []merge.Secret{ref("a", "b_c"), ref("a_b", "c")}, index: 1,
			want: `env "_FSEC_A_B_C" would stand for two different things`},
		{name: "keys that differ in case", secrets: []merge.Secret{ref("g", "Key"), ref("g", "key")}, index: 1,
			want: `env "_FSEC_G_KEY" would stand for two different things`},
		{name: "groups that differ in case are one Secret", secrets: []merge.Secret{ref("G", "k"), ref("g", "k")}},
		{name: "two literals that are equal by chance", secrets: []merge.Secret{literal("a", "b_c", "v"), literal("a_b", "c", "v")}, index: 1,
			want: `env "_FSEC_A_B_C" would stand for two different things`},
		{name: "one literal under an extra name too", secrets: []merge.Secret{literal("a", "b", "v"), with(literal("a", "b", "v"), envVar("X"))}},
		{name: "two secrets with one extra name", secrets: []merge.Secret{with(ref("g", "a"), envVar("X")), with(ref("g", "b"), envVar("X"))}, index: 1,
			want: `env "X" would stand for two different things`},
		{name: "an extra name that is another's own", secrets: []merge.Secret{with(ref("g", "a"), envVar("_FSEC_G_B")), ref("g", "b")}, index: 1,
			want: `env "_FSEC_G_B" would stand for two different things`},
		{name: "a variable that is a discovery variable", secrets: []merge.Secret{with(ref("g", "a"), envVar("X")), with(ref("g", "b"), envVar(mount.EnvPrefixVar))}, index: 1,
			want: `env "FLYTE_SECRETS_ENV_PREFIX" would stand for two different things`},
		{name: "two directories to announce", secrets: []merge.Secret{annotated("g", "a"), with(annotated("g", "b"), func(s *merge.Secret) { s.Fragment.Dir = "/other" })}, index: 1,
			want: `env "FLYTE_SECRETS_DEFAULT_DIR" would stand for two different things`},

		// Two secrets and one file.
		{name: "keys of one Secret that are one file", secrets: []merge.Secret{item("g", "Key"), item("g", "key")}, index: 1,
			want: `volumes "` + volumeName("g") + `" would have two different keys or modes at "key"`},
		{name: "fetched files that are one", secrets: []merge.Secret{fetched("g", "Key"), fetched("g", "key")}, index: 1,
			want: `files "/etc/flyte/secrets/g/key" would hold two different secrets`},
		{name: "a file that is the directory of another", secrets: []merge.Secret{fetched("g", "k/x"), fetched("g", "k")}, index: 1,
			want: `files "/etc/flyte/secrets/g/k" would be a file, and the directory of another one`},
		{name: "a file below another", secrets: []merge.Secret{fetched("g", "k"), fetched("g", "k/x")}, index: 1,
			want: `files "/etc/flyte/secrets/g/k/x" would be below another file, "/etc/flyte/secrets/g/k"`},
		{name: "a file that another's mount hides", secrets: []merge.Secret{fetched("g", "a"), item("g", "b")}, index: 1,
			want: `files "/etc/flyte/secrets/g/a" would be hidden by the volume mounted at "/etc/flyte/secrets/g"`},
		{name: "the same the other way round", secrets: []merge.Secret{item("g", "b"), fetched("g", "a")}, index: 1,
			want: `files "/etc/flyte/secrets/g/a" would be hidden by the volume mounted at "/etc/flyte/secrets/g"`},
		{name: "a directory that a file is, and mounted", secrets: []merge.Secret{fetched("", "g"), item("g", "b")}, index: 1,
			want: `files "/etc/flyte/secrets/g/b" would be below another file, "/etc/flyte/secrets/g"`},
		{name: "a mount beside a fetched file", secrets: []merge.Secret{fetched("g", "a"), item("h", "b")}},
		{name: "fetched and somebody else's volume in one place", secrets: []merge.Secret{fetched("g", "a"), annotated("h", "b")}, index: 1,
			want: `volumeMounts "/etc/flyte/secrets" would have two volumes, one of them brought by another webhook`},
		{name: "somebody else's volume and a Secret's below it", secrets: []merge.Secret{annotated("h", "b"), item("g", "a")}},

		// Two secrets and one volume, annotation or fetcher.
		{name: "one volume of two Secrets", secrets: []merge.Secret{item("g", "a"), with(item("g", "b"), func(s *merge.Secret) { s.Fragment.Volumes[0].Secret.SecretName = "h" })}, index: 1,
			want: `volumes "` + volumeName("g") + `" would have two different sources`},
		{name: "one volume, of a Secret and of a driver", secrets: []merge.Secret{item("g", "a"), with(item("g", "b"), func(s *merge.Secret) {
			s.Fragment.Volumes[0].VolumeSource = corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{Driver: "x"}}
		})}, index: 1, want: `volumes "` + volumeName("g") + `" would have two different sources`},
		{name: "the whole of a Secret, and a part", secrets: []merge.Secret{item("g", "a"), with(item("g", "b"), func(s *merge.Secret) { s.Fragment.Volumes[0].Secret.Items = nil })}, index: 1,
			want: `volumes "` + volumeName("g") + `" would have two different sources`},
		{name: "one volume with two default modes", secrets: []merge.Secret{item("g", "a"), with(item("g", "b"), func(s *merge.Secret) { s.Fragment.Volumes[0].Secret.DefaultMode = new(int32) })}, index: 1,
			want: `volumes "` + volumeName("g") + `" would have two different sources`},
		{name: "one item with two modes", secrets: []merge.Secret{item("g", "a"), with(item("g", "a"), func(s *merge.Secret) { s.Fragment.Volumes[0].Secret.Items[0].Mode = new(int32) })}, index: 1,
			want: `volumes "` + volumeName("g") + `" would have two different keys or modes at "a"`},
		{name: "items of which one is the directory of another", secrets: []merge.Secret{with(item("g", "a"), func(s *merge.Secret) {
			s.Fragment.Volumes[0].Secret.Items = append(s.Fragment.Volumes[0].Secret.Items, corev1.KeyToPath{Key: "b", Path: "a/b"})
		})}, want: `volumes "` + volumeName("g") + `" has "a/b", which would be below another file, "a"`},
		{name: "one mount of two parts of a volume", secrets: []merge.Secret{item("g", "a"), with(item("g", "b"), func(s *merge.Secret) { s.Fragment.VolumeMounts[0].SubPath = "x" })}, index: 1,
			want: `volumeMounts "/etc/flyte/secrets/g" would have two volumes`},
		{name: "a mount below a read-only one in which none can be made", secrets: []merge.Secret{driven("", "a"), item("g", "b")}, index: 1,
			want: `volumeMounts "/etc/flyte/secrets/g" would be below the read-only volume mounted at "/etc/flyte/secrets"`},
		{name: "a mount two levels below such a one", secrets: []merge.Secret{driven("", "a"), driven("g/h", "b")}, index: 1,
			want: `volumeMounts "/etc/flyte/secrets/g/h" would be below the read-only volume mounted at "/etc/flyte/secrets"`},
		{name: "a mount below a read-only one of a ConfigMap", secrets: []merge.Secret{from(corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{}}), item("g", "b")}},
		{name: "a mount below a read-only one of the Pod's fields", secrets: []merge.Secret{from(corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{}}), item("g", "b")}},
		{name: "a mount below a read-only one of several sources", secrets: []merge.Secret{from(corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{}}), item("g", "b")}},
		{name: "a mount below a read-only one of a Secret", secrets: []merge.Secret{item("g", "b"), driven("g/h", "a")}},
		{name: "one mount of two volumes", secrets: []merge.Secret{item("g", "a"), with(item("h", "b"), func(s *merge.Secret) { s.Fragment.VolumeMounts[0].MountPath = "/etc/flyte/secrets/g/" })}, index: 1,
			want: `volumeMounts "/etc/flyte/secrets/g" would have two volumes`},
		{name: "two values of an annotation", secrets: []merge.Secret{annotated("g", "a"), with(annotated("g", "b"), func(s *merge.Secret) { s.Fragment.Annotations["agent/inject"] = "false" })}, index: 1,
			want: `metadata.annotations "agent/inject" would need two values`},
		{name: "two defaults", secrets: []merge.Secret{annotated("g", "a"), with(annotated("g", "b"), func(s *merge.Secret) { s.Fragment.DefaultAnnotations["agent/role"] = "x" })}, index: 1,
			want: `metadata.annotations "agent/role" would need two values`},
		{name: "a value and another default", secrets: []merge.Secret{annotated("g", "a"), with(annotated("g", "b"), func(s *merge.Secret) { s.Fragment.Annotations["agent/role"] = "x" })}},
		{name: "one fetcher for two things", secrets: []merge.Secret{fetched("g", "a"), with(fetched("g", "b"), func(s *merge.Secret) { s.Fragment.Fetchers[0].Name = mount.Name("fetch", "g", "a") })}, index: 1,
			want: `initContainers "` + mount.Name("fetch", "g", "a") + `" would have to do two different things`},

		// A variable of the Pod.
		{name: "a variable that is set", pod: env("_FSEC_G_K", "mine"), secrets: []merge.Secret{ref("g", "k")},
			want: `container "app": env "_FSEC_G_K" is set to something else already`},
		{name: "a variable that is set, kept", pod: env("_FSEC_G_K", "mine"), secrets: []merge.Secret{ref("g", "k")}, options: merge.Options{OnConflict: mount.KeepPod}},
		{name: "a discovery variable that is set, not kept", pod: env(mount.EnvPrefixVar, "mine"), secrets: []merge.Secret{ref("g", "k")}, options: merge.Options{OnConflict: mount.KeepPod},
			want: `container "app": env "FLYTE_SECRETS_ENV_PREFIX" is set to something else already`},
		{name: "of two definitions the last counts, and is ours", pod: env(mount.EnvPrefixVar, "mine", mount.EnvPrefixVar, "_FSEC_"), secrets: []merge.Secret{ref("g", "k")}},
		{name: "of two definitions the last counts, and is not ours", pod: env(mount.EnvPrefixVar, "_FSEC_", mount.EnvPrefixVar, "mine"), secrets: []merge.Secret{ref("g", "k")},
			want: `container "app": env "FLYTE_SECRETS_ENV_PREFIX" is set to something else already`},
		{name: "a literal that is not escaped", pod: env("_FSEC_G_K", "a$b"), secrets: []merge.Secret{literal("g", "k", "a$b")},
			want: `container "app": env "_FSEC_G_K" is set to something else already`},
		{name: "a literal as it would be written", pod: env("_FSEC_G_K", "a$$b"), secrets: []merge.Secret{literal("g", "k", "a$b")}},
		{name: "a path that is set", pod: env("X", "mine"), secrets: []merge.Secret{with(item("g", "k"), envVar("X"))},
			want: `container "app": env "X" is set to something else already`},
		{name: "a second name that is set never conflicts", pod: env("_FSEC_G_V_K", "mine"), secrets: []merge.Secret{with(ref("g", "k"), version("v"))}},

		{name: "a reference to the same key", pod: refersTo(configMap("g", "k")), secrets: []merge.Secret{reference(configMap("g", "k"))}},
		{name: "a reference to another key", pod: refersTo(configMap("g", "x")), secrets: []merge.Secret{reference(configMap("g", "k"))},
			want: `container "app": env "_FSEC_G_K" is set to something else already`},
		{name: "a reference to another object", pod: refersTo(configMap("x", "k")), secrets: []merge.Secret{reference(configMap("g", "k"))},
			want: `container "app": env "_FSEC_G_K" is set to something else already`},
		{name: "a reference to another kind", pod: refersTo(&corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{}}), secrets: []merge.Secret{reference(configMap("g", "k"))},
			want: `container "app": env "_FSEC_G_K" is set to something else already`},
		{name: "a literal for a reference", pod: env("_FSEC_G_K", "mine"), secrets: []merge.Secret{reference(configMap("g", "k"))},
			want: `container "app": env "_FSEC_G_K" is set to something else already`},
		{name: "a reference for a literal", pod: refersTo(configMap("g", "k")), secrets: []merge.Secret{literal("g", "k", "")},
			want: `container "app": env "_FSEC_G_K" is set to something else already`},

		// A mount of the Pod.
		{name: "a mount at our path", pod: mounts("/etc/flyte/secrets/g/", false), secrets: []merge.Secret{item("g", "k")},
			want: `container "app": volumeMounts "/etc/flyte/secrets/g" has the volume "mine" already`},
		{name: "a read-only mount above", pod: mounts("/etc/flyte", true), secrets: []merge.Secret{item("g", "k")},
			want: `container "app": volumeMounts "/etc/flyte" is read-only, and secrets would have to be mounted below it`},
		{name: "a writable mount above", pod: mounts("/etc/flyte", false), secrets: []merge.Secret{item("g", "k")}},
		{name: "a read-only mount beside", pod: mounts("/etc/flyte/secrets/h", true), secrets: []merge.Secret{item("g", "k")}},
		{name: "a read-only mount above, and a writable one between", pod: app(func(c *corev1.Container) {
			c.VolumeMounts = []corev1.VolumeMount{{Name: "a", MountPath: "/etc/flyte", ReadOnly: true}, {Name: "b", MountPath: "/etc/flyte/secrets"}}
		}), secrets: []merge.Secret{item("g", "k")}},
		{name: "a read-only mount above two", pod: mounts("/etc/flyte", true), secrets: []merge.Secret{item("g", "k"), item("h", "k")},
			want: `container "app": volumeMounts "/etc/flyte" is read-only, and secrets would have to be mounted below it`, also: []int{1}},
		{name: "a read-only mount above one of ours, which is above another", pod: mounts("/etc/flyte", true), secrets: []merge.Secret{item("g", "k"), fetched("h", "k")},
			want: `container "app": volumeMounts "/etc/flyte" is read-only, and secrets would have to be mounted below it`, index: 1},
		{name: "a volume of ours from another call", pod: app(func(c *corev1.Container) {
			c.VolumeMounts = []corev1.VolumeMount{{Name: volumeName("h"), MountPath: "/etc/flyte/secrets/h", ReadOnly: true}}
		}), secrets: []merge.Secret{item("g", "k"), annotated("i", "k")}},
		{name: "a relative mount is absolute to the kubelet", pod: mounts("etc/flyte/secrets/g", false), secrets: []merge.Secret{item("g", "k")},
			want: `container "app": volumeMounts "/etc/flyte/secrets/g" has the volume "mine" already`},
		{name: "a device at our path", pod: app(func(c *corev1.Container) {
			c.VolumeDevices = []corev1.VolumeDevice{{Name: "disk", DevicePath: "/etc/flyte/secrets/g"}}
		}), secrets: []merge.Secret{item("g", "k")},
			want: `container "app": volumeMounts "/etc/flyte/secrets/g" has the volume "disk" already`},
		{name: "a mount below our file", pod: mounts("/etc/flyte/secrets/g/k/x", false), secrets: []merge.Secret{item("g", "k")},
			want: `container "app": volumeMounts "/etc/flyte/secrets/g/k/x" would be below the secret "/etc/flyte/secrets/g/k", which is a file`},
		{name: "a mount on a second name never conflicts", pod: mounts("/etc/flyte/secrets/g/v", false), secrets: []merge.Secret{with(item("g", "k"), version("v"))}},
		{name: "a mount below a second name never conflicts", pod: mounts("/etc/flyte/secrets/g/v/k/x", false), secrets: []merge.Secret{with(item("g", "k"), version("v"))}},
		{name: "a second name that is an item of the fragment's own never conflicts", secrets: []merge.Secret{with(item("g", "k"), func(s *merge.Secret) {
			s.GroupVersion = "v"
			s.Fragment.Volumes[0].Secret.Items = append(s.Fragment.Volumes[0].Secret.Items, corev1.KeyToPath{Key: "ca", Path: "v/k"})
		})}},
		{name: "fetched secrets where annotations have somebody mount", pod: app(func(c *corev1.Container) {
			c.VolumeMounts = []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/etc/flyte/secrets"}}
		}), secrets: []merge.Secret{annotated("g", "k")},
			want: `container "app": volumeMounts "/etc/flyte/secrets" has the volume "podsecrets-fetched" already, where another webhook would have to mount its own`},
		{name: "a mount on our file", pod: mounts("/etc/flyte/secrets/g/k", false), secrets: []merge.Secret{item("g", "k")},
			want: `container "app": volumeMounts "/etc/flyte/secrets/g/k" would hide the secret "/etc/flyte/secrets/g/k"`},
		{name: "a mount on the directory of our file", pod: mounts("/etc/flyte/secrets/g", false), secrets: []merge.Secret{fetched("g", "k")},
			want: `container "app": volumeMounts "/etc/flyte/secrets/g" would hide the secret "/etc/flyte/secrets/g/k"`},
		{name: "a mount where fetched files go", pod: mounts("/etc/flyte/secrets", false), secrets: []merge.Secret{fetched("g", "k")},
			want: `container "app": volumeMounts "/etc/flyte/secrets" has the volume "mine" already`},
		{name: "a mount where annotations would have somebody mount", pod: mounts("/etc/flyte/secrets", false), secrets: []merge.Secret{annotated("g", "k")},
			want: `container "app": volumeMounts "/etc/flyte/secrets" has the volume "mine" already, where another webhook would have to mount its own`},
		{name: "somebody's mount where annotations had it go", pod: agentRan(false), secrets: []merge.Secret{annotated("g", "k")}},
		{name: "somebody's read-only mount where annotations had it go", pod: agentRan(true), secrets: []merge.Secret{annotated("g", "k"), item("h", "k")}, index: 1,
			want: `container "app": volumeMounts "/etc/flyte/secrets" is read-only, and secrets would have to be mounted below it`},
		{name: "two defaults, and a value that wins", secrets: []merge.Secret{annotated("g", "a"),
			with(annotated("g", "b"), func(s *merge.Secret) { s.Fragment.DefaultAnnotations["agent/role"] = "x" }),
			with(annotated("g", "c"), func(s *merge.Secret) { s.Fragment.Annotations["agent/role"] = "y" })}},

		// A volume of the Pod.
		{name: "a volume of ours with another source", pod: volume(corev1.Volume{Name: volumeName("g")}), secrets: []merge.Secret{item("g", "k")},
			want: `volumes "` + volumeName("g") + `" has another source already`},
		{name: "a volume of ours of another Secret", pod: secretVolume(volumeName("g"), "h"), secrets: []merge.Secret{item("g", "k")},
			want: `volumes "` + volumeName("g") + `" has another source already`},
		{name: "a volume of ours that two need, with another source", pod: volume(corev1.Volume{Name: volumeName("g")}), secrets: []merge.Secret{item("g", "k"), item("g", "l")},
			want: `volumes "` + volumeName("g") + `" has another source already`, also: []int{1}},
		{name: "the whole Secret of ours, of which the Pod has a part", pod: secretVolume(volumeName("g"), "g", corev1.KeyToPath{Key: "k", Path: "k"}), secrets: []merge.Secret{with(item("g", "k"), func(s *merge.Secret) { s.Fragment.Volumes[0].Secret.Items = nil })},
			want: `volumes "` + volumeName("g") + `" has another source already`},
		{name: "a path with another key", pod: secretVolume(volumeName("g"), "g", corev1.KeyToPath{Key: "x", Path: "k"}), secrets: []merge.Secret{item("g", "k")},
			want: `volumes "` + volumeName("g") + `" has another key at "k" already`},
		{name: "a path that is a directory", pod: secretVolume(volumeName("g"), "g", corev1.KeyToPath{Key: "x", Path: "k/x"}), secrets: []merge.Secret{item("g", "k")},
			want: `volumes "` + volumeName("g") + `" cannot take "k", which would be a file, and the directory of another one`},
		{name: "a second name that is a directory never conflicts", pod: secretVolume(volumeName("g"), "g", corev1.KeyToPath{Key: "x", Path: "v/k/x"}), secrets: []merge.Secret{with(item("g", "k"), version("v"))}},
		{name: "the whole Secret", pod: secretVolume(volumeName("g"), "g"), secrets: []merge.Secret{item("g", "k")},
			want: `volumes "` + volumeName("g") + `" holds the whole Secret, to which no list of keys can be added`},
		{name: "memory of ours that is a disk", pod: volume(corev1.Volume{Name: mount.FetchVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}), secrets: []merge.Secret{fetched("g", "k")},
			want: `volumes "podsecrets-fetched" has another source already`},
		{name: "the user's volume of the same Secret", pod: secretVolume("mine", "g"), secrets: []merge.Secret{item("g", "k")}},

		// Annotations and containers of the Pod.
		{name: "an annotation with another value", pod: annotations("agent/inject", "false"), secrets: []merge.Secret{annotated("g", "k")},
			want: `metadata.annotations "agent/inject" has another value already`},
		{name: "the Pod's own default", pod: annotations("agent/role", "mine"), secrets: []merge.Secret{annotated("g", "k")}},
		{name: "a list that leaves out a receiver", pod: annotations("agent/containers", "other"), secrets: []merge.Secret{annotated("g", "k")},
			want: `metadata.annotations "agent/containers" lists other containers than those that receive secrets`},
		{name: "a list of all receivers", pod: annotations("agent/containers", "app"), secrets: []merge.Secret{annotated("g", "k")}},
		{name: "an init container that cannot be left out", pod: &corev1.Pod{Spec: corev1.PodSpec{
			InitContainers: []corev1.Container{{Name: "init"}}, Containers: []corev1.Container{{Name: "app"}},
		}}, secrets: []merge.Secret{annotated("g", "k")}, options: merge.Options{Containers: func(c mount.Container) bool { return !c.Init }},
			want: `container "init": metadata.annotations "agent/containers" cannot leave out an init container`},
		{name: "no list means all containers", pod: &corev1.Pod{Spec: corev1.PodSpec{
			InitContainers: []corev1.Container{{Name: "init"}}, Containers: []corev1.Container{{Name: "app"}},
		}}, secrets: []merge.Secret{annotated("g", "k")}, options: merge.Options{Containers: func(c mount.Container) bool { return c.Init }},
			want: `metadata.annotations "agent/containers" cannot leave out every container`},
		{name: "a fetcher of another thing", pod: &corev1.Pod{Spec: corev1.PodSpec{
			InitContainers: []corev1.Container{{Name: mount.Name("fetch", "g", "k"), Env: []corev1.EnvVar{{Name: "WHAT", Value: "x"}}}},
			Containers:     []corev1.Container{{Name: "app"}},
		}}, secrets: []merge.Secret{fetched("g", "k")},
			want: `initContainers "` + mount.Name("fetch", "g", "k") + `" fetches something else already`},
		{name: "a container with the name of a fetcher", pod: &corev1.Pod{Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: mount.Name("fetch", "g", "k")}},
		}}, secrets: []merge.Secret{fetched("g", "k")},
			want: `containers "` + mount.Name("fetch", "g", "k") + `" has the name of a fetching init container`},

		// Values.
		{name: "a literal that is too long for its extra name", secrets: []merge.Secret{with(literal("g", "k", strings.Repeat("v", mount.MaxEnvVar-len("_FSEC_G_K"))), envVar("LONGER_NAME"))},
			want: `variable "LONGER_NAME": name and value have together more than 131070 bytes`},
		{name: "too many literals", secrets: []merge.Secret{
			literal("g", "a", strings.Repeat("v", 120<<10)), literal("g", "b", strings.Repeat("v", 120<<10)), literal("g", "c", strings.Repeat("v", 120<<10)),
			literal("g", "d", strings.Repeat("v", 120<<10)), literal("g", "e", strings.Repeat("v", 120<<10)),
		}, index: 4, want: `variable "_FSEC_G_E": the literals added to the pod would have more than 524288 bytes`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pod := tc.pod
			if pod == nil {
				pod = app(nil)
			}
			change, problems := mergeAll(mount.Layout{}, tc.secrets)
			_, more, err := change.Decide(merge.ViewPod(pod), tc.options)
			require.NoError(t, err)
			problems = append(problems, more...)
			if tc.want == "" {
				assert.Empty(t, problems)
				return
			}
			var of []int
			for _, p := range problems {
				var conflict *mount.ConflictError
				if tc.pod == nil && tc.index > 0 && errors.As(p.Err, &conflict) {
					assert.Equal(t, 0, p.Other, "of two secrets, the other is the first")
				}
				assert.EqualError(t, p.Err, tc.want)
				of = append(of, p.Secret)
			}
			assert.Equal(t, append([]int{tc.index}, tc.also...), of)
		})
	}
}
