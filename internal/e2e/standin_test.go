package e2e

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/internal/e2e/deployed"
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
