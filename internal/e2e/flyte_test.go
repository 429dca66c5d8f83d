package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
	"github.com/podsecrets/podsecrets/internal/e2e/deployed"
	"github.com/podsecrets/podsecrets/internal/vaulttest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// lookup is how a program reads a secret: by a call of Flyte 1's client, from the
// requested variable, or from a file.
type lookup struct {
	call           secret.Request
	variable, file string
	value          string
}

// embedded is the ID of the Pods' embedded secrets, without the key.
const embedded = "u__org__flyte__domain__development__project__flytesnacks__key__"

// hashed has the names of the Kubernetes Secrets with embedded secrets, by key: the
// MD5 sum of the ID.
var hashed = map[string]string{
	"my-key": "f72c7f2cc489d9fd05bc4f90ed21fb86", "My_File": "7f8fab5803aa50cee616b84adf36532c",
}

// flyteRuns are configurations of Flyte's charts with an administrator's additions,
// and a task's lookups. A lookup without a value is of a fetched secret, whose store
// is not modeled here: injectortest tells whether it can be read.
var flyteRuns = []struct {
	name, chart, additions string
	reqs                   []secret.Request
	lookups                []lookup
}{
	{"1-k8s", "core-1", "", []secret.Request{
		{Group: "user-info", Key: "name"}, {Group: "user-info", Key: "Password", Mount: mount.EnvVar, EnvVar: "PASSWORD"},
		{Group: "shared", Key: "token", Mount: mount.EnvVar},
	}, []lookup{
		{call: secret.Request{Group: "user-info", Key: "name"}, file: "/etc/flyte/secrets/user-info/name", value: "Ada"},
		{call: secret.Request{Group: "user-info", Key: "Password"}, variable: "PASSWORD", value: "pa ss"},
		{call: secret.Request{Group: "shared", Key: "token"}, value: shared},
	}},
	{"1-aws", "core-1", "webhook: {secretManagerType: AWS}", []secret.Request{{Group: account, Key: "db-AbCdEf"}}, []lookup{
		{call: secret.Request{Group: account, Key: "db-AbCdEf"}, file: "/etc/flyte/secrets/" + account + "/db-abcdef", value: "from aws"},
	}},
	{"1-vault", "binary-1", "webhook: {secretManagerType: Vault}", []secret.Request{
		{Group: "secret/data/Task", Key: "Key"}, {Group: "kv/Task", Key: "Key", GroupVersion: "kv1", Mount: mount.File},
	}, []lookup{
		{call: secret.Request{Group: "secret/data/Task", Key: "Key"}, value: "four"},
		{call: secret.Request{Group: "kv/Task", Key: "Key"}, value: "one"},
		{call: secret.Request{Group: "kv/Task", Key: "Key", GroupVersion: "kv1"}, value: "one"},
	}},
	{"1-gcp", "binary-1", "webhook: {secretManagerType: GCP}", []secret.Request{
		{Group: "db-password", GroupVersion: "3"}, {Group: "projects/p1/secrets/s", Key: "k", GroupVersion: "latest"},
	}, []lookup{
		{call: secret.Request{Group: "db-password", GroupVersion: "3"}, file: "db-password/3"},
		{call: secret.Request{Group: "projects/p1/secrets/s", GroupVersion: "latest"}, file: "projects/p1/secrets/s/latest"},
	}},
	{"2-embedded", "binary-2", "", []secret.Request{
		{Key: "my-key", Mount: mount.EnvVar, EnvVar: "MY_KEY"}, {Key: "My_File", Mount: mount.File},
	}, []lookup{
		{call: secret.Request{Key: "my-key"}, variable: "MY_KEY", value: "embedded my-key"},
		{call: secret.Request{Key: "My_File"}, file: "/etc/flyte/secrets/My_File", value: "embedded My_File"},
	}},
	{"2-k8s", "binary-2", "webhook: {secretManagerTypes: [k8s]}", []secret.Request{
		{Group: "user-info", Key: "name", Mount: mount.File, EnvVar: "NAME_FILE"}, {Key: "bare", Mount: mount.EnvVar, EnvVar: "BARE"},
	}, []lookup{
		{call: secret.Request{Group: "user-info", Key: "name"}, file: "/etc/flyte/secrets/user-info/name", value: "Ada"},
		{call: secret.Request{Key: "bare"}, variable: "BARE", value: "by its hash"},
	}},
	{"2-embedded-aws", "binary-2", "webhook: {embeddedSecretManagerConfig: {type: AWS, awsConfig: {region: us-east-2}}}\nembedded: {aws: {image: 'example.test/fetch:1', envFiles: true}}", []secret.Request{
		{Key: "my-key", Mount: mount.EnvVar, EnvVar: "MY_KEY"}, {Key: "My_File", Mount: mount.File},
	}, []lookup{
		{call: secret.Request{Key: "my-key"}, variable: "MY_KEY"}, {call: secret.Request{Key: "My_File"}, file: "My_File"},
	}},
	{"2-azure", "binary-2", "webhook: {secretManagerTypes: [Azure, Embedded]}\nazure: {vaults: ['https://team.vault.azure.net']}", []secret.Request{
		{Group: "https://team.vault.azure.net/secrets/DB"},
	}, []lookup{
		{call: secret.Request{Group: "https://team.vault.azure.net/secrets/DB"}, file: "db"},
	}},
}

// TestFlyte_Charts runs the webhook with the unchanged configurations of Flyte's
// charts, and creates Pods as each release does.
func TestFlyte_Charts(t *testing.T) {
	s, err := apiserver.Start()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Stop()) })
	for _, run := range flyteRuns {
		t.Run(run.name, func(t *testing.T) {
			additions := filepath.Join(t.TempDir(), "additions.yaml")
			require.NoError(t, os.WriteFile(additions, []byte(run.additions), 0o600))
			options, err := deployed.FlyteOptions(run.chart, additions)
			require.NoError(t, err)
			options.Env = []string{"FLYTE_SECRET_SHARED_TOKEN=" + shared}
			hook, err := deployed.Start(t.Context(), s, options)
			require.NoError(t, err)
			defer func() { assert.NoError(t, hook.Stop()) }()

			ns := s.Namespace(t, restricted)
			if run.name == "1-vault" {
				unverified(t, clientOf(t, s), ns)
			}
			from := flyteStores(t, s, ns)
			pod := newPod(t, run.reqs...)
			pod.Labels["project"], pod.Labels["domain"] = "flytesnacks", "development"
			if run.chart == "binary-2" {
				pod.Labels["organization"] = "flyte"
			}
			assertLookups(t, s, createIn(t, s, ns, pod), from, run.lookups)
		})
	}
}

func flyteStores(t *testing.T, s *apiserver.Server, ns string) stores {
	createSecret(t, s, ns, "user-info", map[string]string{"name": "Ada", "Password": "pa ss"})
	createSecret(t, s, ns, "8604aecae9ee64a74c52d4c1965bb0ef", map[string]string{"bare": "by its hash"})
	for key, name := range hashed {
		createSecret(t, s, ns, name, map[string]string{embedded + key: "embedded " + key})
	}
	v := vaulttest.NewServer(t, "flyte")
	v.Write(t, "kv/Task", map[string]any{"Key": "one"})
	v.Write(t, "secret/data/Task", map[string]any{"Key": "four"})
	return stores{map[string]string{account + ":db-AbCdEf": "from aws"}, v}
}

func assertLookups(t *testing.T, s *apiserver.Server, pod *corev1.Pod, from stores, lookups []lookup) {
	for _, l := range lookups {
		if l.value == "" { // fetched
			assert.NoError(t, injectortest.CanRead(pod, "app", l.call))
			if l.variable != "" {
				assert.NoError(t, injectortest.CanReadExact(pod, "app", "", secret.Request{Key: "k", Mount: mount.EnvVar, EnvVar: l.variable}))
			} else {
				assert.NoError(t, injectortest.CanReadExact(pod, "app", "", secret.Request{Key: "k", Mount: mount.File, Path: l.file}))
			}
			continue
		}
		app := runPod(t, s, pod, from)["app"]
		value, ok := app.get(l.call.Group, l.call.GroupVersion, l.call.Key)
		assert.True(t, ok && value == l.value, "the client finds %q for %v", value, l.call)
		if l.variable != "" {
			assert.Equal(t, l.value, app.env[l.variable])
		}
		if l.file != "" {
			value, _ := app.file(l.file)
			assert.Equal(t, l.value, value, l.file)
		}
	}
}
