package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"time"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/compute/metadata"
)

const gcpScope = "https://www.googleapis.com/auth/cloud-platform"

// gcpTokens returns tokens of GOOGLE_APPLICATION_CREDENTIALS, otherwise of the metadata server.
// credentials.DetectDefault would bypass the guard to ask the latter.
func gcpTokens(g *guard, node *metadata.Client) (auth.TokenProvider, error) {
	file := os.Getenv("GOOGLE_APPLICATION_CREDENTIALS")
	if file == "" {
		return auth.NewCachedTokenProvider(nodeTokens{node}, &auth.CachedTokenProviderOptions{DisableAsyncRefresh: true}), nil
	}
	text, err := os.ReadFile(file) // #nosec G304 G703 -- a setting of the container
	if err != nil {
		return nil, err
	}
	kind, err := gcpKind(text)
	if err != nil {
		return nil, err
	}
	return credentials.NewCredentialsFromJSON(kind, text, &credentials.DetectOptions{
		Scopes:              []string{gcpScope},
		UseSelfSignedJWT:    true,
		DisableAsyncRefresh: true,
		Client:              g.client(),
		Logger:              slog.New(slog.DiscardHandler),
	})
}

// gcpKind returns the type of a credentials file. It refuses files that would run a program or
// bypass the guard.
func gcpKind(text []byte) (credentials.CredType, error) {
	var file struct {
		Type             credentials.CredType
		CredentialSource struct {
			Executable, Certificate json.RawMessage
		} `json:"credential_source"`
	}
	if json.Unmarshal(text, &file) != nil {
		return "", errNoKind()
	}
	switch file.Type {
	case credentials.ServiceAccount, credentials.AuthorizedUser, credentials.ExternalAccount:
	default:
		return "", errNoKind()
	}
	if file.CredentialSource.Executable != nil || file.CredentialSource.Certificate != nil {
		return "", errNoKind()
	}
	return file.Type, nil
}

func errNoKind() error {
	return &failure{outcome: denied, detail: "the file of GOOGLE_APPLICATION_CREDENTIALS is not one of " +
		"service_account, authorized_user, and external_account with a file or URL"}
}

// nodeTokens returns tokens of the metadata server: of GKE's workload identity or of the node.
type nodeTokens struct{ node *metadata.Client }

func (n nodeTokens) Token(ctx context.Context) (*auth.Token, error) {
	text, err := n.node.GetWithContext(ctx, "instance/service-accounts/default/token?scopes="+gcpScope)
	if err != nil {
		return nil, err
	}
	var answer struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if json.Unmarshal([]byte(text), &answer) != nil || answer.AccessToken == "" {
		return nil, errors.New("no token in the answer")
	}
	return &auth.Token{Value: answer.AccessToken, Expiry: time.Now().Add(time.Duration(answer.ExpiresIn) * time.Second)}, nil
}
