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

// readyMadeWebhook builds package readymade. The result starts it as a process with
// a patch or null. Like the deployed webhook, it is called through a forwarder.
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
		var endpoint struct {
			URL string
			CA  []byte
		}
		require.NoError(b, json.NewDecoder(stdout).Decode(&endpoint))
		forwarder, err := deployed.Forward(strings.TrimPrefix(endpoint.URL, "https://"))
		require.NoError(b, err)
		b.Cleanup(func() { forwarder.Close() })
		url := "https://" + forwarder.Addr().String()
		v.hook, v.pid = &admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: endpoint.CA}, process.Process.Pid
	}
}

// withdraw removes the deployed configurations from the API server, and returns the
// mutating webhook.
func withdraw(b *testing.B) *admissionregistrationv1.MutatingWebhook {
	ctx := context.Background()
	api := client.AdmissionregistrationV1()
	c, err := api.MutatingWebhookConfigurations().Get(ctx, deployed.Configuration, metav1.GetOptions{})
	require.NoError(b, err)
	require.NoError(b, api.MutatingWebhookConfigurations().Delete(ctx, c.Name, metav1.DeleteOptions{}))
	require.NoError(b, api.ValidatingWebhookConfigurations().DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{}))
	return &c.Webhooks[0]
}

// registerAll registers the webhooks of the variants, each for its own namespace.
func registerAll(b *testing.B, name string, variants ...*variant) {
	c := &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: name}}
	for i, v := range variants {
		h := podHook(fmt.Sprintf("hook%d.example.test", i))
		h.ClientConfig, h.MatchConditions, h.NamespaceSelector = *v.hook, v.conditions, onlyNamespace(v.ns)
		c.Webhooks = append(c.Webhooks, h)
	}
	api := client.AdmissionregistrationV1().MutatingWebhookConfigurations()
	_, err := api.Create(context.Background(), c, metav1.CreateOptions{})
	require.NoError(b, err)
	b.Cleanup(func() { _ = api.Delete(context.Background(), c.Name, metav1.DeleteOptions{}) })
}

// injectedIn creates Pods until a webhook injects one, and returns it.
func injectedIn(b *testing.B, ns string, pod *corev1.Pod) *corev1.Pod {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		stored, err := client.CoreV1().Pods(ns).Create(context.Background(), pod, metav1.CreateOptions{})
		if err == nil && len(stored.Spec.Containers[0].Env) > len(pod.Spec.Containers[0].Env) {
			return stored
		}
		require.False(b, time.Now().After(deadline), "not injected after 20 s: %v", err)
	}
}

// patchOf returns the deployed webhook's patch for a Pod stored without a webhook.
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

// fewer returns a patch with the same result but one operation per list.
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

// cpuOf returns the CPU time of the variant's process so far. A tick is a hundredth
// of a second on every Linux architecture.
func (v *variant) cpuOf(b *testing.B) time.Duration {
	if v.pid == 0 {
		return 0
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", v.pid))
	require.NoError(b, err)
	// Fields 14 and 15 are utime and stime. Field 2 is the name, in parentheses.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	ticks := 0
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		require.NoError(b, err)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
