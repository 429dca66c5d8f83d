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

// The phases of the load, and in which of them creations may fail.
const (
	steady    = "nothing happens"
	killed    = "a replica is killed"
	rotated   = "the certificate is rotated"
	restarted = "the other replica is restarted"
	nobody    = "all replicas are killed"
	restored  = "the replicas are back"
)

var mayFailNow = []string{killed, nobody}

// enough is how many Pods belong to a phase at least.
const enough = 30

// With Pods created all the time, replicas die, are restarted, and get another
// certificate. No Pod is stored without its secrets, and each that a client was
// told of is stored. What a client is told, where creations fail, is that the
// webhook cannot be called.
func TestFaults(t *testing.T) {
	ns := server.Namespace(t, restricted)
	pod := newPod(t, variable, file, secret.Request{Group: "shared", Key: "token"})
	t.Cleanup(func() { bringBack(t) })
	l := startLoad(t, ns, 4, pod)
	during := func(phase string, fault func()) {
		l.begin(phase)
		fault()
		eventually(t, phase, func() bool {
			created, failed := l.count(phase)
			return created >= enough || phase == nobody && failed >= enough
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
	during(nobody, func() { one.Kill(); other.Kill() })
	bringBack(t)
	eventually(t, "a creation", func() bool { created, _ := l.count(nobody); return created > 0 })
	during(restored, func() {})

	assertTold(t, l.end(), ns)
}

// rotate does what secret.yaml of the manifests says of having all of it made
// anew, and returns when all replicas serve another certificate.
func rotate(t *testing.T) {
	before, err := hook.Replicas[0].Certificate()
	require.NoError(t, err)
	_, err = client.CoreV1().Secrets(deployed.Namespace).Patch(t.Context(), deployed.Secret, types.MergePatchType, []byte(`{"data":null}`), metav1.PatchOptions{})
	require.NoError(t, err)
	for _, r := range hook.Replicas {
		eventually(t, "another certificate", func() bool {
			now, err := r.Certificate()
			return err == nil && !now.Equal(before)
		})
	}
}

// bringBack starts the replicas that do not run.
func bringBack(t *testing.T) {
	for _, r := range hook.Replicas {
		if !r.Ready() {
			r.Kill()
			require.NoError(t, r.Start())
			require.NoError(t, r.WaitReady(t.Context()))
		}
	}
}

func assertTold(t *testing.T, all []told, ns string) {
	list, err := client.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	stored := map[string]bool{}
	for _, pod := range list.Items {
		stored[pod.Name] = true
		assertComplete(t, &pod)
	}
	created := 0
	for _, said := range all {
		if said.err == nil {
			created++
			assert.True(t, stored[said.pod], "%s was said to be stored, while %s", said.pod, said.began)
			continue
		}
		mayFail := slices.Contains(mayFailNow, said.began) || slices.Contains(mayFailNow, said.ended)
		assert.True(t, mayFail, "failed while %s: %v", said.began, said.err)
		assert.Regexp(t, `failed calling webhook "(inject|verify).podsecrets.github.io"`, said.err.Error())
	}
	assert.GreaterOrEqual(t, len(stored), created)
	t.Logf("%d Pods stored, %d creations failed", created, len(all)-created)
}

// assertComplete checks that a Pod of the load has what it asks for.
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
