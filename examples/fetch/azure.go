package main

import (
	"context"
	"errors"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	azlog "github.com/Azure/azure-sdk-for-go/sdk/azcore/log"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

// azureStore is Azure Key Vault.
type azureStore struct {
	hosts   hostList
	dial    dialer
	tokens  *azureTokens
	clients clients[*azsecrets.Client]
}

func newAzure(s settings, dial dialer) *azureStore {
	azlog.SetListener(nil) // AZURE_SDK_GO_LOGGING would print requests
	allow := func(host string) bool { return azureLoginHosts.MatchString(host) || s.hosts.has(host) }
	return &azureStore{hosts: s.hosts, dial: dial, tokens: &azureTokens{guard: newGuard(allow, azureNode, dial)}}
}

var (
	azureURL     = regexp.MustCompile(`^https://([A-Za-z0-9.-]{1,255}(?::[0-9]{1,5})?)/secrets/([A-Za-z0-9-]{1,127})/?$`)
	azureVersion = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)
)

func (s *azureStore) check(r ref) error {
	parts := azureURL.FindStringSubmatch(r.id)
	switch {
	case parts == nil:
		return errors.New("id is not https://VAULT/secrets/NAME")
	case r.version != "" && !azureVersion.MatchString(r.version):
		return errors.New("version is not valid")
	}
	if host := withPort(strings.ToLower(parts[1])); !azureVaults.MatchString(host) && !s.hosts.has(host) {
		return errors.New(shorten(host, 200) + " is not a host of Key Vault (to allow it, list it in " + hostsVar + ")")
	}
	return nil
}

// login sends nothing: the vault's challenge names the tenant and resource of the token.
func (s *azureStore) login(ctx context.Context) error {
	_, x := withExchange(ctx)
	if err := s.tokens.open(); err != nil {
		return x.login(err)
	}
	return nil
}

func (s *azureStore) get(ctx context.Context, r ref) ([]byte, error) {
	parts := azureURL.FindStringSubmatch(r.id)
	vault := withPort(strings.ToLower(parts[1]))
	client, err := s.clients.get(vault, func() (*azsecrets.Client, error) {
		// A vault's token goes only to that vault.
		only := newGuard(func(host string) bool { return host == vault }, nil, s.dial)
		return azsecrets.NewClient("https://"+strings.TrimSuffix(vault, ":443"), s.tokens,
			&azsecrets.ClientOptions{ClientOptions: azureOptions(only)})
	})
	if err != nil {
		return nil, &failure{outcome: badRequest, detail: "id is not https://VAULT/secrets/NAME"}
	}
	ctx, x := withExchange(ctx)
	answer, err := client.GetSecret(ctx, parts[2], r.version, nil)
	var f *failure
	switch {
	case errors.As(err, &f):
		return nil, f // of the token
	case err != nil:
		return nil, x.explain(err)
	case answer.Value == nil:
		return nil, nil
	default:
		return []byte(*answer.Value), nil
	}
}

func azureOptions(g *guard) policy.ClientOptions {
	return policy.ClientOptions{Transport: g, Retry: policy.RetryOptions{MaxRetries: -1}}
}

// azureTokens returns tokens of the workload identity if its webhook has set the service
// account's token file, otherwise of a managed identity. It keeps a final failure, because each
// secret needs a token.
type azureTokens struct {
	guard *guard
	mu    sync.Mutex
	inner azcore.TokenCredential
	fatal *failure
}

func (t *azureTokens) open() (err error) {
	options := azureOptions(t.guard)
	if os.Getenv("AZURE_FEDERATED_TOKEN_FILE") != "" {
		t.inner, err = azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: options})
	} else {
		managed := azidentity.ManagedIdentityCredentialOptions{ClientOptions: options}
		if id := os.Getenv("AZURE_CLIENT_ID"); id != "" {
			managed.ID = azidentity.ClientID(id)
		}
		t.inner, err = azidentity.NewManagedIdentityCredential(&managed)
	}
	return err
}

// GetToken implements azcore.TokenCredential.
func (t *azureTokens) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fatal != nil {
		return azcore.AccessToken{}, t.fatal
	}
	ctx, x := withExchange(ctx)
	token, err := t.inner.GetToken(ctx, o)
	if err == nil {
		return token, nil
	}
	f := x.login(err)
	if host, status, _ := x.last(); host == "169.254.169.254" && (status == 404 || status == 410) {
		f.outcome, f.temporary = unavailable, true // the endpoint is being updated
	}
	if !f.temporary {
		t.fatal = f
	}
	return azcore.AccessToken{}, f
}
