package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPrintConfig(t *testing.T) {
	var stdout, stderr bytes.Buffer
	require.NoError(t, run([]string{"-config", "testdata/config/flyte-list.yaml", "-print-config"}, &stdout, &stderr))
	cfg, warnings, err := parse(stdout.Bytes())
	require.NoError(t, err, "standard output has the configuration only")
	assert.Empty(t, warnings)
	assert.Equal(t, ":9444", cfg.Listen.Webhook)
	assert.Contains(t, stderr.String(), "\nwarning: line 6: webhook.certDir: has no effect", "plain lines, no JSON")

	stdout.Reset()
	stderr.Reset()
	require.NoError(t, run([]string{"-print-config"}, &stdout, &stderr))
	assert.Equal(t, printed(t, effectiveDefaults(t)), stdout.String(), "without a file: the defaults")
	assert.Empty(t, stderr.String())
}

func effectiveDefaults(t *testing.T) *config {
	cfg, _, err := parse(nil)
	require.NoError(t, err)
	return cfg
}

// Errors leave standard output empty.
func TestRun_Errors(t *testing.T) {
	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	require.NoError(t, os.WriteFile(wrong, []byte("managers: [k8s]\nvault: {}\na: 1\n"), 0o600))
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"missing-file", []string{"-config", "testdata/none.yaml"}, "open testdata/none.yaml: no such file or directory"},
		{"invalid-file", []string{"-config", wrong, "-print-config"}, wrong + ":\nline 3: unknown setting \"a\""},
		{"unknown-flag", []string{"-x"}, "flag provided but not defined: -x"},
		{"argument", []string{"config.yaml"}, `unexpected argument "config.yaml"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			assert.EqualError(t, run(c.args, &stdout, &stderr), c.want)
			assert.Empty(t, stdout.String())
		})
	}
}
