package injector_test

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const self = "github.com/podsecrets/podsecrets"

// Programs compile the library's dependencies, so they are part of its
// interface. Tests and examples may import more.
func TestDependencies(t *testing.T) {
	allowed := []string{self, "k8s.io/api", "k8s.io/apimachinery", "gomodules.xyz/jsonpatch/v2"}

	library := libraryPackages(t)
	require.Contains(t, library, self+"/internal/merge")
	for _, imported := range goList(t, `{{join .Imports "\n"}}`, library...) {
		ofStandardLibrary := !strings.Contains(strings.Split(imported, "/")[0], ".")
		assert.True(t, ofStandardLibrary || slices.ContainsFunc(allowed, func(module string) bool {
			return imported == module || strings.HasPrefix(imported, module+"/")
		}), "%s is not allowed", imported)
	}

	// And what these bring is no more than what everybody who handles a Pod has.
	module := "{{with .Module}}{{.Path}}{{end}}"
	has := append(depsOf(t, module, "k8s.io/api/core/v1"), allowed...)
	for _, path := range depsOf(t, module, library...) {
		assert.Contains(t, has, path)
	}
}

// Packages import each other in one direction; see docs/architecture.md.
func TestDependencies_Direction(t *testing.T) {
	for pkg, may := range map[string][]string{
		"internal/names": nil,
		"mount":          {"internal/names"},
		"secret":         {"mount", "internal/names"},
		"global":         {"mount", "secret", "internal/names"},
		"k8ssecret":      {"mount", "secret", "internal/names"},
		"internal/fetch": {"mount", "secret", "internal/names"},
		"awssm":          {"mount", "secret", "internal/names", "internal/fetch"},
		"gcpsm":          {"mount", "secret", "internal/names", "internal/fetch"},
		"azurekv":        {"mount", "secret", "internal/names", "internal/fetch"},
		"csi":            {"mount", "secret", "internal/names"},
		"vault":          {"mount", "secret", "internal/names", "internal/fetch"},
		"internal/merge": {"mount", "secret", "internal/names"},
		"injector":       {"mount", "secret", "internal/merge", "internal/names"},
	} {
		for _, imported := range goList(t, `{{join .Imports "\n"}}`, self+"/"+pkg) {
			if own, ours := strings.CutPrefix(imported, self+"/"); ours {
				assert.Contains(t, may, own, "%s imports it", pkg)
			}
		}
	}
}

// docs/comparison.md states what a program compiles, without packages for
// tests.
func TestDependencies_Compiled(t *testing.T) {
	const most = 290
	library := slices.DeleteFunc(goList(t, `{{if ne .Name "main"}}{{.ImportPath}}{{end}}`, self+"/..."), func(pkg string) bool {
		return strings.HasPrefix(pkg, self+"/examples/") || pkg == self+"/internal/bench" || strings.HasSuffix(pkg, "test")
	})
	require.Contains(t, library, self+"/vault")
	assert.Less(t, len(depsOf(t, "{{.ImportPath}}", library...)), most)

	page, err := os.ReadFile("../docs/comparison.md")
	require.NoError(t, err)
	assert.Contains(t, string(page), fmt.Sprintf("fewer than %d", most))
}

// libraryPackages returns every package outside examples that can be imported.
func libraryPackages(t *testing.T) []string {
	all := goList(t, `{{if ne .Name "main"}}{{.ImportPath}}{{end}}`, self+"/...")
	return slices.DeleteFunc(all, func(pkg string) bool { return strings.HasPrefix(pkg, self+"/examples/") })
}

func goList(t *testing.T, format string, packages ...string) []string {
	return run(t, append([]string{"list", "-f", format}, packages...)...)
}

func depsOf(t *testing.T, format string, packages ...string) []string {
	return run(t, append([]string{"list", "-deps", "-f", format}, packages...)...)
}

func run(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", args...).Output()
	require.NoError(t, err)
	return slices.Compact(slices.Sorted(slices.Values(strings.Fields(string(out)))))
}
