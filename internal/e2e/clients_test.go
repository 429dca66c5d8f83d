package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// writeClients writes the files with which the API server sends webhooks a client
// certificate, as in Kubernetes' documentation ("Authenticate apiservers"): an
// admission configuration, and a kubeconfig with the certificate. Its user matches
// every webhook, because the Service's port is not known yet.
func writeClients(dir string) (ca, admission string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	// Self-signed.
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return "", "", err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", "", err
	}
	certPEM := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))
	keyPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	in := func(name string) string { return filepath.Join(dir, name) }
	plugin := func(name string) string {
		return fmt.Sprintf(`{"name": %q, "configuration": {"apiVersion": "apiserver.config.k8s.io/v1", "kind": "WebhookAdmissionConfiguration", "kubeConfigFile": %q}}`, name, in("kubeconfig"))
	}
	for name, text := range map[string]string{
		"tls.crt": certPEM, "tls.key": keyPEM,
		"kubeconfig": fmt.Sprintf(`{"apiVersion": "v1", "kind": "Config", "users": [{"name": "*", "user": {"client-certificate": %q, "client-key": %q}}]}`, in("tls.crt"), in("tls.key")),
		"admission": fmt.Sprintf(`{"apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration", "plugins": [%s, %s]}`,
			plugin("MutatingAdmissionWebhook"), plugin("ValidatingAdmissionWebhook")),
	} {
		if err := os.WriteFile(in(name), []byte(text), 0o600); err != nil {
			return "", "", err
		}
	}
	return in("tls.crt"), in("admission"), nil
}

// A client without a certificate is rejected. The other tests show that the API
// server is accepted.
func TestClientCA_Stranger(t *testing.T) {
	configuration, err := client.AdmissionregistrationV1().MutatingWebhookConfigurations().Get(t.Context(), "0-podsecrets", metav1.GetOptions{})
	require.NoError(t, err)
	service := configuration.Webhooks[0].ClientConfig.Service
	stranger := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := stranger.Post(fmt.Sprintf("https://127.0.0.1:%d%s", *service.Port, *service.Path), "application/json", bytes.NewReader([]byte("{}")))
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusUnauthorized, response.StatusCode)
	assert.Equal(t, "a client certificate is required\n", string(text))
}
