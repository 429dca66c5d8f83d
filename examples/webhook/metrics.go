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

// certificateExpiry is the expiry time of the served certificate.
var certificateExpiry = prometheus.NewGauge(prometheus.GaugeOpts{
	Name: "podsecrets_certificate_expiry_seconds",
	Help: "When the served certificate expires, in seconds since 1970; 0 before there is one.",
})

// configReloaded is 1 from the start.
var configReloaded = prometheus.NewGauge(prometheus.GaugeOpts{
	Name: "podsecrets_config_reload_successful",
	Help: "1 if the current configuration files are in effect, 0 if they are invalid and the previous configuration stays.",
})

var reviewsShed = prometheus.NewCounter(prometheus.CounterOpts{
	Name: "podsecrets_reviews_shed_total",
	Help: "Requests rejected with status 503 because too many bytes were under review.",
})

// reviewMetrics counts the audit annotations of responses.
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
			Help: "Requested secrets by the manager that serves them and the outcome of the review.",
		}, []string{"manager", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "podsecrets_review_duration_seconds",
			Help:    "Duration of a review without the transport, by outcome.",
			Buckets: prometheus.ExponentialBuckets(50e-6, 2, 16), // 50 µs to 1.6 s
		}, []string{"outcome"}),
		verifications: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "podsecrets_verifications_total",
			Help: "Reviews of the validating webhook by outcome.",
		}, []string{"outcome"}),
		accesses: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "podsecrets_accesses_total",
			Help: "Decisions of the allow rules by manager and outcome, allowed or refused.",
		}, []string{"manager", "outcome"}),
		refusals: refusalLog{logger: ctrl.Log.WithName("allow")},
	}
	// Create all series, so that the first failure is an increase.
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

// countAccess also logs why an access is refused, because responses hide it.
func (m *reviewMetrics) countAccess(a injector.Access, err error) {
	outcome := "allowed"
	if err != nil {
		outcome = "refused"
		m.refusals.log(a, err)
	}
	m.accesses.WithLabelValues(a.Manager, outcome).Inc()
}

// refusalLog logs refused accesses, limited per namespace: one Pod can request
// thousands of secrets. The metrics count all.
type refusalLog struct {
	logger   logr.Logger
	limiters sync.Map // of *rate.Limiter, by namespace
}

// refusalBytes limits the reason of a log line.
const refusalsPerSecond, refusalBurst, refusalBytes = 1, 20, 2 << 10

func (l *refusalLog) log(a injector.Access, err error) {
	limiter, _ := l.limiters.LoadOrStore(a.Namespace, rate.NewLimiter(refusalsPerSecond, refusalBurst))
	if limiter.(*rate.Limiter).Allow() {
		l.logger.Info("refused", "request", a.Request.String(), "reason", fmt.Sprintf("%.*s", refusalBytes, asConfigured(err)))
	}
}
