package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// The Secret's keys in which cert-controller writes the certificate.
const (
	certName = "tls.crt"
	keyName  = "tls.key"
)

// certificates serves the certificate in the Secret. It reads the Secret from the
// API server, because the kubelet updates volumes a minute later.
//
// cert-controller writes the CA bundles of the webhook configurations after the
// Secret. A new certificate waits until the bundles trust it, and then for settle,
// until every API server has seen the bundles. Meanwhile the previous certificate
// is served, which the bundles still trust: see rotate.
type certificates struct {
	reader           client.Reader
	secret           types.NamespacedName
	mutating         types.NamespacedName
	validating       types.NamespacedName // empty name: none
	dnsName, dir     string
	settle           time.Duration
	now              func() time.Time
	served           atomic.Pointer[tls.Certificate]
	next             *tls.Certificate // trusted by the bundles, but not for settle yet
	nextTrustedSince time.Time        // when the bundles were first seen to trust next
}

func newCertificates(cfg *config) *certificates {
	return &certificates{
		secret:     types.NamespacedName{Namespace: cfg.Namespace, Name: cfg.Certificate.Secret},
		mutating:   types.NamespacedName{Name: cfg.WebhookConfiguration},
		validating: types.NamespacedName{Name: cfg.ValidatingConfiguration},
		dnsName:    cfg.dnsName(),
		dir:        cfg.Certificate.Dir,
		settle:     cfg.Certificate.Settle,
		now:        time.Now,
	}
}

// dnsName is the host name that API servers expect in the certificate.
func (cfg *config) dnsName() string { return cfg.Service + "." + cfg.Namespace + ".svc" }

var errNoCertificate = errors.New("there is no certificate yet that the CA bundle trusts")

// get is tls.Config.GetCertificate.
func (c *certificates) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if cert := c.served.Load(); cert != nil {
		return cert, nil
	}
	return nil, errNoCertificate
}

func (c *certificates) ready(*http.Request) error {
	_, err := c.get(nil)
	return err
}

// requireCertificate runs the check only once there is a certificate. Before that, the
// server would log each check as a failed handshake.
func (c *certificates) requireCertificate(check healthz.Checker) healthz.Checker {
	return func(r *http.Request) error {
		if err := c.ready(r); err != nil {
			return err
		}
		return check(r)
	}
}

// watch calls Reconcile when the Secret or a webhook configuration changes.
func (c *certificates) watch(mgr manager.Manager) error {
	enqueue := handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: c.secret}}
	})
	controller := ctrl.NewControllerManagedBy(mgr).
		Named("certificate").
		Watches(&corev1.Secret{}, enqueue).
		Watches(&admissionregistrationv1.MutatingWebhookConfiguration{}, enqueue)
	if c.validating.Name != "" {
		controller = controller.Watches(&admissionregistrationv1.ValidatingWebhookConfiguration{}, enqueue)
	}
	return controller.Complete(c)
}

// Reconcile serves the Secret's certificate, or returns when to check again. It
// never runs concurrently.
func (c *certificates) Reconcile(ctx context.Context, _ reconcile.Request) (reconcile.Result, error) {
	var secret corev1.Secret
	if err := c.reader.Get(ctx, c.secret, &secret); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	cert, err := tls.X509KeyPair(secret.Data[certName], secret.Data[keyName])
	if err != nil {
		return reconcile.Result{}, nil // still empty; its next change calls Reconcile
	}
	served := c.served.Load()
	if same(&cert, served) {
		c.next = nil
		return reconcile.Result{}, nil
	}
	if err := c.checkTrusted(ctx, cert.Leaf); err != nil {
		log.FromContext(ctx).Info("a new certificate waits for the CA bundle", "reason", err.Error())
		c.next = nil
		return reconcile.Result{}, nil
	}
	if !same(&cert, c.next) {
		c.next, c.nextTrustedSince = &cert, c.now()
	}
	if wait := c.settle - c.now().Sub(c.nextTrustedSince); wait > 0 && served != nil && c.checkTrusted(ctx, served.Leaf) == nil {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	return reconcile.Result{}, c.serve(ctx, &cert, secret.Data[certName])
}

// serve also writes the certificate, without its key, to the file that tells
// cert-controller that this replica has it.
func (c *certificates) serve(ctx context.Context, cert *tls.Certificate, pem []byte) error {
	if err := os.MkdirAll(c.dir, 0o750); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.dir, certName), pem, 0o600); err != nil {
		return err
	}
	c.served.Store(cert)
	c.next = nil
	certificateExpiry.Set(float64(cert.Leaf.NotAfter.Unix()))
	log.FromContext(ctx).Info("serving a new certificate", "notBefore", cert.Leaf.NotBefore, "notAfter", cert.Leaf.NotAfter)
	return nil
}

// checkTrusted returns an error if an API server would reject the certificate.
func (c *certificates) checkTrusted(ctx context.Context, leaf *x509.Certificate) error {
	bundles, err := c.bundles(ctx)
	if err != nil {
		return err
	}
	for _, bundle := range bundles {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(bundle)
		if _, err := leaf.Verify(x509.VerifyOptions{DNSName: c.dnsName, Roots: roots, CurrentTime: c.now()}); err != nil {
			return err
		}
	}
	return nil
}

// bundles returns the CA bundles of all webhooks. The validating configuration may
// be missing.
func (c *certificates) bundles(ctx context.Context) (all [][]byte, err error) {
	var mutating admissionregistrationv1.MutatingWebhookConfiguration
	if err := c.reader.Get(ctx, c.mutating, &mutating); err != nil {
		return nil, err
	}
	if len(mutating.Webhooks) == 0 {
		return nil, fmt.Errorf("%s has no webhooks", c.mutating.Name)
	}
	for _, hook := range mutating.Webhooks {
		all = append(all, hook.ClientConfig.CABundle)
	}
	if c.validating.Name == "" {
		return all, nil
	}
	var validating admissionregistrationv1.ValidatingWebhookConfiguration
	if err := c.reader.Get(ctx, c.validating, &validating); client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	for _, hook := range validating.Webhooks {
		all = append(all, hook.ClientConfig.CABundle)
	}
	return all, nil
}

func same(a, b *tls.Certificate) bool {
	return a != nil && b != nil && bytes.Equal(a.Certificate[0], b.Certificate[0])
}
