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

// Where API servers call: for a patch, and for proof that a Pod is complete.
const (
	mutatePath   = "/mutate"
	validatePath = "/validate"
)

// serve runs until stop ends. Then it is not ready any more but still serves for
// as long as cfg.Drain says, finishes the reviews that it has begun, and
// returns.
func serve(stop context.Context, from *source, cfg *config, cluster *rest.Config) error {
	reviews := newReviewMetrics(metrics.Registry)
	now, err := newCurrent(cfg, func(cfg *config) (*injector.Injector, error) { return cfg.injector(logged, reviews.countAccess) })
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
		mgr.GetLogger().Info("whoever reaches the webhook's port can read the global secrets: set clientCA, or keep others from it by a NetworkPolicy")
	}
	server, turns := mgr.GetWebhookServer(), newBound()
	register := func(path string, handler http.Handler) {
		server.Register(path, drain(stop, authenticated(cas, turns.wrap(handler))))
	}
	register(mutatePath, handle(now.mutate, reviews.count))
	register(validatePath, handle(now.verify, reviews.countVerification))
	certs.reader = mgr.GetClient()
	err = errors.Join(
		certs.watch(mgr),
		rotate(mgr, cfg),
		mgr.Add(manager.RunnableFunc(now.follow(from, reloadInterval))),
		mgr.AddHealthzCheck("ping", healthz.Ping),
		mgr.AddReadyzCheck("stopping", func(*http.Request) error { return stop.Err() }),
		mgr.AddReadyzCheck("certificate", certs.ready),
		mgr.AddReadyzCheck("server", certs.then(server.StartedChecker())),
	)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	context.AfterFunc(stop, func() {
		mgr.GetLogger().Info("not ready any more", "drain", cfg.Drain.String())
		time.AfterFunc(cfg.Drain, cancel)
	})
	return mgr.Start(ctx)
}

// drain is a handler that has API servers, once stop has ended, close their
// connections themselves after a response: they keep several, over HTTP/1.1, and
// lose a review that they send on one which the server is closing.
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
		// Three objects are all that is read.
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
