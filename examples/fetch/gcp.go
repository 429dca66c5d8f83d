package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/crc32"
	"log/slog"
	"os"
	"regexp"
	"strings"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/compute/metadata"
	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	grpcmetadata "google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// gcpStore is Google Secret Manager, over gRPC.
type gcpStore struct {
	guard    *guard // of credentials and metadata
	items    []item
	hosts    hostList
	endpoint string
	project  string // of secrets requested by name
	tokens   auth.TokenProvider
	clients  clients[*secretmanager.Client]
}

func newGCP(s settings, dial dialer) *gcpStore {
	allow := func(host string) bool { return gcpLoginHosts.MatchString(host) || s.hosts.has(host) }
	return &gcpStore{guard: newGuard(allow, gcpNode, dial), items: s.items, hosts: s.hosts, endpoint: s.gcpEndpoint}
}

const gcpProject = `[a-z0-9][a-z0-9.:-]{0,62}`

var (
	gcpResource = regexp.MustCompile(`^projects/` + gcpProject + `(?:/locations/([a-z0-9-]{1,63}))?/secrets/[A-Za-z0-9_-]{1,255}$`)
	gcpName     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)
	gcpVersion  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)
	gcpID       = regexp.MustCompile(`^` + gcpProject + `$`)
)

func (*gcpStore) check(r ref) error {
	switch {
	case !gcpResource.MatchString(r.id) && !gcpName.MatchString(r.id):
		return errors.New("id is neither projects/P/secrets/S, projects/P/locations/L/secrets/S nor a secret's name")
	case r.version != "" && !gcpVersion.MatchString(r.version):
		return errors.New("version is neither a number nor an alias")
	default:
		return nil
	}
}

func (s *gcpStore) login(ctx context.Context) error {
	ctx, x := withExchange(ctx)
	node := metadata.NewWithOptions(&metadata.Options{Client: s.guard.client()})
	var err error
	if s.tokens == nil {
		tokens, err := gcpTokens(s.guard, node)
		if err != nil {
			return x.login(err)
		}
		s.tokens = tokens
	}
	if _, err = s.tokens.Token(ctx); err != nil {
		return x.login(err)
	}
	for _, it := range s.items {
		if !gcpName.MatchString(it.ID) || s.project != "" {
			continue
		}
		if s.project = os.Getenv("GOOGLE_CLOUD_PROJECT"); s.project == "" {
			ctx, x := withExchange(ctx)
			if s.project, err = node.GetWithContext(ctx, "project/project-id"); err != nil {
				f := x.login(err)
				return &failure{outcome: badRequest, detail: "an id has no project, GOOGLE_CLOUD_PROJECT is not set, and " + f.detail, temporary: f.temporary}
			}
			s.project = strings.TrimSpace(s.project)
		}
		if !gcpID.MatchString(s.project) {
			return &failure{outcome: badRequest, detail: "GOOGLE_CLOUD_PROJECT is not a project ID"}
		}
	}
	return nil
}

// where returns the version's full name and its host.
func (s *gcpStore) where(r ref) (name, host string) {
	name, host = r.id, "secretmanager.googleapis.com:443"
	if gcpName.MatchString(name) {
		name = "projects/" + s.project + "/secrets/" + name
	} else if parts := gcpResource.FindStringSubmatch(name); parts != nil && parts[1] != "" {
		host = "secretmanager." + parts[1] + ".rep.googleapis.com:443"
	}
	if s.endpoint != "" {
		host = s.endpoint
	}
	version := r.version
	if version == "" {
		version = "latest"
	}
	return name + "/versions/" + version, host
}

// dial returns a client. TLS ends at the host, whatever address or proxy is between. The client
// takes only proxies from the environment, and only addresses from DNS.
func (s *gcpStore) dial(host string) (*secretmanager.Client, error) {
	if !gcpHosts.MatchString(host) && !s.hosts.has(host) {
		return nil, notAllowed(&hostError{host})
	}
	conn, err := grpc.NewClient("passthrough:///"+host,
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})),
		grpc.WithDisableServiceConfig(),
		grpc.WithDisableRetry(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
	)
	if err != nil {
		return nil, cause(host, err.Error())
	}
	client, err := secretmanager.NewClient(context.Background(), option.WithGRPCConn(conn), option.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, cause(host, err.Error())
	}
	return client, nil
}

func (s *gcpStore) get(ctx context.Context, r ref) ([]byte, error) {
	name, host := s.where(r)
	client, err := s.clients.get(host, func() (*secretmanager.Client, error) { return s.dial(host) })
	if err != nil {
		return nil, err
	}
	loginCtx, x := withExchange(ctx)
	token, err := s.tokens.Token(loginCtx)
	if err != nil {
		return nil, x.login(err)
	}
	ctx = grpcmetadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token.Value)
	answer, err := client.AccessSecretVersion(ctx, &secretmanagerpb.AccessSecretVersionRequest{Name: name}, gax.WithRetry(nil))
	if err != nil {
		return nil, byCode(strings.TrimSuffix(host, ":443"), err)
	}
	data, sum := answer.GetPayload().GetData(), answer.GetPayload().DataCrc32C
	if sum != nil && int64(crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))) != *sum {
		return nil, &failure{outcome: unavailable, detail: "the value does not match its checksum", temporary: true}
	}
	return data, nil
}

// byCode returns the failure of a gRPC call.
func byCode(host string, err error) *failure {
	code := status.Code(err)
	f := &failure{detail: fmt.Sprintf("%s answers %v", host, code)}
	switch code {
	case codes.NotFound:
		f.outcome = notFound
	case codes.PermissionDenied, codes.Unauthenticated:
		f.outcome = denied
	case codes.ResourceExhausted, codes.Internal, codes.Aborted:
		f.outcome, f.temporary = unavailable, true
	case codes.Unavailable, codes.DeadlineExceeded, codes.Unknown, codes.Canceled:
		return cause(host, err.Error())
	default:
		f.outcome = refused
	}
	return f
}
