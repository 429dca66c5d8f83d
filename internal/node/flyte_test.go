package node

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
	"github.com/podsecrets/podsecrets/internal/e2e/deployed"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// embeddedKey is the id of an embedded secret of the Pods here, which is also its key
// in the Kubernetes Secret that is called by the id's MD5 sum.
func embeddedKey(key string) (name, id string) {
	id = "u__org__flyte__domain__development__project__flytesnacks__key__" + key
	sum := md5.Sum([]byte(id)) // #nosec G401 -- Flyte's choice
	return hex.EncodeToString(sum[:]), id
}

// flyteTasks are what tasks of Flyte ask for, with a configuration of each release,
// and where they find it: by Flyte 1's client, and as Flyte 2's users read it, in
// the variable that they named or in the file of the key.
var flyteTasks = map[string]struct {
	chart, more    string
	wants          []want
	variable, file string // of the first and of the second
}{
	"1-k8s": {"core-1", "", []want{
		{secret.Request{Group: "user-info", Key: "tricky", Mount: mount.EnvVar, EnvVar: "TRICKY"}, tricky},
		{secret.Request{Group: "user-info", Key: "binary"}, binary},
	}, "TRICKY", "/etc/flyte/secrets/user-info/binary"},
	"1-aws": {"core-1", "webhook: {secretManagerType: AWS}", []want{
		{secret.Request{Group: arn, Key: "tricky-AbCdEf"}, tricky},
		{secret.Request{Group: arn, Key: "Binary-AbCdEf", Mount: mount.File}, binary},
	}, "", "/etc/flyte/secrets/" + arn + "/binary-abcdef"},
	"1-gcp": {"binary-1", "webhook: {secretManagerType: GCP}", []want{
		{secret.Request{Group: "projects/project-1/secrets/tricky", GroupVersion: "latest"}, tricky},
		{secret.Request{Group: "projects/project-1/secrets/Binary", GroupVersion: "3"}, binary},
	}, "", "/etc/flyte/secrets/projects/project-1/secrets/binary/3"},
	"2-embedded": {"binary-2", "", []want{
		{secret.Request{Key: "api-key", Mount: mount.EnvVar, EnvVar: "API_KEY"}, tricky},
		{secret.Request{Key: "My_File", Mount: mount.File}, binary},
	}, "API_KEY", "/etc/flyte/secrets/My_File"},
}

// The webhook injects what the API server stores, and the node's containers read it.
func TestNode_Flyte(t *testing.T) {
	root, err := apiserver.Root()
	require.NoError(t, err)
	for name, task := range flyteTasks {
		t.Run(name, func(t *testing.T) {
			more := filepath.Join(t.TempDir(), "more.yaml")
			require.NoError(t, os.WriteFile(more, []byte(task.more), 0o600))
			hook, err := deployed.Start(t.Context(), server, deployed.Options{
				Config: map[string]any{"managers": nil, "drain": "0s"},
				Files:  []string{filepath.Join(root, "examples/webhook/testdata/flyte/configmaps", task.chart+".yaml"), more},
			})
			require.NoError(t, err)
			defer func() {
				// Other tests' Pods must not wait for it.
				registrations, ctx := client.AdmissionregistrationV1(), context.Background()
				assert.NoError(t, registrations.MutatingWebhookConfigurations().Delete(ctx, deployed.Configuration, metav1.DeleteOptions{}))
				assert.NoError(t, registrations.ValidatingWebhookConfigurations().Delete(ctx, deployed.Validating, metav1.DeleteOptions{}))
				assert.NoError(t, hook.Stop())
			}()
			ns := server.Namespace(t, restricted)
			fill(t, ns)
			for key, value := range map[string][]byte{"api-key": tricky, "My_File": binary} {
				secretName, id := embeddedKey(key)
				keepSecret(t, ns, secretName, map[string][]byte{id: value})
			}

			pod := newPod()
			reqs := []secret.Request{task.wants[0].Request, task.wants[1].Request}
			labels := map[string]string{"project": "flytesnacks", "domain": "development"}
			if task.chart == "binary-2" {
				labels["organization"] = "flyte"
			}
			pod.Labels, pod.Annotations, err = secret.Stamp(labels, nil, reqs)
			require.NoError(t, err)
			app := read(t, ns, pod, reqs...)["app"]
			require.NotNil(t, app)
			for i, w := range task.wants {
				assert.NotEmpty(t, app.Asked[i].From, "%v", w.Request)
				assertSame(t, w.value, app.Asked[i].Value, w.String())
			}
			if task.variable != "" {
				assertSame(t, tricky, app.Env[task.variable], task.variable)
			}
			assertSame(t, binary, app.Files[task.file], task.file)
		})
	}
}
