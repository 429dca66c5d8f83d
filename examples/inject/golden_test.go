package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

// outcome is a run's exit code and output.
type outcome struct {
	exit           int
	stdout, stderr string
}

func runOn(stdin string, args ...string) outcome {
	var stdout, stderr bytes.Buffer
	exit := run(args, strings.NewReader(stdin), &stdout, &stderr)
	return outcome{exit, stdout.String(), stderr.String()}
}

func (o outcome) String() string {
	return fmt.Sprintf("exit %d\n-- stderr\n%s-- stdout\n%s", o.exit, o.stderr, o.stdout)
}

const (
	pod         = "apiVersion: v1\nkind: Pod\nmetadata: {name: report}\nspec: {containers: [{name: report}]}\n"
	askVariable = "-request=group=g,key=k"
	askFile     = "-request=group=g,key=k,mount=FILE,env=K_FILE"
)

// goldenCase is a run whose outcome is in testdata/<name>.golden.
type goldenCase struct {
	name, why string
	args      []string
	stdin     string
}

func TestGolden(t *testing.T) {
	known := make(map[string]bool)
	for _, tc := range slices.Concat(goldenCases, errorCases, gitopsCases) {
		path := filepath.Join("testdata", tc.name+".golden")
		require.False(t, known[path], "two cases are named %s", tc.name)
		known[path] = true
		t.Run(tc.name, func(t *testing.T) {
			got := runOn(tc.stdin, tc.args...)
			if *update {
				require.NoError(t, os.WriteFile(path, []byte(got.String()), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), got.String(), tc.why)
			assert.Equal(t, strings.HasPrefix(tc.name, "error-"), got.exit != 0, tc.why)
			for line := range strings.Lines(got.stderr) {
				assert.True(t, strings.HasPrefix(line, "inject: "), line)
			}
			if got.exit != 0 {
				assert.Empty(t, got.stdout)
				assert.NotEmpty(t, got.stderr)
				return
			}
			testIdempotent(t, got.stdout, tc.args)
		})
	}
	files, err := filepath.Glob("testdata/*.golden")
	require.NoError(t, err)
	for _, file := range files {
		assert.True(t, known[file], "%s has no case", file)
	}
}

// testIdempotent injects into the output of an injection.
func testIdempotent(t *testing.T, manifests string, args []string) {
	t.Helper()
	var flags []string
	for _, arg := range args {
		switch {
		case strings.HasPrefix(arg, "samples/"):
		case strings.HasPrefix(arg, "-o=p"), arg == "-o=diff", arg == "decode", arg == "patch", arg == "plan", arg == "-h":
			return // not manifests
		default:
			flags = append(flags, arg)
		}
	}
	again := runOn(manifests, flags...)
	assert.Equal(t, outcome{0, manifests, again.stderr}, again, "a second time")
	assert.NotContains(t, again.stderr, "rewritten")
}
