package awssm_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

var two = []secret.Request{
	{Group: account, Key: "one", EnvVar: "ONE_FILE"},
	{Group: account, Key: "dir/two"},
}

func inject(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs ...secret.Request) *corev1.Pod {
	t.Helper()
	out, err := in.Inject(ctx, pod, reqs...)
	require.NoError(t, err)
	return out
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

// fetcherName returns the name of the init container for a key of the account.
func fetcherName(key string) string {
	return mount.Name("aws", account+":"+key, "/"+account+"/"+key)
}

func TestInject_InitOrder(t *testing.T) {
	one, other := fetcherName("one"), fetcherName("dir/two")
	for _, tc := range []struct {
		name  string
		order mount.InitOrder
		want  []string
	}{
		{"first", mount.InitFirst, []string{one, other, "mesh-setup", "mesh-proxy", "logs", "migrate"}},
		{"after sidecars", mount.InitAfterSidecars, []string{"mesh-setup", "mesh-proxy", "logs", one, other, "migrate"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pod := inject(t, newInjector(t, injector.Config{InitOrder: tc.order}), meshPod(), two...)
			var names []string
			for _, c := range pod.Spec.InitContainers {
				names = append(names, c.Name)
			}
			assert.Equal(t, tc.want, names)
		})
	}
}

func TestPatch_EqualsInject(t *testing.T) {
	for _, order := range []mount.InitOrder{mount.InitFirst, mount.InitAfterSidecars} {
		in := newInjector(t, injector.Config{InitOrder: order})
		ops, err := in.Patch(ctx, meshPod(), two...)
		require.NoError(t, err)
		patch, err := jsonpatch.DecodePatch([]byte(toJSON(t, ops)))
		require.NoError(t, err)

		// A field that this library does not know stays with its container.
		const known, unknown = `"name":"migrate"`, `"name":"migrate","future":1`
		patched, err := patch.Apply([]byte(strings.Replace(toJSON(t, meshPod()), known, unknown, 1)))
		require.NoError(t, err)
		want := strings.Replace(toJSON(t, inject(t, in, meshPod(), two...)), known, unknown, 1)
		assert.JSONEq(t, want, string(patched))
	}
}

// Also after changes by the API server and by other webhooks, such as the one that adds
// the service account's role.
func TestInject_Idempotent(t *testing.T) {
	for _, order := range []mount.InitOrder{mount.InitFirst, mount.InitAfterSidecars} {
		in := newInjector(t, injector.Config{InitOrder: order})
		once := inject(t, in, meshPod(), two[0])
		assert.Equal(t, once, inject(t, in, once, two[0]))

		changeOthers(once)
		ops, err := in.Patch(ctx, once, two[0])
		require.NoError(t, err)
		assert.Empty(t, ops)

		ops, err = in.Patch(ctx, once, two...)
		require.NoError(t, err)
		require.Len(t, ops, 1, "a second secret shares the volume and the variables of the first")
		assert.True(t, strings.HasPrefix(ops[0].Path, "/spec/initContainers/"))
	}
}

// changeOthers makes the changes of an API server and of EKS' webhook.
func changeOthers(pod *corev1.Pod) {
	pod.Spec.Volumes = append([]corev1.Volume{{Name: "aws-iam-token"}}, pod.Spec.Volumes...)
	for i := range pod.Spec.Volumes {
		if dir := pod.Spec.Volumes[i].EmptyDir; dir != nil {
			dir.SizeLimit = resource.NewQuantity(1<<20, resource.BinarySI)
		}
	}
	each := func(c *corev1.Container) {
		c.Image = "mirror.example.com/" + c.Image
		c.ImagePullPolicy = corev1.PullIfNotPresent
		c.TerminationMessagePath = corev1.TerminationMessagePathDefault
		c.Env = append(c.Env, corev1.EnvVar{Name: "AWS_ROLE_ARN", Value: "arn:aws:iam::1:role/task"})
		c.VolumeMounts = append([]corev1.VolumeMount{{Name: "aws-iam-token", MountPath: "/var/run/secrets/eks.amazonaws.com/serviceaccount", ReadOnly: true}}, c.VolumeMounts...)
	}
	for i := range pod.Spec.InitContainers {
		each(&pod.Spec.InitContainers[i])
	}
	for i := range pod.Spec.Containers {
		each(&pod.Spec.Containers[i])
	}
}

// Fetchers receive nothing: not those of this call, of an earlier call, or of another
// manager.
func TestInject_FetchersReceiveNothing(t *testing.T) {
	in := newInjector(t, injector.Config{})
	pod := meshPod()
	others := corev1.Container{Name: mount.Name("others"), VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/out"}}}
	pod.Spec.InitContainers = append(pod.Spec.InitContainers, others)
	pod = inject(t, in, inject(t, in, pod, two[0]), two...)

	fetchers := 0
	for _, c := range pod.Spec.InitContainers {
		switch {
		case c.Name == others.Name:
			assert.Equal(t, others, c)
		case mount.IsName(c.Name):
			fetchers++
			assert.Len(t, c.Env, 2)
			assert.Equal(t, []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/tmp"}}, c.VolumeMounts)
		}
	}
	assert.Equal(t, len(two), fetchers)
	own := receivers(pod)
	assert.Len(t, own, 6)
	for _, c := range own {
		env := environment(&c)
		assert.Equal(t, "/etc/flyte/secrets", env[mount.DefaultDirVar])
		assert.Contains(t, env, mount.FilePrefixVar)
		assert.Equal(t, "/etc/flyte/secrets/"+account+"/one", env["ONE_FILE"])
		assert.Contains(t, c.VolumeMounts, corev1.VolumeMount{Name: mount.FetchVolume, MountPath: "/etc/flyte/secrets"})
	}
}

// globalToken is a global.Source with one secret.
type globalToken struct{}

func (globalToken) Lookup(_ context.Context, req secret.Request) (string, error) {
	if req.Key != "token" {
		return "", secret.ErrNotFound
	}
	return "value", nil
}

// A Secret's volume is mounted below the directory of the fetched files. It hides none of
// them: no Secret's name has the colons of an ARN.
func TestInject_OtherManagers(t *testing.T) {
	globals, err := global.New(global.Config{Source: globalToken{}})
	require.NoError(t, err)
	k8s, err := k8ssecret.New(k8ssecret.Config{})
	require.NoError(t, err)
	in := newInjector(t, injector.Config{Managers: []injector.SecretManager{globals, k8s}})
	plan, err := in.Plan(ctx, meshPod(), append([]secret.Request{
		{Group: "shared", Key: "token"},
		{Group: "user-info", Key: "name"},
		{Group: "user-info", Key: "password", Mount: mount.File},
	}, two...)...)
	require.NoError(t, err)
	var served []string
	for _, p := range plan.Placements {
		served = append(served, p.Manager+" "+p.EnvVar+p.Path)
	}
	assert.Equal(t, []string{
		"global _FSEC_SHARED_TOKEN",
		"k8s _FSEC_USER-INFO_NAME",
		"k8s /etc/flyte/secrets/user-info/password",
		"aws /etc/flyte/secrets/" + account + "/one",
		"aws /etc/flyte/secrets/" + account + "/dir/two",
	}, served)

	pod := plan.Pod()
	n := newNode(t, pod, map[string]string{"user-info/password": "of Kubernetes", account + ":one": "1", account + ":dir/two": "2"})
	assert.Equal(t, []int{0, 0}, n.fetch(t, pod))
	for _, c := range receivers(pod) {
		for i, want := range []string{"of Kubernetes", "1", "2"} {
			assert.Equal(t, want, n.read(t, &c, plan.Placements[2+i].Path))
		}
	}
	assert.Equal(t, pod, inject(t, in, pod, append(two, secret.Request{Group: "user-info", Key: "name"})...))
}

func TestInject_Conflicts(t *testing.T) {
	agent, err := vault.New(vault.Config{})
	require.NoError(t, err)
	in := newInjector(t, injector.Config{Managers: []injector.SecretManager{agent}})
	file := "/etc/flyte/secrets/" + account
	for _, tc := range []struct {
		name, why string
		pod       func(*corev1.Pod)
		reqs      []secret.Request
		want      string // "" means none
	}{
		{"two groups", "two files of one secret", nil, []secret.Request{two[0], {Group: account + ":", Key: "one"}}, ""},
		{"two variables", "one file, two names for its path", nil, []secret.Request{two[0], {Group: account, Key: "one", EnvVar: "OTHER"}}, ""},
		{"case", "derived files are in lower case", nil, []secret.Request{two[0], {Group: account, Key: "ONE"}}, `files "` + file + `/one" would hold two different secrets`},
		{"directory", "a file is no directory", nil, []secret.Request{two[1], {Group: account, Key: "dir"}}, `files "` + file + `/dir" would be both a file and a directory`},
		{"one path", "exact files must differ too", nil, []secret.Request{{Group: account, Key: "a", Path: "p"}, {Group: account, Key: "b", Path: "p"}},
			`files "/etc/flyte/secrets/p" would hold two different secrets`},
		{"case of paths", "exact files keep their case", nil, []secret.Request{{Group: account, Key: "a", Path: "p"}, {Group: account, Key: "b", Path: "P"}}, ""},
		{"vault", "it mounts its own volume there", nil, []secret.Request{{Group: "vault/path", Key: "k"}, two[1]},
			`volumeMounts "/etc/flyte/secrets" would have two volumes, one of them from another webhook`},
		{"mount at Dir", "the fetched files would be hidden", func(pod *corev1.Pod) { pod.Spec.Containers[0].VolumeMounts[0].MountPath = "/etc/flyte/secrets" }, two[1:],
			`container "app": volumeMounts "/etc/flyte/secrets" already has the volume "data"`},
		{"mount above Dir", "the kubelet mounts below it", func(pod *corev1.Pod) { pod.Spec.Containers[0].VolumeMounts[0].MountPath = "/etc" }, two[1:], ""},
		{"variable", "its value would be lost", func(pod *corev1.Pod) { pod.Spec.Containers[0].Env[0].Name = "ONE_FILE" }, two[:1],
			`container "app": env "ONE_FILE" is already set to something else`},
		{"same name only", "it does not fetch", func(pod *corev1.Pod) { pod.Spec.InitContainers[0].Name = fetcherName("one") }, two[:1],
			`initContainers "` + fetcherName("one") + `" is already another container: it has none of the fetcher's variables`},
		{"another secret", "it would not fetch ours", func(pod *corev1.Pod) {
			pod.Spec.InitContainers[0].Name, pod.Spec.InitContainers[0].Env = fetcherName("one"), []corev1.EnvVar{{Name: "SECRET_ARN", Value: account + ":other"}}
		}, two[:1], `initContainers "` + fetcherName("one") + `" already fetches something else: its variable "SECRET_ARN" has a different value`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pod := meshPod()
			if tc.pod != nil {
				tc.pod(pod)
			}
			out, err := in.Inject(ctx, pod, tc.reqs...)
			if tc.want == "" {
				assert.NoError(t, err, tc.why)
				return
			}
			var conflict *mount.ConflictError
			require.ErrorAs(t, err, &conflict)
			assert.EqualError(t, conflict, tc.want, tc.why)
			assert.Nil(t, out)
		})
	}
}
