package main

import (
	"context"
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
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// cloud fakes the three vendors: one TLS server for all their hosts, reachable only through a
// proxy. A secret's name selects the answer.
type cloud struct {
	t      testing.TB
	server *httptest.Server
	proxy  *httptest.Server
	ca     string
	grpc   http.Handler

	mu       sync.Mutex
	answers  map[string]answer // by the secret's name
	asked    map[string]int
	loginFor map[string]int // remaining throttled logins by subject
	hosts    []string       // connected hosts
	first    time.Time      // of the first request to a store
}

// answer is a store's answer for a secret.
type answer struct {
	value string
	// fault replaces the answer: the first times requests, or always if times is 0.
	fault string
	times int
}

func newCloud(t testing.TB) *cloud {
	c := &cloud{t: t, answers: map[string]answer{}, asked: map[string]int{}, loginFor: map[string]int{}}
	c.grpc = c.newGCP()
	authority, pool := newAuthority(t)
	c.ca = filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.Chmod(filepath.Dir(filepath.Dir(c.ca)), 0o755)) // #nosec G302 -- other users run the program, too
	require.NoError(t, os.WriteFile(c.ca, pool, 0o644))                   // #nosec G306 -- as above

	c.server = httptest.NewUnstartedServer(http.HandlerFunc(c.serve))
	c.server.EnableHTTP2 = true
	c.server.TLS = &tls.Config{Certificates: []tls.Certificate{authority}} // #nosec G402 -- a test's server
	c.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	c.server.Config.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, conn)
	}
	c.server.StartTLS()
	t.Cleanup(c.server.Close)

	c.proxy = httptest.NewServer(http.HandlerFunc(c.connect))
	t.Cleanup(c.proxy.Close)
	return c
}

type connKey struct{}

// cloudHosts are the fake stores' hosts.
var cloudHosts = []string{
	"secretsmanager.eu-west-1.amazonaws.com", "secretsmanager.us-gov-west-1.amazonaws.com", "secretsmanager.cn-north-1.amazonaws.com.cn",
	"sts.eu-west-1.amazonaws.com", "sts.us-gov-west-1.amazonaws.com", "sts.cn-north-1.amazonaws.com.cn",
	"secretmanager.googleapis.com", "secretmanager.europe-west3.rep.googleapis.com", "sts.googleapis.com", "oauth2.googleapis.com",
	"vault-1.vault.azure.net", "vault-2.vault.azure.net", "vault.corp.example", "login.microsoftonline.com",
}

// newAuthority returns a self-signed certificate for all hosts.
func newAuthority(t testing.TB) (tls.Certificate, []byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "cloud"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		DNSNames: append([]string{"evil.example"}, cloudHosts...), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// connect is the proxy. It connects only to the cloud's hosts, and records all attempts.
func (c *cloud) connect(w http.ResponseWriter, r *http.Request) {
	host, port, _ := cutPort(r.Host)
	c.mu.Lock()
	c.hosts = append(c.hosts, r.Method+" "+host)
	c.mu.Unlock()
	if r.Method != http.MethodConnect || port != "443" || !slices.Contains(cloudHosts, host) {
		http.Error(w, canary, http.StatusForbidden)
		return
	}
	to, err := net.Dial("tcp", c.server.Listener.Addr().String())
	if err != nil {
		http.Error(w, canary, http.StatusBadGateway)
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

// serve answers for a host.
func (c *cloud) serve(w http.ResponseWriter, r *http.Request) {
	host, _, _ := cutPort(r.Host + ":")
	host = strings.TrimSuffix(host, ":443")
	switch {
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc"):
		c.serveGCP(w, r)
	case strings.HasPrefix(host, "sts.") && strings.Contains(host, ".amazonaws.com"):
		c.serveSTS(w, r)
	case r.Header.Get("X-Amz-Target") != "":
		c.serveAWS(w, r)
	case host == "sts.googleapis.com" || host == "oauth2.googleapis.com":
		c.serveGCPTokens(w, r)
	case host == "login.microsoftonline.com":
		c.serveEntra(w, r)
	default:
		c.serveAzure(w, r)
	}
}

// put sets a store's answer.
func (c *cloud) put(name string, a answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[name] = a
}

// ask returns the answer for a secret. If its fault is due, ask performs the faults that are the
// same for all stores, and returns other faults.
func (c *cloud) ask(w http.ResponseWriter, r *http.Request, name string) (a answer, fault string, done bool) {
	c.mu.Lock()
	a, ok := c.answers[name]
	if c.first.IsZero() {
		c.first = time.Now()
	}
	c.asked[name]++
	due := a.fault != "" && (a.times == 0 || c.asked[name] <= a.times)
	c.mu.Unlock()
	switch {
	case !ok:
		return a, "not-found", false
	case !due:
		return a, "", false
	}
	switch a.fault {
	case "slow":
		select {
		case <-r.Context().Done():
		case <-time.After(5 * time.Second):
		}
		return a, "", true
	case "drop":
		_ = r.Context().Value(connKey{}).(net.Conn).Close()
		return a, "", true
	case "redirect":
		http.Redirect(w, r, "https://evil.example/"+canary, http.StatusTemporaryRedirect)
		return a, "", true
	case "garbage":
		_, _ = io.WriteString(w, canary+" is no answer")
		return a, "", true
	case "huge":
		_, _ = w.Write(make([]byte, maxAnswer+1<<16))
		return a, "", true
	}
	return a, a.fault, false
}

// timesAsked returns how often a store was asked for a secret.
func (c *cloud) timesAsked(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked[name]
}

// connected returns the hosts requested from the proxy.
func (c *cloud) connected() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Compact(slices.Sorted(slices.Values(c.hosts)))
}

// env returns the variables that lead to the fake stores.
func (c *cloud) env(more map[string]string) map[string]string {
	env := map[string]string{
		"HTTPS_PROXY": c.proxy.URL, "HTTP_PROXY": c.proxy.URL,
		"SSL_CERT_FILE": c.ca, "SSL_CERT_DIR": "/nonexistent",
	}
	for name, value := range more {
		env[name] = value
	}
	return env
}

// tokenFile returns a file with a service account's token.
func (c *cloud) tokenFile(subject string) string {
	file := filepath.Join(filepath.Dir(c.ca), "token-"+subject)
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := os.Stat(file); err == nil {
		return file // in use
	}
	require.NoError(c.t, os.WriteFile(file, []byte(canary+"-jwt-"+subject), 0o600))
	require.NoError(c.t, os.Chmod(file, 0o644)) // #nosec G302 -- other users run the program, too
	return file
}

// login returns the HTTP status for a service account's token.
func (c *cloud) login(token string) int {
	subject, ok := strings.CutPrefix(token, canary+"-jwt-")
	c.mu.Lock()
	defer c.mu.Unlock()
	switch left := c.loginFor[subject]; {
	case !ok || subject == "denied":
		return http.StatusForbidden
	case left > 0:
		c.loginFor[subject]--
		return http.StatusServiceUnavailable
	default:
		return http.StatusOK
	}
}
