package security

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// oldestMinor is the minor version of the oldest API server in which the webhook is
// tested: that of the library's k8s.io/api.
const oldestMinor = 34

// The nightly workflow tests one patch release of each minor version of Kubernetes from
// the oldest to the newest, among them internal/kapi's.
func TestWorkflows_KubernetesVersions(t *testing.T) {
	text, err := os.ReadFile(root + "/.github/workflows/nightly.yml")
	require.NoError(t, err)
	var w struct {
		Jobs map[string]struct {
			Strategy struct {
				Matrix struct {
					Kubernetes []string `json:"kubernetes"`
				} `json:"matrix"`
			} `json:"strategy"`
		} `json:"jobs"`
	}
	require.NoError(t, yaml.Unmarshal(text, &w))
	versions := w.Jobs["api-servers"].Strategy.Matrix.Kubernetes

	newest := "v1" + strings.TrimPrefix(firstMatch(t, "/Makefile", `(?m)^NEWEST_K8S := (v0\.\S+)$`), "v0")
	minor, err := strconv.Atoi(strings.Split(newest, ".")[1])
	require.NoError(t, err)
	require.Len(t, versions, minor-oldestMinor+1)
	for i, version := range versions {
		assert.Regexp(t, fmt.Sprintf(`^v1\.%d\.\d+$`, oldestMinor+i), version)
	}
	assert.Equal(t, newest, versions[len(versions)-1])
	assert.Contains(t, versions, firstMatch(t, "/internal/kapi/go.mod", `(?m)^\s+k8s\.io/kubernetes (v1\.\S+)$`))
}

func firstMatch(t *testing.T, file, pattern string) string {
	text, err := os.ReadFile(root + file)
	require.NoError(t, err)
	match := regexp.MustCompile(pattern).FindSubmatch(text)
	require.NotNil(t, match, file)
	return string(match[1])
}
