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

// Rules say who may read which secrets. An access is allowed if one of the rules
// matches it. Without rules nothing is allowed. Use Rules.Allow as Config.Allow.
//
// Rules match what a store would be asked for, not how a request spells it; see
// mount.Fragment.Reads. So two spellings of one secret are allowed, or refused,
// together.
type Rules []Rule

// Rule matches an access if each of its lists matches. An empty list matches
// anything.
//
// The lists hold patterns. In a pattern, "*" stands for any text without "/",
// "**" for any text. Everything else stands for itself, upper and lower case too.
type Rule struct {
	// Namespaces and ServiceAccounts are where Pods run. A rule that has one of
	// them does not match where the namespace is not known. A service account is
	// the Pod author's choice, so it is no boundary inside a namespace.
	Namespaces, ServiceAccounts []string
	// Managers are the names of managers.
	Managers []string
	// Names and Keys are what the store is asked for: mount.Object.Name and Key.
	// A rule that has one of them does not match where the manager does not say
	// what it reads. The key "" is that of a secret without keys, or as a whole.
	Names, Keys []string
}

// Validate reports, of all rules, patterns that nothing can match: empty ones
// (but for Keys), and ones with characters that cannot occur.
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

// Allow returns nil if a rule matches. The error is for the operator: it says for each
// of the first twenty rules which of its lists is the first that does not match.
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
	unknown  func(*Access) bool
	valid    func(rune) bool // of its characters
}

func (r *Rule) lists() [5]ruleList {
	return [5]ruleList{
		{"namespaces", r.Namespaces, func(a *Access) string { return a.Namespace }, noNamespace, isNameRune},
		{"serviceAccounts", r.ServiceAccounts, func(a *Access) string { return a.ServiceAccount }, noNamespace, isNameRune},
		{"managers", r.Managers, func(a *Access) string { return a.Manager }, never, func(r rune) bool { return !invalidNameRune(r) }},
		{"names", r.Names, func(a *Access) string { return a.Reads.Name }, doesNotSay, unicode.IsPrint},
		{"keys", r.Keys, func(a *Access) string { return a.Reads.Key }, doesNotSay, unicode.IsPrint},
	}
}

func never(*Access) bool         { return false }
func noNamespace(a *Access) bool { return a.Namespace == "" }
func doesNotSay(a *Access) bool  { return a.Reads == mount.Object{} }

// isNameRune reports the characters of Kubernetes' names of namespaces and
// service accounts.
func isNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '.'
}

func (l *ruleList) invalid(pattern string) string {
	switch {
	case pattern == "" && l.field != "keys":
		return "is empty"
	case !utf8.ValidString(pattern):
		return "is not UTF-8"
	case pattern != strings.TrimSpace(pattern):
		return "begins or ends with white space"
	}
	for _, r := range pattern {
		if r != '*' && !l.valid(r) {
			return fmt.Sprintf("has %q, which no name here can have", r)
		}
	}
	return ""
}

// mismatch says which list does not match, or "".
func (r *Rule) mismatch(a *Access) string {
	for _, list := range r.lists() {
		switch {
		case len(list.patterns) == 0:
		case list.unknown(a):
			return list.field + " are given, and it is not known"
		case !slices.ContainsFunc(list.patterns, func(p string) bool { return matches(p, list.text(a)) }):
			return list.field + " do not match"
		}
	}
	return ""
}

// matches reports whether a text matches a pattern. Where a part of the pattern
// does not match, the last wildcard before it takes one more byte of the text; a
// "*" that meets a "/" leaves that to the last "**". Earlier wildcards need not
// change: the later ones can take all that they could have left.
func matches(pattern, text string) bool {
	type retry struct{ pattern, text int }
	star, stars := retry{-1, 0}, retry{-1, 0}
	p, t := 0, 0
	for t < len(text) || p < len(pattern) {
		switch {
		case strings.HasPrefix(pattern[p:], "**"):
			p += 2
			stars, star = retry{p, t}, retry{-1, 0}
			continue
		case p < len(pattern) && pattern[p] == '*':
			p++
			star = retry{p, t}
			continue
		case p < len(pattern) && t < len(text) && pattern[p] == text[t]:
			p, t = p+1, t+1
			continue
		case star.pattern >= 0 && star.text < len(text) && text[star.text] != '/':
			star.text++
			p, t = star.pattern, star.text
			continue
		case stars.pattern >= 0 && stars.text < len(text):
			stars.text++
			star = retry{-1, 0}
			p, t = stars.pattern, stars.text
			continue
		}
		return false
	}
	return true
}
