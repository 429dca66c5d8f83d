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

// room is for as many Pods at a time as the node takes: a scheduler would let others
// wait, and the kubelet refuses them (OutOfcpu).
var room = make(chan struct{}, 4*runtime.NumCPU())

// A busy machine needs patience.
var patience = flag.Duration("patience", 4*time.Minute, "how long a test waits for anything")

// create creates a Pod on the node, and returns what is stored. It is deleted in the
// end.
func create(t testing.TB, ns string, pod *corev1.Pod) *corev1.Pod {
	t.Helper()
	stored, err := tryCreate(t, ns, pod)
	require.NoError(t, err)
	return stored
}

func tryCreate(t testing.TB, ns string, pod *corev1.Pod) (*corev1.Pod, error) {
	t.Helper()
	room <- struct{}{}
	stored, err := client.CoreV1().Pods(ns).Create(t.Context(), onNode(pod), metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		<-room
		return nil, err
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(describePod(stored))
		}
		_ = client.CoreV1().Pods(ns).Delete(context.Background(), stored.Name, metav1.DeleteOptions{GracePeriodSeconds: ptr(int64(0))})
		<-room
	})
	return stored, nil
}

// until waits until the Pod is as the function wants it.
func until(t testing.TB, pod *corev1.Pod, what string, done func(*corev1.Pod) bool) *corev1.Pod {
	t.Helper()
	for deadline := time.Now().Add(*patience); ; time.Sleep(200 * time.Millisecond) {
		now, err := client.CoreV1().Pods(pod.Namespace).Get(t.Context(), pod.Name, metav1.GetOptions{})
		require.NoError(t, err)
		if done(now) {
			return now
		}
		if time.Now().After(deadline) {
			t.Fatal("not in time: " + what)
		}
	}
}

// gone waits until the Pod does not exist.
func gone(t testing.TB, pod *corev1.Pod) {
	t.Helper()
	for deadline := time.Now().Add(*patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if _, err := client.CoreV1().Pods(pod.Namespace).Get(t.Context(), pod.Name, metav1.GetOptions{}); apierrors.IsNotFound(err) {
			return
		}
	}
	t.Fatal("not in time: the Pod is gone")
}

func hasEnded(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// read creates a Pod, waits until it has ended, and returns what its own containers
// saw, by their names. They ask for all of the requests.
func read(t testing.TB, ns string, pod *corev1.Pod, reqs ...secret.Request) map[string]*seenReport {
	t.Helper()
	pod = pod.DeepCopy()
	eachContainer(pod, func(c *corev1.Container) {
		if isReader(c) && len(reqs) > 0 {
			c.Args = append([]string{"-ask=" + questions(t, reqs)}, c.Args...)
		}
	})
	return reports(t, create(t, ns, pod))
}

// reports returns what the containers of a stored Pod saw.
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

// questions is the flag -ask for requests.
func questions(t testing.TB, reqs []secret.Request) string {
	var all []reader.Question
	for _, r := range reqs {
		all = append(all, reader.Question{Group: r.Group, Version: r.GroupVersion, Key: r.Key})
	}
	raw, err := json.Marshal(all)
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(raw)
}

// lastReport returns the last report of a container's run; the first is 0.
func lastReport(t testing.TB, pod *corev1.Pod, container string, run int) *seenReport {
	t.Helper()
	report := parseLast(logOf(t, pod, container, run))
	require.NotNil(t, report, "%s of %s", container, pod.Name)
	return report
}

// wholeReport is lastReport of the first run, which may still write, or nil.
func wholeReport(t testing.TB, pod *corev1.Pod, container string) *seenReport {
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

// logOf returns the log of a container's run. The file that containerd writes has in
// each line a time, a stream, whether the line is partial or full, and the text.
func logOf(t testing.TB, pod *corev1.Pod, container string, run int) string {
	t.Helper()
	dir := filepath.Join(node.Dir, "log", "pods", fmt.Sprintf("%s_%s_%s", pod.Namespace, pod.Name, pod.UID), container)
	raw, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%d.log", run))) // #nosec G304 -- the node's
	require.NoError(t, err)
	var text strings.Builder
	for line := range bytes.Lines(raw) {
		parts := strings.SplitN(strings.TrimSuffix(string(line), "\n"), " ", 4)
		if len(parts) < 4 {
			break // it is still written
		}
		text.WriteString(parts[3])
		if parts[2] == "F" {
			text.WriteString("\n")
		}
	}
	return text.String()
}

// describePod is "kubectl describe".
func describePod(pod *corev1.Pod) string {
	text, err := (&describe.PodDescriber{Interface: client}).Describe(pod.Namespace, pod.Name, describe.DescriberSettings{ShowEvents: true})
	if err != nil {
		return err.Error()
	}
	return text
}

// refused waits until "kubectl describe" shows why the Pod does not start, and that
// no container of the Pod's own has.
func refused(t testing.TB, pod *corev1.Pod, why string) {
	t.Helper()
	var text string
	now := until(t, pod, "kubectl describe shows "+why, func(*corev1.Pod) bool {
		text = strings.Join(strings.Fields(describePod(pod)), " ")
		return strings.Contains(text, why)
	})
	for _, s := range now.Status.ContainerStatuses {
		require.Nil(t, s.State.Running, s.Name)
		require.Nil(t, s.LastTerminationState.Terminated, s.Name)
		if s.State.Terminated != nil { // what never could start has that reason, or is a failed Pod's
			require.NotEqual(t, int32(0), s.State.Terminated.ExitCode, s.Name)
		}
	}
}
