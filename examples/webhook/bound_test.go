package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Large requests wait for each other, small requests do not wait for large ones, and
// a request that waits too long is rejected.
func TestBound_Turns(t *testing.T) {
	release := make(chan struct{})
	entered := make(chan int64, 16)
	server := httptest.NewServer(newBound().wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		entered <- r.ContentLength
		<-release
	})))
	defer server.Close()
	var group sync.WaitGroup
	post := func(size int, timeout string) int {
		response, err := http.Post(server.URL+"?timeout="+timeout, "text/plain", strings.NewReader(strings.Repeat("x", size)))
		if !assert.NoError(t, err) {
			return 0
		}
		response.Body.Close()
		return response.StatusCode
	}
	for range 2 {
		group.Add(1)
		go func() { defer group.Done(); assert.Equal(t, http.StatusOK, post(largeBytes/2, "30s")) }()
	}
	for range 2 {
		<-entered
	}
	assert.Equal(t, http.StatusServiceUnavailable, post(largeBytes/2, "100ms"))
	group.Add(1)
	go func() { defer group.Done(); assert.Equal(t, http.StatusOK, post(10, "30s")) }()
	assert.EqualValues(t, 10, <-entered)
	close(release)
	group.Wait()
}

func TestBound_Deadline(t *testing.T) {
	for query, want := range map[string]time.Duration{
		"timeout=5s": 4750 * time.Millisecond, "timeout=100ms": 50 * time.Millisecond,
		"": 9750 * time.Millisecond, "timeout=x": 9750 * time.Millisecond, "timeout=-1s": 9750 * time.Millisecond, "timeout=24h": 9750 * time.Millisecond,
	} {
		request := httptest.NewRequest(http.MethodPost, "/mutate?"+query, nil)
		assert.Equal(t, want, timeoutOf(request), query)
		newBound().wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			deadline, ok := r.Context().Deadline()
			assert.True(t, ok)
			assert.WithinDuration(t, time.Now().Add(want), deadline, time.Second)
		})).ServeHTTP(httptest.NewRecorder(), request)
	}
}
