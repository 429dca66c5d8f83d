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

// TestLedger_Apidiff runs apidiff's own test cases, several hundred changes. The ledger
// must report each change that apidiff calls incompatible as a broken promise. It may be
// stricter.
func TestLedger_Apidiff(t *testing.T) {
	exempt := map[string]string{
		"WS1": "an interface with unexported methods, which only its package can implement",
		"WS2": "same as WS1",
		"Vj":  "reported as j, the type that changed",
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
				if !change.Compatible && exempt[symbol] == "" {
					assert.True(t, slices.ContainsFunc(broken, func(s string) bool { return covers(s, symbol) }),
						"not reported: %s", change.Message)
				}
			}
		})
	}
}

// split returns the old or new half of an apidiff case, in the format of its README.md.
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

// brokenBetween returns the symbols of before that after lacks or changes.
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

// symbolOf returns the symbol that an apidiff message is about.
func symbolOf(message string) string {
	symbol := message[:strings.IndexAny(message, ":,")]
	return notInSymbols.ReplaceAllString(symbol, "")
}

// covers reports whether the ledger's symbol is apidiff's symbol, its parent, or a
// promoted method or field.
func covers(ours, theirs string) bool {
	_, member, isMember := strings.Cut(theirs, ".")
	return ours == theirs || isMember && (strings.HasPrefix(theirs, ours+".") || strings.HasSuffix(ours, "."+member))
}
