package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/internal/e2e/deployed"
	"github.com/podsecrets/podsecrets/k8ssecret"
)

// readyMadeWebhook builds package readymade, and returns what starts it in a process
// of its own with a patch, or null.
func readyMadeWebhook(b *testing.B) func(v *variant, patch json.RawMessage) {
	binary := filepath.Join(b.TempDir(), "readymade")
	out, err := exec.Command("go", "build", "-o", binary, "./readymade").CombinedOutput()
	require.NoError(b, err, "%s", out)
	return func(v *variant, patch json.RawMessage) {
		process := exec.Command(binary)
		process.Stderr = os.Stderr
		stdin, err := process.StdinPipe()
		require.NoError(b, err)
		stdout, err := process.StdoutPipe()
		require.NoError(b, err)
		require.NoError(b, process.Start())
		b.Cleanup(func() { stdin.Close(); _ = process.Wait() })
		require.NoError(b, json.NewEncoder(stdin).Encode(patch))
		var at struct {
			URL string
			CA  []byte
		}
		require.NoError(b, json.NewDecoder(stdout).Decode(&at))
		v.hook, v.pid = &admissionregistrationv1.WebhookClientConfig{URL: &at.URL, CABundle: at.CA}, process.Process.Pid
	}
}

// withdraw removes the deployed webhook's configurations from the API server, and
// returns how its mutating webhook was registered.
func withdraw(b *testing.B) *admissionregistrationv1.MutatingWebhook {
	ctx := context.Background()
	api := client.AdmissionregistrationV1()
	c, err := api.MutatingWebhookConfigurations().Get(ctx, deployed.Configuration, metav1.GetOptions{})
	require.NoError(b, err)
	require.NoError(b, api.MutatingWebhookConfigurations().Delete(ctx, c.Name, metav1.DeleteOptions{}))
	require.NoError(b, api.ValidatingWebhookConfigurations().DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	return &c.Webhooks[0]
}

// registerAll registers the webhooks of the variants, each in the namespace of its
// own.
func registerAll(b *testing.B, name string, variants ...*variant) {
	fail, none := admissionregistrationv1.Fail, admissionregistrationv1.SideEffectClassNone
	c := &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: name}}
	for i, v := range variants {
		c.Webhooks = append(c.Webhooks, admissionregistrationv1.MutatingWebhook{
			Name: fmt.Sprintf("hook%d.example.test", i), ClientConfig: *v.hook,
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
			}},
			MatchConditions: v.conditions,
			FailurePolicy:   &fail, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: v.ns}},
		})
	}
	api := client.AdmissionregistrationV1().MutatingWebhookConfigurations()
	_, err := api.Create(context.Background(), c, metav1.CreateOptions{})
	require.NoError(b, err)
	b.Cleanup(func() { _ = api.Delete(context.Background(), c.Name, metav1.DeleteOptions{}) })
}

// injectedIn creates a Pod until a webhook injects it, and returns it.
func injectedIn(b *testing.B, ns string, pod *corev1.Pod) *corev1.Pod {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		stored, err := client.CoreV1().Pods(ns).Create(context.Background(), pod, metav1.CreateOptions{})
		if err == nil && len(stored.Spec.Containers[0].Env) > len(pod.Spec.Containers[0].Env) {
			return stored
		}
		require.False(b, time.Now().After(deadline), "not injected after 20 s: %v", err)
	}
}

// patchOf returns the patch that the deployed webhook makes, of a Pod as the API
// server has it without a webhook.
func patchOf(b *testing.B, pod *corev1.Pod) json.RawMessage {
	g, err := global.New(global.Config{Source: sharedToken{}})
	require.NoError(b, err)
	k, err := k8ssecret.New(k8ssecret.Config{})
	require.NoError(b, err)
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{g, k}})
	require.NoError(b, err)
	request := &admissionv1.AdmissionRequest{Operation: admissionv1.Create, Resource: metav1.GroupVersionResource{Version: "v1", Resource: "pods"}}
	request.Object.Raw, err = json.Marshal(pod)
	require.NoError(b, err)
	response := in.Review(context.Background(), request)
	require.True(b, response.Allowed && response.Patch != nil, "%v", response.Result)
	return response.Patch
}

// fewer returns a patch with the same result, with one operation for each list
// that the patch adds to.
func fewer(b *testing.B, patch json.RawMessage, result *corev1.Pod) json.RawMessage {
	type operation struct {
		Op    string `json:"op"`
		Path  string `json:"path"`
		Value any    `json:"value"`
	}
	var all, out []operation
	require.NoError(b, json.Unmarshal(patch, &all))
	text, err := json.Marshal(result)
	require.NoError(b, err)
	seen := map[string]bool{}
	for _, op := range all {
		list := op.Path
		if dir, last := list[:strings.LastIndexByte(list, '/')], list[strings.LastIndexByte(list, '/')+1:]; isNumber(last) {
			list = dir
		}
		if seen[list] {
			continue
		}
		seen[list] = true
		var value any
		require.NoError(b, json.Unmarshal(text, &value))
		for _, key := range strings.Split(list, "/")[1:] {
			if elements, ok := value.([]any); ok {
				i, err := strconv.Atoi(key)
				require.NoError(b, err)
				value = elements[i]
				continue
			}
			value = value.(map[string]any)[key]
		}
		out = append(out, operation{"add", list, value})
	}
	require.Less(b, len(out), len(all))
	short, err := json.Marshal(out)
	require.NoError(b, err)
	return short
}

func isNumber(text string) bool {
	_, err := strconv.Atoi(text)
	return err == nil
}

// cpuOf returns the CPU time of the variant's process until now. A tick is a
// hundredth of a second on every architecture of Linux.
func (v *variant) cpuOf(b *testing.B) time.Duration {
	if v.pid == 0 {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", v.pid))
	require.NoError(b, err)
	// Behind the name, which is in parentheses: utime and stime are fields 14 and 15.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		require.NoError(b, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
