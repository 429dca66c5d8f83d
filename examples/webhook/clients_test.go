package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/podsecrets/podsecrets/secret"
)

// newClientCert returns a new CA and a client certificate of it.
func newClientCert(t *testing.T) (ca []byte, cert tls.Certificate) {
	r := rotator.CertRotator{CAName: "clients", CAOrganization: "test", DNSName: "api-server",
		ExtKeyUsages: &[]x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	now := time.Now()
	newCA, err := r.CreateCACert(now.Add(-time.Hour), now.Add(time.Hour))
	require.NoError(t, err)
	text, key, err := r.CreateCertPEM(newCA, now.Add(-time.Hour), now.Add(time.Hour))
	require.NoError(t, err)
	cert, err = tls.X509KeyPair(text, key)
	require.NoError(t, err)
	return newCA.CertPEM, cert
}

// A client that reaches the port can send a review for any namespace, and the
// response has the value of a global secret. With clientCA, only clients with a
// certificate of that CA get a response.
func TestClientCA_Strangers(t *testing.T) {
	const canary = "c4nary"
	t.Setenv("FLYTE_SECRET_REGISTRY_TOKEN", canary)
	ca, known := newClientCert(t)
	_, stranger := newClientCert(t)
	file := filepath.Join(t.TempDir(), "ca.crt")
	require.NoError(t, os.WriteFile(file, ca, 0o600))
	text := "managers: [global]\nglobal:\n  allow: [{namespaces: [builds], group: registry, key: token}]\n"
	body := tokenReview(t)
	for _, c := range []struct {
		name     string
		clientCA string
		certs    []tls.Certificate
		code     int // 0: no connection
	}{
		{"known", file, []tls.Certificate{known}, http.StatusOK},
		{"no-certificate", file, nil, http.StatusUnauthorized},
		{"other-ca", file, []tls.Certificate{stranger}, 0},
		{"no-client-ca", "", nil, http.StatusOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, _, err := parse([]byte(text + "clientCA: " + c.clientCA))
			require.NoError(t, err)
			cas, err := cfg.clientCAs()
			require.NoError(t, err)
			in, err := cfg.injector(logged)
			require.NoError(t, err)
			server := httptest.NewUnstartedServer(authenticated(cas, handle(in.Review, newReviewMetrics(prometheus.NewRegistry()).count)))
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.TLS = new(tls.Config)
			askForCertificate(cas)(server.TLS)
			server.StartTLS()
			defer server.Close()
			client := server.Client()
			// Sent whatever CAs the server accepts, as an attacker would.
			client.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if c.certs == nil {
					return new(tls.Certificate), nil
				}
				return &c.certs[0], nil
			}
			response, err := client.Post(server.URL, "application/json", bytes.NewReader(body))
			if c.code == 0 {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			defer response.Body.Close()
			answer, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			require.Equal(t, c.code, response.StatusCode, "%s", answer)
			var got admissionv1.AdmissionReview
			if c.code == http.StatusOK {
				require.NoError(t, json.Unmarshal(answer, &got))
				assert.Contains(t, string(got.Response.Patch), canary)
			}
		})
	}
}

// tokenReview returns a review of a Pod that requests the registry's token.
func tokenReview(t *testing.T) []byte {
	annotations, err := secret.EncodeAnnotations([]secret.Request{{Group: "registry", Key: "token"}})
	require.NoError(t, err)
	pod, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"annotations": annotations},
		"spec":     map[string]any{"containers": []any{map[string]any{"name": "app"}}},
	})
	require.NoError(t, err)
	body, err := json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{UID: "1", Operation: admissionv1.Create, Namespace: "builds",
			Resource: metav1.GroupVersionResource{Version: "v1", Resource: "pods"}, Object: runtime.RawExtension{Raw: pod}},
	})
	require.NoError(t, err)
	return body
}

func TestClientCA_Errors(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty.crt")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	_, err := (&config{ClientCA: empty}).clientCAs()
	assert.EqualError(t, err, "clientCA: "+empty+" contains no certificate")
	_, err = (&config{ClientCA: "testdata/none.crt"}).clientCAs()
	assert.EqualError(t, err, "open testdata/none.crt: no such file or directory")
}
