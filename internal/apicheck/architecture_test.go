package apicheck

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The functions that docs/architecture.md names on the way of a request exist.
func TestArchitecture_Functions(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	require.NoError(t, err)
	_, way, ok := strings.Cut(string(text), "\n## The way of one request\n")
	require.True(t, ok)
	way, _, ok = strings.Cut(way, "\n## ")
	require.True(t, ok)

	names := regexp.MustCompile("`([a-z0-9]+(?:\\.[A-Za-z]+){1,2})`").FindAllStringSubmatch(way, -1)
	require.Greater(t, len(names), 20)
	source := declared(t, "../..")
	for _, name := range names {
		assert.True(t, source[name[1]], "%s is not in the source", name[1])
	}
}

// declared returns the declarations of all packages below dir, as pkg.Name and
// pkg.Type.method.
func declared(t *testing.T, dir string) map[string]bool {
	names := map[string]bool{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				names[file.Name.Name+"."+receiver(decl)+decl.Name.Name] = true
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					if spec, ok := spec.(*ast.TypeSpec); ok {
						names[file.Name.Name+"."+spec.Name.Name] = true
					}
				}
			}
		}
		return nil
	}))
	return names
}

// receiver returns the name of a method's type followed by a dot, or "".
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	expr := f.Recv.List[0].Type
	if star, ok := expr.(*ast.StarExpr); ok {
		expr = star.X
	}
	if name, ok := expr.(*ast.Ident); ok {
		return name.Name + "."
	}
	return "?." // a generic type
}
