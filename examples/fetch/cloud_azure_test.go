package main

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/stretchr/testify/assert"
)

const (
	azurePrefix = "https://vault-1.vault.azure.net/secrets/"
	azureTenant = "11111111-1111-1111-1111-111111111111"
)

// azureEnv returns the variables of the workload identity's webhook.
func (c *cloud) azureEnv(subject string) map[string]string {
	return c.env(map[string]string{
		storeVar: azure, "AZURE_CLIENT_ID": "22222222-2222-2222-2222-222222222222", "AZURE_TENANT_ID": azureTenant,
		"AZURE_FEDERATED_TOKEN_FILE": c.tokenFile(subject), "AZURE_AUTHORITY_HOST": "https://login.microsoftonline.com/",
	})
}

// serveEntra serves Microsoft's login.
func (c *cloud) serveEntra(w http.ResponseWriter, r *http.Request) {
	base := "https://login.microsoftonline.com/" + azureTenant
	switch {
	case strings.HasSuffix(r.URL.Path, "/discovery/instance") && !strings.HasPrefix(r.FormValue("authorization_endpoint"), base):
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_instance", "error_description": canary})
	case strings.HasSuffix(r.URL.Path, "/discovery/instance"):
		_ = json.NewEncoder(w).Encode(map[string]any{"tenant_discovery_endpoint": base + "/v2.0/.well-known/openid-configuration"})
	case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
		_ = json.NewEncoder(w).Encode(map[string]string{
			"authorization_endpoint": base + "/oauth2/v2.0/authorize", "token_endpoint": base + "/oauth2/v2.0/token", "issuer": base + "/v2.0",
		})
	default:
		assert.Equal(c.t, "/"+azureTenant+"/oauth2/v2.0/token", r.URL.Path)
		if status := c.login(r.FormValue("client_assertion")); status != http.StatusOK {
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]string{"error": "invalid_client", "error_description": "AADSTS700016: " + canary})
			return
		}
		host := strings.Split(r.FormValue("scope"), "/.default")[0]
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": canary + "-for-" + host, "token_type": "Bearer", "expires_in": 3600})
	}
}

// serveAzure serves a vault, which demands a token for its own resource.
func (c *cloud) serveAzure(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	assert.Equal(c.t, "secrets", parts[0])
	resource := "https://" + r.Host[strings.Index(r.Host, ".")+1:]
	if r.Header.Get("Authorization") == "" {
		challenge := `Bearer authorization="https://login.microsoftonline.com/` + azureTenant + `", resource="` + resource + `"`
		switch parts[1] {
		case "foreign-challenge":
			challenge = strings.ReplaceAll(challenge, resource, "https://evil.example")
		case "broken-challenge":
			challenge = `Bearer authorization="x", resource="` + resource + `"`
		case "other-tenant":
			challenge = strings.ReplaceAll(challenge, azureTenant, "33333333-3333-3333-3333-333333333333")
		}
		w.Header().Set("WWW-Authenticate", challenge)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	assert.Equal(c.t, "Bearer "+canary+"-for-"+resource, r.Header.Get("Authorization"))
	a, fault, done := c.ask(w, r, parts[1])
	if done {
		return
	}
	fail := func(status int, code string) {
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]any{"error": map[string]string{"code": code, "message": canary}})
	}
	switch fault {
	case "not-found":
		fail(404, "SecretNotFound")
	case "denied":
		fail(403, "Forbidden")
	case "refused":
		fail(400, "BadParameter")
	case "throttled", "429":
		fail(429, "Throttled")
	case "down":
		fail(503, canary)
	default:
		version := ""
		if len(parts) > 2 {
			version = parts[2]
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"id": "https://" + r.Host + "/secrets/" + parts[1], "value": a.value + version})
	}
}
