package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestRetry(t *testing.T) {
	temporary := &failure{outcome: unavailable, temporary: true}
	for _, tt := range []struct {
		slug, why string
		fails     int // attempts, before success
		with      error
		atMost    time.Duration
		code      outcome
		attempts  int
	}{
		{slug: "at-once", attempts: 1},
		{slug: "twice", fails: 2, with: temporary, attempts: 3, atMost: 600 * time.Millisecond},
		{slug: "unknown", fails: 1, with: errors.New(canary), attempts: 2, atMost: 200 * time.Millisecond, why: "an error that is no failure is temporary"},
		{slug: "final", fails: 9, with: &failure{outcome: notFound}, code: notFound, attempts: 1},
		{slug: "always", fails: 1e6, with: temporary, code: unavailable, attempts: 16, atMost: time.Minute, why: "5 s at most between attempts"},
	} {
		t.Run(tt.slug, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				start, attempts := time.Now(), 0
				f := retry(ctx, time.Minute, func(context.Context) error {
					if attempts++; attempts <= tt.fails {
						return tt.with
					}
					return nil
				})
				if tt.code == 0 {
					assert.Nil(t, f, tt.why)
					assert.Equal(t, tt.attempts, attempts)
				} else {
					assert.Equal(t, tt.code, f.outcome)
					assert.GreaterOrEqual(t, attempts, tt.attempts, tt.why)
				}
				assert.LessOrEqual(t, time.Since(start), tt.atMost)
			})
		})
	}
}

// An attempt that hangs ends in time for others, and a panic's message stays hidden.
func TestRetry_Limits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start, attempts := time.Now(), 0
		f := retry(ctx, attemptLimit(time.Minute), func(ctx context.Context) error {
			attempts++
			<-ctx.Done()
			return ctx.Err()
		})
		assert.Equal(t, unavailable, f.outcome)
		assert.Equal(t, 4, attempts)
		assert.LessOrEqual(t, time.Since(start), time.Minute)

		attempts = 0
		ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		f = retry(ctx, time.Minute, func(ctx context.Context) error {
			if attempts++; attempts == 1 {
				return &failure{outcome: unavailable, detail: "why", temporary: true}
			}
			<-ctx.Done()
			return ctx.Err()
		})
		assert.Equal(t, "why", f.detail, "of the last whole attempt")

		f = retry(t.Context(), time.Second, func(context.Context) error { panic(canary) })
		assert.Equal(t, &failure{outcome: unavailable, detail: "the SDK cannot read the answer"}, f)
	})
}

// SIGTERM ends a waiting run.
func TestRetry_Stopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start := time.Now()
		_, failures := fetchValues(ctx, settings{items: []item{{ID: "a"}}, concurrency: 1, deadline: time.Hour}, waitingStore{})
		assert.Equal(t, "store unreachable: stopped by a signal", failures[ref{"a", ""}].Error())
		assert.LessOrEqual(t, time.Since(start), 2*time.Second)
	})
}

type waitingStore struct{}

func (waitingStore) check(ref) error             { return nil }
func (waitingStore) login(context.Context) error { return nil }

func (waitingStore) get(ctx context.Context, _ ref) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
