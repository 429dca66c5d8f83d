package node

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/internal/vaulttest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

const vaultRole = "flyte"

// newVault starts Vault's engines, with a login for the API server's service accounts.
func newVault(t testing.TB) *vaulttest.Server {
	s := vaulttest.NewServer(t, vaultRole)
	s.AcceptTokens(func(token string) bool {
		review, err := client.AuthenticationV1().TokenReviews().Create(t.Context(),
			&authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}, metav1.CreateOptions{})
		return err == nil && review.Status.Authenticated
	})
	entries := map[string]any{"tricky": string(tricky), "line": string(line), "Name": "Ada", "port": 5432}
	s.Write(t, "secret/data/Task", entries)
	s.Write(t, "kv/Task", entries)
	return s
}

// vaultWants are requests for Vault. Its agent writes variables to env files.
var vaultWants = []want{
	{secret.Request{Group: "secret/data/Task", Key: "line", EnvVar: "LINE"}, line},
	{secret.Request{Group: "secret/data/Task", Key: "tricky", Mount: mount.File, Mode: 0o444}, tricky},
	{secret.Request{Group: "kv/Task", Key: "Name", GroupVersion: "kv1", Mount: mount.File, EnvVar: "NAME_FILE"}, []byte("Ada")},
	{secret.Request{Group: "kv/Task", Key: "port", GroupVersion: "kv1", Path: "Conf.d/$Port"}, []byte("5432")},
	{secret.Request{Group: "secret/Task", Key: "Name", GroupVersion: "kv2", Mount: mount.EnvVar, EnvVar: "db.user-name"}, []byte("Ada")},
}

var vaultKind = kind{
	slug: "vault", manager: manager(vault.New, vault.Config{EnvFiles: true}), hostNetwork: true, private: "/.env/", wants: vaultWants,
}

func TestNode_Vault(t *testing.T) {
	s := newVault(t)
	ns := server.Namespace(t, nil)
	for slug, pod := range shapes() {
		t.Run(slug, func(t *testing.T) {
			t.Parallel()
			pod.Spec.HostNetwork = true
			injected, placements := vaultKind.inject(t, injector.Config{}, pod)
			seen := read(t, ns, withAgent(t, injected, s.URL()), vaultKind.requests()...)
			vaultKind.assertRead(t, seen, placements)
		})
	}
}

// A Pod does not start if Vault lacks its secret, or if a variable cannot have the
// value.
func TestNode_VaultMissing(t *testing.T) {
	t.Parallel()
	s := newVault(t)
	for slug, row := range map[string]struct {
		req secret.Request
		why string
	}{
		"file":     {secret.Request{Group: "secret/data/Task", Key: "none", Mount: mount.File}, `no key "none"`},
		"variable": {secret.Request{Group: "secret/data/Task", Key: "tricky", Mount: mount.EnvVar}, `no variable can hold key "tricky"`},
	} {
		t.Run(slug, func(t *testing.T) {
			pod := newPod()
			pod.Spec.HostNetwork = true
			k := vaultKind
			k.wants = []want{{Request: row.req}}
			injected, _ := k.inject(t, injector.Config{}, pod)
			stored := create(t, server.Namespace(t, nil), withAgent(t, injected, s.URL()))
			assertRefused(t, stored, "Exit Code: 1")
			assert.Contains(t, logOf(t, stored, "vault-agent-init", 0), row.why)
		})
	}
}

// withAgent models the Vault Agent Injector: it adds an init container with an agent,
// its volumes, and the secrets' volume in all containers. The original takes the
// service account's token from a container of the Pod; the model adds a volume for it.
func withAgent(t testing.TB, pod *corev1.Pod, address string) *corev1.Pod {
	t.Helper()
	config, err := vaulttest.Inject(pod.Annotations)
	require.NoError(t, err)
	config.Vault = map[string]string{"address": address}
	raw, err := json.Marshal(config)
	require.NoError(t, err)
	secrets := corev1.VolumeMount{Name: "vault-secrets", MountPath: pod.Annotations[vaulttest.Prefix+"secret-volume-path"]}
	agent := container("vault-agent-init")
	agent.Image = vaultImage
	agent.Command = []string{"/bin/sh", "-ec"}
	agent.Args = []string{"echo ${VAULT_CONFIG?} | base64 -d > /home/vault/config.json && vault agent -config=/home/vault/config.json"}
	agent.Env = []corev1.EnvVar{{Name: "VAULT_CONFIG", Value: base64.StdEncoding.EncodeToString(raw)}}
	agent.SecurityContext.RunAsUser, agent.SecurityContext.RunAsGroup = ptr(int64(100)), ptr(int64(1000))
	agent.SecurityContext.ReadOnlyRootFilesystem = ptr(true)
	agent.VolumeMounts = []corev1.VolumeMount{
		{Name: "home-init", MountPath: "/home/vault"},
		{Name: "vault-token", MountPath: "/var/run/secrets/kubernetes.io/serviceaccount", ReadOnly: true},
	}
	pod = pod.DeepCopy()
	index := len(pod.Spec.InitContainers)
	if first, _ := strconv.ParseBool(pod.Annotations[vaulttest.Prefix+"agent-init-first"]); first {
		index = 0
	}
	pod.Spec.InitContainers = slices.Insert(pod.Spec.InitContainers, index, agent)
	eachContainer(pod, func(c *corev1.Container) { c.VolumeMounts = append(c.VolumeMounts, secrets) })
	memory := corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory}}
	token := corev1.ServiceAccountTokenProjection{Path: "token", ExpirationSeconds: ptr(int64(3600))}
	pod.Spec.Volumes = append(pod.Spec.Volumes,
		corev1.Volume{Name: "vault-secrets", VolumeSource: memory},
		corev1.Volume{Name: "home-init", VolumeSource: memory},
		corev1.Volume{Name: "vault-token", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{ServiceAccountToken: &token}},
		}}},
	)
	return pod
}
