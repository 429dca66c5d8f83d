package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/podsecrets/podsecrets/injector"
)

// certificateExpiry is of the certificate that is served.
var certificateExpiry = prometheus.NewGauge(prometheus.GaugeOpts{
	Name: "podsecrets_certificate_expiry_seconds",
	Help: "When the certificate that is served ends, in seconds since 1970; 0 before there is one.",
})

// reviewMetrics count what the audit annotations of responses say.
type reviewMetrics struct {
	reviews *prometheus.CounterVec
	secrets *prometheus.CounterVec
	seconds *prometheus.HistogramVec
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
	}
	// So that a first failure is a change of a series that exists.
	for _, outcome := range []string{injector.OutcomeSkipped, injector.OutcomeInjected,
		injector.OutcomeUnchanged, injector.OutcomeDenied, injector.OutcomeFailed} {
		m.reviews.WithLabelValues(outcome)
	}
	registry.MustRegister(m.reviews, m.secrets, m.seconds, certificateExpiry)
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
