package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// Pauses between attempts double. Each is randomly shortened by up to half, so that Pods that start
// together do not retry together.
const (
	firstPause = 200 * time.Millisecond
	longPause  = 5 * time.Second
)

// retry calls try until it succeeds, fails permanently, or the context ends. The SDKs' own retries
// are off, because their policies differ and none has one deadline for all secrets.
func retry(ctx context.Context, limit time.Duration, try func(ctx context.Context) error) *failure {
	var last *failure
	for attempt := 1; ; attempt++ {
		f := attemptOnce(ctx, limit, try)
		switch {
		case f == nil || !f.temporary:
			return f
		case ctx.Err() != nil && last != nil:
			return last // this attempt was cut short
		}
		last = f
		pause := min(firstPause<<min(attempt-1, 10), longPause)
		pause -= rand.N(pause / 2) // #nosec G404 -- not a secret
		if end, ok := ctx.Deadline(); ok && time.Until(end) < pause {
			return f
		}
		select {
		case <-ctx.Done():
			return f
		case <-time.After(pause):
		}
	}
}

// attemptOnce limits one attempt, so that a stalled connection does not use up the deadline.
func attemptOnce(ctx context.Context, limit time.Duration, try func(ctx context.Context) error) (f *failure) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer func() {
		if recover() != nil { // the panic may quote an answer
			f = &failure{outcome: unavailable, detail: "the SDK cannot read the answer"}
		}
	}()
	if ctx.Err() != nil {
		return &failure{outcome: unavailable, detail: "no time was left", temporary: true}
	}
	return asFailure(try(ctx))
}

// attemptLimit returns a quarter of the deadline, at most 15 seconds.
func attemptLimit(deadline time.Duration) time.Duration {
	return min(deadline/4, 15*time.Second)
}
