package apicheck

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a change of the API needs so that the check passes.
func TestCheck(t *testing.T) {
	const (
		names       = "# Changelog\n\n## Unreleased\n\n- New things.\n\n### Breaking\n\n- `mount.F` takes a string.\n\n## v0.1.0\n\n- First.\n"
		namesWhole  = "## Unreleased\n\n### Breaking\n\n- `mount.T` is gone.\n"
		namesFrozen = "## Unreleased\n\n### Breaking\n\n- `injector.SecretManager` gains a method, and `injector` changes.\n"
		wrongPlace  = "## Unreleased\n\n- `mount.F` is quicker.\n\n### Added\n\n- `mount.F`\n\n## v0.1.0\n\n### Breaking\n\n- `mount.F`\n"
	)
	promised := API{"mount.F": "func()", "mount.T": "type struct", "mount.T.A": "field int",
		"injector.SecretManager": "type interface {Mount, Name}", "injector.SecretManager.Name": "method (SecretManager) func() string"}
	for _, c := range []struct {
		name           string
		change         API // an empty description removes the symbol
		changelog, err string
	}{
		{"nothing", nil, "", ""},
		{"a symbol more", API{"mount.G": "func()"}, "", ""},
		{"a method more", API{"mount.T.M": "method (T) func()"}, "", ""},
		{"changed without a word", API{"mount.F": "func(string)"}, "", "mount.F changes"},
		{"changed and named", API{"mount.F": "func(string)"}, names, ""},
		{"named where nothing is broken", API{"mount.F": "func(string)"}, wrongPlace, "mount.F changes"},
		{"another is named", API{"mount.T.A": ""}, names, "mount.T.A changes"},
		{"gone without a word", API{"mount.T.A": ""}, "", "mount.T.A changes"},
		{"gone with what is named", API{"mount.T": "", "mount.T.A": ""}, namesWhole, ""},
		{"a longer name", API{"mount.F": ""}, "## Unreleased\n### Breaking\n`mount.Fragment`\n", "mount.F changes"},
		{"without backquotes", API{"mount.F": ""}, "## Unreleased\n### Breaking\nmount.F\n", "mount.F changes"},
		{"the interface gains a method", API{"injector.SecretManager": "type interface {Close, Mount, Name}",
			"injector.SecretManager.Close": "method (SecretManager) func()"}, namesFrozen, "injector.SecretManager never changes"},
		{"its method changes", API{"injector.SecretManager.Name": "method (SecretManager) func() int"}, namesFrozen,
			"injector.SecretManager.Name never changes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			api := API{}
			for _, changes := range []API{promised, c.change} {
				for symbol, description := range changes {
					api[symbol] = description
					if description == "" {
						delete(api, symbol)
					}
				}
			}
			check := func(l Ledger) error {
				read, err := Parse(l.String())
				require.NoError(t, err)
				require.Equal(t, l, read)
				return read.Check(api, c.changelog)
			}
			if len(c.change) > 0 {
				assert.ErrorContains(t, check(Ledger{promised, promised}), "not up to date", "the file shows every change")
			}
			err := check(Ledger{promised, api})
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
			assert.NoError(t, check(Ledger{api, api}), "once it is released")
		})
	}
}

func TestString(t *testing.T) {
	l := Ledger{
		Promised: API{"p.Gone": "func()", "p.Same": "func()", "p.Other": "func()"},
		Current:  API{"p.New": "func()", "p.Same": "func()", "p.Other": "func(int)"},
	}
	_, lines, _ := strings.Cut(l.String(), "\n")
	assert.Equal(t, "- p.Gone func()\n+ p.New func()\n- p.Other func()\n+ p.Other func(int)\n  p.Same func()\n", lines)
}

// Somebody edits api.txt by hand, or a merge of branches does.
func TestParse(t *testing.T) {
	text := Ledger{
		Promised: API{"p.Gone": "func()", "p.Same": "func()"},
		Current:  API{"p.New": "func()", "p.Same": "func()"},
	}.String()
	for _, c := range []struct{ name, old, new, err string }{
		{"a promise is dropped", "- p.Gone func()\n", "", "lost or gained a promise"},
		{"a promise is called new", "  p.Same", "+ p.Same", "lost or gained a promise"},
		{"a promise is changed", "  p.Same func()", "  p.Same func(int)", "lost or gained a promise"},
		{"a new symbol is promised", "+ p.New", "  p.New", "lost or gained a promise"},
		{"the checksum is gone", "# The", "The", "lost or gained a promise"},
		{"a new symbol is dropped", "+ p.New func()\n", "", ""},
		{"a mark is missing", "+ p.New", "p.New", "no line of api.txt"},
		{"an empty line", "+ p.New func()\n", "\n", "no line of api.txt"},
		{"left by a merge", "+ p.New", "<<<<<<< HEAD\n+ p.New", "no line of api.txt"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.Contains(t, text, c.old)
			_, err := Parse(strings.Replace(text, c.old, c.new, 1))
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
		})
	}
}
