package node

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"hash/crc32"
	"net/http"
	"strings"
	"unicode/utf8"

	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const azureTenant = "11111111-1111-1111-1111-111111111111"

// serveAWS serves GetSecretValue. A name that ends in "slow" gets no answer.
func (c *cloud) serveAWS(w http.ResponseWriter, r *http.Request) {
	var in struct{ SecretId string }
	_ = json.NewDecoder(r.Body).Decode(&in)
	if strings.HasSuffix(in.SecretId, "slow") {
		c.slow <- in.SecretId
		<-r.Context().Done()
		return
	}
	value, found := fetchSecrets["aws"][in.SecretId]
	if !found || !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/") {
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"__type": "ResourceNotFoundException"})
		return
	}
	out := map[string]any{"ARN": in.SecretId, "Name": in.SecretId, "VersionId": "v"}
	if utf8.Valid(value) {
		out["SecretString"] = string(value)
	} else {
		out["SecretBinary"] = value
	}
	_ = json.NewEncoder(w).Encode(out)
}

type google struct {
	secretmanagerpb.UnimplementedSecretManagerServiceServer
}

func newGoogle() http.Handler {
	s := grpc.NewServer()
	secretmanagerpb.RegisterSecretManagerServiceServer(s, google{})
	return s
}

func (google) AccessSecretVersion(_ context.Context, in *secretmanagerpb.AccessSecretVersionRequest) (*secretmanagerpb.AccessSecretVersionResponse, error) {
	value, found := fetchSecrets["gcp"][in.Name]
	if !found {
		return nil, status.Error(codes.NotFound, "no such version")
	}
	sum := int64(crc32.Checksum(value, crc32.MakeTable(crc32.Castagnoli)))
	return &secretmanagerpb.AccessSecretVersionResponse{Payload: &secretmanagerpb.SecretPayload{Data: value, DataCrc32C: &sum}}, nil
}

// googleKey returns the key file of a service account that signs its own tokens.
func googleKey() ([]byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return json.Marshal(map[string]any{
		"type": "service_account", "project_id": "project-1", "private_key_id": "1", "client_email": "reader@project-1.iam.gserviceaccount.com",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
}

// serveEntra serves Microsoft's login.
func serveEntra(w http.ResponseWriter, r *http.Request) {
	base := "https://login.microsoftonline.com/" + azureTenant
	answer := map[string]any{"access_token": "azure", "token_type": "Bearer", "expires_in": 3600}
	switch {
	case strings.HasSuffix(r.URL.Path, "/discovery/instance"):
		answer = map[string]any{"tenant_discovery_endpoint": base + "/v2.0/.well-known/openid-configuration"}
	case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
		answer = map[string]any{
			"authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token", "issuer": base + "/v2.0",
		}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

// serveKeyVault serves a key vault. It first requires a token.
func serveKeyVault(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer azure" {
		w.Header().Set("WWW-Authenticate", `Bearer authorization="https://login.microsoftonline.com/`+azureTenant+`", resource="https://vault.azure.net"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	id := "https://" + strings.TrimSuffix(r.Host, ":443") + strings.TrimSuffix(r.URL.Path, "/")
	value, found := fetchSecrets["azure"][id]
	if !found {
		w.WriteHeader(http.StatusNotFound)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"code": "SecretNotFound"}})
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"id": id, "value": string(value)})
}
