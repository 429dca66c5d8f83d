package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"hash/crc32"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// gcpEnv returns variables with a file of workload identity federation.
func (c *cloud) gcpEnv(subject string) map[string]string {
	return c.gcpEnvWith(subject, map[string]any{})
}

// gcpEnvWith overwrites entries of that file.
func (c *cloud) gcpEnvWith(subject string, more map[string]any) map[string]string {
	file := map[string]any{
		"type": "external_account", "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/p",
		"subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": "https://sts.googleapis.com/v1/token",
		"credential_source": map[string]any{"file": c.tokenFile(subject)},
	}
	for key, value := range more {
		file[key] = value
	}
	text, err := json.Marshal(file)
	require.NoError(c.t, err)
	path := filepath.Join(c.t.TempDir(), "credentials.json")
	require.NoError(c.t, os.Chmod(filepath.Dir(filepath.Dir(path)), 0o755)) // #nosec G302 -- other users run the program, too
	require.NoError(c.t, os.WriteFile(path, text, 0o644))                   // #nosec G306 -- as above
	return c.env(map[string]string{storeVar: gcp, "GOOGLE_APPLICATION_CREDENTIALS": path, "GOOGLE_CLOUD_PROJECT": "project-1"})
}

// serveGCPTokens exchanges tokens.
func (c *cloud) serveGCPTokens(w http.ResponseWriter, r *http.Request) {
	if code := c.login(r.FormValue("subject_token")); code != http.StatusOK {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_grant", "error_description": canary})
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"access_token": canary + "-google", "issued_token_type": "urn:ietf:params:oauth:token-type:access_token", "token_type": "Bearer", "expires_in": 3600,
	})
}

// serveGCP handles faults below gRPC, by the routing header that the SDK sets.
func (c *cloud) serveGCP(w http.ResponseWriter, r *http.Request) {
	params, err := url.ParseQuery(r.Header.Get("X-Goog-Request-Params"))
	assert.NoError(c.t, err)
	a, fault, done := c.ask(w, r, gcpSecret(params.Get("name")))
	if !done {
		r = r.WithContext(context.WithValue(r.Context(), answerKey{}, gcpAnswer{a, fault}))
		c.grpc.ServeHTTP(w, r)
	}
}

// gcpSecret returns the secret's name in the name of a version.
func gcpSecret(version string) string {
	parts := strings.Split(version, "/")
	if len(parts) < 4 {
		return version
	}
	return parts[len(parts)-3]
}

type answerKey struct{}

type gcpAnswer struct {
	answer
	fault string
}

type gcpService struct {
	secretmanagerpb.UnimplementedSecretManagerServiceServer
	c *cloud
}

func (c *cloud) newGCP() http.Handler {
	s := grpc.NewServer()
	secretmanagerpb.RegisterSecretManagerServiceServer(s, &gcpService{c: c})
	return s
}

// AccessSecretVersion appends the version to the value, unless it is the latest.
func (s *gcpService) AccessSecretVersion(ctx context.Context, in *secretmanagerpb.AccessSecretVersionRequest) (*secretmanagerpb.AccessSecretVersionResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if bearer := strings.Join(md.Get("authorization"), ","); !s.c.signed(bearer) {
		assert.Equal(s.c.t, "Bearer "+canary+"-google", bearer)
	}
	a := ctx.Value(answerKey{}).(gcpAnswer)
	assert.True(s.c.t, strings.HasPrefix(in.Name, "projects/project-1/"), in.Name)
	version := in.Name[strings.LastIndex(in.Name, "/")+1:]
	if version == "latest" {
		version = ""
	}
	data := []byte(a.value + version)
	sum := int64(crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)))
	switch a.fault {
	case "not-found":
		return nil, status.Error(codes.NotFound, canary)
	case "denied":
		return nil, status.Error(codes.PermissionDenied, canary)
	case "refused":
		return nil, status.Error(codes.FailedPrecondition, canary)
	case "throttled", "429":
		return nil, status.Error(codes.ResourceExhausted, canary)
	case "down":
		return nil, status.Error(codes.Unavailable, canary)
	case "checksum":
		sum++
	case "no-checksum":
		return &secretmanagerpb.AccessSecretVersionResponse{Payload: &secretmanagerpb.SecretPayload{Data: data}}, nil
	}
	return &secretmanagerpb.AccessSecretVersionResponse{Payload: &secretmanagerpb.SecretPayload{Data: data, DataCrc32C: &sum}}, nil
}

// signed reports whether a token was signed by a service account's key.
func (c *cloud) signed(bearer string) bool {
	parts := strings.Split(strings.TrimPrefix(bearer, "Bearer "), ".")
	if len(parts) != 3 {
		return false
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	assert.NoError(c.t, err)
	return strings.Contains(string(claims), `"iss":"reader@project-1.iam.gserviceaccount.com"`)
}

// serviceAccount returns the content of a service account's file.
func serviceAccount(t *testing.T) map[string]any {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return map[string]any{
		"type": "service_account", "project_id": "project-1", "private_key_id": "1", "client_email": "reader@project-1.iam.gserviceaccount.com",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	}
}
