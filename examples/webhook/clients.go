package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
)

// A response contains the values of global secrets, and the client chooses the
// namespace. So only API servers may get a response.

// clientCAs reads the CAs in cfg.ClientCA. It returns nil if that is empty.
func (cfg *config) clientCAs() (*x509.CertPool, error) {
	if cfg.ClientCA == "" {
		return nil, nil
	}
	text, err := os.ReadFile(cfg.ClientCA)
	if err != nil {
		return nil, err // names the file
	}
	cas := x509.NewCertPool()
	if !cas.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("clientCA: %s contains no certificate", cfg.ClientCA)
	}
	return cas, nil
}

// askForCertificate verifies client certificates if clients send one. Requests
// without one are rejected by authenticated, so that the readiness check can connect.
func askForCertificate(cas *x509.CertPool) func(*tls.Config) {
	return func(c *tls.Config) {
		if cas != nil {
			c.ClientAuth, c.ClientCAs = tls.VerifyClientCertIfGiven, cas
		}
	}
}

// authenticated rejects clients without a certificate of one of the CAs. It accepts
// all clients if cas is nil.
func authenticated(cas *x509.CertPool, handler http.Handler) http.Handler {
	if cas == nil {
		return handler
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
			http.Error(w, "a client certificate is required", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	})
}
