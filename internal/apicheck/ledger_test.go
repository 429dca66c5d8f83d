package apicheck

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLedger_Check(t *testing.T) {
	const (
		names       = "# Changelog\n\n## Unreleased\n\n- New things.\n\n### Breaking\n\n- `mount.F` takes a string.\n\n## v0.1.0\n\n- First.\n"
		namesParent = "## Unreleased\n\n### Breaking\n\n- `mount.T` is gone.\n"
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
		{"new symbol", API{"mount.G": "func()"}, "", ""},
		{"new method", API{"mount.T.M": "method (T) func()"}, "", ""},
		{"not announced", API{"mount.F": "func(string)"}, "", "mount.F changes"},
		{"announced", API{"mount.F": "func(string)"}, names, ""},
		{"announced elsewhere", API{"mount.F": "func(string)"}, wrongPlace, "mount.F changes"},
		{"another announced", API{"mount.T.A": ""}, names, "mount.T.A changes"},
		{"removed", API{"mount.T.A": ""}, "", "mount.T.A changes"},
		{"removed with parent", API{"mount.T": "", "mount.T.A": ""}, namesParent, ""},
		{"longer name", API{"mount.F": ""}, "## Unreleased\n### Breaking\n`mount.Fragment`\n", "mount.F changes"},
		{"no backquotes", API{"mount.F": ""}, "## Unreleased\n### Breaking\nmount.F\n", "mount.F changes"},
		{"frozen interface", API{"injector.SecretManager": "type interface {Close, Mount, Name}",
			"injector.SecretManager.Close": "method (SecretManager) func()"}, namesFrozen, "injector.SecretManager never changes"},
		{"frozen method", API{"injector.SecretManager.Name": "method (SecretManager) func() int"}, namesFrozen,
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
				assert.ErrorContains(t, check(Ledger{promised, promised}), "not up to date", "api.txt must show the change")
			}
			err := check(Ledger{promised, api})
			if c.err == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.err)
			}
			assert.NoError(t, check(Ledger{api, api}), "after the release")
		})
	}
}

func TestLedger_String(t *testing.T) {
	l := Ledger{
		Promised: API{"p.Gone": "func()", "p.Same": "func()", "p.Other": "func()"},
		Current:  API{"p.New": "func()", "p.Same": "func()", "p.Other": "func(int)"},
	}
	_, lines, _ := strings.Cut(l.String(), "\n")
	assert.Equal(t, "- p.Gone func()\n+ p.New func()\n- p.Other func()\n+ p.Other func(int)\n  p.Same func()\n", lines)
}

// Edits of api.txt by hand, or by a merge.
func TestParse_Edited(t *testing.T) {
	text := Ledger{
		Promised: API{"p.Gone": "func()", "p.Same": "func()"},
		Current:  API{"p.New": "func()", "p.Same": "func()"},
	}.String()
	for _, c := range []struct{ name, old, new, err string }{
		{"promise dropped", "- p.Gone func()\n", "", "lost or gained a promise"},
		{"promise marked new", "  p.Same", "+ p.Same", "lost or gained a promise"},
		{"promise changed", "  p.Same func()", "  p.Same func(int)", "lost or gained a promise"},
		{"new symbol promised", "+ p.New", "  p.New", "lost or gained a promise"},
		{"no checksum", "# The", "The", "lost or gained a promise"},
		{"new symbol dropped", "+ p.New func()\n", "", ""},
		{"no mark", "+ p.New", "p.New", "invalid line in api.txt"},
		{"empty line", "+ p.New func()\n", "\n", "invalid line in api.txt"},
		{"merge conflict", "+ p.New", "<<<<<<< HEAD\n+ p.New", "invalid line in api.txt"},
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
