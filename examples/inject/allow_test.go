package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The plan names the rule that allows each request; the error says why none does.
func TestAllow(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	pod := write("pod.yaml", `apiVersion: v1
kind: Pod
metadata:
  name: app
  namespace: team-a
  annotations:
    request.podsecrets.dev/db: group=db,key=password
spec:
  containers: [{name: app}]
`)
	for name, tc := range map[string]struct {
		rules, want string
		exit        int
	}{
		"second":    {"- namespaces: [team-b]\n- namespaces: [team-*]\n  names: [db]\n", "rules[1]", 0},
		"none":      {"- namespaces: [team-b]\n", "rules[0]: namespaces do not match", 1},
		"empty":     {"[]", "there are no rules", 1},
		"comment":   {"# none\n", "there are no rules", 1},
		"bad":       {"- namespaces: [Team]\n", `rules[0].namespaces[0]: "Team"`, 2},
		"unknown":   {"- namespace: [a]\n", "is not a list of rules", 2},
		"any":       {"- {}\n", "is empty", 2},
		"not there": {"", "no such file", 2},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(dir, "missing")
			if tc.rules != "" {
				file = write("rules.yaml", tc.rules)
			}
			var stdout, stderr bytes.Buffer
			exit := run([]string{"-o", "plan", "-allow", file, pod}, strings.NewReader(""), &stdout, &stderr)
			assert.Equal(t, tc.exit, exit, stderr.String())
			assert.Contains(t, stdout.String()+stderr.String(), tc.want)
		})
	}
}
