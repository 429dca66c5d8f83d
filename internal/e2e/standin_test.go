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

// serveReviews serves a webhook in this process, and returns how an API server
// reaches it.
func serveReviews(t *testing.T, review reviewer) admissionregistrationv1.WebhookClientConfig {
	ts := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body admissionv1.AdmissionReview
		raw, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(raw, &body)
		}
		if err != nil || body.Request == nil {
			http.Error(w, "no review", http.StatusBadRequest)
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
		URL:      &ts.URL, // its certificate is for 127.0.0.1
		CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ts.Certificate().Raw}),
	}
}

// patched is the response with these operations.
func patched(operations ...map[string]any) *admissionv1.AdmissionResponse {
	raw, err := json.Marshal(operations)
	if err != nil {
		panic(err) // maps of plain values
	}
	jsonPatch := admissionv1.PatchTypeJSONPatch
	return &admissionv1.AdmissionResponse{Allowed: true, Patch: raw, PatchType: &jsonPatch}
}

// register registers a webhook for the creation of Pods in one namespace, and
// returns when the API server calls it. It is unregistered with the test.
func register(t *testing.T, ns, name string, edit func(*admissionregistrationv1.MutatingWebhook)) {
	t.Helper()
	fail, none := admissionregistrationv1.Fail, admissionregistrationv1.SideEffectClassNone
	hook := admissionregistrationv1.MutatingWebhook{
		Name: "hook.example.test",
		Rules: []admissionregistrationv1.RuleWithOperations{{
			Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
			Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
		}},
		FailurePolicy: &fail, SideEffects: &none, AdmissionReviewVersions: []string{"v1"},
	}
	edit(&hook)
	hook.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{corev1.LabelMetadataName: ns}}
	configurations := client.AdmissionregistrationV1().MutatingWebhookConfigurations()
	_, err := configurations.Create(t.Context(), &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Webhooks: []admissionregistrationv1.MutatingWebhook{hook},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, configurations.Delete(context.Background(), name, metav1.DeleteOptions{}))
	})
}

// eventually waits for what the API server does a moment later.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !done(); time.Sleep(20 * time.Millisecond) {
		require.False(t, time.Now().After(deadline), "%s: not after 20 s", what)
	}
}

// shipped returns the webhook of the manifests as it is in the API server.
func shipped(t *testing.T) admissionregistrationv1.MutatingWebhook {
	c, err := client.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(t.Context(), deployed.Configuration, metav1.GetOptions{})
	require.NoError(t, err)
	require.Len(t, c.Webhooks, 1)
	return c.Webhooks[0]
}

// keepOut keeps the deployed webhooks out of a namespace, for the rest of the test.
func keepOut(t *testing.T, ns string) {
	t.Helper()
	exclude(t, mutatingSelector, client, ns)
	exclude(t, validatingSelector, client, ns)
	eventually(t, "the webhooks are kept out of "+ns, func() bool {
		pod, err := client.CoreV1().Pods(ns).Create(t.Context(), newPod(t, variable), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err == nil && len(pod.Spec.Containers[0].Env) == 0
	})
}

// unverified keeps the validating webhook out of a namespace, for the rest of the
// test: where nothing plays Vault's own webhook, no Pod with its secrets is complete.
func unverified(t *testing.T, c *kubernetes.Clientset, ns string) {
	t.Helper()
	exclude(t, validatingSelector, c, ns)
	eventually(t, "the validating webhook is kept out of "+ns, func() bool {
		pod := newPod(t, secret.Request{Group: "secret/data/probe", Key: "probe"})
		_, err := c.CoreV1().Pods(ns).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		return err == nil
	})
}

// editSelector edits the namespaceSelector of one of the deployed configurations.
type editSelector func(ctx context.Context, c *kubernetes.Clientset, edit func(*metav1.LabelSelector)) error

func mutatingSelector(ctx context.Context, c *kubernetes.Clientset, edit func(*metav1.LabelSelector)) error {
	hooks := c.AdmissionregistrationV1().MutatingWebhookConfigurations()
	found, err := hooks.Get(ctx, deployed.Configuration, metav1.GetOptions{})
	if err == nil {
		edit(found.Webhooks[0].NamespaceSelector)
		_, err = hooks.Update(ctx, found, metav1.UpdateOptions{})
	}
	return err
}

func validatingSelector(ctx context.Context, c *kubernetes.Clientset, edit func(*metav1.LabelSelector)) error {
	hooks := c.AdmissionregistrationV1().ValidatingWebhookConfigurations()
	found, err := hooks.Get(ctx, deployed.Validating, metav1.GetOptions{})
	if err == nil {
		edit(found.Webhooks[0].NamespaceSelector)
		_, err = hooks.Update(ctx, found, metav1.UpdateOptions{})
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
