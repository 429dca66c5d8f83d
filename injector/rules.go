package injector

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/podsecrets/podsecrets/mount"
)

// Rules say who may read which secrets. They allow an access if at least one
// rule matches it; without rules nothing is allowed. Use Rules.Allow as
// Config.Allow.
//
// Rules match what a store would be asked for (mount.Fragment.Reads), not how a
// request spells it. All spellings of one secret are therefore allowed or
// refused together.
type Rules []Rule

// Rule matches an access if each of its lists matches. An empty list matches
// everything.
//
// The lists contain patterns. "*" matches any text without "/", and "**"
// matches any text. Everything else matches itself, including its case.
type Rule struct {
	// Namespaces and ServiceAccounts are those of the Pod. A rule with one of
	// these lists does not match if the namespace is unknown. The Pod's author
	// chooses the service account, so it is no boundary inside a namespace.
	Namespaces, ServiceAccounts []string
	// Managers are the names of managers.
	Managers []string
	// Names and Keys are what the store is asked for: mount.Object.Name and
	// Key. A rule with one of these lists does not match if the manager does
	// not say what it reads. The pattern "" in Keys matches a secret without
	// keys, or a whole secret.
	Names, Keys []string
}

// Validate returns an error that lists all patterns that can never match. These
// are empty patterns (except in Keys), and those with characters that cannot
// occur.
func (rs Rules) Validate() error {
	var errs []error
	for i := range rs {
		for _, list := range rs[i].lists() {
			for j, pattern := range list.patterns {
				if reason := list.invalid(pattern); reason != "" {
					errs = append(errs, fmt.Errorf("rules[%d].%s[%d]: %.253q %s", i, list.field, j, pattern, reason))
				}
			}
		}
	}
	return errors.Join(errs...)
}

// Allow returns nil if a rule matches. Otherwise the error, which is for the
// operator, names the first list that does not match in each of the first
// twenty rules.
func (rs Rules) Allow(a Access) error {
	if rs.Find(a) >= 0 {
		return nil
	}
	reasons := make([]string, 0, len(rs))
	for i := range rs {
		if i == maxReported {
			reasons = append(reasons, fmt.Sprintf("and %d more rules", len(rs)-i))
			break
		}
		reasons = append(reasons, fmt.Sprintf("rules[%d]: %s", i, rs[i].mismatch(&a)))
	}
	if len(reasons) == 0 {
		reasons = append(reasons, "there are no rules")
	}
	return fmt.Errorf("no rule allows %v (%s)", a, strings.Join(reasons, "; "))
}

// Find returns the index of the first rule that matches, or -1.
func (rs Rules) Find(a Access) int {
	return slices.IndexFunc(rs, func(r Rule) bool { return r.mismatch(&a) == "" })
}

// ruleList is one of a rule's lists.
type ruleList struct {
	field    string
	patterns []string
	text     func(*Access) string
	unknown  func(*Access) string // why a rule with this list cannot match, or ""
	valid    func(rune) bool      // for each character
}

func (r *Rule) lists() [5]ruleList {
	return [5]ruleList{
		{"namespaces", r.Namespaces, func(a *Access) string { return a.Namespace }, noNamespace, isNameRune},
		{"serviceAccounts", r.ServiceAccounts, func(a *Access) string { return a.ServiceAccount }, noNamespace, isNameRune},
		{"managers", r.Managers, func(a *Access) string { return a.Manager }, never, func(r rune) bool { return !invalidNameRune(r) }},
		{"names", r.Names, func(a *Access) string { return a.Reads.Name }, noObject, unicode.IsPrint},
		{"keys", r.Keys, func(a *Access) string { return a.Reads.Key }, noObject, unicode.IsPrint},
	}
}

func never(*Access) string { return "" }

func noNamespace(a *Access) string {
	if a.Namespace == "" {
		return "the namespace is unknown"
	}
	return ""
}

func noObject(a *Access) string {
	if a.Reads == (mount.Object{}) {
		return "the manager does not say what it reads"
	}
	return ""
}

// isNameRune reports the characters allowed in names of namespaces and service
// accounts.
func isNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.'
}

func (l *ruleList) invalid(pattern string) string {
	switch {
	case pattern == "" && l.field != "keys":
		return "is empty"
	case !utf8.ValidString(pattern):
		return "is not valid UTF-8"
	case pattern != strings.TrimSpace(pattern):
		return "has leading or trailing spaces"
	}
	for _, r := range pattern {
		if r != '*' && !l.valid(r) {
			return fmt.Sprintf("contains %q, which is not allowed here", r)
		}
	}
	return ""
}

// mismatch returns which list does not match, or "".
func (r *Rule) mismatch(a *Access) string {
	for _, list := range r.lists() {
		switch {
		case len(list.patterns) == 0:
		case list.unknown(a) != "":
			return list.field + " are set, but " + list.unknown(a)
		case !slices.ContainsFunc(list.patterns, func(p string) bool { return matches(p, list.text(a)) }):
			return list.field + " do not match"
		}
	}
	return ""
}

// matches reports whether a text matches a pattern. On a mismatch, the last
// wildcard takes one more byte of the text; a "*" that reaches a "/" gives way
// to the last "**". Earlier wildcards need not change, because later ones can
// take whatever the earlier ones leave.
func matches(pattern, text string) bool {
	type retry struct{ pattern, text int }
	single, double := retry{-1, 0}, retry{-1, 0}
	p, t := 0, 0
	for t < len(text) || p < len(pattern) {
		switch {
		case strings.HasPrefix(pattern[p:], "**"):
			p += 2
			double, single = retry{p, t}, retry{-1, 0}
			continue
		case p < len(pattern) && pattern[p] == '*':
			p++
			single = retry{p, t}
			continue
		case p < len(pattern) && t < len(text) && pattern[p] == text[t]:
			p, t = p+1, t+1
			continue
		case single.pattern >= 0 && single.text < len(text) && text[single.text] != '/':
			single.text++
			p, t = single.pattern, single.text
			continue
		case double.pattern >= 0 && double.text < len(text):
			double.text++
			single = retry{-1, 0}
			p, t = double.pattern, double.text
			continue
		}
		return false
	}
	return true
}
