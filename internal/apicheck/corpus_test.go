package apicheck

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/exp/apidiff"
)

// TestCorpus goes through apidiff's own test cases, several hundred changes of
// every kind. What apidiff calls incompatible, the ledger must show as a change
// of a promise. The other way round it may be stricter.
func TestCorpus(t *testing.T) {
	unseen := map[string]string{
		"WS1": "an interface with unexported methods, which only its package can implement",
		"WS2": "the same",
		"Vj":  "told of as j, the type that changed",
	}
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/exp").Output()
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "apidiff/testdata/*.go"))
	require.NoError(t, err)
	require.Greater(t, len(files), 10)
	for _, file := range files {
		name := filepath.Base(file)
		if name == "generic_methods.go" {
			continue // Go 1.27's language
		}
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			before, after := check(t, split(string(text), "old")), check(t, split(string(text), "new"))
			broken := brokenBetween(t, before, after)
			for _, change := range apidiff.Changes(before, after).Changes {
				symbol := symbolOf(change.Message)
				if !change.Compatible && unseen[symbol] == "" {
					assert.True(t, slices.ContainsFunc(broken, func(s string) bool { return covers(s, symbol) }),
						"not seen: %s", change.Message)
				}
			}
		})
	}
}

// split returns the half of one of apidiff's cases, as its README.md says.
func split(text, half string) string {
	var out strings.Builder
	in := "both"
	for line := range strings.Lines(text) {
		switch mark := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "//")); mark {
		case "old", "new", "both":
			in = mark
		}
		if in == "both" || in == half {
			out.WriteString(line)
		}
	}
	return out.String()
}

func check(t *testing.T, source string) *types.Package {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", source, 0)
	require.NoError(t, err)
	cfg := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	pkg, err := cfg.Check("example.com/p", fset, []*ast.File{file}, nil)
	require.NoError(t, err)
	return pkg
}

// brokenBetween returns the promises of before that after does not keep.
func brokenBetween(t *testing.T, before, after *types.Package) []string {
	promised, current := API{}, API{}
	require.NoError(t, promised.add(before, "example.com"))
	require.NoError(t, current.add(after, "example.com"))
	return slices.Collect(func(yield func(string) bool) {
		for symbol := range maps.Keys(promised) {
			if promised[symbol] != current[symbol] && !yield(strings.TrimPrefix(symbol, "p.")) {
				return
			}
		}
	})
}

var notInSymbols = regexp.MustCompile(`[(*)]|\[[^]]*\]`)

// symbolOf returns what one of apidiff's messages is about.
func symbolOf(message string) string {
	symbol := message[:strings.IndexAny(message, ":,")]
	return notInSymbols.ReplaceAllString(symbol, "")
}

// covers tells whether the ledger's symbol is the one that apidiff means, or
// what holds it, or a method or field that it promotes.
func covers(ours, theirs string) bool {
	_, member, isMember := strings.Cut(theirs, ".")
	return ours == theirs || isMember && (strings.HasPrefix(theirs, ours+".") || strings.HasSuffix(ours, "."+member))
}
