package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
)

// TestCorpus injects a variable and a file into realistic manifests. Each diff is in
// testdata/corpus, for review.
func TestCorpus(t *testing.T) {
	requests := []string{"-request=group=db,key=password,env=DB_PASSWORD", "-request=group=tls,key=cert,mount=FILE"}
	paths, err := filepath.Glob("testdata/corpus/*.[yj]*")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			got := runOn(string(text), append([]string{"-o=diff"}, requests...)...)
			require.Zero(t, got.exit, got.stderr)
			golden := strings.TrimSuffix(path, filepath.Ext(path)) + ".diff"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got.stderr+got.stdout), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), got.stderr+got.stdout)

			injected := runOn(string(text), requests...)
			assert.Equal(t, decodeStream(t, runOn(string(text), append([]string{"-o=json"}, requests...)...).stdout), documents(t, injected.stdout))
			if injected.stderr == "" && filepath.Ext(path) == ".yaml" {
				assert.Equal(t, string(text), withoutAdded(injected.stdout, got.stdout))
			}
			again := runOn(injected.stdout, requests...)
			assert.Equal(t, injected.stdout, again.stdout, "a second time")
			removed := runOn(injected.stdout, append([]string{"remove"}, requests...)...)
			if injected.stderr == "" && filepath.Ext(path) == ".yaml" && !strings.Contains(string(text), "env: # none") {
				assert.Equal(t, outcome{0, string(text), ""}, removed, "removed")
			}
			assert.Equal(t, 0, runOn(removed.stdout, append([]string{"remove", "-check"}, requests...)...).exit, "nothing is left")
		})
	}
}

// withoutAdded removes the lines that a diff adds.
func withoutAdded(text, diff string) string {
	lines := strings.SplitAfter(text, "\n")
	var kept strings.Builder
	at := 0
	for line := range strings.Lines(diff) {
		switch {
		case strings.HasPrefix(line, "@@"):
			var oldStart, oldCount, start, count int
			if n, _ := fmt.Sscanf(line, "@@ -%d,%d +%d,%d @@", &oldStart, &oldCount, &start, &count); n != 4 {
				panic(line)
			}
			for ; at < start-1; at++ {
				kept.WriteString(lines[at])
			}
		case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"):
		case strings.HasPrefix(line, "+"):
			at++
		default:
			kept.WriteString(lines[at])
			at++
		}
	}
	return kept.String() + strings.Join(lines[at:], "")
}

func decodeStream(t *testing.T, text string) (all []any) {
	t.Helper()
	for d := json.NewDecoder(strings.NewReader(text)); d.More(); {
		var one any
		require.NoError(t, d.Decode(&one))
		all = append(all, one)
	}
	return all
}

// documents returns the documents of a text, from kubectl's reader.
func documents(t *testing.T, text string) (all []any) {
	t.Helper()
	for d, err := range yamledit.Read([]byte(text)) {
		require.NoError(t, err)
		all = append(all, decodeStream(t, string(d.Value.AppendJSON(nil)))...)
	}
	return all
}

// many returns a manifest of many Deployments.
func many(count int) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, `---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-%d
  labels: {app: web}
spec:
  replicas: 2
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: web # the server
        image: nginx:1.27
        env:
        - name: LOG_LEVEL
          value: info
`, i)
	}
	return b.String()
}

func TestManyDocuments(t *testing.T) {
	text := many(1000)
	got := runOn(text, askVariable)
	require.Equal(t, outcome{0, got.stdout, ""}, got)
	assert.Equal(t, 1000, strings.Count(got.stdout, "_FSEC_G_K"))
	assert.Equal(t, outcome{0, text, ""}, runOn(got.stdout, "remove"))
}

// A document's memory is free when the next one is read.
func TestBound_Memory(t *testing.T) {
	text := many(4000)
	s := source{name: "f", text: []byte(text)}
	o, err := parseFlags([]string{askVariable})
	require.NoError(t, err)
	injecting, err := o.tool(os.Stderr)
	require.NoError(t, err)
	inUse := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := inUse()
	injecting.run(t.Context(), []*source{&s})
	assert.Less(t, int(inUse()-before)/len(text), 2, "times the size of the text")
	runtime.KeepAlive(s)
}

// Compare BenchmarkDeployments with kubectl set env --local.
func BenchmarkDeployments(b *testing.B) {
	text := many(1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		runOn(text, askVariable)
	}
}
