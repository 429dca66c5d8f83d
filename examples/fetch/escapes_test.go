package main

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
)

// evil is a host that is not allowed, although its certificate is valid.
type evil struct {
	*httptest.Server
	plain *httptest.Server
	seen  atomic.Int32
}

func newEvil(t *testing.T, c *cloud) *evil {
	e := &evil{}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if e.seen.Add(1); r.Method == http.MethodConnect {
			http.Error(w, canary, http.StatusForbidden)
		}
		_, _ = io.WriteString(w, "{}")
	})
	e.Server = httptest.NewUnstartedServer(handler)
	e.Server.Config.ErrorLog = log.New(io.Discard, "", 0)
	e.Server.TLS = c.server.TLS.Clone()
	e.StartTLS()
	e.plain = httptest.NewServer(handler)
	t.Cleanup(e.Close)
	t.Cleanup(e.plain.Close)
	return e
}

// The SDKs' variables can name other endpoints. These receive nothing unless the configuration
// lists them.
func TestEscapes(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	e := newEvil(t, c)
	address := strings.TrimPrefix(e.URL, "https://")
	plain := strings.TrimPrefix(e.plain.URL, "http://")
	const works = outcome(0)
	tests := []struct {
		slug, store string
		env         map[string]string
		code        outcome
	}{
		{"aws-url", aws, map[string]string{"AWS_ENDPOINT_URL": e.URL}, badRequest},
		{"aws-url-of-the-store", aws, map[string]string{"AWS_ENDPOINT_URL_SECRETS_MANAGER": e.URL}, badRequest},
		{"aws-url-of-sts", aws, map[string]string{"AWS_ENDPOINT_URL_STS": e.URL}, badRequest},
		{"aws-plain-url", aws, map[string]string{"AWS_ENDPOINT_URL": e.plain.URL}, badRequest},
		{"aws-plain-listed", aws, map[string]string{"AWS_ENDPOINT_URL_SECRETS_MANAGER": e.plain.URL, hostsVar: plain}, badRequest},
		{"aws-own-api", aws, map[string]string{"AWS_ENDPOINT_URL": "https://x.execute-api.eu-west-1.amazonaws.com"}, badRequest},
		{"aws-bucket", aws, map[string]string{"AWS_ENDPOINT_URL": "https://secretsmanager.s3.amazonaws.com"}, badRequest},
		{"aws-agent", aws, map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": e.URL, "AWS_CONTAINER_AUTHORIZATION_TOKEN": canary}, badRequest},
		{"aws-plain-agent", aws, map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_CONTAINER_CREDENTIALS_FULL_URI": e.plain.URL, "AWS_CONTAINER_AUTHORIZATION_TOKEN": canary}, badRequest},
		{"aws-metadata", aws, map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": e.plain.URL}, badRequest},
		{"aws-files", aws, map[string]string{"AWS_CONFIG_FILE": "/dev/stdin", "AWS_SHARED_CREDENTIALS_FILE": "/dev/stdin"}, works},
		{"gcp-endpoint", gcp, map[string]string{gcpEndpointVar: address}, badRequest},
		{"gcp-universe", gcp, map[string]string{"GOOGLE_CLOUD_UNIVERSE_DOMAIN": "evil.example"}, works},
		{"gcp-mtls", gcp, map[string]string{"GOOGLE_API_USE_MTLS_ENDPOINT": "always", "GOOGLE_API_USE_CLIENT_CERTIFICATE": "true", "EXPERIMENTAL_GOOGLE_API_USE_S2A": "true"}, works},
		{"gcp-metadata", gcp, map[string]string{"GOOGLE_APPLICATION_CREDENTIALS": "", "GCE_METADATA_HOST": plain}, badRequest},
		{"azure-authority", azure, map[string]string{"AZURE_AUTHORITY_HOST": e.URL}, denied},
		{"azure-plain-authority", azure, map[string]string{"AZURE_AUTHORITY_HOST": e.plain.URL}, denied}, // the SDK refuses
		{"azure-app-service", azure, map[string]string{"AZURE_FEDERATED_TOKEN_FILE": "", "IDENTITY_ENDPOINT": e.plain.URL, "IDENTITY_HEADER": canary}, badRequest},
		{"azure-service-fabric", azure, map[string]string{"AZURE_FEDERATED_TOKEN_FILE": "", "AZURE_CLIENT_ID": "", "IDENTITY_ENDPOINT": e.URL, "IDENTITY_HEADER": canary, "IDENTITY_SERVER_THUMBPRINT": "00"}, denied},
		{"azure-proxy", azure, map[string]string{"AZURE_KUBERNETES_TOKEN_PROXY": e.URL}, works},
	}
	t.Run("cases", func(t *testing.T) {
		for _, tt := range tests {
			t.Run(tt.slug, func(t *testing.T) {
				t.Parallel()
				c.put("x", answer{value: canary})
				env := envOf(c, tt.store, "reader")
				for name, value := range tt.env {
					env[name] = value
				}
				id := "x"
				if tt.store == azure {
					id = azurePrefix + id
				}
				r := newVolumes(t).run(env, item{ID: id, File: "a"})
				assert.Equal(t, tt.code, outcome(r.code), r.stderr)
			})
		}
	})
	assert.Zero(t, e.seen.Load(), "nothing was sent")
	for _, host := range c.connected() {
		assert.Contains(t, cloudHosts, strings.TrimPrefix(host, "CONNECT "), "through the proxy")
	}
}

// Hosts that the configuration lists are asked, without a proxy because they are on loopback.
func TestListedHosts(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.put("x", answer{value: canary})
	address := c.server.Listener.Addr().String()
	for store, env := range map[string]map[string]string{
		aws: {"AWS_ENDPOINT_URL_SECRETS_MANAGER": "https://" + address, "AWS_ENDPOINT_URL_STS": ""},
		gcp: {gcpEndpointVar: address},
	} {
		t.Run(store, func(t *testing.T) {
			all := envOf(c, store, "reader")
			for name, value := range env {
				all[name] = value
			}
			all[hostsVar] = "vault.corp.example, " + address
			v := newVolumes(t)
			r := v.run(all, item{ID: "x", File: "a"})
			assert.Zero(t, r.code, r.stderr)
			assert.Equal(t, canary, v.read("files/a"))
		})
	}
	assert.Equal(t, []string{"CONNECT sts.eu-west-1.amazonaws.com", "CONNECT sts.googleapis.com"}, c.connected())
}

// An untrusted certificate, and a proxy that does not connect.
func TestConnections(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.put("x", answer{value: canary})
	other := newCloud(t) // another authority
	for _, s := range fakeStores {
		for _, tt := range []struct {
			slug, message string
			env           map[string]string
		}{
			{"untrusted", "has an untrusted certificate", map[string]string{"SSL_CERT_FILE": other.ca}},
			{"no-proxy", "the proxy does not connect", map[string]string{"HTTPS_PROXY": "http://user:" + canary + "@127.0.0.1:1", deadlineVar: "2s"}},
			{"closed-proxy", "the proxy does not connect", map[string]string{"HTTPS_PROXY": newEvil(t, c).plain.URL, deadlineVar: "2s"}},
		} {
			t.Run(s.store+"-"+tt.slug, func(t *testing.T) {
				t.Parallel()
				env := s.env(c, "reader")
				for name, value := range tt.env {
					env[name] = value
				}
				r := newVolumes(t).run(env, item{ID: s.prefix + "x", File: "a"})
				assert.Equal(t, unavailable, outcome(r.code), r.stderr)
				assert.Contains(t, r.message, tt.message)
			})
		}
	}
}

// The libraries' logging variables show nothing either.
func TestLogging(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.put("x", answer{value: canary})
	c.put("denied", answer{fault: "denied"})
	for _, s := range fakeStores {
		t.Run(s.store, func(t *testing.T) {
			t.Parallel()
			env := s.env(c, "reader")
			for name, value := range map[string]string{
				"GODEBUG": "http2debug=2", "AZURE_SDK_GO_LOGGING": "all", "GOOGLE_SDK_GO_LOGGING_LEVEL": "debug",
				"GRPC_GO_LOG_SEVERITY_LEVEL": "info", "GRPC_GO_LOG_VERBOSITY_LEVEL": "99", "GRPC_BINARY_LOG_FILTER": "*",
				"GOOGLE_SDK_GO_EXPERIMENTAL_TRACING": "true", "GOOGLE_SDK_GO_EXPERIMENTAL_LOGGING": "true",
			} {
				env[name] = value
			}
			assert.Zero(t, newVolumes(t).run(env, item{ID: s.prefix + "x", File: "a"}).code)
			assert.Equal(t, denied, outcome(newVolumes(t).run(env, item{ID: s.prefix + "denied", File: "a"}).code))
		})
	}
}
