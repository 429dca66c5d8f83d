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

// Frozen are the symbols that never change, whatever the CHANGELOG says. A
// method more in the interface would break every manager there is.
var Frozen = []string{"injector.SecretManager"}

// Ledger is api.txt: what is promised, and what is there.
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
	slices.SortFunc(lines, func(a, b string) int { // what is gone before what takes its place
		return strings.Compare(sortKey(a), sortKey(b))
	})
	return header + l.Promised.sum() + "\n" + strings.Join(lines, "\n") + "\n"
}

// marked returns the lines of what is in a, and not or otherwise in b.
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
			return Ledger{}, fmt.Errorf("no line of api.txt: %q", mark+line)
		}
		if mark != "+ " {
			l.Promised[symbol] = description
		}
		if mark != "- " {
			l.Current[symbol] = description
		}
	}
	if first != header+l.Promised.sum() {
		return Ledger{}, errors.New("api.txt has lost or gained a promise: restore its lines without + as they were")
	}
	return l, nil
}

// Check returns an error that names each symbol of the API that api.txt does not
// have, and each broken promise that nothing excuses.
func (l Ledger) Check(api API, changelog string) error {
	var errs []error
	for _, line := range append(marked("- ", l.Current, api), marked("+ ", api, l.Current)...) {
		errs = append(errs, fmt.Errorf("api.txt is not up to date (make api): %s", line))
	}
	excused := breaking(changelog)
	for symbol := range l.Promised {
		switch {
		case l.Promised[symbol] == api[symbol]:
		case named(Frozen, symbol):
			errs = append(errs, fmt.Errorf("%s never changes", symbol))
		case !named(excused, symbol):
			errs = append(errs, fmt.Errorf("%s changes, which breaks what is promised: "+
				"undo it, or name `%[1]s` in the CHANGELOG under Unreleased, Breaking", symbol))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// named tells whether names has the symbol or one that holds it.
func named(names []string, symbol string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return symbol == name || strings.HasPrefix(symbol, name+".")
	})
}

var (
	unreleased = regexp.MustCompile(`(?ms)^## Unreleased$(.*?)(^## |\z)`)
	breakingIn = regexp.MustCompile(`(?ms)^### Breaking$(.*?)(^### |\z)`)
	backquoted = regexp.MustCompile("`([^`]+)`")
)

// breaking returns what the CHANGELOG names in backquotes as broken by the next
// release.
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
