package vaulttest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/sdk/framework"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/stretchr/testify/require"
)

// Server is a Vault server with what an agent needs: a login for service accounts, and
// engines. Every token may read everything.
type Server struct {
	url    string
	role   string // required for the login
	mounts map[string]engine
	issued atomic.Int64 // credentials of the database engine
	// accept reports whether a service account's token is valid.
	accept func(token string) bool
}

// URL returns the server's URL.
func (s *Server) URL() string { return s.url }

// AcceptTokens sets the function that reports whether a service account's token is
// valid. Call it before the first login.
func (s *Server) AcceptTokens(accept func(token string) bool) { s.accept = accept }

type engine struct {
	logical.Backend
	storage logical.Storage
	kind    string
	options map[string]string
}

const (
	jwt   = "service-account-token"
	token = "vault-token"
)

// NewServer starts a server with the engines "kv" (key-value, version 1),
// "secret" (version 2) and "database". It stops when the test ends.
func NewServer(t testing.TB, role string) *Server {
	s := &Server{role: role, accept: func(token string) bool { return token == jwt }}
	s.mounts = map[string]engine{
		"kv/":       newEngine(t, "kv", map[string]string{"version": "1"}, kv.Factory),
		"secret/":   newEngine(t, "kv", map[string]string{"version": "2"}, kv.Factory),
		"database/": newEngine(t, "database", nil, s.database),
	}
	ts := httptest.NewServer(s)
	t.Cleanup(ts.Close)
	s.url = ts.URL
	return s
}

func newEngine(t testing.TB, kind string, options map[string]string, factory logical.Factory) engine {
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	storage := new(logical.InmemStorage)
	backend, err := factory(ctx, &logical.BackendConfig{
		StorageView: storage,
		Config:      options,
		System:      logical.TestSystemView(),
		Logger:      hclog.NewNullLogger(),
		BackendUUID: "uuid",
	})
	require.NoError(t, err)
	e := engine{backend, storage, kind, options}
	if options["version"] == "2" {
		// The engine first upgrades its storage in the background, and rejects
		// requests until that is done.
		for {
			if _, err := e.handle(logical.ReadOperation, "config", nil); !errors.Is(err, logical.ErrInvalidRequest) {
				require.NoError(t, err)
				break
			}
		}
	}
	return e
}

func (e engine) handle(operation logical.Operation, path string, data map[string]any) (*logical.Response, error) {
	return e.HandleRequest(context.Background(), &logical.Request{
		ID: "request", Operation: operation, Path: path, Data: data, Storage: e.storage,
	})
}

// database returns an engine that issues new credentials on each read.
func (s *Server) database(ctx context.Context, config *logical.BackendConfig) (logical.Backend, error) {
	b := &framework.Backend{BackendType: logical.TypeLogical}
	b.Secrets = []*framework.Secret{{Type: "creds", DefaultDuration: time.Hour}}
	b.Paths = []*framework.Path{{
		Pattern: "creds/" + framework.MatchAllRegex("role"),
		Fields:  map[string]*framework.FieldSchema{"role": {Type: framework.TypeString}},
		Operations: map[logical.Operation]framework.OperationHandler{
			logical.ReadOperation: &framework.PathOperation{
				Callback: func(_ context.Context, _ *logical.Request, d *framework.FieldData) (*logical.Response, error) {
					n := s.issued.Add(1)
					return b.Secret("creds").Response(map[string]any{
						"username": fmt.Sprintf("v-%s-%d", d.Get("role"), n),
						"password": fmt.Sprintf("p-%d {{", n),
					}, nil), nil
				},
			},
		},
	}}
	return b, b.Setup(ctx, config)
}

// Write writes entries to a path of a key-value engine.
func (s *Server) Write(t testing.TB, path string, entries map[string]any) {
	e, below := s.route(path)
	data := entries
	if e.options["version"] == "2" {
		data = map[string]any{"data": entries}
	}
	response, err := e.handle(logical.CreateOperation, below, data)
	require.NoError(t, err)
	if response != nil {
		require.NoError(t, response.Error())
	}
}

// delete deletes the newest version at a path of the key-value engine version 2.
func (s *Server) delete(t testing.TB, path string) {
	e, below := s.route(path)
	_, err := e.handle(logical.DeleteOperation, below, nil)
	require.NoError(t, err)
}

func (s *Server) route(path string) (e engine, below string) {
	mount, below, _ := strings.Cut(path, "/")
	return s.mounts[mount+"/"], below
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	if path == "auth/kubernetes/login" {
		s.login(w, r)
		return
	}
	if r.Header.Get("X-Vault-Token") != token || r.Method != http.MethodGet || r.URL.RawQuery != "" {
		logical.RespondError(w, http.StatusForbidden, errors.New("permission denied"))
		return
	}
	if target, ok := strings.CutPrefix(path, "sys/internal/ui/mounts/"); ok {
		s.describe(w, target)
		return
	}
	e, below := s.route(path)
	if e.Backend == nil {
		logical.RespondError(w, http.StatusForbidden, errors.New("permission denied"))
		return
	}
	response, err := e.handle(logical.ReadOperation, below, nil)
	status, err := logical.RespondErrorCommon(&logical.Request{Operation: logical.ReadOperation}, response, err)
	switch {
	case status != 0 || err != nil:
		logical.RespondError(w, status, err)
	case response.Data[logical.HTTPRawBody] != nil:
		w.WriteHeader(response.Data[logical.HTTPStatusCode].(int))
		fmt.Fprint(w, response.Data[logical.HTTPRawBody])
	default:
		respond(w, response)
	}
}

func respond(w http.ResponseWriter, response *logical.Response) {
	_ = json.NewEncoder(w).Encode(logical.LogicalResponseToHTTPResponse(response))
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	var body struct{ Role, JWT string }
	if json.NewDecoder(r.Body).Decode(&body) != nil || body.Role != s.role || !s.accept(body.JWT) {
		logical.RespondError(w, http.StatusForbidden, errors.New("permission denied"))
		return
	}
	respond(w, &logical.Response{Auth: &logical.Auth{ClientToken: token}})
}

// describe returns the engine of a path.
func (s *Server) describe(w http.ResponseWriter, path string) {
	e, _ := s.route(path)
	if e.Backend == nil {
		logical.RespondError(w, http.StatusForbidden, errors.New("preflight capability check returned 403"))
		return
	}
	mount, _, _ := strings.Cut(path, "/")
	data := map[string]any{"path": mount + "/", "type": e.kind, "options": e.options}
	if e.options == nil {
		data["options"] = nil
	}
	respond(w, &logical.Response{Data: data})
}
