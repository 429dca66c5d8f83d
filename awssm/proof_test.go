package awssm_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// awsSecret is a request's group and key, with the secret's ARN.
type awsSecret struct{ name, group, key, arn string }

var awsSecrets = []awsSecret{
	{"plain", account, "plain-AbCdEf", account + ":plain-AbCdEf"},
	{"sibling", account, "other-AbCdEf", account + ":other-AbCdEf"},
	{"dropped colons", account + "::", ":colons", account + ":colons"},
	{"other split", "arn:aws:secretsmanager:us-east-2:123456789012", "secret:split", account + ":split"},
	{"partition", "arn:aws-cn:secretsmanager:cn-north-1:1:secret", "k", "arn:aws-cn:secretsmanager:cn-north-1:1:secret:k"},
	{"directories", account, "prod/db/password", account + ":prod/db/password"},
	{"shared directory", account, "prod/db/user", account + ":prod/db/user"},
	{"odd segments", account, "x/.//y/./z", account + ":x/.//y/./z"},
	{"dashes", account, "-rf", account + ":-rf"},
	{"dots", account, "..a.b", account + ":..a.b"},
	{"dots only", account, "...", account + ":..."},
	{"upper case", account, "UPPER/Case", account + ":UPPER/Case"},
	{"unicode", account, "Schlüssel-ÄÉ-鍵", account + ":Schlüssel-ÄÉ-鍵"},
	{"quotes", account, ` "a b' \n`, account + `: "a b' \n`},
	{"shell", account, "`id`;${HOME}&|*?", account + ":`id`;${HOME}&|*?"},
	{"home variable", account, "$(HOME)", account + ":$(HOME)"},
	{"known variable", account, "$(KUBERNETES_SERVICE_HOST)", account + ":$(KUBERNETES_SERVICE_HOST)"},
	{"earlier variable", account, "$(SECRET_ARN)", account + ":$(SECRET_ARN)"},
	{"dollars", account, "$$$", account + ":$$$"},
	{"escaped variable", account, "$$(KUBERNETES_SERVICE_HOST)", account + ":$$(KUBERNETES_SERVICE_HOST)"},
	{"long segment", account, strings.Repeat("k", 250), account + ":" + strings.Repeat("k", 250)},
}

// The stock image writes each file where the client looks, in every receiver: each
// secret alone, and all of them in one Pod.
func TestStock_Placement(t *testing.T) {
	for _, layout := range []mount.Layout{{}, {Dir: "/mnt/s.x", FilePrefix: "Pre$-"}} {
		for _, s := range awsSecrets {
			t.Run(layout.Dir+"/"+s.name, func(t *testing.T) { checkPlacement(t, layout, s) })
		}
		t.Run(layout.Dir+"/all", func(t *testing.T) { checkPlacement(t, layout, awsSecrets...) })
	}
}

func checkPlacement(t *testing.T, layout mount.Layout, secrets ...awsSecret) {
	in := newInjector(t, injector.Config{Layout: layout})
	store := map[string]string{}
	var reqs []secret.Request
	for i, s := range secrets {
		store[s.arn] = "value of " + s.name
		reqs = append(reqs, secret.Request{Group: s.group, Key: s.key, EnvVar: fmt.Sprintf("FILE_%d", i)})
	}
	plan, err := in.Plan(ctx, meshPod(), reqs...)
	require.NoError(t, err)
	pod := plan.Pod()
	n := newNode(t, pod, store)
	assert.Equal(t, make([]int, len(secrets)), n.fetch(t, pod))
	for i, s := range secrets {
		p := plan.Placements[i]
		assert.Equal(t, layout.Path(s.group, "", s.key), p.Path)
		for _, c := range receivers(pod) {
			assert.Equal(t, "value of "+s.name, n.read(t, &c, p.Path), "%s in %s", s.name, c.Name)
			assert.Equal(t, p.Path, environment(&c)[p.Request.EnvVar], "EnvVar in %s", c.Name)
		}
	}
}

// read returns the content of a file in a container.
func (n node) read(t *testing.T, c *corev1.Container, p string) string {
	t.Helper()
	file, ok := n.hostPath(c, p)
	require.True(t, ok, "%s has no volume at %q", c.Name, p)
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(content)
}

// The stock image exits with 0 without the file, as the package documentation says.
func TestStock_MissingSecret(t *testing.T) {
	plan, err := newInjector(t, injector.Config{}).Plan(ctx, meshPod(), secret.Request{Group: account, Key: "none"})
	require.NoError(t, err)
	pod := plan.Pod()
	n := newNode(t, pod, nil)
	assert.Equal(t, []int{0}, n.fetch(t, pod))
	file, ok := n.hostPath(&pod.Spec.Containers[0], plan.Placements[0].Path)
	require.True(t, ok)
	assert.NoFileExists(t, file)
}

// newInjector returns an Injector with a Manager of AWS secrets before those of cfg.
func newInjector(t *testing.T, cfg injector.Config) *injector.Injector {
	cfg.Managers = append([]injector.SecretManager{newManager(t, awssm.Config{})}, cfg.Managers...)
	in, err := injector.New(cfg)
	require.NoError(t, err)
	return in
}

// meshPod returns a Pod with a mesh, whose set-up container precedes its sidecar, and an
// init container.
func meshPod() *corev1.Pod {
	always := corev1.ContainerRestartPolicyAlways
	return &corev1.Pod{Spec: corev1.PodSpec{
		InitContainers: []corev1.Container{
			{Name: "mesh-setup"}, {Name: "mesh-proxy", RestartPolicy: &always}, {Name: "logs", RestartPolicy: &always}, {Name: "migrate"},
		},
		Containers: []corev1.Container{
			{Name: "app", Env: []corev1.EnvVar{{Name: "LEVEL", Value: "info"}}, VolumeMounts: []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}},
			{Name: "helper"},
		},
		Volumes: []corev1.Volume{{Name: "data"}},
	}}
}

// receivers returns the Pod's own containers.
func receivers(pod *corev1.Pod) (all []corev1.Container) {
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		if !mount.IsName(c.Name) {
			all = append(all, c)
		}
	}
	return all
}
