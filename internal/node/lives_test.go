package node

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubectl/pkg/describe"

	"github.com/podsecrets/podsecrets/internal/node/reader"
	"github.com/podsecrets/podsecrets/secret"
)

// slots limits the Pods on the node. A scheduler would make others wait, but without
// one the kubelet refuses them (OutOfcpu).
var slots = make(chan struct{}, 4*runtime.NumCPU())

// The default of patience is long enough for a busy machine.
var patience = flag.Duration("patience", 4*time.Minute, "timeout of each wait in a test")

// create creates a Pod on the node until the test ends, and returns the stored one.
func create(t testing.TB, ns string, pod *corev1.Pod) *corev1.Pod {
	t.Helper()
	stored, err := tryCreate(t, ns, pod)
	require.NoError(t, err)
	return stored
}

func tryCreate(t testing.TB, ns string, pod *corev1.Pod) (*corev1.Pod, error) {
	t.Helper()
	slots <- struct{}{}
	stored, err := client.CoreV1().Pods(ns).Create(t.Context(), onNode(pod), metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		<-slots
		return nil, err
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(describePod(stored))
		}
		_ = client.CoreV1().Pods(ns).Delete(context.Background(), stored.Name, metav1.DeleteOptions{GracePeriodSeconds: ptr(int64(0))})
		<-slots
	})
	return stored, nil
}

// until waits until done returns true for the Pod.
func until(t testing.TB, pod *corev1.Pod, what string, done func(*corev1.Pod) bool) *corev1.Pod {
	t.Helper()
	for deadline := time.Now().Add(*patience); ; time.Sleep(200 * time.Millisecond) {
		current, err := client.CoreV1().Pods(pod.Namespace).Get(t.Context(), pod.Name, metav1.GetOptions{})
		require.NoError(t, err)
		if done(current) {
			return current
		}
		if time.Now().After(deadline) {
			t.Fatal("timed out waiting until " + what)
		}
	}
}

// untilGone waits until the Pod does not exist.
func untilGone(t testing.TB, pod *corev1.Pod) {
	t.Helper()
	for deadline := time.Now().Add(*patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if _, err := client.CoreV1().Pods(pod.Namespace).Get(t.Context(), pod.Name, metav1.GetOptions{}); apierrors.IsNotFound(err) {
			return
		}
	}
	t.Fatal("timed out waiting until the Pod is gone")
}

func hasEnded(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// read creates a Pod, waits until it ends, and returns the reports of its own
// containers by name. They call Flyte's client for all requests.
func read(t testing.TB, ns string, pod *corev1.Pod, reqs ...secret.Request) map[string]*seenReport {
	t.Helper()
	pod = pod.DeepCopy()
	eachContainer(pod, func(c *corev1.Container) {
		if isReader(c) && len(reqs) > 0 {
			c.Args = append([]string{"-ask=" + calls(t, reqs)}, c.Args...)
		}
	})
	return reports(t, create(t, ns, pod))
}

// reports waits until a stored Pod ends, and returns its containers' reports.
func reports(t testing.TB, pod *corev1.Pod) map[string]*seenReport {
	t.Helper()
	pod = until(t, pod, "the Pod ends", hasEnded)
	require.Equal(t, corev1.PodSucceeded, pod.Status.Phase, "%s %s", pod.Status.Reason, pod.Status.Message)
	all := map[string]*seenReport{}
	eachContainer(pod, func(c *corev1.Container) {
		if isReader(c) {
			all[c.Name] = lastReport(t, pod, c.Name, 0)
		}
	})
	return all
}

// calls returns the value of the flag -ask for requests.
func calls(t testing.TB, reqs []secret.Request) string {
	var all []reader.Call
	for _, r := range reqs {
		all = append(all, reader.Call{Group: r.Group, Version: r.GroupVersion, Key: r.Key})
	}
	raw, err := json.Marshal(all)
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(raw)
}

// lastReport returns the last report of a container's run, counted from 0.
func lastReport(t testing.TB, pod *corev1.Pod, container string, run int) *seenReport {
	t.Helper()
	report := parseLast(logOf(t, pod, container, run))
	require.NotNil(t, report, "%s of %s", container, pod.Name)
	return report
}

// currentReport returns the last complete report of a container's first run, which may
// still be running, or nil.
func currentReport(t testing.TB, pod *corev1.Pod, container string) *seenReport {
	text := logOf(t, pod, container, 0)
	return parseLast(text[:strings.LastIndex(text, "\n")+1])
}

func parseLast(log string) *seenReport {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	report := new(seenReport)
	if json.Unmarshal([]byte(lines[len(lines)-1]), report) != nil {
		return nil
	}
	return report
}

// logOf returns the log of a container's run. Each line of containerd's file has a
// time, a stream, P (partial) or F (full), and the text.
func logOf(t testing.TB, pod *corev1.Pod, container string, run int) string {
	t.Helper()
	dir := filepath.Join(node.Dir, "log", "pods", fmt.Sprintf("%s_%s_%s", pod.Namespace, pod.Name, pod.UID), container)
	raw, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%d.log", run))) // #nosec G304 -- the node's
	require.NoError(t, err)
	var text strings.Builder
	for line := range bytes.Lines(raw) {
		parts := strings.SplitN(strings.TrimSuffix(string(line), "\n"), " ", 4)
		if len(parts) < 4 {
			break // still being written
		}
		text.WriteString(parts[3])
		if parts[2] == "F" {
			text.WriteString("\n")
		}
	}
	return text.String()
}

// describePod returns the output of "kubectl describe".
func describePod(pod *corev1.Pod) string {
	text, err := (&describe.PodDescriber{Interface: client}).Describe(pod.Namespace, pod.Name, describe.DescriberSettings{ShowEvents: true})
	if err != nil {
		return err.Error()
	}
	return text
}

// assertRefused waits until "kubectl describe" shows why the Pod does not start, and
// asserts that no container of the Pod's own ran.
func assertRefused(t testing.TB, pod *corev1.Pod, why string) {
	t.Helper()
	var text string
	current := until(t, pod, "kubectl describe shows "+why, func(*corev1.Pod) bool {
		text = strings.Join(strings.Fields(describePod(pod)), " ")
		return strings.Contains(text, why)
	})
	for _, s := range current.Status.ContainerStatuses {
		require.Nil(t, s.State.Running, s.Name)
		require.Nil(t, s.LastTerminationState.Terminated, s.Name)
		if s.State.Terminated != nil { // could not start, or the Pod failed
			require.NotEqual(t, int32(0), s.State.Terminated.ExitCode, s.Name)
		}
	}
}
