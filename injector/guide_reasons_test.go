package injector_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The guide explains every reason in the sources for refusing a request or a
// Pod. A new reason needs a row in docs/requests.md.
func TestGuide_ExplainsReasons(t *testing.T) {
	rows := guideRows(t)
	reasons := reasonsIn(t, "../secret/validate.go", "../secret/parse.go", "../internal/merge/*.go")
	require.Greater(t, len(reasons), 50)
	for reason, at := range reasons {
		assert.True(t, slices.ContainsFunc(rows, func(row guideRow) bool { return row.explains(reason) }), "%s: %q", at, reason)
	}
}

// explains reports whether the row contains the longest constant part of the
// reason, or its message is a part of that.
func (r guideRow) explains(reason string) bool {
	part := slices.MaxFunc(strings.Split(reason, variable), func(a, b string) int { return len(a) - len(b) })
	if part = strings.Trim(part, " :,"); strings.Contains(r.line, part) {
		return true
	}
	for text := range strings.SplitSeq(r.message, "...") {
		if text = strings.TrimSpace(text); len(text) > 10 && strings.Contains(part, text) {
			return true
		}
	}
	return false
}

// variable marks the variable parts of a reason.
const variable = "\x00"

// reasonsIn returns the texts of reasons and their positions.
func reasonsIn(t *testing.T, patterns ...string) map[string]token.Position {
	reasons, files := make(map[string]token.Position), token.NewFileSet()
	for _, pattern := range patterns {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, name := range names {
			switch base := filepath.Base(name); {
			case strings.HasSuffix(base, "_test.go"),
				base == "scan.go",   // reads JSON that an API server already accepted
				base == "nested.go": // only completes other reasons
				continue
			}
			file, err := parser.ParseFile(files, name, nil, 0)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				for _, e := range reasonExprs(n) {
					if text := constantPart(e); words.MatchString(text) {
						reasons[text] = files.Position(e.Pos())
					}
				}
				return true
			})
		}
	}
	return reasons
}

var words = regexp.MustCompile("[a-z]{2,} [a-z]{2,}")

var saysReason = regexp.MustCompile(`(?i)(conflict|conflictOf|unreceived|Errorf|errors\.New)$`)

// reasonExprs are what is returned as a text, what is given to a function that makes a
// conflict or an error, and what a field Reason is set to.
func reasonExprs(n ast.Node) (exprs []ast.Expr) {
	switch n := n.(type) {
	case *ast.ReturnStmt:
		for _, e := range n.Results {
			if _, isCall := e.(*ast.CallExpr); !isCall || callee(e.(*ast.CallExpr)) == "fmt.Sprintf" {
				exprs = append(exprs, e)
			}
		}
	case *ast.CallExpr:
		if saysReason.MatchString(callee(n)) {
			exprs = n.Args
		}
	case *ast.KeyValueExpr:
		if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Reason" {
			exprs = []ast.Expr{n.Value}
		}
	}
	return exprs
}

func callee(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name + "." + f.Sel.Name
		}
	}
	return ""
}

var verbs = regexp.MustCompile(`%[#.0-9]*[a-zA-Z]`)

func constantPart(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, _ := strconv.Unquote(e.Value) // it compiles
			return verbs.ReplaceAllString(text, variable)
		}
	case *ast.BinaryExpr:
		return constantPart(e.X) + constantPart(e.Y)
	case *ast.CallExpr:
		if callee(e) == "fmt.Sprintf" {
			return constantPart(e.Args[0])
		}
	}
	return variable
}
