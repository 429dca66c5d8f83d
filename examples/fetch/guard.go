package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// maxAnswer is the limit of an answer's body, in bytes. Stores' own limits are at most 64 KiB.
const maxAnswer = 1 << 20

type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// guard sends all HTTP requests of the SDKs: over TLS to allowed hosts, and in
// plain text to endpoints on the node. It follows no redirects.
type guard struct {
	allow  func(host string) bool // with port
	node   hostList
	secure http.RoundTripper
	plain  http.RoundTripper
}

func newGuard(allow func(host string) bool, node hostList, dial dialer) *guard {
	if dial == nil {
		dial = (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	}
	return &guard{
		allow: allow,
		node:  node,
		secure: &http.Transport{
			Proxy: http.ProxyFromEnvironment,
			OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
				if answer.StatusCode == http.StatusOK {
					return nil
				}
				return fmt.Errorf("%s (HTTP %d)", errProxy, answer.StatusCode)
			},
			DialContext:         dial,
			TLSHandshakeTimeout: 10 * time.Second,
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 100,
			IdleConnTimeout:     time.Minute,
		},
		plain: &http.Transport{ // no proxy
			DialContext:           dial,
			ResponseHeaderTimeout: 5 * time.Second,
		},
	}
}

// hostError is a request to a host that is not allowed. It was not sent.
type hostError struct{ host string }

func (e *hostError) Error() string { return e.host + " is not an allowed host" }

var (
	errRedirect = errors.New("redirects, which is not allowed")
	errProxy    = errors.New("the proxy does not connect")
)

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	host := strings.ToLower(req.URL.Host)
	if req.URL.Port() == "" {
		host += map[string]string{"http": ":80", "https": ":443"}[req.URL.Scheme]
	}
	transport := g.secure
	switch {
	case req.URL.Scheme == "https" && g.allow(host):
	case req.URL.Scheme == "http" && g.node.has(host):
		transport = g.plain
	default:
		if req.URL.Scheme != "https" {
			host = shorten(req.URL.Scheme, 10) + "://" + host
		}
		return nil, record(req, 0, &hostError{shorten(host, 200)})
	}
	answer, err := transport.RoundTrip(req)
	if err != nil {
		return nil, record(req, 0, err)
	}
	if answer.StatusCode >= 300 && answer.StatusCode < 400 {
		_ = answer.Body.Close()
		return nil, record(req, answer.StatusCode, errRedirect)
	}
	answer.Body = http.MaxBytesReader(nil, answer.Body, maxAnswer)
	return answer, record(req, answer.StatusCode, nil)
}

// Do is for the SDKs of AWS and Azure. They do not get an *http.Client, because Azure's SDK
// replaces a client's transport for Service Fabric.
func (g *guard) Do(req *http.Request) (*http.Response, error) { return g.client().Do(req) }

func (g *guard) client() *http.Client {
	return &http.Client{
		Transport:     g,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// exchange records the last request of an attempt and its result, because SDKs keep only the text
// of some errors.
type exchange struct {
	ctx    context.Context // the attempt's
	mu     sync.Mutex
	host   string
	status int
	err    error
}

type exchangeKey struct{}

func withExchange(ctx context.Context) (context.Context, *exchange) {
	x := &exchange{ctx: ctx}
	return context.WithValue(ctx, exchangeKey{}, x), x
}

// last returns the host, and the answer's status or the error.
func (x *exchange) last() (host string, status int, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.host, x.status, x.err
}

func record(req *http.Request, status int, err error) error {
	if x, ok := req.Context().Value(exchangeKey{}).(*exchange); ok {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.host, x.status, x.err = shorten(req.URL.Host, 200), status, err
	}
	return err
}
