package k8ssecret_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func inject(t *testing.T, cfg injector.Config, reqs ...secret.Request) *corev1.Pod {
	t.Helper()
	cfg.Managers = []injector.SecretManager{newManager(t, k8ssecret.Config{})}
	in, err := injector.New(cfg)
	require.NoError(t, err)
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}, {Name: "web"}}}}
	pod, err = in.Inject(ctx, pod, reqs...)
	require.NoError(t, err)
	again, err := in.Inject(ctx, pod, reqs...)
	require.NoError(t, err)
	assert.Equal(t, pod, again, "idempotent")
	return pod
}

// sources lists the items of a projected volume as "Secret/key path".
func sources(v corev1.Volume) (all []string) {
	for _, s := range v.Projected.Sources {
		for _, item := range s.Secret.Items {
			all = append(all, s.Secret.Name+"/"+item.Key+" "+item.Path)
		}
	}
	return all
}

func TestInject_VolumePerDirectory(t *testing.T) {
	pod := inject(t, injector.Config{},
		secret.Request{Group: "db", Key: "user", Mount: mount.File},
		secret.Request{Group: "db", Key: "password", Mount: mount.File},
		secret.Request{Group: "tls", Key: "tls.key", Path: "db/server.key"},
		secret.Request{Group: "tls", Key: "tls.crt", Path: "Web/server.crt"},
		secret.Request{Group: "db", Key: "ca", Path: "Web/ca.crt"},
	)
	require.Len(t, pod.Spec.Volumes, 2)
	assert.Equal(t, []string{"db/user user", "db/password password", "tls/tls.key server.key"}, sources(pod.Spec.Volumes[0]))
	assert.Equal(t, []string{"tls/tls.crt server.crt", "db/ca ca.crt"}, sources(pod.Spec.Volumes[1]))
	for _, c := range pod.Spec.Containers {
		assert.Equal(t, []corev1.VolumeMount{
			{Name: pod.Spec.Volumes[0].Name, MountPath: "/etc/flyte/secrets/db", ReadOnly: true},
			{Name: pod.Spec.Volumes[1].Name, MountPath: "/etc/flyte/secrets/Web", ReadOnly: true},
		}, c.VolumeMounts)
	}
}

// A request for one container gets a separate volume, so that no other container sees
// its keys.
func TestInject_VolumePerContainer(t *testing.T) {
	pod := inject(t, injector.Config{},
		secret.Request{Group: "db", Key: "user", Mount: mount.File},
		secret.Request{Group: "db", Key: "password", Mount: mount.File, Container: "web"},
	)
	items := map[string][]string{}
	for _, v := range pod.Spec.Volumes {
		items[v.Name] = sources(v)
	}
	mounted := func(c corev1.Container) (all []string) {
		for _, m := range c.VolumeMounts {
			assert.Equal(t, "/etc/flyte/secrets/db", m.MountPath)
			all = append(all, items[m.Name]...)
		}
		return all
	}
	assert.Equal(t, []string{"db/user user"}, mounted(pod.Spec.Containers[0]))
	assert.ElementsMatch(t, []string{"db/user user", "db/password password"}, mounted(pod.Spec.Containers[1]))
}

func TestInject_VariableNames(t *testing.T) {
	for _, tc := range []struct {
		name, why string
		layout    mount.Layout
		req       secret.Request
		want      []string
	}{
		{"derived", "Flyte's", mount.Layout{}, secret.Request{Group: "g", Key: "k"}, []string{mount.EnvPrefixVar, "_FSEC_G_K"}},
		{"alias", "a client that asks with the version", mount.Layout{}, secret.Request{Group: "g", Key: "k", GroupVersion: "v1"}, []string{mount.EnvPrefixVar, "_FSEC_G_K", "_FSEC_G_V1_K"}},
		{"env", "besides the derived one", mount.Layout{}, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, []string{mount.EnvPrefixVar, "_FSEC_G_K", "X"}},
		{"exact", "no derived names, no discovery", mount.Layout{Exact: true}, secret.Request{Group: "g", Key: "k", GroupVersion: "v1", EnvVar: "X"}, []string{"X"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pod := inject(t, injector.Config{Layout: tc.layout}, tc.req)
			var names []string
			for _, v := range pod.Spec.Containers[0].Env {
				names = append(names, v.Name)
				if !mount.IsDiscoveryVar(v.Name) {
					assert.Equal(t, tc.req.Group, v.ValueFrom.SecretKeyRef.Name)
				}
			}
			assert.Equal(t, tc.want, names, tc.why)
		})
	}
}
