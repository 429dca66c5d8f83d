package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/podsecrets/podsecrets/injector"
)

// certificateExpiry is of the certificate that is served.
var certificateExpiry = prometheus.NewGauge(prometheus.GaugeOpts{
	Name: "podsecrets_certificate_expiry_seconds",
	Help: "When the certificate that is served ends, in seconds since 1970; 0 before there is one.",
})

// configReloaded is 1 after a start.
var configReloaded = prometheus.NewGauge(prometheus.GaugeOpts{
	Name: "podsecrets_config_reload_successful",
	Help: "1 if the configuration's present content is in effect, 0 if it is invalid and the one before stays.",
})

var reviewsShed = prometheus.NewCounter(prometheus.CounterOpts{
	Name: "podsecrets_reviews_shed_total",
	Help: "Requests that were answered with 503 because too many bytes were under review.",
})

// reviewMetrics count what the audit annotations of responses say.
type reviewMetrics struct {
	reviews       *prometheus.CounterVec
	secrets       *prometheus.CounterVec
	seconds       *prometheus.HistogramVec
	verifications *prometheus.CounterVec
	accesses      *prometheus.CounterVec
	refusals      refusalLog
}

func newReviewMetrics(registry prometheus.Registerer) *reviewMetrics {
	m := &reviewMetrics{
		reviews: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "podsecrets_reviews_total",
			Help: "Admission reviews by outcome.",
		}, []string{"outcome"}),
		secrets: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "podsecrets_secrets_total",
			Help: "Secrets that Pods asked for and get, by the manager that serves them and the outcome of the review.",
		}, []string{"manager", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "podsecrets_review_duration_seconds",
			Help:    "How long a review takes, without the transport, by outcome.",
			Buckets: prometheus.ExponentialBuckets(50e-6, 2, 16), // 50 µs to 1.6 s
		}, []string{"outcome"}),
		verifications: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "podsecrets_verifications_total",
			Help: "Reviews of the validating webhook by outcome.",
		}, []string{"outcome"}),
		accesses: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "podsecrets_accesses_total",
			Help: "Decisions of the rules (allow) by the manager that would be read and the outcome, allowed or refused.",
		}, []string{"manager", "outcome"}),
		refusals: refusalLog{log: ctrl.Log.WithName("allow")},
	}
	// So that a first failure is a change of a series that exists.
	for _, outcome := range []string{injector.OutcomeSkipped, injector.OutcomeInjected,
		injector.OutcomeUnchanged, injector.OutcomeDenied, injector.OutcomeFailed} {
		m.reviews.WithLabelValues(outcome)
	}
	for _, outcome := range []string{injector.OutcomeSkipped, injector.OutcomeVerified,
		injector.OutcomeIncomplete, injector.OutcomeDenied, injector.OutcomeFailed} {
		m.verifications.WithLabelValues(outcome)
	}
	registry.MustRegister(m.reviews, m.secrets, m.seconds, m.verifications, m.accesses, certificateExpiry, configReloaded, reviewsShed)
	return m
}

func (m *reviewMetrics) count(audit map[string]string, took time.Duration) {
	outcome := audit[injector.AuditOutcome]
	m.reviews.WithLabelValues(outcome).Inc()
	m.seconds.WithLabelValues(outcome).Observe(took.Seconds())
	for _, served := range strings.Split(audit[injector.AuditManagers], ",") {
		manager, count, _ := strings.Cut(served, "=")
		if n, err := strconv.Atoi(count); err == nil {
			m.secrets.WithLabelValues(manager, outcome).Add(float64(n))
		}
	}
}

func (m *reviewMetrics) countVerification(audit map[string]string, _ time.Duration) {
	m.verifications.WithLabelValues(audit[injector.AuditOutcome]).Inc()
}

// countAccess also logs why an access is refused: the Pod's author is not told.
func (m *reviewMetrics) countAccess(a injector.Access, err error) {
	outcome := "allowed"
	if err != nil {
		outcome = "refused"
		m.refusals.tell(a, err)
	}
	m.accesses.WithLabelValues(a.Manager, outcome).Inc()
}

// refusalLog logs refused accesses, of each namespace some in a second: one Pod can
// ask for thousands. The metrics count all.
type refusalLog struct {
	log         logr.Logger
	ofNamespace sync.Map
}

const refusalsPerSecond, refusalsAtOnce, refusalBytes = 1, 20, 2 << 10

func (l *refusalLog) tell(a injector.Access, err error) {
	limiter, _ := l.ofNamespace.LoadOrStore(a.Namespace, rate.NewLimiter(refusalsPerSecond, refusalsAtOnce))
	if limiter.(*rate.Limiter).Allow() {
		l.log.Info("refused", "request", a.Request.String(), "reason", fmt.Sprintf("%.*s", refusalBytes, asConfigured(err)))
	}
}
