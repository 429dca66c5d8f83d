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
	// Requests of each kind share this many bytes of bodies. A large request counts
	// as at most largeBytes. A review needs up to thirty times its body in memory, so
	// the largest Pods are reviewed one at a time.
	smallBytes, largeBytes = 2 << 20, 4 << 20
	// usualTimeout is the API server's, if it does not tell.
	usualTimeout = 10 * time.Second
	// spare is how long before the API server's timeout an answer is given, so that
	// it still arrives.
	spare = 250 * time.Millisecond
	// bodyTimeout is how long a client may take to send the body.
	bodyTimeout = 5 * time.Second
)

// bound limits the bytes that are under review at a time, so that no tenant can
// exhaust the memory of the process. Large requests wait for each other and not
// small ones for them. A request that does not get its turn in time is answered
// with 503, which API servers treat by their failurePolicy.
type bound struct{ small, large *semaphore.Weighted }

func newBound() *bound {
	return &bound{semaphore.NewWeighted(smallBytes), semaphore.NewWeighted(largeBytes)}
}

// wrap also gives each review a deadline, the timeout that the API server tells.
func (b *bound) wrap(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), timeoutOf(r))
		defer cancel()
		size := r.ContentLength
		if size < 0 || size > largeBytes {
			size = largeBytes
		}
		turns := b.small
		if size >= largeBody {
			turns = b.large
		}
		if err := turns.Acquire(ctx, size); err != nil {
			reviewsShed.Inc()
			http.Error(w, "too many bytes are under review", http.StatusServiceUnavailable)
			return
		}
		defer turns.Release(size)
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // not every writer can
		handler.ServeHTTP(w, r.WithContext(ctx))
	})
}

// timeoutOf returns how long a review may take: API servers send their timeout as a
// parameter.
func timeoutOf(r *http.Request) time.Duration {
	timeout, err := time.ParseDuration(r.URL.Query().Get("timeout"))
	if err != nil || timeout <= 0 || timeout > 3*usualTimeout {
		timeout = usualTimeout
	}
	return max(timeout-spare, timeout/2)
}
