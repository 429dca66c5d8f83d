package node

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// A restarted container has its secrets again, without fetching them again.
func TestNode_Restart(t *testing.T) {
	t.Parallel()
	reqs := []secret.Request{
		ask("Name", mount.EnvVar), ask("tricky", mount.File),
		{Group: arn, Key: "tricky", Mount: mount.File}, {Group: arn, Key: "line", Mount: mount.EnvVar},
	}
	pod := newPod()
	pod.Spec.HostNetwork, pod.Spec.RestartPolicy = true, corev1.RestartPolicyAlways
	pod.Spec.Containers[0].Args = []string{"-exit=1", "-ask=" + calls(t, reqs)}
	pod = create(t, namespace(t, nil), inject(t, injector.Config{}, pod, []newManager{k8s, awsFetch}, reqs...))
	pod = until(t, pod, "the container restarts", func(p *corev1.Pod) bool {
		s := p.Status.ContainerStatuses
		return len(s) == 1 && s[0].RestartCount > 0 && s[0].State.Running == nil && s[0].LastTerminationState.Terminated != nil
	})
	assert.Zero(t, pod.Status.InitContainerStatuses[0].RestartCount)
	report := lastReport(t, pod, "app", 1)
	for i, want := range [][]byte{[]byte("Ada"), tricky, tricky, line} {
		assertSame(t, want, report.Results[i].Value, reqs[i].Key)
	}
}

// Files follow changes of a Secret; variables do not.
func TestNode_SecretChanges(t *testing.T) {
	t.Parallel()
	ns := server.Namespace(t, restricted)
	createSecret(t, ns, "changing", map[string][]byte{"k": []byte("before")})
	file := secret.Request{Group: "changing", Key: "k", Mount: mount.File, Path: "changing/file", EnvVar: "AT"}
	variable := secret.Request{Group: "changing", Key: "k", Mount: mount.EnvVar, EnvVar: "V"}
	pod := newPod()
	pod.Spec.Containers[0].Args = []string{"-every=500ms"}
	pod = create(t, ns, inject(t, injector.Config{}, pod, []newManager{k8s}, file, variable))
	until(t, pod, "the Pod runs", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodRunning })
	seen := func(file string) *seenReport {
		for deadline := time.Now().Add(*patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
			if report := currentReport(t, pod, "app"); report != nil && string(report.Files[string(report.Env["AT"])]) == file {
				return report
			}
		}
		t.Fatalf("the file never becomes %q", file)
		return nil
	}
	assert.Equal(t, "before", string(seen("before").Env["V"]))
	_, err := client.CoreV1().Secrets(ns).Update(t.Context(),
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "changing"}, Data: map[string][]byte{"k": []byte("after")}}, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Equal(t, "before", string(seen("after").Env["V"]))
}
