package main

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	// largeBody is the size in bytes from which a request counts as large. Few Pods
	// exceed 10 KiB.
	largeBody = 256 << 10
	// smallBytes and largeBytes limit the bodies of small and of large requests under
	// review, in bytes. A request counts as at most largeBytes. A review needs up to
	// thirty times its body in memory, so the largest Pods are reviewed one at a time.
	smallBytes, largeBytes = 2 << 20, 4 << 20
	// defaultTimeout applies if the API server sends no timeout.
	defaultTimeout = 10 * time.Second
	// spare is how long before the API server's timeout a review ends, so that the
	// response still arrives.
	spare = 250 * time.Millisecond
	// bodyTimeout is how long a client may take to send the body.
	bodyTimeout = 5 * time.Second
)

// bound limits the bytes under review at a time, so that no tenant can exhaust the
// process's memory. Large requests wait for each other; small requests do not wait
// for large ones. A request that waits too long gets status 503, to which API
// servers apply their failurePolicy.
type bound struct{ small, large *semaphore.Weighted }

func newBound() *bound {
	return &bound{semaphore.NewWeighted(smallBytes), semaphore.NewWeighted(largeBytes)}
}

// wrap also sets each review's deadline from the API server's timeout.
func (b *bound) wrap(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), timeoutOf(r))
		defer cancel()
		size := r.ContentLength
		if size < 0 || size > largeBytes {
			size = largeBytes
		}
		limit := b.small
		if size >= largeBody {
			limit = b.large
		}
		if err := limit.Acquire(ctx, size); err != nil {
			reviewsShed.Inc()
			http.Error(w, "too many bytes are under review", http.StatusServiceUnavailable)
			return
		}
		defer limit.Release(size)
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // not every writer supports it
		handler.ServeHTTP(w, r.WithContext(ctx))
	})
}

// timeoutOf returns how long a review may take. API servers send their timeout as a
// query parameter.
func timeoutOf(r *http.Request) time.Duration {
	timeout, err := time.ParseDuration(r.URL.Query().Get("timeout"))
	if err != nil || timeout <= 0 || timeout > 3*defaultTimeout {
		timeout = defaultTimeout
	}
	return max(timeout-spare, timeout/2)
}
