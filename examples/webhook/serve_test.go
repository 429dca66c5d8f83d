package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Connections stay open until stop ends; then each closes after its next response.
func TestDrain(t *testing.T) {
	stop, end := context.WithCancel(t.Context())
	server := httptest.NewServer(drain(stop, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "answer")
	})))
	defer server.Close()
	for _, c := range []struct {
		name  string
		end   func()
		close bool
	}{
		{"serving", func() {}, false},
		{"stopping", end, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.end()
			response, err := server.Client().Post(server.URL, "application/json", nil)
			require.NoError(t, err)
			defer response.Body.Close()
			text, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			assert.Equal(t, "answer", string(text))
			assert.Equal(t, c.close, response.Close)
		})
	}
}
