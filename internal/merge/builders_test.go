package merge_test

import (
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func literal(group, key, value string) merge.Secret {
	return merge.Secret{Request: secret.Request{Group: group, Key: key}, Fragment: mount.Fragment{Value: mount.Literal(value)}}
}

// ref is a variable from a Secret, as package k8ssecret makes it.
func ref(group, key string) merge.Secret {
	return merge.Secret{Request: secret.Request{Group: group, Key: key}, Fragment: mount.Fragment{Value: mount.FromSource(&corev1.EnvVarSource{
		SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: strings.ToLower(group)}, Key: key},
	})}}
}

func volumeName(group string) string { return mount.Name("k8s", strings.ToLower(group)) }

// item is a file from a volume of a Secret, as package k8ssecret makes it.
func item(group, key string) merge.Secret {
	group = strings.ToLower(group)
	return merge.Secret{Request: secret.Request{Group: group, Key: key}, Fragment: mount.Fragment{
		File: true,
		Volumes: []corev1.Volume{{Name: volumeName(group), VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: group, Items: []corev1.KeyToPath{{Key: key, Path: strings.ToLower(key)}},
		}}}},
		VolumeMounts: []corev1.VolumeMount{{Name: volumeName(group), MountPath: "/etc/flyte/secrets/" + group, ReadOnly: true}},
	}}
}

// fetched is a file from a fetcher that is told what and where to.
func fetched(group, key string) merge.Secret {
	return merge.Secret{Request: secret.Request{Group: group, Key: key}, Fragment: mount.Fragment{File: true, Fetchers: []corev1.Container{{
		Name: mount.Name("fetch", group, key),
		Env:  []corev1.EnvVar{{Name: "WHAT", Value: group + ":" + key}},
	}}}}
}

// annotated is a file that somebody else brings.
func annotated(group, key string) merge.Secret {
	return merge.Secret{Request: secret.Request{Group: group, Key: key}, Fragment: mount.Fragment{
		File:                 true,
		Annotations:          map[string]string{"agent/inject": "true", "agent/" + mount.Name(group, key): key},
		DefaultAnnotations:   map[string]string{"agent/role": "default"},
		ContainersAnnotation: "agent/containers",
	}}
}

// driven is a file from a read-only volume of a CSI driver.
func driven(group, key string) merge.Secret {
	name := mount.Name("driver", group)
	return merge.Secret{Request: secret.Request{Group: group, Key: key}, Fragment: mount.Fragment{
		File:         true,
		Volumes:      []corev1.Volume{{Name: name, VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{Driver: "secrets.example.com"}}}},
		VolumeMounts: []corev1.VolumeMount{{Name: name, MountPath: path.Join("/etc/flyte/secrets", group), ReadOnly: true}},
	}}
}

// from is a file right in the directory of secrets, from a read-only volume.
func from(source corev1.VolumeSource) merge.Secret {
	return with(driven("", "a"), func(s *merge.Secret) { s.Fragment.Volumes[0].VolumeSource = source })
}

func with(s merge.Secret, change func(*merge.Secret)) merge.Secret {
	change(&s)
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

func refersTo(source *corev1.EnvVarSource) *corev1.Pod {
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

// agentRan is a Pod that has the annotations of annotated("g", "k"), and the
// mount of whoever they instruct.
func agentRan(readOnly bool) *corev1.Pod {
	pod := mounts("/etc/flyte/secrets", readOnly)
	pod.Annotations = annotations("agent/inject", "true", "agent/"+mount.Name("g", "k"), "k", "agent/role", "default").Annotations
	return pod
}

func volume(v corev1.Volume) *corev1.Pod {
	pod := app(nil)
	pod.Spec.Volumes = []corev1.Volume{v}
	return pod
}

func secretVolume(name, secretName string, items ...corev1.KeyToPath) *corev1.Pod {
	return volume(corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		Secret: &corev1.SecretVolumeSource{SecretName: secretName, Items: items},
	}})
}

// mergeAll is merge.Merge of secrets that are complete, but for their names.
func mergeAll(layout mount.Layout, secrets []merge.Secret) (*merge.Change, []merge.Problem) {
	layout = layout.WithDefaults()
	named := make([]merge.Secret, len(secrets))
	for i, s := range secrets {
		named[i] = merge.NewSecret(layout, s.Request, s.Manager, s.Fragment)
	}
	return merge.Merge(layout, named)
}
