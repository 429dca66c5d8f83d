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

// found is where a program finds a secret: by a call of Flyte 1's client (asked), in
// the variable that the request names, or in a file that it opens.
type found struct {
	asked          secret.Request
	variable, file string
	value          string
}

// embedded is the id of an embedded secret of the Pods here, and hashed the name of
// the Kubernetes Secret that holds it (md5sum).
const embedded = "u__org__flyte__domain__development__project__flytesnacks__key__"

var hashed = map[string]string{
	"my-key": "f72c7f2cc489d9fd05bc4f90ed21fb86", "My_File": "7f8fab5803aa50cee616b84adf36532c",
}

// flyteRuns are configurations of Flyte's charts with what an administrator adds,
// and what a task finds. Fetched secrets, of which there is no stand-in here, have
// no value: then the model of injectortest says whether they can be read.
var flyteRuns = []struct {
	name, chart, more string
	reqs              []secret.Request
	finds             []found
}{
	{"1-k8s", "core-1", "", []secret.Request{
		{Group: "user-info", Key: "name"}, {Group: "user-info", Key: "Password", Mount: mount.EnvVar, EnvVar: "PASSWORD"},
		{Group: "shared", Key: "token", Mount: mount.EnvVar},
	}, []found{
		{asked: secret.Request{Group: "user-info", Key: "name"}, file: "/etc/flyte/secrets/user-info/name", value: "Ada"},
		{asked: secret.Request{Group: "user-info", Key: "Password"}, variable: "PASSWORD", value: "pa ss"},
		{asked: secret.Request{Group: "shared", Key: "token"}, value: shared},
	}},
	{"1-aws", "core-1", "webhook: {secretManagerType: AWS}", []secret.Request{{Group: account, Key: "db-AbCdEf"}}, []found{
		{asked: secret.Request{Group: account, Key: "db-AbCdEf"}, file: "/etc/flyte/secrets/" + account + "/db-abcdef", value: "from aws"},
	}},
	{"1-vault", "binary-1", "webhook: {secretManagerType: Vault}", []secret.Request{
		{Group: "secret/data/Task", Key: "Key"}, {Group: "kv/Task", Key: "Key", GroupVersion: "kv1", Mount: mount.File},
	}, []found{
		{asked: secret.Request{Group: "secret/data/Task", Key: "Key"}, value: "four"},
		{asked: secret.Request{Group: "kv/Task", Key: "Key"}, value: "one"},
		{asked: secret.Request{Group: "kv/Task", Key: "Key", GroupVersion: "kv1"}, value: "one"},
	}},
	{"1-gcp", "binary-1", "webhook: {secretManagerType: GCP}", []secret.Request{
		{Group: "db-password", GroupVersion: "3"}, {Group: "projects/p1/secrets/s", Key: "k", GroupVersion: "latest"},
	}, []found{
		{asked: secret.Request{Group: "db-password", GroupVersion: "3"}, file: "db-password/3"},
		{asked: secret.Request{Group: "projects/p1/secrets/s", GroupVersion: "latest"}, file: "projects/p1/secrets/s/latest"},
	}},
	{"2-embedded", "binary-2", "", []secret.Request{
		{Key: "my-key", Mount: mount.EnvVar, EnvVar: "MY_KEY"}, {Key: "My_File", Mount: mount.File},
	}, []found{
		{asked: secret.Request{Key: "my-key"}, variable: "MY_KEY", value: "embedded my-key"},
		{asked: secret.Request{Key: "My_File"}, file: "/etc/flyte/secrets/My_File", value: "embedded My_File"},
	}},
	{"2-k8s", "binary-2", "webhook: {secretManagerTypes: [k8s]}", []secret.Request{
		{Group: "user-info", Key: "name", Mount: mount.File, EnvVar: "NAME_FILE"}, {Key: "bare", Mount: mount.EnvVar, EnvVar: "BARE"},
	}, []found{
		{asked: secret.Request{Group: "user-info", Key: "name"}, file: "/etc/flyte/secrets/user-info/name", value: "Ada"},
		{asked: secret.Request{Key: "bare"}, variable: "BARE", value: "by its hash"},
	}},
	{"2-embedded-aws", "binary-2", "webhook: {embeddedSecretManagerConfig: {type: AWS, awsConfig: {region: us-east-2}}}\nembedded: {aws: {image: 'example.test/fetch:1', envFiles: true}}", []secret.Request{
		{Key: "my-key", Mount: mount.EnvVar, EnvVar: "MY_KEY"}, {Key: "My_File", Mount: mount.File},
	}, []found{
		{asked: secret.Request{Key: "my-key"}, variable: "MY_KEY"}, {asked: secret.Request{Key: "My_File"}, file: "My_File"},
	}},
	{"2-azure", "binary-2", "webhook: {secretManagerTypes: [Azure, Embedded]}\nazure: {vaults: ['https://team.vault.azure.net']}", []secret.Request{
		{Group: "https://team.vault.azure.net/secrets/DB"},
	}, []found{
		{asked: secret.Request{Group: "https://team.vault.azure.net/secrets/DB"}, file: "db"},
	}},
}

// TestFlyte runs the webhook with configurations of Flyte's charts as they are, and
// creates Pods as each release stamps them.
func TestFlyte(t *testing.T) {
	s, err := apiserver.Start()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Stop()) })
	root, err := apiserver.Root()
	require.NoError(t, err)
	for _, run := range flyteRuns {
		t.Run(run.name, func(t *testing.T) {
			more := filepath.Join(t.TempDir(), "more.yaml")
			require.NoError(t, os.WriteFile(more, []byte(run.more), 0o600))
			hook, err := deployed.Start(t.Context(), s, deployed.Options{
				Config: map[string]any{"managers": nil, "drain": "0s"},
				Files:  []string{filepath.Join(root, "examples/webhook/testdata/flyte/configmaps", run.chart+".yaml"), more},
				Env:    []string{"FLYTE_SECRET_SHARED_TOKEN=" + shared},
			})
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
			assertFlyteFinds(t, s, createIn(t, s, ns, pod), from, run.finds)
		})
	}
}

func flyteStores(t *testing.T, s *apiserver.Server, ns string) stores {
	keep(t, s, ns, "user-info", map[string]string{"name": "Ada", "Password": "pa ss"})
	keep(t, s, ns, "8604aecae9ee64a74c52d4c1965bb0ef", map[string]string{"bare": "by its hash"})
	for key, name := range hashed {
		keep(t, s, ns, name, map[string]string{embedded + key: "embedded " + key})
	}
	v := vaulttest.NewServer(t, "flyte")
	v.Write(t, "kv/Task", map[string]any{"Key": "one"})
	v.Write(t, "secret/data/Task", map[string]any{"Key": "four"})
	return stores{map[string]string{account + ":db-AbCdEf": "from aws"}, v}
}

func assertFlyteFinds(t *testing.T, s *apiserver.Server, pod *corev1.Pod, from stores, finds []found) {
	for _, f := range finds {
		if f.value == "" { // fetched from a store that has no stand-in here
			assert.NoError(t, injectortest.CanRead(pod, "app", f.asked))
			if f.variable != "" {
				assert.NoError(t, injectortest.CanReadExact(pod, "app", "", secret.Request{Key: "k", Mount: mount.EnvVar, EnvVar: f.variable}))
			} else {
				assert.NoError(t, injectortest.CanReadExact(pod, "app", "", secret.Request{Key: "k", Mount: mount.File, Path: f.file}))
			}
			continue
		}
		app := runPod(t, s, pod, from)["app"]
		value, ok := app.get(f.asked.Group, f.asked.GroupVersion, f.asked.Key)
		assert.True(t, ok && value == f.value, "the client finds %q for %v", value, f.asked)
		if f.variable != "" {
			assert.Equal(t, f.value, app.env[f.variable])
		}
		if f.file != "" {
			value, _ := app.file(f.file)
			assert.Equal(t, f.value, value, f.file)
		}
	}
}
