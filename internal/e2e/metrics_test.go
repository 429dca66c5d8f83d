package e2e

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/internal/e2e/deployed"
	"github.com/podsecrets/podsecrets/secret"
)

// counterSum returns the sum of a replica's counters whose name and labels begin with
// name.
func counterSum(t *testing.T, r *deployed.Replica, name string) (sum int) {
	text, err := r.Metrics()
	require.NoError(t, err)
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, name) {
			continue
		}
		_, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		n, err := strconv.ParseFloat(value, 64)
		require.NoError(t, err, line)
		sum += int(n)
	}
	return sum
}

func TestWebhook_Metrics(t *testing.T) {
	ns := server.Namespace(t, nil)
	count := func(series string) (sum int) {
		for _, r := range hook.Replicas {
			sum += counterSum(t, r, series)
		}
		return sum
	}
	injected, denied := `podsecrets_reviews_total{outcome="injected"}`, `podsecrets_reviews_total{outcome="denied"}`
	served := `podsecrets_secrets_total{manager="k8s",outcome="injected"}`
	beforeInjected, beforeDenied, beforeServed := count(injected), count(denied), count(served)
	create(t, ns, newPod(t, variable, file, secret.Request{Group: "shared", Key: "token"}))
	_, err := client.CoreV1().Pods(ns).Create(t.Context(), newPod(t, secret.Request{Key: "../x"}), metav1.CreateOptions{})
	require.Error(t, err)
	assert.Equal(t, 1, count(injected)-beforeInjected)
	assert.Equal(t, 1, count(denied)-beforeDenied)
	assert.Equal(t, 2, count(served)-beforeServed)
	for _, r := range hook.Replicas {
		assert.NotEmpty(t, r.Log())
		assert.NotContains(t, r.Log(), shared, "no value in the log")
	}
}
