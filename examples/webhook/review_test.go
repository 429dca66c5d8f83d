package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

const canary = "canary-8d1f0c"

// pod is a Pod from a newer API server, with fields unknown to this build.
const pod = `{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"p-","annotations":%s},
	"spec":{"futureField":{"a":1.50},"containers":[{"name":"app","image":"a","futureField":["x"]}]},"futureField":true}`

// body returns an AdmissionReview as an API server sends it, and its Pod.
func body(t testing.TB, reqs ...secret.Request) (review, object []byte) {
	annotations, err := secret.EncodeAnnotations(reqs)
	require.NoError(t, err)
	text, err := json.Marshal(annotations)
	require.NoError(t, err)
	object = fmt.Appendf(nil, pod, text)
	return fmt.Appendf(nil, `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{
		"uid":"705ab4f5-6393-11e8-b7cc-42010a800002",
		"kind":{"group":"","version":"v1","kind":"Pod"},"resource":{"group":"","version":"v1","resource":"pods"},
		"requestKind":{"group":"","version":"v1","kind":"Pod"},"requestResource":{"group":"","version":"v1","resource":"pods"},
		"namespace":"team","operation":"CREATE","userInfo":{"username":"admin","groups":["system:masters"]},
		"object":%s,"oldObject":null,"dryRun":false,"options":{"kind":"CreateOptions","apiVersion":"meta.k8s.io/v1"},
		"futureField":1}}`, object), object
}

// server is the handler with its logs and metrics.
type server struct {
	in       *injector.Injector
	http     http.Handler
	registry *prometheus.Registry
	count    func(map[string]string, time.Duration)
	logs     bytes.Buffer
}

func newServer(t testing.TB, managers ...injector.SecretManager) *server {
	s := &server{registry: prometheus.NewRegistry()}
	var cfg injector.Config
	for _, m := range managers {
		cfg.Managers = append(cfg.Managers, logged(m))
	}
	var err error
	s.in, err = injector.New(cfg)
	require.NoError(t, err)
	s.count = newReviewMetrics(s.registry).count
	s.use(s.in.Review)
	return s
}

// use replaces Injector.Review.
func (s *server) use(answer reviewer) {
	logger := logr.FromSlogHandler(slog.NewJSONHandler(&s.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	handler := handle(answer, s.count)
	s.http = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r.WithContext(log.IntoContext(r.Context(), logger)))
	})
}

// send posts a body as an API server does.
func send(handler http.Handler, contentType string, body io.Reader) *httptest.ResponseRecorder {
	request := httptest.NewRequest(http.MethodPost, "/mutate", body)
	request.Header.Set("Content-Type", contentType)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

func (s *server) post(t *testing.T, body []byte) *admissionv1.AdmissionResponse {
	recorder := send(s.http, "application/json", bytes.NewReader(body))
	require.Equal(t, http.StatusOK, recorder.Code)
	var answer admissionv1.AdmissionReview
	require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &answer))
	require.Equal(t, "admission.k8s.io/v1", answer.APIVersion)
	require.NotNil(t, answer.Response)
	return answer.Response
}

// store is a manager whose result depends on the group.
type store struct{}

func (store) Name() string { return "store" }

func (store) Mount(_ context.Context, req secret.Request, _ mount.Target) (mount.Fragment, error) {
	switch req.Group {
	case "literal":
		return mount.Fragment{Value: mount.Literal(canary)}, nil
	case "broken":
		return mount.Fragment{}, errors.New("connection to store.example.test refused")
	case "bad":
		return mount.Fragment{}, &secret.InvalidError{Field: "key", Reason: "is bad"}
	case "unsupported":
		return mount.Fragment{}, secret.ErrUnsupported
	}
	return mount.Fragment{}, fmt.Errorf("%w: store", secret.ErrNotFound)
}

func managersOf(t testing.TB, text string) (managers []injector.SecretManager) {
	cfg, _, err := parse([]byte(text))
	require.NoError(t, err)
	for _, name := range cfg.Managers {
		m, err := constructors[name](&cfg.stores)
		require.NoError(t, err)
		managers = append(managers, m)
	}
	return managers
}

// The log has the error of a failed manager, and the response hides it. The log
// never has a secret's value.
func TestReview_Logs(t *testing.T) {
	t.Setenv("FLYTE_SECRET_G_K", canary)
	t.Setenv("FLYTE_SECRET_G_NUL", canary+"\xff")
	managers := append(managersOf(t, "managers: [global]"), store{})
	for _, c := range []struct {
		name   string
		req    secret.Request
		levels []string // of the log lines
		want   string
	}{
		{"injected-global", secret.Request{Group: "g", Key: "k"}, []string{"DEBUG"}, `"managers":"global=1"`},
		{"injected-literal", secret.Request{Group: "literal", Key: "k"}, []string{"DEBUG"}, `"managers":"store=1"`},
		{"global-file", secret.Request{Group: "g", Key: "k", Mount: mount.File}, []string{"INFO"}, `"outcome":"denied"`},
		{"global-invalid-utf8", secret.Request{Group: "g", Key: "nul"}, []string{"ERROR", "INFO"}, `value is not valid UTF-8`},
		{"failure", secret.Request{Group: "broken", Key: "k"}, []string{"ERROR", "INFO"}, `"err":"connection to store.example.test refused","manager":"store","request":"group=\"broken\" key=\"k\""`},
		{"user-error", secret.Request{Group: "bad", Key: "k"}, []string{"INFO"}, `is bad`},
		{"not-found", secret.Request{Group: "other", Key: "k"}, []string{"INFO"}, `"code":422`},
		{"not-supported", secret.Request{Group: "unsupported", Key: "k"}, []string{"INFO"}, `"code":422`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t, managers...)
			text, _ := body(t, c.req)
			answer := s.post(t, text)
			logs := s.logs.String()
			assert.Contains(t, logs, c.want)
			assert.NotContains(t, logs, canary)
			assert.Contains(t, logs, `"namespace":"team"`)
			var levels []string
			for line := range strings.Lines(logs) {
				var entry struct{ Level string }
				require.NoError(t, json.Unmarshal([]byte(line), &entry))
				levels = append(levels, entry.Level)
			}
			assert.Equal(t, c.levels, levels)
			if answer.Result != nil {
				assert.NotContains(t, answer.Result.Message, "store.example.test", "the response hides the cause")
			}
		})
	}
}

func TestMetrics_Reviews(t *testing.T) {
	t.Setenv("FLYTE_SECRET_G_K", canary)
	managers := append(managersOf(t, "managers: [global, k8s]"), store{})
	s := newServer(t, managers...)
	for _, reqs := range [][]secret.Request{
		nil,
		{{Group: "g", Key: "k"}, {Group: "h", Key: "k"}, {Group: "h", Key: "l"}},
		{{Group: "h", Key: "k"}},
		{{Group: "", Key: ""}},
		{{Group: "g", Key: "k", Mount: mount.File}, {Group: "h", Key: "k"}},
	} {
		text, _ := body(t, reqs...)
		s.post(t, text)
	}
	assert.NoError(t, testutil.GatherAndCompare(s.registry, strings.NewReader(`
# HELP podsecrets_reviews_total Admission reviews by outcome.
# TYPE podsecrets_reviews_total counter
podsecrets_reviews_total{outcome="denied"} 2
podsecrets_reviews_total{outcome="failed"} 0
podsecrets_reviews_total{outcome="injected"} 2
podsecrets_reviews_total{outcome="skipped"} 1
podsecrets_reviews_total{outcome="unchanged"} 0
# HELP podsecrets_secrets_total Requested secrets by the manager that serves them and the outcome of the review.
# TYPE podsecrets_secrets_total counter
podsecrets_secrets_total{manager="global",outcome="injected"} 1
podsecrets_secrets_total{manager="k8s",outcome="injected"} 3
`), "podsecrets_reviews_total", "podsecrets_secrets_total"))

	count, err := testutil.GatherAndCount(s.registry, "podsecrets_review_duration_seconds")
	require.NoError(t, err)
	assert.Equal(t, 3, count, "a histogram for each outcome so far")
}

// The README quotes these refusals.
func TestREADME_Refusals(t *testing.T) {
	t.Setenv("FLYTE_SECRET_SHARED_TOKEN", canary)
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	userInfo := secret.Request{Group: "user-info", Key: "token"}
	for _, c := range []struct {
		name, managers, in, out, want string
		reqs                          []secret.Request
	}{
		{"invalid", "[k8s]", "", "", `group: has a ".." segment`, []secret.Request{{Group: "../x", Key: "k"}}},
		{"annotation", "[k8s]", `"flyte.secrets/s0":"`, `"flyte.secrets/s0":"!`,
			`annotation "flyte.secrets/s0": base32 at byte 0: unexpected character '!'`, []secret.Request{userInfo}},
		{"not-served", "[k8s, vault]", "", "", "no manager serves it (k8s: not supported; vault: not supported)", []secret.Request{{Group: "a", Key: "b/c", Mount: mount.EnvVar}}},
		{"variable", "[k8s]", `"image":"a"`, `"image":"a","env":[{"name":"_FSEC_USER-INFO_TOKEN","value":"mine"}]`,
			`manager k8s: container "app": env "_FSEC_USER-INFO_TOKEN" is already set to something else`, []secret.Request{userInfo}},
		{"global-file", "[global]", "", "", "global secrets are variables, not files", []secret.Request{{Group: "shared", Key: "token", Mount: mount.File}}},
		{"vault-and-aws", "[aws, vault]", "", "", "would have two volumes, one of them from another webhook",
			[]secret.Request{{Group: "arn:aws:secretsmanager:us-east-1:1:secret", Key: "k"}, {Group: "kv/x", Key: "k"}}},
		{"failure", "", "", "", "manager store: failed", []secret.Request{{Group: "broken", Key: "k"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			managers := []injector.SecretManager{store{}}
			if c.managers != "" {
				managers = managersOf(t, "managers: "+c.managers)
			}
			text, _ := body(t, c.reqs...)
			answer := newServer(t, managers...).post(t, bytes.Replace(text, []byte(c.in), []byte(c.out), 1))
			assert.False(t, answer.Allowed)
			assert.Contains(t, answer.Result.Message, c.want)
			assert.Contains(t, string(readme), "`"+c.want+"`")
		})
	}
}
