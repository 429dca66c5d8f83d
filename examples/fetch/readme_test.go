package main

import (
	"fmt"
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// README.md documents each exit code with its text, each setting, and each source file.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	require.NoError(t, err)
	readme := string(text)
	for o := badRequest; o <= refused; o++ {
		assert.Contains(t, readme, fmt.Sprintf("| %d | `%s` |", int(o), o))
	}
	codes := regexp.MustCompile(`(?m)^\| ([0-9]+) \| `).FindAllStringSubmatch(readme, -1)
	assert.Len(t, codes, int(refused-badRequest)+3, "0, and 12 twice")
	for _, name := range []string{deadlineVar, concurrencyVar, hostsVar, gcpEndpointVar, filesDirVar, envDirVar, terminationLogVar} {
		assert.Contains(t, readme, "`"+name+"`")
	}
	for _, key := range itemKeys {
		assert.Contains(t, readme, "| `"+key+"` |")
	}
	files, err := os.ReadDir(".")
	require.NoError(t, err)
	for _, f := range files {
		if source := regexp.MustCompile(`^[a-z]+\.go$`); source.MatchString(f.Name()) {
			assert.Contains(t, readme, "]("+f.Name()+")")
		}
	}
}
