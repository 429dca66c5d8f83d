package merge_test

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func literal(group, key, value string) merge.Secret {
	return merge.Secret{Request: secret.Request{Group: group, Key: key}, Fragment: mount.Fragment{Value: mount.Literal(value)}}
}

// ref returns a variable from a Secret, as package k8ssecret does.
func ref(group, key string) merge.Secret {
	return merge.Secret{Request: secret.Request{Group: group, Key: key}, Fragment: mount.Fragment{Value: mount.FromSource(&corev1.EnvVarSource{
		SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: strings.ToLower(group)}, Key: key},
	})}}
}

// volumeName returns the name of the projected volume for a directory.
func volumeName(dir string) string { return mount.Name("k8s", "files", strings.ToLower(dir)) }

// item returns a file from a projected volume, as package k8ssecret does.
func item(group, key string) merge.Secret {
	group = strings.ToLower(group)
	return projected(group, key, strings.ToLower(group+"/"+key))
}

// projected returns a file at a path from a projected volume.
func projected(group, key, file string) merge.Secret {
	dir := path.Dir(file)
	return merge.Secret{Request: secret.Request{Group: group, Key: key}, Fragment: mount.Fragment{
		File: true,
		Volumes: []corev1.Volume{{Name: volumeName(dir), VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{Secret: &corev1.SecretProjection{
				LocalObjectReference: corev1.LocalObjectReference{Name: group}, Items: []corev1.KeyToPath{{Key: key, Path: path.Base(file)}},
			}}},
		}}}},
		VolumeMounts: []corev1.VolumeMount{{Name: volumeName(dir), MountPath: path.Join("/etc/flyte/secrets", dir), ReadOnly: true}},
	}}
}

// firstItem returns the first item of the fragment's projected volume.
func firstItem(s *merge.Secret) *corev1.KeyToPath {
	return &s.Fragment.Volumes[0].Projected.Sources[0].Secret.Items[0]
}

// exactly sets the exact path.
func exactly(file string) func(*merge.Secret) { return func(s *merge.Secret) { s.Path = file } }

func container(name string) func(*merge.Secret) { return func(s *merge.Secret) { s.Container = name } }

// fetched returns a file from a fetcher of its own.
func fetched(group, key string) merge.Secret {
	return merge.Secret{Request: secret.Request{Group: group, Key: key}, Fragment: mount.Fragment{File: true, InitContainers: []mount.InitContainer{{
		Container: &corev1.Container{
			Name:         mount.Name("fetch", group, key),
			VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/out"}},
		},
		Env: []corev1.EnvVar{{Name: "WHAT", Value: group + ":" + key}},
	}}}}
}

// shared is one fetcher for all secrets of a store.
var shared = &corev1.Container{
	Name: mount.Name("store", "fetch"), Image: "registry.example.com/team/fetch:v1",
	Env: []corev1.EnvVar{{Name: "STORE", Value: "store"}},
	VolumeMounts: []corev1.VolumeMount{
		{Name: mount.FetchVolume, MountPath: "/files"}, {Name: mount.EnvVolume, MountPath: "/env"},
	},
}

func sharedEnv(group, key string) corev1.EnvVar {
	return corev1.EnvVar{Name: "GET_" + mount.Name(group, key), Value: group + ":" + key}
}

// fetchedFile returns a file from the shared fetcher.
func fetchedFile(group, key string) merge.Secret {
	return merge.Secret{Request: secret.Request{Group: group, Key: key}, Fragment: mount.Fragment{
		File: true, InitContainers: []mount.InitContainer{{Container: shared, Env: []corev1.EnvVar{sharedEnv(group, key)}}},
	}}
}

// fetchedEnv returns a variable from an env file of the shared fetcher.
func fetchedEnv(group, key string) merge.Secret {
	return merge.Secret{Request: secret.Request{Group: group, Key: key}, Fragment: mount.Fragment{
		Value: envFile(mount.EnvVolume, mount.Name(group, key)), InitContainers: []mount.InitContainer{{Container: shared, Env: []corev1.EnvVar{sharedEnv(group, key)}}},
	}}
}

func envFile(volume, file string) *mount.Value {
	return mount.FromSource(&corev1.EnvVarSource{FileKeyRef: &corev1.FileKeySelector{VolumeName: volume, Path: file, Key: "V"}})
}

// webhookFile returns a file that another webhook provides.
func webhookFile(group, key string) merge.Secret {
	return merge.Secret{Request: secret.Request{Group: group, Key: key}, Fragment: mount.Fragment{File: true, Webhook: agent(group, key)}}
}

// webhookEnv returns a variable from an env file that another webhook provides.
func webhookEnv(group, key string) merge.Secret {
	return merge.Secret{Request: secret.Request{Group: group, Key: key}, Fragment: mount.Fragment{
		Value: envFile("agent-secrets", mount.Name(group, key)), Webhook: agent(group, key),
	}}
}

func agent(group, key string) *mount.Webhook {
	return &mount.Webhook{
		Annotations:          map[string]string{"agent/inject": "true", "agent/file-" + mount.Name(group, key): group + "/" + key},
		DefaultAnnotations:   map[string]string{"agent/role": "default"},
		AliasAnnotations:     map[string]string{"agent/file-" + mount.Name(group, key, "alias"): group + "/alias/" + key},
		ContainersAnnotation: "agent/containers",
		RanAnnotation:        "agent/status", RanValue: "done",
		Volume: "agent-secrets", Containers: []string{"agent-init", "agent"},
		Writes: mount.FileAnnotations{Secret: "agent/secret-", File: "agent/file-", Dir: "agent/dir-"},
	}
}

// driverFile returns a file from a read-only volume of a CSI driver.
func driverFile(group, key string) merge.Secret {
	name := mount.Name("driver", group)
	return merge.Secret{Request: secret.Request{Group: group, Key: key}, Fragment: mount.Fragment{
		File:         true,
		Volumes:      []corev1.Volume{{Name: name, VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{Driver: "secrets.example.com"}}}},
		VolumeMounts: []corev1.VolumeMount{{Name: name, MountPath: path.Join("/etc/flyte/secrets", group), ReadOnly: true}},
	}}
}

// sourceFile returns a file directly in the directory of secrets, from a read-only mount.
func sourceFile(source corev1.VolumeSource) merge.Secret {
	return with(driverFile("", "a"), func(s *merge.Secret) { s.Fragment.Volumes[0].VolumeSource = source })
}

func with(s merge.Secret, changes ...func(*merge.Secret)) merge.Secret {
	for _, change := range changes {
		change(&s)
	}
	return s
}

func version(v string) func(*merge.Secret) { return func(s *merge.Secret) { s.GroupVersion = v } }
func envVar(n string) func(*merge.Secret)  { return func(s *merge.Secret) { s.EnvVar = n } }

func app(change func(*corev1.Container)) *corev1.Pod {
	c := corev1.Container{Name: "app"}
	if change != nil {
		change(&c)
	}
	return &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{c}}}
}

func env(pairs ...string) *corev1.Pod {
	return app(func(c *corev1.Container) {
		for i := 0; i < len(pairs); i += 2 {
			c.Env = append(c.Env, corev1.EnvVar{Name: pairs[i], Value: pairs[i+1]})
		}
	})
}

func configMap(name, key string) *corev1.EnvVarSource {
	return &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key}}
}

func reference(source *corev1.EnvVarSource) merge.Secret {
	return merge.Secret{Request: secret.Request{Group: "g", Key: "k"}, Fragment: mount.Fragment{Value: mount.FromSource(source)}}
}

func podWithReference(source *corev1.EnvVarSource) *corev1.Pod {
	return app(func(c *corev1.Container) { c.Env = []corev1.EnvVar{{Name: "_FSEC_G_K", ValueFrom: source}} })
}

func mounts(path string, readOnly bool) *corev1.Pod {
	return app(func(c *corev1.Container) {
		c.VolumeMounts = []corev1.VolumeMount{{Name: "mine", MountPath: path, ReadOnly: readOnly}}
	})
}

func annotations(pairs ...string) *corev1.Pod {
	pod := app(nil)
	pod.Annotations = map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		pod.Annotations[pairs[i]] = pairs[i+1]
	}
	return pod
}

// agentRan returns a Pod that the webhook of webhookFile("g", "k") has changed: it has the
// annotations, the init container, and the volume in each container.
func agentRan(change func(*corev1.Pod)) *corev1.Pod {
	pod := mounts("/etc/flyte/secrets", false)
	pod.Spec.Containers[0].VolumeMounts[0].Name = "agent-secrets"
	pod.Annotations = annotations("agent/inject", "true", "agent/file-"+mount.Name("g", "k"), "g/k", "agent/role", "default", "agent/status", "done").Annotations
	pod.Spec.InitContainers = []corev1.Container{{Name: "agent-init"}}
	if change != nil {
		change(pod)
	}
	return pod
}

func volume(v corev1.Volume) *corev1.Pod {
	pod := app(nil)
	pod.Spec.Volumes = []corev1.Volume{v}
	return pod
}

// podProjecting returns a Pod with a projected volume of a Secret.
func podProjecting(name, secretName string, items ...corev1.KeyToPath) *corev1.Pod {
	return volume(corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		Sources: []corev1.VolumeProjection{{Secret: &corev1.SecretProjection{
			LocalObjectReference: corev1.LocalObjectReference{Name: secretName}, Items: items,
		}}},
	}}})
}

// plainSecret returns a file from a Secret volume, which is not projected.
func plainSecret(group, key string) merge.Secret {
	name := mount.Name("plain", group)
	return merge.Secret{Request: secret.Request{Group: group, Key: key}, Fragment: mount.Fragment{
		File: true,
		Volumes: []corev1.Volume{{Name: name, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: group, Items: []corev1.KeyToPath{{Key: key, Path: key}},
		}}}},
		VolumeMounts: []corev1.VolumeMount{{Name: name, MountPath: "/etc/flyte/secrets/" + group, ReadOnly: true}},
	}}
}

// mergeAll names the secrets and calls merge.Merge.
func mergeAll(layout mount.Layout, secrets []merge.Secret) (*merge.Change, []merge.Problem) {
	layout = layout.WithDefaults()
	complete := make([]merge.Secret, len(secrets))
	for i, s := range secrets {
		complete[i] = merge.NewSecret(layout, s.Request, s.Manager, s.Fragment)
	}
	return merge.Merge(layout, complete)
}

// mustDecide merges secrets without conflicts and returns the edits for the Pod.
func mustDecide(t *testing.T, layout mount.Layout, secrets []merge.Secret, pod *corev1.Pod, options merge.Options) *merge.Edits {
	t.Helper()
	change, problems := mergeAll(layout, secrets)
	require.Empty(t, problems)
	edits, problems, err := change.Decide(merge.ViewPod(pod), options)
	require.NoError(t, err)
	require.Empty(t, problems)
	return edits
}
