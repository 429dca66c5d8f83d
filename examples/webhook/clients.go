package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
)

// A review with a global secret has its value in the answer, and who asks says
// for which namespace. So only API servers may get a response.

// clientCAs reads the CAs of cfg.ClientCA; nil, if API servers show no
// certificate.
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
		return nil, fmt.Errorf("clientCA: %s has no certificate", cfg.ClientCA)
	}
	return cas, nil
}

// askForCertificate has clients verified that show a certificate. Those that show
// none are for authenticated to refuse: the readiness check is one.
func askForCertificate(cas *x509.CertPool) func(*tls.Config) {
	return func(c *tls.Config) {
		if cas != nil {
			c.ClientAuth, c.ClientCAs = tls.VerifyClientCertIfGiven, cas
		}
	}
}

// authenticated is a handler for clients only that have shown a certificate of
// one of the CAs; for all, if cas is nil.
func authenticated(cas *x509.CertPool, handler http.Handler) http.Handler {
	if cas == nil {
		return handler
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 {
			http.Error(w, "the client has shown no certificate", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	})
}
