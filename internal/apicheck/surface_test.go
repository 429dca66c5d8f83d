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

// TestChanges says which changes of a package break a promise, and under what
// name.
func TestChanges(t *testing.T) {
	for _, c := range []struct{ name, before, after, broken string }{
		{"nothing", `func F()`, `func F()`, ""},
		{"a function more", `func F()`, `func F(); func G()`, ""},
		{"a function less", `func F(); func G()`, `func F()`, "G"},
		{"a parameter's name", `func F(a int)`, `func F(b int)`, ""},
		{"a parameter's name within", `type T struct{ F func(a int) }`, `type T struct{ F func(b int) }`, ""},
		{"a parameter more", `func F()`, `func F(...int)`, "F"},
		{"a result less", `func F() (int, error)`, `func F() int`, "F"},
		{"what a function mentions", `type A int; type B int; func F(A)`, `type A int; type B int; func F(B)`, "F"},
		{"of another package", `import "io"; func F(io.Reader)`, `import "io"; func F(io.Writer)`, "F"},
		{"a slice for the rest", `func F(...int)`, `func F([]int)`, "F"},
		{"a channel's direction", `var C chan int`, `var C <-chan int`, "C"},
		{"a constraint", `func F[T any](T) {}`, `func F[T comparable](T) {}`, "F"},
		{"a type argument", `type G[T any] struct{}; var V G[int]`, `type G[T any] struct{}; var V G[bool]`, "V"},
		{"not exported", `func f()`, ``, ""},
		{"not exported but reached", `type t struct{ A int }; func F() t`, `type t struct{}; func F() t`, "t.A"},

		{"a field more", `type T struct{ A int }`, `type T struct{ A, B int }`, ""},
		{"a field less", `type T struct{ A, B int }`, `type T struct{ A int }`, "T.B"},
		{"a field's type", `type T struct{ A int }`, `type T struct{ A uint }`, "T.A"},
		{"a field's tag", "type T struct{ A int `json:\"a\"` }", "type T struct{ A int `json:\"b\"` }", "T.A"},
		{"the order of fields", `type T struct{ A, B int }`, `type T struct{ B, A int }`, ""},
		{"no longer comparable", `type T struct{ A int }`, `type T struct{ A int; B []int }`, "T"},
		{"no longer comparable within", `type T struct{ A int; b int }`, `type T struct{ A int; b []int }`, "T"},
		{"fields that are not exported", `type T struct{ a int }`, `type T struct{ b bool }`, ""},
		{"a first field that is not exported", `type T struct{ A int }`, `type T struct{ A, b int }`, "T"},
		{"a field from within", `type e struct{ A int }; type T struct{ e }`, `type e struct{ B int }; type T struct{ e }`, "T.A"},
		{"a field from within that is shadowed", `type e struct{ A int }; type T struct{ e; A bool }`, `type e struct{}; type T struct{ e; A bool }`, ""},
		{"its own field instead", `type e struct{ A int }; type T struct{ e }`, `type T struct{ A int; b int }`, ""},

		{"a method more", `type T int`, `type T int; func (T) M() {}`, ""},
		{"a method less", `type T int; func (T) M() {}`, `type T int`, "T.M"},
		{"a method from within", `type e int; func (e) M() {}; type T struct{ e }`, `type e int; type T struct{ e }`, "T.M"},
		{"a method of the pointer only", `type T int; func (T) M() {}`, `type T int; func (*T) M() {}`, "T.M"},
		{"a receiver's name", `type T int; func (t T) M() {}`, `type T int; func (u T) M() {}`, ""},

		{"an interface gains a method", `type I interface{ A() }`, `type I interface{ A(); B() }`, "I"},
		{"and one of its package alone", `type I interface{ A() }`, `type I interface{ A(); b() }`, "I"},
		{"an interface gains a method by embedding", `type e interface{}; type I interface{ e; A() }`, `type e interface{ B() }; type I interface{ e; A() }`, "I"},
		{"a method moves to an embedded interface", `type I interface{ A() }`, `type e interface{ A() }; type I interface{ e }`, ""},
		{"an interface's method changes", `type I interface{ A() }`, `type I interface{ A(int) }`, "I.A"},

		{"a constant's value", `const C = 1`, `const C = 2`, "C"},
		{"a constant's place", `const (A = iota; B)`, `const (B = iota; A)`, "A B"},
		{"a constant that gets a type", `const C = 1`, `const C int = 1`, "C"},
		{"a variable's value", `var V = 1`, `var V = 2`, ""},
		{"a constant for a variable", `var V = 1`, `const V = 1`, "V"},
		{"what a type is made of", `type T uint8`, `type T uint16`, "T"},
		{"an alias", `type A = int`, `type A int`, "A"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, after := check(t, "package p\n"+c.before), check(t, "package p\n"+c.after)
			broken := brokenBetween(t, before, after)
			slices.Sort(broken)
			assert.Equal(t, c.broken, strings.Join(broken, " "))
		})
	}
}

func TestOfOtherModules(t *testing.T) {
	api := API{}
	require.NoError(t, api.add(check(t, `package p
		import "go/token"
		func F(pos token.Pos) *token.File { return nil }`), "example.com"))
	assert.Equal(t, API{"p.F": "func(go/token.Pos) *go/token.File"}, api)
}

// A type of an internal package has fields and methods that no line shows.
func TestInternalType(t *testing.T) {
	hidden := types.NewTypeName(token.NoPos, types.NewPackage("example.com/internal/q", "q"), "T", nil)
	types.NewNamed(hidden, types.NewStruct(nil, nil), nil)
	p := types.NewPackage("example.com/p", "p")
	p.Scope().Insert(types.NewVar(token.NoPos, p, "V", types.NewPointer(hidden.Type())))
	require.ErrorContains(t, API{}.add(p, "example.com"), "example.com/p shows users internal/q.T")
}
