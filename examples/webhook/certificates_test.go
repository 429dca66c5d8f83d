package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// authority issues certificates as cert-controller does.
type authority struct {
	rotator rotator.CertRotator
	ca      *rotator.KeyPairArtifacts
}

// newAuthority returns an authority whose CA is backdated by an hour, as
// cert-controller's is.
func newAuthority(t *testing.T, cfg *config, now time.Time) *authority {
	a := &authority{rotator: rotator.CertRotator{
		CAName: "ca", CAOrganization: "test", DNSName: cfg.dnsName(),
		ExtKeyUsages: &[]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}}
	var err error
	a.ca, err = a.rotator.CreateCACert(now.Add(-time.Hour), now.Add(cfg.Certificate.CAValidity))
	require.NoError(t, err)
	return a
}

func (a *authority) issue(t *testing.T, now time.Time) map[string][]byte {
	cert, key, err := a.rotator.CreateCertPEM(a.ca, now.Add(-time.Hour), now.Add(24*time.Hour))
	require.NoError(t, err)
	return map[string][]byte{certName: cert, keyName: key}
}

// cluster is a replica, the objects that it reads, and an API server that opens a
// connection for each call.
type cluster struct {
	*certificates
	t      *testing.T
	cfg    *config
	client client.Client
	time   time.Time
	server *httptest.Server
}

func newCluster(t *testing.T) *cluster {
	cfg := defaults()
	cfg.Certificate.Dir = filepath.Join(t.TempDir(), "new")
	cfg.Certificate.Settle = time.Minute
	c := &cluster{certificates: newCertificates(cfg), t: t, cfg: cfg, time: time.Now(),
		client: fake.NewClientBuilder().WithObjects(
			&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: cfg.Namespace, Name: cfg.Certificate.Secret}},
			configuration(cfg, nil),
		).Build()}
	c.reader, c.now = c.client, func() time.Time { return c.time }
	c.server = httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	c.server.Listener = tls.NewListener(c.server.Listener, &tls.Config{GetCertificate: c.get})
	c.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	c.server.Start()
	t.Cleanup(c.server.Close)
	return c
}

func configuration(cfg *config, bundle []byte) *admissionregistrationv1.MutatingWebhookConfiguration {
	return &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: cfg.WebhookConfiguration},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name:         "inject.podsecrets.github.io",
			ClientConfig: admissionregistrationv1.WebhookClientConfig{CABundle: bundle},
		}},
	}
}

// store changes the Secret and notifies the replica.
func (c *cluster) store(data map[string][]byte) reconcile.Result {
	var secret corev1.Secret
	require.NoError(c.t, c.client.Get(c.t.Context(), c.secret, &secret))
	secret.Data = data
	require.NoError(c.t, c.client.Update(c.t.Context(), &secret))
	return c.hear()
}

// trust writes the CA to the bundle as cert-controller does, as an unstructured
// object, and notifies the replica.
func (c *cluster) trust(ca []byte) reconcile.Result {
	var current unstructured.Unstructured
	current.SetGroupVersionKind(schema.GroupVersionKind{Group: "admissionregistration.k8s.io", Version: "v1", Kind: "MutatingWebhookConfiguration"})
	require.NoError(c.t, c.client.Get(c.t.Context(), c.mutating, &current))
	hooks, _, err := unstructured.NestedSlice(current.Object, "webhooks")
	require.NoError(c.t, err)
	text := base64.StdEncoding.EncodeToString(ca)
	require.NoError(c.t, unstructured.SetNestedField(hooks[0].(map[string]any), text, "clientConfig", "caBundle"))
	require.NoError(c.t, unstructured.SetNestedSlice(current.Object, hooks, "webhooks"))
	require.NoError(c.t, bundler{c.client, c.client, c.now}.Update(c.t.Context(), &current))
	return c.hear()
}

func (c *cluster) hear() reconcile.Result {
	result, err := c.Reconcile(c.t.Context(), reconcile.Request{})
	require.NoError(c.t, err)
	return result
}

// call connects as an API server does: it trusts the bundle and expects the
// Service's name.
func (c *cluster) call() error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(c.configuration().Webhooks[0].ClientConfig.CABundle)
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots, ServerName: c.dnsName, Time: c.now},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, c.server.Listener.Addr().String())
		},
	}
	response, err := (&http.Client{Transport: transport}).Get("https://" + c.dnsName)
	if err == nil {
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	return err
}

// configuration returns the live webhook configuration.
func (c *cluster) configuration() *admissionregistrationv1.MutatingWebhookConfiguration {
	var live admissionregistrationv1.MutatingWebhookConfiguration
	require.NoError(c.t, c.client.Get(c.t.Context(), c.mutating, &live))
	return &live
}

// servedBy reports whether the authority issued the served certificate.
func (c *cluster) servedBy(a *authority) bool {
	cert, err := c.get(nil)
	require.NoError(c.t, err)
	return cert.Leaf.CheckSignatureFrom(a.ca.Cert) == nil
}

// The replica serves no certificate, and is not ready, until the bundle trusts it.
func TestCertificates_First(t *testing.T) {
	c := newCluster(t)
	a := newAuthority(t, c.cfg, c.time)
	assert.Equal(t, reconcile.Result{}, c.hear())
	assert.Error(t, c.ready(nil), "empty Secret")
	c.store(map[string][]byte{certName: []byte("x"), keyName: []byte("y")})
	assert.Error(t, c.ready(nil), "invalid Secret")
	c.store(a.issue(t, c.time))
	assert.Error(t, c.ready(nil), "empty bundle")
	assert.Error(t, c.call())

	c.trust(newAuthority(t, c.cfg, c.time).ca.CertPEM)
	assert.Error(t, c.ready(nil), "bundle with another CA")

	assert.Equal(t, reconcile.Result{}, c.trust(a.ca.CertPEM), "the first certificate does not wait for settle")
	assert.NoError(t, c.ready(nil))
	assert.NoError(t, c.call())
	written, err := os.ReadFile(filepath.Join(c.cfg.Certificate.Dir, certName))
	require.NoError(t, err, "cert-controller waits for this file")
	assert.Contains(t, string(written), "BEGIN CERTIFICATE")
	assert.NotContains(t, string(written), "KEY")
}

// No call fails during a rotation of the certificate alone, or of the CA too.
func TestCertificates_Rotation(t *testing.T) {
	c := newCluster(t)
	old := newAuthority(t, c.cfg, c.time)
	c.store(old.issue(t, c.time))
	c.trust(old.ca.CertPEM)
	require.NoError(t, c.call())
	c.time = c.time.Add(12 * time.Hour)

	first, err := c.get(nil)
	require.NoError(t, err)
	assert.Equal(t, time.Minute, c.store(old.issue(t, c.time)).RequeueAfter)
	assert.NoError(t, c.call(), "a new certificate of the same CA")
	c.time = c.time.Add(time.Minute)
	assert.Equal(t, reconcile.Result{}, c.hear())
	second, err := c.get(nil)
	require.NoError(t, err)
	assert.False(t, same(first, second))
	assert.NoError(t, c.call())

	young := newAuthority(t, c.cfg, c.time)
	c.store(young.issue(t, c.time))
	c.time = c.time.Add(10 * time.Minute)
	c.hear()
	assert.True(t, c.servedBy(old), "the bundle has only the old CA")
	assert.NoError(t, c.call())

	assert.Equal(t, time.Minute, c.trust(young.ca.CertPEM).RequeueAfter)
	assert.True(t, c.servedBy(old), "an API server may not have seen the bundle")
	assert.NoError(t, c.call(), "the bundle has both")

	c.time = c.time.Add(30 * time.Second)
	assert.Equal(t, 30*time.Second, c.hear().RequeueAfter, "nothing restarts the wait")
	c.time = c.time.Add(30 * time.Second)
	c.hear()
	assert.True(t, c.servedBy(young))
	assert.NoError(t, c.call())

	c.trust(old.ca.CertPEM)
	assert.NoError(t, c.call(), "a late replica writes the old CA again")
	c.trust(young.ca.CertPEM)
	assert.NoError(t, c.call())

	c.time = c.time.Add(overlap)
	c.trust(young.ca.CertPEM)
	assert.NoError(t, c.call())
	assert.Equal(t, string(young.ca.CertPEM), string(c.configuration().Webhooks[0].ClientConfig.CABundle), "the old CA is removed")
}

// The old certificate stays while API servers would reject the new one.
func TestCertificates_BadSecret(t *testing.T) {
	c := newCluster(t)
	a := newAuthority(t, c.cfg, c.time)
	c.store(a.issue(t, c.time))
	c.trust(a.ca.CertPEM)
	for name, data := range map[string]map[string][]byte{
		"empty":        nil,
		"other-name":   otherName(t, a, c.time),
		"untrusted-ca": newAuthority(t, c.cfg, c.time).issue(t, c.time),
	} {
		t.Run(name, func(t *testing.T) {
			c.store(data)
			c.time = c.time.Add(time.Hour)
			c.hear()
			assert.NoError(t, c.call())
		})
	}
	require.NoError(t, c.client.Delete(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: c.secret.Namespace, Name: c.secret.Name}}))
	c.hear()
	assert.NoError(t, c.call(), "deleted")
}

// After the bundle was emptied to revoke the old CA, the new certificate does not
// wait for settle.
func TestCertificates_Revoked(t *testing.T) {
	c := newCluster(t)
	old, young := newAuthority(t, c.cfg, c.time), newAuthority(t, c.cfg, c.time)
	c.store(old.issue(t, c.time))
	c.trust(old.ca.CertPEM)
	c.store(young.issue(t, c.time))
	c.trust(young.ca.CertPEM)
	require.True(t, c.servedBy(old))

	live := c.configuration()
	live.Webhooks[0].ClientConfig.CABundle = nil
	require.NoError(t, c.client.Update(t.Context(), live))
	c.hear()
	assert.True(t, c.servedBy(old), "no trusted certificate yet")
	c.trust(young.ca.CertPEM)
	assert.True(t, c.servedBy(young))
	assert.NoError(t, c.call())
}

// otherName issues a certificate for another host.
func otherName(t *testing.T, a *authority, now time.Time) map[string][]byte {
	other := *a
	other.rotator.DNSName = "other.svc"
	return other.issue(t, now)
}
