package injector_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// fileConflict starts the errors about a file of a Kubernetes Secret.
const fileConflict = `secret group="g" key="k" mount=FILE: manager k8s: `

// The Pod already has a variable or a mount path that a secret needs.
func TestHazards_TakenPaths(t *testing.T) {
	mounted := func(name, at string) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
			app(pod).VolumeMounts = append(app(pod).VolumeMounts, corev1.VolumeMount{Name: name, MountPath: at})
		}
	}
	runHazards(t, []hazard{
		{
			name: "variable with another value", pod: setEnv("_FSEC_G_K", "mine"), reqs: ask(mount.EnvVar, "g/k"),
			denied: `secret group="g" key="k" mount=ENV_VAR: manager k8s: container "app": env "_FSEC_G_K" is already set to something else`,
		},
		{
			name: "kept variable with another value", pod: setEnv("_FSEC_G_K", "mine"), reqs: ask(mount.EnvVar, "g/k"), keep: true,
			check: func(t *testing.T, _, after *corev1.Pod) {
				assert.Equal(t, "mine", env(app(after), "_FSEC_G_K").Value)
				assert.NotNil(t, env(&after.Spec.InitContainers[0], "_FSEC_G_K").ValueFrom, "the other container gets the secret")
			},
		},
		{
			name: "discovery variable with another value", pod: setEnv(mount.EnvPrefixVar, "MINE_"), reqs: ask(mount.EnvVar, "g/k"), keep: true,
			denied: `secret group="g" key="k" mount=ENV_VAR: manager k8s: container "app": env "FLYTE_SECRETS_ENV_PREFIX" is already set to something else`,
		},
		{
			name: "same mount path", pod: mounted("mine", "/etc/flyte/secrets/g"), reqs: ask(mount.File, "g/k"),
			denied: fileConflict + `container "app": volumeMounts "/etc/flyte/secrets/g" already has the volume "mine"`,
		},
		{
			name: "same mount path, unclean", pod: mounted("mine", "//etc/./flyte/x/../secrets/g/"), reqs: ask(mount.File, "g/k"),
			denied: fileConflict + `container "app": volumeMounts "/etc/flyte/secrets/g" already has the volume "mine"`,
		},
		{
			name: "mount hides the secret", pod: mounted("mine", "/etc/flyte/secrets/g/k"), reqs: ask(mount.File, "g/k"),
			denied: fileConflict + `container "app": volumeMounts "/etc/flyte/secrets/g/k" would hide the secret "/etc/flyte/secrets/g/k"`,
		},
	})
}

// The Pod already has the volume of a Kubernetes Secret, or one like it.
func TestHazards_TakenVolume(t *testing.T) {
	volume := mount.Name("k8s", "files", "/etc/flyte/secrets/g")
	items := func(items ...corev1.KeyToPath) func(*corev1.Pod) {
		return func(pod *corev1.Pod) {
			pod.Spec.Volumes = []corev1.Volume{projecting(volume, "g", items...)}
		}
	}
	otherKey := fileConflict + fmt.Sprintf(`volumes %q already has another key at "k"`, volume)
	runHazards(t, []hazard{
		{
			name: "own volume of the same Secret",
			pod: func(pod *corev1.Pod) {
				pod.Spec.Volumes = []corev1.Volume{{Name: "mine", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "g"}}}}
			},
			reqs: ask(mount.File, "g/k"),
			check: func(t *testing.T, before, after *corev1.Pod) {
				require.Len(t, after.Spec.Volumes, 2)
				assert.Equal(t, before.Spec.Volumes[0], after.Spec.Volumes[0], "the user's own stays as it is")
				assert.Equal(t, volume, after.Spec.Volumes[1].Name)
			},
		},
		{
			name: "subPath with another key", pod: func(pod *corev1.Pod) {
				pod.Spec.Volumes = []corev1.Volume{projecting(volume, "g", corev1.KeyToPath{Key: "k", Path: "k"}, corev1.KeyToPath{Key: "other", Path: "sub/k"})}
				app(pod).VolumeMounts = []corev1.VolumeMount{{Name: volume, MountPath: "/etc/flyte/secrets/g", SubPath: "sub"}}
			}, reqs: ask(mount.File, "g/k"),
			denied: fileConflict + fmt.Sprintf(`container "app": volumeMounts "/etc/flyte/secrets/g" already has another part of the volume %q`, volume),
		},
		{
			name: "another key at the path", pod: items(corev1.KeyToPath{Key: "other", Path: "k"}), reqs: ask(mount.File, "g/k"),
			denied: otherKey,
		},
		{
			name: "another key at the unclean path", pod: items(corev1.KeyToPath{Key: "other", Path: "./k"}), reqs: ask(mount.File, "g/k"),
			denied: otherKey,
		},
		{
			name: "two keys at the path", pod: items(corev1.KeyToPath{Key: "other", Path: ".//k"}, corev1.KeyToPath{Key: "k", Path: "k"}), reqs: ask(mount.File, "g/k"),
			denied: otherKey,
		},
		{
			name: "our key at the unclean path", pod: items(corev1.KeyToPath{Key: "k", Path: "./k"}), reqs: ask(mount.File, "g/k"),
			check: func(t *testing.T, before, after *corev1.Pod) {
				assert.Equal(t, before.Spec.Volumes, after.Spec.Volumes)
			},
		},
		{
			name: "our volume name, another source", pod: func(pod *corev1.Pod) {
				pod.Spec.Volumes = []corev1.Volume{{Name: volume, VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}
			}, reqs: ask(mount.File, "g/k"),
			denied: fileConflict + fmt.Sprintf(`volumes %q already has another source`, volume),
		},
	})
}

// The Pod already has a name of the init container that fetches, or its volume.
func TestHazards_TakenFetcher(t *testing.T) {
	fetcher := mount.Name("aws", arn+":k-AbCdEf", "/"+arn+"/k-abcdef")
	awsKey := []secret.Request{{Group: arn, Key: "k-AbCdEf"}}
	ofAWS := fmt.Sprintf(`secret group=%q key="k-AbCdEf": manager aws: `, arn)
	runHazards(t, []hazard{
		{
			name: "subPath of the fetch volume", pod: func(pod *corev1.Pod) {
				pod.Spec.Volumes = []corev1.Volume{{Name: mount.FetchVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory}}}}
				app(pod).VolumeMounts = []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/etc/flyte/secrets", SubPathExpr: "$(NAME)"}}
			}, reqs: awsKey,
			denied: ofAWS + `container "app": volumeMounts "/etc/flyte/secrets" already has another part of the volume "podsecrets-fetched"`,
		},
		{
			name: "container named like the fetcher", pod: func(pod *corev1.Pod) { app(pod).Name = fetcher }, reqs: awsKey,
			denied: ofAWS + fmt.Sprintf(`containers %q has the name of an init container that fetches secrets`, fetcher),
		},
		{
			name: "init container named like the fetcher", pod: func(pod *corev1.Pod) { pod.Spec.InitContainers[0].Name = fetcher }, reqs: awsKey,
			denied: ofAWS + fmt.Sprintf(`initContainers %q is already another container: it has none of the fetcher's variables`, fetcher),
		},
		{
			name: "fetch volume, another source", pod: func(pod *corev1.Pod) {
				pod.Spec.Volumes = []corev1.Volume{{Name: mount.FetchVolume, VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}
			}, reqs: awsKey,
			denied: ofAWS + `volumes "podsecrets-fetched" already has another source`,
		},
	})
}

// projecting is a projected volume of a Secret.
func projecting(name, secretName string, items ...corev1.KeyToPath) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		Sources: []corev1.VolumeProjection{{Secret: &corev1.SecretProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: secretName}, Items: items,
		}}},
	}}}
}

// A copy of an injected Pod with other requests keeps what it has, and gains
// what is missing.
func TestHazards_CopiedPod(t *testing.T) {
	first, err := hazardInjector(t, mount.ConflictFail).Inject(ctx, &corev1.Pod{Spec: corev1.PodSpec{
		InitContainers: []corev1.Container{{Name: "setup"}}, Containers: []corev1.Container{{Name: "app"}},
	}}, append(ask(mount.File, "g/k", arn+"/old-AbCdEf"), ask(mount.EnvVar, "g/v")...)...)
	require.NoError(t, err)
	copied := func(pod *corev1.Pod) { pod.Spec = *first.Spec.DeepCopy() }
	runHazards(t, []hazard{
		{name: "other requests", pod: copied, reqs: append(ask(mount.File, "g/other", arn+"/new-AbCdEf"), ask(mount.EnvVar, "g/w")...),
			check: func(t *testing.T, before, after *corev1.Pod) {
				assertOnlyGrew(t, before, after)
				of := func(v corev1.Volume) bool { return v.Name == mount.Name("k8s", "files", "/etc/flyte/secrets/g") }
				assert.Len(t, after.Spec.Volumes[slices.IndexFunc(after.Spec.Volumes, of)].Projected.Sources[0].Secret.Items, 2)
				assert.Len(t, after.Spec.InitContainers, 3)
				assert.NotNil(t, env(app(after), "_FSEC_G_V"))
				assert.NotNil(t, env(app(after), "_FSEC_G_W"))
			}},
		{name: "no requests", pod: copied, check: func(t *testing.T, before, after *corev1.Pod) { assert.Equal(t, before, after) }},
	})
}
