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

	"github.com/podsecrets/podsecrets/internal/e2e/deployed"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// embeddedKey returns the ID of an embedded secret of the Pods, which is also its key
// in the Kubernetes Secret, and that Secret's name, the ID's MD5 sum.
func embeddedKey(key string) (name, id string) {
	id = "u__org__flyte__domain__development__project__flytesnacks__key__" + key
	sum := md5.Sum([]byte(id)) // #nosec G401 -- Flyte's choice
	return hex.EncodeToString(sum[:]), id
}

// flyteTasks are configurations of each release with the requests of a task. It reads
// the secrets with Flyte 1's client and as Flyte 2's users do: from the requested
// variable or the file named by the key.
var flyteTasks = map[string]struct {
	chart, additions string
	wants            []want
	variable, file   string // of the first and the second request
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

// The webhook injects the Pods, and the node's containers read their secrets.
func TestNode_Flyte(t *testing.T) {
	for name, task := range flyteTasks {
		t.Run(name, func(t *testing.T) {
			additions := filepath.Join(t.TempDir(), "additions.yaml")
			require.NoError(t, os.WriteFile(additions, []byte(task.additions), 0o600))
			options, err := deployed.FlyteOptions(task.chart, additions)
			require.NoError(t, err)
			hook, err := deployed.Start(t.Context(), server, options)
			require.NoError(t, err)
			defer func() {
				// Other tests' Pods must not be reviewed.
				registrations, ctx := client.AdmissionregistrationV1(), context.Background()
				assert.NoError(t, registrations.MutatingWebhookConfigurations().Delete(ctx, deployed.Configuration, metav1.DeleteOptions{}))
				assert.NoError(t, registrations.ValidatingWebhookConfigurations().Delete(ctx, deployed.Validating, metav1.DeleteOptions{}))
				assert.NoError(t, hook.Stop())
			}()
			ns := server.Namespace(t, restricted)
			fill(t, ns)
			for key, value := range map[string][]byte{"api-key": tricky, "My_File": binary} {
				secretName, id := embeddedKey(key)
				createSecret(t, ns, secretName, map[string][]byte{id: value})
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
				assert.NotEmpty(t, app.Results[i].From, "%v", w.Request)
				assertSame(t, w.value, app.Results[i].Value, w.String())
			}
			if task.variable != "" {
				assertSame(t, tricky, app.Env[task.variable], task.variable)
			}
			assertSame(t, binary, app.Files[task.file], task.file)
		})
	}
}
