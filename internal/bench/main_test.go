package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden table")

func TestTableAndChart(t *testing.T) {
	in, err := os.Open("testdata/bench.txt")
	require.NoError(t, err)
	defer in.Close()
	dir := t.TempDir()
	readme, chart := filepath.Join(dir, "README.md"), filepath.Join(dir, "chart.svg")
	require.NoError(t, os.WriteFile(readme, []byte("before\n"+begin+"old\n"+end+"after\n"), 0o644))
	var out strings.Builder
	require.NoError(t, run(in, &out, readme, chart))

	if *update {
		require.NoError(t, os.WriteFile("testdata/table.golden", []byte(out.String()), 0o644))
	}
	want, err := os.ReadFile("testdata/table.golden")
	require.NoError(t, err)
	assert.Equal(t, string(want), out.String())
	got, err := os.ReadFile(readme)
	require.NoError(t, err)
	assert.Equal(t, "before\n"+begin+string(want)+end+"after\n", string(got))
	svg, err := os.ReadFile(chart)
	require.NoError(t, err)
	assert.Contains(t, string(svg), "json.Valid, the floor")
}

func TestWhatIsMissingIsAnError(t *testing.T) {
	err := run(strings.NewReader("BenchmarkReview/pod=1x15/manager=k8s/secrets=3 1 5 ns/op\n"), new(strings.Builder), "", "")
	assert.ErrorContains(t, err, "ReviewByDiff/pod=1x15/manager=k8s/secrets=3 was not measured in sec/op")
}

func TestAReadmeWithoutMarksStaysAsItIs(t *testing.T) {
	readme := filepath.Join(t.TempDir(), "README.md")
	require.NoError(t, os.WriteFile(readme, []byte("text\n"), 0o644))
	assert.ErrorContains(t, replace(readme, "table\n"), "has no")
	got, err := os.ReadFile(readme)
	require.NoError(t, err)
	assert.Equal(t, "text\n", string(got))
}
