package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

// output returns BenchmarkCompare's output of three counts; the first is the median.
func output() string {
	var b strings.Builder
	b.WriteString("goos: linux\n")
	for _, factor := range []float64{1, 0.9, 7} {
		for i, w := range append(workloads, noRequests...) {
			fmt.Fprintf(&b, "BenchmarkCompare/%s-2 \t 101\t 12345 ns/op\t %g again\t %d allocs\t %g by-diff\t %g usual\t %g valid\t %g valid-alone\n",
				w.name(), 1.05*factor, 70+i, 12*factor, 8*factor, 0.3*factor, 0.4*factor)
		}
	}
	return b.String() + "PASS\n"
}

func TestRun_Golden(t *testing.T) {
	dir := t.TempDir()
	tables, chart := filepath.Join(dir, "performance.md"), filepath.Join(dir, "chart.svg")
	require.NoError(t, os.WriteFile(tables, []byte("before\n"+begin+"old\n"+end+"after\n"), 0o644))
	var out strings.Builder
	require.NoError(t, run(strings.NewReader(output()), &out, tables, chart))
	for name, got := range map[string]string{"tables.golden": out.String(), "chart.golden.svg": readFile(t, chart)} {
		golden := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
		}
		assert.Equal(t, readFile(t, golden), got)
	}
	assert.Equal(t, "before\n"+begin+out.String()+end+"after\n", readFile(t, tables))
}

func readFile(t *testing.T, file string) string {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(text)
}

func TestRun_Errors(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"no-results": {"", "pod=1x15/store=k8s/secrets=3 has no result in valid"},
		"no-number":  {"BenchmarkCompare/pod=1x15/store=k8s/secrets=3-2 101 x valid\n", `"x" is not a number`},
	} {
		t.Run(name, func(t *testing.T) {
			assert.ErrorContains(t, run(strings.NewReader(tc.in), new(strings.Builder), "", ""), tc.want)
		})
	}
}

func TestReplace_NoMarks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "performance.md")
	require.NoError(t, os.WriteFile(file, []byte("text\n"), 0o644))
	assert.ErrorContains(t, replace(file, "table\n"), "has no")
	assert.Equal(t, "text\n", readFile(t, file))
}

// Labels fit into their space even in a wide font, and do not overlap.
func TestChart_LabelsFit(t *testing.T) {
	m, err := read(strings.NewReader(output()))
	require.NoError(t, err)
	labels, _, err := m.layOut()
	require.NoError(t, err)
	require.Greater(t, len(labels), 3*len(chartWorkloads))
	for i, a := range labels {
		assert.LessOrEqual(t, textWidth(a.text), a.space, a.text)
		assert.LessOrEqual(t, a.x+a.space, width, a.text)
		for _, b := range labels[:i] {
			disjoint := a.x >= b.x+b.space || b.x >= a.x+a.space || a.y-b.y >= fontSize || b.y-a.y >= fontSize
			assert.True(t, disjoint, "%q and %q", a.text, b.text)
		}
	}
}

// BenchmarkCompare measures every workload that the tables and the chart show.
func TestWorkloads_Known(t *testing.T) {
	source := readFile(t, "../../injector/bench_cases_test.go")
	for _, w := range append(append(workloads, noRequests...), chartWorkloads...) {
		assert.Contains(t, source, fmt.Sprintf("{%q, %q, %d, ", w.pod, w.store, w.secrets))
		assert.Contains(t, forms, w.store)
	}
}
