package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"github.com/podsecrets/podsecrets/injector"
)

// The paths of the mutating and of the validating webhook.
const (
	mutatePath   = "/mutate"
	validatePath = "/validate"
)

// serve runs until stop ends. Then it reports not ready, serves on for cfg.Drain,
// finishes the reviews in progress, and returns.
func serve(stop context.Context, from *source, cfg *config, cluster *rest.Config) error {
	reviews := newReviewMetrics(metrics.Registry)
	active, err := newCurrent(cfg, func(cfg *config) (*injector.Injector, error) { return cfg.injector(logged, reviews.countAccess) })
	if err != nil {
		return err
	}
	cas, err := cfg.clientCAs()
	if err != nil {
		return err
	}
	certs := newCertificates(cfg)
	mgr, err := newManager(cfg, cluster, certs, askForCertificate(cas))
	if err != nil {
		return err
	}
	if cas == nil && cfg.Global != nil {
		mgr.GetLogger().Info("any client that reaches the webhook's port can read the global secrets: set clientCA, or restrict access with a NetworkPolicy")
	}
	server, limit := mgr.GetWebhookServer(), newBound()
	register := func(path string, handler http.Handler) {
		server.Register(path, drain(stop, authenticated(cas, limit.wrap(handler))))
	}
	register(mutatePath, handle(active.mutate, reviews.count))
	register(validatePath, handle(active.verify, reviews.countVerification))
	certs.reader = mgr.GetClient()
	err = errors.Join(
		certs.watch(mgr),
		rotate(mgr, cfg),
		mgr.Add(manager.RunnableFunc(active.follow(from, reloadInterval))),
		mgr.AddHealthzCheck("ping", healthz.Ping),
		mgr.AddReadyzCheck("stopping", func(*http.Request) error { return stop.Err() }),
		mgr.AddReadyzCheck("certificate", certs.ready),
		mgr.AddReadyzCheck("server", certs.requireCertificate(server.StartedChecker())),
	)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	context.AfterFunc(stop, func() {
		mgr.GetLogger().Info("draining before shutdown", "drain", cfg.Drain.String())
		time.AfterFunc(cfg.Drain, cancel)
	})
	return mgr.Start(ctx)
}

// drain makes API servers close their connections after a response once stop has
// ended. They keep several HTTP/1.1 connections open, and a review sent on one
// that the server is closing is lost.
func drain(stop context.Context, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if stop.Err() != nil {
			w.Header().Set("Connection", "close")
		}
		handler.ServeHTTP(w, r)
	})
}

func newManager(cfg *config, cluster *rest.Config, certs *certificates, clients func(*tls.Config)) (manager.Manager, error) {
	host, port, err := splitAddress(cfg.Listen.Webhook)
	if err != nil {
		return nil, err
	}
	return ctrl.NewManager(cluster, ctrl.Options{
		Metrics:                metricsserver.Options{BindAddress: cfg.Listen.Metrics},
		HealthProbeBindAddress: cfg.Listen.Probes,
		WebhookServer: webhook.NewServer(webhook.Options{Host: host, Port: port, TLSOpts: []func(*tls.Config){
			func(c *tls.Config) { c.GetCertificate = certs.get },
			clients,
		}}),
		// The process reads three objects only.
		Cache: cache.Options{ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}: {
				Namespaces: map[string]cache.Config{cfg.Namespace: {}},
				Field:      fields.OneTermEqualSelector("metadata.name", cfg.Certificate.Secret),
			},
			&admissionregistrationv1.MutatingWebhookConfiguration{}: {
				Field: fields.OneTermEqualSelector("metadata.name", cfg.WebhookConfiguration),
			},
			&admissionregistrationv1.ValidatingWebhookConfiguration{}: {
				Field: fields.OneTermEqualSelector("metadata.name", cfg.ValidatingConfiguration),
			},
		}},
	})
}
