package apicheck

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Frozen lists the symbols that never change, whatever the CHANGELOG says. Another method
// in the interface would break every manager.
var Frozen = []string{"injector.SecretManager"}

// Ledger is the content of api.txt: the promised API and the current one.
type Ledger struct {
	Promised, Current API
}

const header = "# The public API; see doc.go. Promised: sha256 "

// String returns the text of api.txt.
func (l Ledger) String() string {
	lines := append(marked("- ", l.Promised, l.Current), marked("+ ", l.Current, l.Promised)...)
	for symbol, description := range l.Promised {
		if l.Current[symbol] == description {
			lines = append(lines, "  "+symbol+" "+description)
		}
	}
	slices.SortFunc(lines, func(a, b string) int { // "-" before "+"
		return strings.Compare(sortKey(a), sortKey(b))
	})
	return header + l.Promised.sum() + "\n" + strings.Join(lines, "\n") + "\n"
}

// marked returns a line for each symbol of a that b lacks or describes differently.
func marked(mark string, a, b API) (lines []string) {
	for symbol, description := range a {
		if b[symbol] != description {
			lines = append(lines, mark+symbol+" "+description)
		}
	}
	return lines
}

func sortKey(line string) string {
	symbol, _, _ := strings.Cut(line[2:], " ")
	return symbol + " " + map[byte]string{'-': "0", '+': "1", ' ': "0"}[line[0]]
}

func (api API) sum() string {
	sum := sha256.New()
	for _, symbol := range slices.Sorted(maps.Keys(api)) {
		fmt.Fprintln(sum, symbol, api[symbol])
	}
	return fmt.Sprintf("%x", sum.Sum(nil)[:8])
}

// Parse reads the text of api.txt.
func Parse(text string) (Ledger, error) {
	first, rest, _ := strings.Cut(text, "\n")
	l := Ledger{Promised: API{}, Current: API{}}
	for line := range strings.Lines(rest) {
		mark, line := line[:min(2, len(line))], strings.TrimSuffix(line[min(2, len(line)):], "\n")
		symbol, description, ok := strings.Cut(line, " ")
		if !ok || !slices.Contains([]string{"  ", "+ ", "- "}, mark) {
			return Ledger{}, fmt.Errorf("invalid line in api.txt: %q", mark+line)
		}
		if mark != "+ " {
			l.Promised[symbol] = description
		}
		if mark != "- " {
			l.Current[symbol] = description
		}
	}
	if first != header+l.Promised.sum() {
		return Ledger{}, errors.New("api.txt has lost or gained a promise: restore the lines that do not start with +")
	}
	return l, nil
}

// Check returns an error that names each difference between api and api.txt, and each
// broken promise that the changelog does not announce.
func (l Ledger) Check(api API, changelog string) error {
	var errs []error
	for _, line := range append(marked("- ", l.Current, api), marked("+ ", api, l.Current)...) {
		errs = append(errs, fmt.Errorf("api.txt is not up to date (make api): %s", line))
	}
	announced := breaking(changelog)
	for symbol := range l.Promised {
		switch {
		case l.Promised[symbol] == api[symbol]:
		case matches(Frozen, symbol):
			errs = append(errs, fmt.Errorf("%s never changes", symbol))
		case !matches(announced, symbol):
			errs = append(errs, fmt.Errorf("%s changes, which breaks a promise: "+
				"undo it, or name `%[1]s` in the CHANGELOG under Unreleased, Breaking", symbol))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// matches reports whether names contains the symbol or one of its parents.
func matches(names []string, symbol string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return symbol == name || strings.HasPrefix(symbol, name+".")
	})
}

var (
	unreleased = regexp.MustCompile(`(?ms)^## Unreleased$(.*?)(^## |\z)`)
	breakingIn = regexp.MustCompile(`(?ms)^### Breaking$(.*?)(^### |\z)`)
	backquoted = regexp.MustCompile("`([^`]+)`")
)

// breaking returns the symbols that the CHANGELOG announces as broken in the next release.
func breaking(changelog string) (names []string) {
	for _, section := range unreleased.FindAllStringSubmatch(changelog, -1) {
		for _, part := range breakingIn.FindAllStringSubmatch(section[1], -1) {
			for _, name := range backquoted.FindAllStringSubmatch(part[1], -1) {
				names = append(names, name[1])
			}
		}
	}
	return names
}
