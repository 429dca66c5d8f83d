package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/podsecrets/podsecrets/internal/node/image"
)

// cloud models the hosts of three vendors for the Fetch program: a TLS server, and a
// proxy that connects to it for every host. The program's image has the settings.
type cloud struct {
	server *httptest.Server
	proxy  *httptest.Server
	ca     []byte
	google []byte // a service account's key
	grpc   http.Handler
	slow   chan string // receives the requested names that get no answer
}

// azureIdentity has the variables that the webhook of Azure's workload identity sets.
var azureIdentity = []string{
	"AZURE_CLIENT_ID=22222222-2222-2222-2222-222222222222", "AZURE_TENANT_ID=" + azureTenant,
	"AZURE_FEDERATED_TOKEN_FILE=/token", "AZURE_AUTHORITY_HOST=https://login.microsoftonline.com/",
}

var cloudHosts = []string{
	"secretsmanager.eu-west-1.amazonaws.com", "secretmanager.googleapis.com", "team.vault.azure.net", "login.microsoftonline.com",
}

func newCloud() (*cloud, error) {
	c := &cloud{slow: make(chan string, 100)}
	key, pool, err := newAuthority()
	if err != nil {
		return nil, err
	}
	if c.google, err = googleKey(); err != nil {
		return nil, err
	}
	c.ca, c.grpc = pool, newGoogle()
	c.server = httptest.NewUnstartedServer(c)
	c.server.EnableHTTP2 = true
	c.server.TLS = &tls.Config{Certificates: []tls.Certificate{key}, MinVersion: tls.VersionTLS12}
	c.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	c.server.StartTLS()
	c.proxy = httptest.NewServer(http.HandlerFunc(c.connect))
	return c, nil
}

func (c *cloud) close() {
	c.proxy.CloseClientConnections()
	c.server.CloseClientConnections()
	c.proxy.Close()
	c.server.Close()
}

// files returns the files of Fetch's image.
func (c *cloud) files() map[string]image.File {
	return map[string]image.File{"ca.pem": {Content: c.ca}, "google.json": {Content: c.google}, "token": {Content: []byte("token")}}
}

// env returns the variables of Fetch's image.
func (c *cloud) env() []string {
	return append([]string{
		"HTTPS_PROXY=" + c.proxy.URL, "SSL_CERT_FILE=/ca.pem",
		"AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=key", "AWS_REGION=eu-west-1",
		"GOOGLE_APPLICATION_CREDENTIALS=/google.json", "GOOGLE_CLOUD_PROJECT=project-1",
	}, azureIdentity...)
}

func newAuthority() (tls.Certificate, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "cloud"}, DNSNames: cloudHosts,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	pool := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool, err
}

// connect serves the proxy.
func (c *cloud) connect(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect {
		http.Error(w, "only for TLS", http.StatusForbidden)
		return
	}
	to, err := net.Dial("tcp", c.server.Listener.Addr().String())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer to.Close()
	from, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer from.Close()
	_, _ = io.WriteString(from, "HTTP/1.1 200 OK\r\n\r\n")
	done := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			_, _ = io.Copy(pair[0], pair[1])
			done <- struct{}{}
		}()
	}
	<-done
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch host := strings.TrimSuffix(r.Host, ":443"); {
	case host == "secretmanager.googleapis.com":
		c.grpc.ServeHTTP(w, r)
	case host == "login.microsoftonline.com":
		serveEntra(w, r)
	case host == "team.vault.azure.net":
		serveKeyVault(w, r)
	default:
		c.serveAWS(w, r)
	}
}
