package apicheck

import (
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Each row gives the symbols whose promise a change breaks.
func TestAPI_Changes(t *testing.T) {
	for _, c := range []struct{ name, before, after, broken string }{
		{"no change", `func F()`, `func F()`, ""},
		{"new function", `func F()`, `func F(); func G()`, ""},
		{"function removed", `func F(); func G()`, `func F()`, "G"},
		{"parameter name", `func F(a int)`, `func F(b int)`, ""},
		{"nested parameter name", `type T struct{ F func(a int) }`, `type T struct{ F func(b int) }`, ""},
		{"new parameter", `func F()`, `func F(...int)`, "F"},
		{"result removed", `func F() (int, error)`, `func F() int`, "F"},
		{"parameter type", `type A int; type B int; func F(A)`, `type A int; type B int; func F(B)`, "F"},
		{"type of another package", `import "io"; func F(io.Reader)`, `import "io"; func F(io.Writer)`, "F"},
		{"slice for variadic", `func F(...int)`, `func F([]int)`, "F"},
		{"channel direction", `var C chan int`, `var C <-chan int`, "C"},
		{"constraint", `func F[T any](T) {}`, `func F[T comparable](T) {}`, "F"},
		{"type argument", `type G[T any] struct{}; var V G[int]`, `type G[T any] struct{}; var V G[bool]`, "V"},
		{"unexported", `func f()`, ``, ""},
		{"unexported but reachable", `type t struct{ A int }; func F() t`, `type t struct{}; func F() t`, "t.A"},

		{"new field", `type T struct{ A int }`, `type T struct{ A, B int }`, ""},
		{"field removed", `type T struct{ A, B int }`, `type T struct{ A int }`, "T.B"},
		{"field type", `type T struct{ A int }`, `type T struct{ A uint }`, "T.A"},
		{"field tag", "type T struct{ A int `json:\"a\"` }", "type T struct{ A int `json:\"b\"` }", "T.A"},
		{"field order", `type T struct{ A, B int }`, `type T struct{ B, A int }`, ""},
		{"no longer comparable", `type T struct{ A int }`, `type T struct{ A int; B []int }`, "T"},
		{"no longer comparable, unexported", `type T struct{ A int; b int }`, `type T struct{ A int; b []int }`, "T"},
		{"unexported field", `type T struct{ a int }`, `type T struct{ b bool }`, ""},
		{"first unexported field", `type T struct{ A int }`, `type T struct{ A, b int }`, "T"},
		{"promoted field", `type e struct{ A int }; type T struct{ e }`, `type e struct{ B int }; type T struct{ e }`, "T.A"},
		{"shadowed promoted field", `type e struct{ A int }; type T struct{ e; A bool }`, `type e struct{}; type T struct{ e; A bool }`, ""},
		{"own field for promoted field", `type e struct{ A int }; type T struct{ e }`, `type T struct{ A int; b int }`, ""},

		{"new method", `type T int`, `type T int; func (T) M() {}`, ""},
		{"method removed", `type T int; func (T) M() {}`, `type T int`, "T.M"},
		{"promoted method", `type e int; func (e) M() {}; type T struct{ e }`, `type e int; type T struct{ e }`, "T.M"},
		{"value to pointer method", `type T int; func (T) M() {}`, `type T int; func (*T) M() {}`, "T.M"},
		{"receiver name", `type T int; func (t T) M() {}`, `type T int; func (u T) M() {}`, ""},

		{"interface method", `type I interface{ A() }`, `type I interface{ A(); B() }`, "I"},
		{"unexported interface method", `type I interface{ A() }`, `type I interface{ A(); b() }`, "I"},
		{"embedded interface method", `type e interface{}; type I interface{ e; A() }`, `type e interface{ B() }; type I interface{ e; A() }`, "I"},
		{"method moved to embedded", `type I interface{ A() }`, `type e interface{ A() }; type I interface{ e }`, ""},
		{"interface method type", `type I interface{ A() }`, `type I interface{ A(int) }`, "I.A"},

		{"constant value", `const C = 1`, `const C = 2`, "C"},
		{"constant order", `const (A = iota; B)`, `const (B = iota; A)`, "A B"},
		{"constant type", `const C = 1`, `const C int = 1`, "C"},
		{"variable value", `var V = 1`, `var V = 2`, ""},
		{"constant for variable", `var V = 1`, `const V = 1`, "V"},
		{"underlying type", `type T uint8`, `type T uint16`, "T"},
		{"alias", `type A = int`, `type A int`, "A"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, after := check(t, "package p\n"+c.before), check(t, "package p\n"+c.after)
			broken := brokenBetween(t, before, after)
			slices.Sort(broken)
			assert.Equal(t, c.broken, strings.Join(broken, " "))
		})
	}
}

func TestAPI_OtherModules(t *testing.T) {
	api := API{}
	require.NoError(t, api.add(check(t, `package p
		import "go/token"
		func F(pos token.Pos) *token.File { return nil }`), "example.com"))
	assert.Equal(t, API{"p.F": "func(go/token.Pos) *go/token.File"}, api)
}

// No line would show the fields and methods of a type in an internal package.
func TestAPI_InternalType(t *testing.T) {
	hidden := types.NewTypeName(token.NoPos, types.NewPackage("example.com/internal/q", "q"), "T", nil)
	types.NewNamed(hidden, types.NewStruct(nil, nil), nil)
	p := types.NewPackage("example.com/p", "p")
	p.Scope().Insert(types.NewVar(token.NoPos, p, "V", types.NewPointer(hidden.Type())))
	require.ErrorContains(t, API{}.add(p, "example.com"), "example.com/p exposes internal/q.T")
}
