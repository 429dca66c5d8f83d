package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	admissionv1 "k8s.io/api/admission/v1"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// The response is the Injector's, and the patch keeps unknown fields.
func TestHandle_Answer(t *testing.T) {
	s := newServer(t, managersOf(t, "managers: [k8s, aws, vault]")...)
	for name, reqs := range map[string][]secret.Request{
		"no-requests": nil,
		"variable":    {{Group: "g", Key: "k"}},
		"files":       {{Group: "g", Key: "k", Mount: mount.File}, {Group: "kv/data/x", Key: "k", Mount: mount.File}},
		"refused":     {{Group: "../x", Key: "k"}},
		"not-served":  {{Group: "G/H", Key: "k", Mount: mount.EnvVar}},
	} {
		t.Run(name, func(t *testing.T) {
			text, object := body(t, reqs...)
			got := s.post(t, text)

			var sent admissionv1.AdmissionReview
			require.NoError(t, json.Unmarshal(text, &sent))
			assert.Equal(t, s.in.Review(t.Context(), sent.Request), got)
			assert.EqualValues(t, "705ab4f5-6393-11e8-b7cc-42010a800002", got.UID)

			if got.Patch == nil {
				return
			}
			patch, err := jsonpatch.DecodePatch(got.Patch)
			require.NoError(t, err)
			patched, err := patch.Apply(object)
			require.NoError(t, err)
			assert.Contains(t, string(patched), `"futureField":{"a":1.50}`)
			assert.Contains(t, string(patched), `"futureField":["x"]`)
			assert.Contains(t, string(patched), `"futureField":true`)
		})
	}
}

// endless is a body without an announced size.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte(" "), len(p))), nil }

// A body that is no admission review gets an HTTP error, to which API servers apply
// their failurePolicy, and never a response with "allowed".
func TestHandle_BadRequests(t *testing.T) {
	s := newServer(t, store{})
	good, _ := body(t)
	replaced := func(old, with string) io.Reader {
		require.Contains(t, string(good), old)
		return strings.NewReader(strings.Replace(string(good), old, with, 1))
	}
	for _, c := range []struct {
		name, contentType string
		body              io.Reader
		code              int
		want              string
	}{
		{"content-type", "text/plain", bytes.NewReader(good), 415, `"application/json"`},
		{"no-content-type", "", bytes.NewReader(good), 415, `"application/json"`},
		{"empty", "application/json", http.NoBody, 400, "must be an AdmissionReview"},
		{"no-json", "application/json", strings.NewReader("{"), 400, "unexpected end of JSON input"},
		{"cut-off", "application/json", io.MultiReader(bytes.NewReader(good[:99])), 400, "must be an AdmissionReview"},
		{"another-kind", "application/json", replaced("AdmissionReview", "Pod"), 400, "must be an AdmissionReview"},
		{"another-version", "application/json", replaced("admission.k8s.io/v1", "admission.k8s.io/v2"), 400, "of admission.k8s.io/v1"},
		{"upper-case", "application/json", replaced(`"request"`, `"REQUEST"`), 400, "with a request"},
		{"no-uid", "application/json", replaced(`"uid"`, `"other"`), 400, "must be an AdmissionReview"},
		{"announced-too-large", "application/json", strings.NewReader(strings.Repeat(" ", maxBody+1)), 413, "too large"},
		{"too-large", "application/json", endless{}, 413, "too large"},
	} {
		t.Run(c.name, func(t *testing.T) {
			recorder := send(s.http, c.contentType, c.body)
			assert.Equal(t, c.code, recorder.Code)
			assert.Contains(t, recorder.Body.String(), c.want)
			assert.NotContains(t, recorder.Body.String(), `"allowed"`)
		})
	}
}

// A panic fails one review. Its message is only logged.
func TestHandle_Panic(t *testing.T) {
	s := newServer(t, store{})
	s.use(func(context.Context, *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
		panic("index out of range")
	})
	text, _ := body(t)
	recorder := send(s.http, "application/json", bytes.NewReader(text))
	assert.Equal(t, http.StatusInternalServerError, recorder.Code)
	assert.NotContains(t, recorder.Body.String(), "index")
	assert.Contains(t, s.logs.String(), "panic: index out of range")
}

// BenchmarkHandle compares handle with controller-runtime's handler of the same
// Injector.
func BenchmarkHandle(b *testing.B) {
	s := newServer(b, managersOf(b, "managers: [k8s]")...)
	text, _ := body(b, secret.Request{Group: "g", Key: "k"}, secret.Request{Group: "g", Key: "l"}, secret.Request{Group: "g", Key: "m", Mount: mount.File})
	count := func(map[string]string, time.Duration) {}
	for _, c := range []struct {
		name    string
		handler http.Handler
	}{
		{"ours", handle(s.in.Review, count)},
		{"controller-runtime", &admission.Webhook{Handler: admission.HandlerFunc(func(ctx context.Context, req admission.Request) admission.Response {
			return admission.Response{AdmissionResponse: *s.in.Review(ctx, &req.AdmissionRequest)}
		})}},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				recorder := send(c.handler, "application/json", bytes.NewReader(text))
				if recorder.Code != http.StatusOK {
					b.Fatal(recorder.Body.String())
				}
			}
		})
	}
}
