package main

import (
	"maps"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/podsecrets/podsecrets/internal/kubelet"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// wanted are the requests in samples/pod.yaml.
var wanted = []secret.Request{
	{Group: "user-info", Key: "user_secret", Mount: mount.EnvVar},
	{Group: "user-info", Key: "username", Mount: mount.File},
	{Group: "user-info", Key: "password", Mount: mount.File, EnvVar: "USER_INFO_PASSWORD_FILE"},
}

// userInfo is the content of the Secret user-info.
var userInfo = map[string]string{"user_secret": "s3cret$(X)", "username": "jane", "password": "pa$$word"}

// running is a started container's view: variables and files.
type running struct{ env, files map[string]string }

// start models the kubelet: it sets variables in order, expands $(NAME) of earlier ones, and
// mounts volumes of the Secret.
func start(t *testing.T, pod *corev1.Pod, c *corev1.Container) running {
	t.Helper()
	r := running{map[string]string{}, map[string]string{}}
	for _, v := range c.Env {
		switch {
		case v.ValueFrom == nil:
			r.env[v.Name] = kubelet.Expand(v.Value, r.env)
		default:
			require.Equal(t, "user-info", v.ValueFrom.SecretKeyRef.Name)
			r.env[v.Name] = userInfo[v.ValueFrom.SecretKeyRef.Key]
		}
	}
	volumes := make(map[string][]corev1.KeyToPath)
	for _, v := range pod.Spec.Volumes {
		volumes[v.Name] = itemsOf(t, v)
	}
	for _, m := range c.VolumeMounts {
		items, ok := volumes[m.Name]
		require.True(t, ok, "%s mounts what is not there", c.Name)
		for _, item := range items {
			r.files[path.Join(m.MountPath, item.Path)] = userInfo[item.Key]
		}
	}
	return r
}

// itemsOf returns the Secret's items in a volume.
func itemsOf(t *testing.T, v corev1.Volume) (items []corev1.KeyToPath) {
	t.Helper()
	switch {
	case v.Secret != nil:
		require.Equal(t, "user-info", v.Secret.SecretName)
		for key := range maps.Keys(userInfo) {
			items = append(items, corev1.KeyToPath{Key: key, Path: key})
		}
	case v.Projected != nil:
		for _, source := range v.Projected.Sources {
			require.Equal(t, "user-info", source.Secret.Name)
			items = append(items, source.Secret.Items...)
		}
	default:
		t.Errorf("volume %s is none of a Secret", v.Name)
	}
	return items
}

// get finds a secret as Flyte's client does: first the variable, then the file, with the
// prefixes of the discovery variables or the client's defaults.
func (r running) get(req secret.Request) (value string, ok bool) {
	or := func(name, otherwise string) string {
		if v := strings.TrimSpace(r.env[name]); v != "" {
			return v
		}
		return otherwise
	}
	prefix := or("FLYTE_SECRETS_ENV_PREFIX", "_FSEC_")
	if value, ok = r.env[prefix+strings.ToUpper(req.Group+"_"+req.Key)]; ok {
		return value, true
	}
	file := or("FLYTE_SECRETS_FILE_PREFIX", "") + strings.ToLower(req.Key)
	value, ok = r.files[path.Join(or("FLYTE_SECRETS_DEFAULT_DIR", "/etc/secrets"), strings.ToLower(req.Group), file)]
	return value, ok
}

func decodePod(t *testing.T, text string) *corev1.Pod {
	t.Helper()
	var pod corev1.Pod
	require.NoError(t, yaml.UnmarshalStrict([]byte(text), &pod), "the API server would refuse it")
	return &pod
}

func samplePod(t *testing.T) *corev1.Pod {
	t.Helper()
	text, err := os.ReadFile("samples/pod.yaml")
	require.NoError(t, err)
	return decodePod(t, string(text))
}

func TestSample(t *testing.T) {
	pod := samplePod(t)
	got, err := secret.DecodeAnnotations(pod.Annotations)
	require.NoError(t, err)
	assert.Equal(t, wanted, got)
	labels, annotations, err := secret.Stamp(map[string]string{"app": pod.Name}, nil, wanted)
	require.NoError(t, err)
	assert.Equal(t, labels, pod.Labels)
	assert.Equal(t, annotations, pod.Annotations)
}

func TestUserStory(t *testing.T) {
	for _, tc := range []struct {
		name, why  string
		managers   []string
		global     string // the value of the global secret, if it is not ""
		userSecret string
	}{
		{"k8s", "the default", nil, "", userInfo["user_secret"]},
		{"k8s-alone", "global must be named", nil, "g", userInfo["user_secret"]},
		{"global-first", "the global secret wins", []string{"-manager=global", "-manager", "k8s"}, "g$(LOG_LEVEL)$$", "g$(LOG_LEVEL)$$"},
		{"k8s first", "the order decides", []string{"-manager=k8s", "-manager=global"}, "g", userInfo["user_secret"]},
		{"no global secret", "the next manager is asked", []string{"-manager=global", "-manager=k8s"}, "", userInfo["user_secret"]},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.global != "" {
				t.Setenv("FLYTE_SECRET_USER-INFO_USER_SECRET", tc.global)
			}
			got := runOn("", append(tc.managers, "samples/pod.yaml")...)
			require.Equal(t, outcome{0, got.stdout, ""}, got)
			before, pod := samplePod(t), decodePod(t, got.stdout)
			assert.Contains(t, pod.Spec.Volumes, before.Spec.Volumes[0], "the Pod's own volume is untouched")

			for _, c := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
				r := start(t, pod, &c)
				for _, req := range wanted {
					want := userInfo[req.Key]
					if req.Mount == mount.EnvVar {
						want = tc.userSecret
					}
					value, ok := r.get(req)
					assert.True(t, ok, "%s finds %v", c.Name, req)
					assert.Equal(t, want, value, tc.why)
				}
				assert.Equal(t, userInfo["password"], r.files[r.env["USER_INFO_PASSWORD_FILE"]])
				switch c.Name {
				case "check":
					assert.Equal(t, tc.userSecret, r.env["USER_SECRET"])
				case "report":
					assert.Equal(t, "Bearer "+tc.userSecret, r.env["AUTHORIZATION"])
					assert.Equal(t, "info", r.env["LOG_LEVEL"])
					assert.Equal(t, userInfo["username"], r.files["/var/run/user-info/username"])
				}
			}
		})
	}
}

func TestValues(t *testing.T) {
	const value = "not-to-be-seen"
	t.Setenv("FLYTE_SECRET_USER-INFO_USER_SECRET", value)
	t.Setenv("FLYTE_SECRET_G_K", value)
	managers := []string{"-manager=global", "-manager=k8s"}
	assert.Contains(t, runOn("", append(managers, "samples/pod.yaml")...).stdout, value)
	for _, args := range [][]string{
		{"-o=plan", "samples/pod.yaml"},
		{askFile, "samples/pod.yaml"},                                             // global secrets are no files
		{askVariable, "-request=group=G,key=K,env=LOG_LEVEL", "samples/pod.yaml"}, // a conflict
	} {
		assert.NotContains(t, runOn("", append(managers, args...)...).String(), value)
	}
}
