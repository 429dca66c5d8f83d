package e2e

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/podsecrets/podsecrets/internal/e2e/deployed"
	"github.com/podsecrets/podsecrets/secret"
)

// The phases of the load.
const (
	steady    = "nothing happens"
	killed    = "a replica is killed"
	rotated   = "the certificate is rotated"
	restarted = "the other replica is restarted"
	allKilled = "all replicas are killed"
	restored  = "the replicas are back"
)

// failingPhases are the phases in which creations may fail.
var failingPhases = []string{killed, allKilled}

// minPods is the minimum number of Pods per phase.
const minPods = 30

// While Pods are created all the time, replicas die, restart, and get a new
// certificate. No Pod is stored without its secrets, and every Pod whose creation
// succeeded is stored. Failed creations report that the webhook cannot be called.
func TestWebhook_Faults(t *testing.T) {
	ns := server.Namespace(t, restricted)
	pod := newPod(t, variable, file, secret.Request{Group: "shared", Key: "token"})
	t.Cleanup(func() { bringBack(t) })
	l := startLoad(t, ns, 4, pod)
	during := func(phase string, fault func()) {
		l.begin(phase)
		fault()
		eventually(t, phase, func() bool {
			created, failed := l.count(phase)
			return created >= minPods || phase == allKilled && failed >= minPods
		})
	}
	one, other := hook.Replicas[0], hook.Replicas[1]
	during(steady, func() {})
	during(killed, one.Kill)
	require.NoError(t, one.Start())
	require.NoError(t, one.WaitReady(t.Context()))
	during(rotated, func() { rotate(t) })
	during(restarted, func() {
		assert.NoError(t, other.Terminate())
		require.NoError(t, other.Start())
		require.NoError(t, other.WaitReady(t.Context()))
	})
	during(allKilled, func() { one.Kill(); other.Kill() })
	bringBack(t)
	eventually(t, "a creation succeeds", func() bool { created, _ := l.count(allKilled); return created > 0 })
	during(restored, func() {})

	assertResults(t, l.end(), ns)
}

// rotate empties the Secret, as the manifests' secret.yaml describes, and waits until
// all replicas serve another certificate.
func rotate(t *testing.T) {
	before, err := hook.Replicas[0].Certificate()
	require.NoError(t, err)
	_, err = client.CoreV1().Secrets(deployed.Namespace).Patch(t.Context(), deployed.Secret, types.MergePatchType, []byte(`{"data":null}`), metav1.PatchOptions{})
	require.NoError(t, err)
	for _, r := range hook.Replicas {
		eventually(t, "another certificate", func() bool {
			served, err := r.Certificate()
			return err == nil && !served.Equal(before)
		})
	}
}

// bringBack restarts the replicas that are not ready.
func bringBack(t *testing.T) {
	for _, r := range hook.Replicas {
		if !r.Ready() {
			r.Kill()
			require.NoError(t, r.Start())
			require.NoError(t, r.WaitReady(t.Context()))
		}
	}
}

func assertResults(t *testing.T, all []creation, ns string) {
	list, err := client.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	stored := map[string]bool{}
	for _, pod := range list.Items {
		stored[pod.Name] = true
		assertComplete(t, &pod)
	}
	created := 0
	for _, result := range all {
		if result.err == nil {
			created++
			assert.True(t, stored[result.pod], "%s was created but is not stored, while %s", result.pod, result.began)
			continue
		}
		mayFail := slices.Contains(failingPhases, result.began) || slices.Contains(failingPhases, result.ended)
		assert.True(t, mayFail, "failed while %s: %v", result.began, result.err)
		assert.Regexp(t, `failed calling webhook "(inject|verify).podsecrets.github.io"`, result.err.Error())
	}
	assert.GreaterOrEqual(t, len(stored), created)
	t.Logf("%d Pods stored, %d creations failed", created, len(all)-created)
}

// assertComplete asserts that a Pod of the load has its secrets.
func assertComplete(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	env := map[string]bool{}
	for _, v := range pod.Spec.Containers[0].Env {
		env[v.Name] = true
	}
	mounted := map[string]bool{}
	for _, m := range pod.Spec.Containers[0].VolumeMounts {
		mounted[m.MountPath] = true
	}
	assert.True(t, env["_FSEC_USER-INFO_NAME"] && env["_FSEC_SHARED_TOKEN"] && mounted["/etc/flyte/secrets/user-info"], "%s is stored without its secrets", pod.Name)
}
