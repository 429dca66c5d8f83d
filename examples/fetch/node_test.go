package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// node fakes the endpoints of a node, working and broken ones.
type node struct {
	t    *testing.T
	down map[string]int // a path's status
}

func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := n.t
	if status := n.down[r.URL.Path]; status != 0 {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, canary)
		return
	}
	expiry := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	keys := map[string]string{
		"Code": "Success", "AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": canary, "Token": canary + "-session", "Expiration": expiry,
	}
	switch path := r.URL.Path; {
	case path == "/v1/credentials": // EKS' agent
		assert.Equal(t, canary+"-jwt-pod", r.Header.Get("Authorization"))
		_ = json.NewEncoder(w).Encode(keys)
	case path == "/latest/api/token":
		assert.Equal(t, http.MethodPut, r.Method)
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
		_, _ = io.WriteString(w, canary)
	case strings.HasPrefix(path, "/latest/"):
		assert.Equal(t, canary, r.Header.Get("X-Aws-Ec2-Metadata-Token"))
		switch {
		case strings.HasSuffix(path, "/placement/region"), strings.HasSuffix(path, "/instance-identity/document"):
			_, _ = io.WriteString(w, `{"region": "eu-west-1"}`)
		case strings.HasSuffix(path, "/security-credentials/"), strings.HasSuffix(path, "/security-credentials-extended/"):
			_, _ = io.WriteString(w, "role")
		default:
			_ = json.NewEncoder(w).Encode(keys)
		}
	case strings.HasPrefix(path, "/computeMetadata/"):
		assert.Equal(t, "Google", r.Header.Get("Metadata-Flavor"))
		if strings.HasSuffix(path, "/project-id") {
			_, _ = io.WriteString(w, "project-1\n")
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": canary + "-google", "expires_in": 3600, "token_type": "Bearer"})
	case path == "/metadata/identity/oauth2/token":
		assert.Equal(t, "true", r.Header.Get("Metadata"))
		_ = json.NewEncoder(w).Encode(map[string]string{
			"access_token": canary + "-for-" + r.FormValue("resource"), "token_type": "Bearer", "expires_in": "3600", "resource": r.FormValue("resource"),
			"expires_on": fmt.Sprint(time.Now().Add(time.Hour).Unix()),
		})
	default:
		t.Errorf("the node was asked for %s", path)
	}
}

// Credentials, region and project come from the node's endpoints, over plain HTTP and without the
// proxy.
func TestNode(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.put("x", answer{value: canary})
	const (
		agent   = "169.254.170.23:80"
		agent6  = "[fd00:ec2::23]:80"
		imds    = "169.254.169.254:80"
		awsRole = "/latest/meta-data/iam/security-credentials/"
	)
	podIdentity := func(url string) map[string]string {
		file := c.tokenFile("pod")
		return map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": url, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": file, "AWS_REGION": "eu-west-1"}
	}
	tests := []struct {
		slug, why, store, endpoint string
		env                        map[string]string
		down                       map[string]int
		code                       outcome
		message                    string
	}{
		{slug: "aws-agent", store: aws, endpoint: agent, env: podIdentity("http://169.254.170.23/v1/credentials")},
		{slug: "aws-agent-6", store: aws, endpoint: agent6, env: podIdentity("http://[fd00:ec2::23]/v1/credentials")},
		{slug: "aws-agent-denied", store: aws, endpoint: agent, env: podIdentity("http://169.254.170.23/v1/credentials"), down: map[string]int{"/v1/credentials": 400},
			code: denied, message: "denied: no credentials: 169.254.170.23 answers 400: x"},
		{slug: "aws-metadata", store: aws, endpoint: imds, why: "the region, too"},
		{slug: "aws-no-role", store: aws, endpoint: imds, env: map[string]string{"AWS_REGION": "eu-west-1"}, down: map[string]int{awsRole: 404, "/latest/meta-data/iam/security-credentials-extended/": 404},
			code: denied, message: "denied: no credentials: 169.254.169.254 answers 404: x"},
		{slug: "aws-no-node", store: aws, env: map[string]string{"AWS_REGION": "eu-west-1", deadlineVar: "2s"},
			code: unavailable, message: "store unreachable: no credentials: 169.254.169.254 refuses connections (tried for 2s): x"},
		{slug: "gcp-metadata", store: gcp, endpoint: imds, why: "the project, too"},
		{slug: "gcp-metadata-name", store: gcp, endpoint: "metadata.google.internal:80", env: map[string]string{"GCE_METADATA_HOST": "metadata.google.internal"}},
		{slug: "gcp-no-account", store: gcp, endpoint: imds, down: map[string]int{"/computeMetadata/v1/instance/service-accounts/default/token": 404},
			code: denied, message: "denied: no credentials: 169.254.169.254 answers 404: x"},
		{slug: "gcp-no-project", store: gcp, endpoint: imds, down: map[string]int{"/computeMetadata/v1/project/project-id": 404},
			code: badRequest, message: "bad request: an id has no project, GOOGLE_CLOUD_PROJECT is not set, and no credentials: 169.254.169.254 answers 404: x"},
		{slug: "azure-metadata", store: azure, endpoint: imds},
		{slug: "azure-client", store: azure, endpoint: imds, env: map[string]string{"AZURE_CLIENT_ID": "22222222-2222-2222-2222-222222222222"}},
		{slug: "azure-no-identity", store: azure, endpoint: imds, down: map[string]int{"/metadata/identity/oauth2/token": 400},
			code: denied, message: "denied: no credentials: 169.254.169.254 answers 400: "},
		{slug: "azure-updated", store: azure, endpoint: imds, env: map[string]string{deadlineVar: "2s"}, down: map[string]int{"/metadata/identity/oauth2/token": 410},
			code: unavailable, message: "store unreachable: no credentials: 169.254.169.254 answers 410 (tried for 2s): "},
	}
	for _, tt := range tests {
		t.Run(tt.slug, func(t *testing.T) {
			t.Parallel()
			env := c.env(tt.env)
			env[storeVar] = tt.store
			r := runOnNode(t, &node{t, tt.down}, tt.endpoint, env)
			assert.Equal(t, tt.code, outcome(r.code), "%s %s", tt.why, r.stderr)
			assert.True(t, strings.HasPrefix(r.message, tt.message), "%q is not %q...", r.message, tt.message)
		})
	}
	t.Cleanup(func() {
		for _, host := range c.connected() {
			assert.Contains(t, cloudHosts, strings.TrimPrefix(host, "CONNECT "))
		}
	})
}

// runOnNode runs the program on a node with one endpoint.
func runOnNode(t *testing.T, n *node, endpoint string, env map[string]string) result {
	server := httptest.NewServer(n)
	t.Cleanup(server.Close)
	env[dialVar] = "169.254.169.254:80=127.0.0.1:1"
	if endpoint != "" {
		env[dialVar] = endpoint + "=" + strings.TrimPrefix(server.URL, "http://")
	}
	id := "x"
	if env[storeVar] == azure {
		id = azurePrefix + id
	}
	return newVolumes(t).run(env, item{ID: id, File: "a"})
}

// A service account's key signs its own tokens, so no host in its file is asked, and the store needs
// no login.
func TestServiceAccount(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.put("x", answer{value: canary})
	e := newEvil(t, c)
	file := serviceAccount(t)
	file["token_uri"], file["universe_domain"] = e.URL, "googleapis.com"
	for _, tt := range []struct {
		slug, message string
		env           map[string]string
		code          outcome
	}{
		{"works", "", nil, 0},
		{"untrusted", "has an untrusted certificate: x", map[string]string{"SSL_CERT_FILE": newCloud(t).ca}, unavailable},
		{"no-proxy", "refuses connections (tried for 2s): x", map[string]string{"HTTPS_PROXY": "http://127.0.0.1:1", deadlineVar: "2s"}, unavailable},
		{"closed-proxy", "the proxy does not connect (tried for 2s): x", map[string]string{"HTTPS_PROXY": newEvil(t, c).plain.URL, deadlineVar: "2s"}, unavailable},
	} {
		t.Run(tt.slug, func(t *testing.T) {
			t.Parallel()
			env := c.gcpEnvWith("reader", file)
			for name, value := range tt.env {
				env[name] = value
			}
			r := newVolumes(t).run(env, item{ID: "x", File: "a"})
			assert.Equal(t, tt.code, outcome(r.code), r.stderr)
			assert.Contains(t, r.message, tt.message)
		})
	}
	t.Cleanup(func() {
		assert.Zero(t, e.seen.Load())
		assert.Contains(t, c.connected(), "CONNECT secretmanager.googleapis.com")
	})
}
