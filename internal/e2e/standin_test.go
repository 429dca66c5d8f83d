package e2e

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/util/retry"

	"github.com/podsecrets/podsecrets/internal/e2e/deployed"
	"github.com/podsecrets/podsecrets/secret"
)

// reviewer answers an admission request.
type reviewer func(*admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse

// serveReviews serves a webhook in this process, and returns its client
// configuration.
func serveReviews(t *testing.T, review reviewer) admissionregistrationv1.WebhookClientConfig {
	ts := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body admissionv1.AdmissionReview
		raw, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(raw, &body)
		}
		if err != nil || body.Request == nil {
			http.Error(w, "not an admission review", http.StatusBadRequest)
			return
		}
		body.Response = review(body.Request)
		body.Response.UID = body.Request.UID
		body.Request = nil
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(body)
	}))
	t.Cleanup(ts.Close)
	return admissionregistrationv1.WebhookClientConfig{
		URL:      &ts.URL, // the certificate is for 127.0.0.1
		CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ts.Certificate().Raw}),
	}
}

// patched returns a response with the patch operations.
func patched(operations ...map[string]any) *admissionv1.AdmissionResponse {
	raw, err := json.Marshal(operations)
	if err != nil {
		panic(err) // maps of plain values
	}
	jsonPatch := admissionv1.PatchTypeJSONPatch
	return &admissionv1.AdmissionResponse{Allowed: true, Patch: raw, PatchType: &jsonPatch}
}

// podHook returns a webhook for the creation of Pods, without an address.
func podHook(name string) admissionregistrationv1.MutatingWebhook {
	fail, none := admissionregistrationv1.Fail, admissionregistrationv1.SideEffectClassNone
	return admissionregistrationv1.MutatingWebhook{
		Name: name,
		Rules: []admissionregistrationv1.RuleWithOperations{{
			Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
			Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
		}},
		FailurePolicy: &fail, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
	}
}

func onlyNamespace(ns string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: ns}}
}

// register registers a webhook for the creation of Pods in one namespace, until the
// test ends.
func register(t *testing.T, ns, name string, edit func(*admissionregistrationv1.MutatingWebhook)) {
	t.Helper()
	hook := podHook("hook.example.test")
	edit(&hook)
	hook.NamespaceSelector = onlyNamespace(ns)
	configurations := client.AdmissionregistrationV1().MutatingWebhookConfigurations()
	_, err := configurations.Create(t.Context(), &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Webhooks: []admissionregistrationv1.MutatingWebhook{hook},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, configurations.Delete(context.Background(), name, metav1.DeleteOptions{}))
	})
}

// eventually waits until done returns true, at most 20 seconds. API servers see
// changes of configurations with a delay.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		require.False(t, time.Now().After(deadline), "not within 20 s: %s", what)
	}
}

// shipped returns the manifests' mutating webhook as stored in the API server.
func shipped(t *testing.T) admissionregistrationv1.MutatingWebhook {
	c, err := client.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(t.Context(), deployed.Configuration, metav1.GetOptions{})
	require.NoError(t, err)
	require.Len(t, c.Webhooks, 1)
	return c.Webhooks[0]
}

// keepOut excludes a namespace from the deployed webhooks, until the test ends.
func keepOut(t *testing.T, ns string) {
	t.Helper()
	exclude(t, mutatingSelector, client, ns)
	exclude(t, validatingSelector, client, ns)
	eventually(t, "namespace "+ns+" is excluded", func() bool {
		pod, err := client.CoreV1().Pods(ns).Create(t.Context(), newPod(t, variable), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err == nil && len(pod.Spec.Containers[0].Env) == 0
	})
}

// unverified excludes a namespace from the validating webhook, until the test ends.
// Without Vault's own webhook, Pods with Vault's secrets are incomplete.
func unverified(t *testing.T, c *kubernetes.Clientset, ns string) {
	t.Helper()
	exclude(t, validatingSelector, c, ns)
	eventually(t, "namespace "+ns+" is not verified", func() bool {
		pod := newPod(t, secret.Request{Group: "secret/data/probe", Key: "probe"})
		_, err := c.CoreV1().Pods(ns).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err == nil
	})
}

// editSelector edits the namespaceSelector of one of the deployed configurations.
type editSelector func(ctx context.Context, c *kubernetes.Clientset, edit func(*metav1.LabelSelector)) error

func mutatingSelector(ctx context.Context, clients *kubernetes.Clientset, edit func(*metav1.LabelSelector)) error {
	hooks := clients.AdmissionregistrationV1().MutatingWebhookConfigurations()
	c, err := hooks.Get(ctx, deployed.Configuration, metav1.GetOptions{})
	if err == nil {
		edit(c.Webhooks[0].NamespaceSelector)
		_, err = hooks.Update(ctx, c, metav1.UpdateOptions{})
	}
	return err
}

func validatingSelector(ctx context.Context, clients *kubernetes.Clientset, edit func(*metav1.LabelSelector)) error {
	hooks := clients.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	c, err := hooks.Get(ctx, deployed.Validating, metav1.GetOptions{})
	if err == nil {
		edit(c.Webhooks[0].NamespaceSelector)
		_, err = hooks.Update(ctx, c, metav1.UpdateOptions{})
	}
	return err
}

func exclude(t *testing.T, update editSelector, c *kubernetes.Clientset, ns string) {
	t.Helper()
	out := metav1.LabelSelectorRequirement{Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpNotIn, Values: []string{ns}}
	change := func(ctx context.Context, edit func(*metav1.LabelSelector)) {
		require.NoError(t, retry.RetryOnConflict(retry.DefaultRetry, func() error { return update(ctx, c, edit) }))
	}
	change(t.Context(), func(s *metav1.LabelSelector) { s.MatchExpressions = append(s.MatchExpressions, out) })
	t.Cleanup(func() {
		change(context.Background(), func(s *metav1.LabelSelector) {
			s.MatchExpressions = slices.DeleteFunc(s.MatchExpressions, func(r metav1.LabelSelectorRequirement) bool { return slices.Equal(r.Values, out.Values) })
		})
	})
}
