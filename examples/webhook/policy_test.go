package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/secret"
)

func TestAllow_Errors(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"null", "allow:\n", "line 1: allow: must be a list: leave it out to allow everything, or write [] to allow nothing"},
		{"empty-rule", "allow:\n- {}\n", "line 2: allow.0: must not be empty: it would allow everything"},
		{"empty-list", "allow:\n- managers: [k8s]\n  names: []\n", "line 3: allow.0.names: must not be empty: leave it out to match everything"},
		{"null-list", "allow:\n- managers: [k8s]\n  names:\n", "line 3: allow.0.names: must not be empty: leave it out to match everything"},
		{"namespace", "allow:\n- namespaces: [ok, Team]\n", `line 2: allow.0.namespaces.1: "Team" contains 'T', which is not allowed here`},
		{"manager", "allow:\n- managers: [vault]\n", `line 2: allow.0.managers.0: "vault" matches no configured manager: k8s`},
		{"unknown-field", "allow:\n- namespace: [a]\n", `line 2: unknown setting "namespace"`},
		{"no-list", "allow:\n- namespaces: a\n", "line 2: cannot unmarshal !!str `a` into a list of strings"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, _, err := parse([]byte(tc.text))
			require.Error(t, err)
			assert.Contains(t, err.Error(), tc.want)
		})
	}
	for _, text := range []string{"allow: []", "allow:\n- managers: ['*']\n  keys: ['']\n"} {
		cfg, _, err := parse([]byte(text))
		require.NoError(t, err)
		var printed bytes.Buffer
		require.NoError(t, cfg.print(&printed))
		again, _, err := parse(printed.Bytes())
		require.NoError(t, err)
		assert.Equal(t, cfg.Allow, again.Allow)
	}
}

const podText = `apiVersion: v1
kind: Pod
metadata:
  name: app
  namespace: "%s"
  annotations:
    request.podsecrets.dev/db: group=db,key=password
    request.podsecrets.dev/other: group=other,key=token
spec:
  containers:
  - name: app
`

func write(t *testing.T, name, text string) string {
	file := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestExplain(t *testing.T) {
	config := write(t, "config.yaml", "allow:\n- namespaces: [team-a]\n  names: [d*]\n- namespaces: [team-a]\n  names: [other]\n")
	explain := func(text string) (string, error) {
		var stdout, stderr bytes.Buffer
		err := run([]string{"-config", config, "-explain", write(t, "pod.yaml", text)}, &stdout, &stderr)
		assert.Empty(t, stderr.String())
		return stdout.String(), err
	}
	out, err := explain(string(bytes.ReplaceAll([]byte(podText), []byte("%s"), []byte("team-a"))))
	require.NoError(t, err)
	assert.Equal(t, `secret group="db" key="password"
  manager k8s reading "db", key "password" for service account "default" of namespace "team-a": allowed by allow[0]
  manager k8s: variable _FSEC_DB_PASSWORD of app
secret group="other" key="token"
  manager k8s reading "other", key "token" for service account "default" of namespace "team-a": allowed by allow[1]
  manager k8s: variable _FSEC_OTHER_TOKEN of app
`, out)
	out, err = explain(string(bytes.ReplaceAll([]byte(podText), []byte("%s"), []byte("team-b"))))
	require.ErrorIs(t, err, errRefused)
	assert.Contains(t, out, `(allow[0]: namespaces do not match; allow[1]: namespaces do not match)`)
	_, err = explain("kind: Deployment")
	require.ErrorContains(t, err, `kind "Deployment" must be Pod`)
	_, err = explain("kind: Pod\nspec: {containers: []}")
	require.ErrorContains(t, err, "request no secret")
}

func TestVersion(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run([]string{"-version"}, &out, &out))
	assert.Contains(t, out.String(), "go1.")
}

// A valid change takes effect; an invalid one leaves the previous configuration.
func TestCurrent_Reload(t *testing.T) {
	file := write(t, "config.yaml", "allow: []")
	from := &source{files: []string{file}}
	cfg, _, err := from.load()
	require.NoError(t, err)
	active, err := newCurrent(cfg, func(cfg *config) (*injector.Injector, error) { return cfg.injector(logged) })
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = active.follow(from, time.Millisecond)(ctx) }()
	defer func() { cancel(); <-ended }()

	pod, reqs, err := readPod(write(t, "pod.yaml", podText))
	require.NoError(t, err)
	allowed := func() bool {
		_, err := active.injector.Load().For("a").Plan(ctx, pod, reqs...)
		return err == nil
	}
	replace := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	assert.False(t, allowed())
	replace("allow:\n- namespaces: [a]\n")
	require.Eventually(t, allowed, 10*time.Second, time.Millisecond)
	assert.InDelta(t, 1, testutil.ToFloat64(configReloaded), 0)
	replace("allow:\n")
	require.Eventually(t, func() bool { return testutil.ToFloat64(configReloaded) == 0 }, 10*time.Second, time.Millisecond)
	assert.True(t, allowed(), "the previous configuration stays")
	replace("allow: []")
	require.Eventually(t, func() bool { return !allowed() }, 10*time.Second, time.Millisecond)
	assert.InDelta(t, 1, testutil.ToFloat64(configReloaded), 0)
}

// The log is limited when a Pod is refused thousands of secrets.
func TestMetrics_RefusalLog(t *testing.T) {
	var lines atomic.Int64
	m := newReviewMetrics(prometheus.NewRegistry())
	m.refusals.logger = funcr.New(func(_, args string) {
		if strings.Contains(args, "flood") {
			lines.Add(1)
		}
		assert.Less(t, len(args), 3<<10)
	}, funcr.Options{})
	long := errors.New(strings.Repeat("x", 100_000))
	for range 5000 {
		m.countAccess(injector.Access{Namespace: "a", Request: secret.Request{Group: "flood"}}, long)
	}
	assert.Positive(t, lines.Load())
	assert.Less(t, lines.Load(), int64(100))
	before := lines.Load()
	m.countAccess(injector.Access{Namespace: "b", Request: secret.Request{Group: "flood"}}, long)
	assert.Equal(t, before+1, lines.Load(), "each namespace has its own limit")
	assert.InDelta(t, 5001, testutil.ToFloat64(m.accesses.WithLabelValues("", "refused")), 0)
}

func TestMetrics_Accesses(t *testing.T) {
	m := newReviewMetrics(prometheus.NewRegistry())
	cfg, _, err := parse([]byte("allow:\n- names: [db]\n"))
	require.NoError(t, err)
	in, err := cfg.injector(logged, m.countAccess)
	require.NoError(t, err)
	pod, reqs, err := readPod(write(t, "pod.yaml", podText))
	require.NoError(t, err)
	_, err = in.Plan(context.Background(), pod, reqs...)
	require.Error(t, err)
	assert.InDelta(t, 1, testutil.ToFloat64(m.accesses.WithLabelValues("k8s", "allowed")), 0)
	assert.InDelta(t, 1, testutil.ToFloat64(m.accesses.WithLabelValues("k8s", "refused")), 0)
}
