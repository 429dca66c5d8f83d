package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
)

// rules are who may read what: injector.Rules. Without the section everybody may
// read everything. An empty list allows nothing.
type rules []rule

// rule is injector.Rule.
type rule struct {
	Namespaces      []string `yaml:"namespaces,omitempty"`
	ServiceAccounts []string `yaml:"serviceAccounts,omitempty"`
	Managers        []string `yaml:"managers,omitempty"`
	Names           []string `yaml:"names,omitempty"`
	Keys            []string `yaml:"keys,omitempty"`
}

func (rs rules) rules() injector.Rules {
	all := make(injector.Rules, len(rs))
	for i, r := range rs {
		all[i] = injector.Rule(r)
	}
	return all
}

// checkAllow reports patterns that match nothing; managers are the names by which
// rules know them. A section without a list is an
// error too: whoever comments out the last rule does not want to allow everything.
func (cfg *config) checkAllow(c *checker, managers []string) {
	if cfg.Allow == nil {
		c.require(!c.has("allow"), "has no list: leave it out to allow everything, or write [] to allow nothing", "allow")
		return
	}
	for i, r := range *cfg.Allow {
		at := []string{"allow", strconv.Itoa(i)}
		c.require(!r.isEmpty(), "says nothing, and would allow everything", at...)
		for _, list := range []string{"namespaces", "serviceAccounts", "managers", "names", "keys"} {
			c.require(!c.has(append(at, list)...) || c.has(append(at, list, "0")...),
				"has no list: leave it out to match any", append(at, list)...)
		}
		for _, flaw := range flawsOf(r) {
			c.require(false, flaw.reason, append(at, flaw.path...)...)
		}
		for j, pattern := range r.Managers {
			known := slices.ContainsFunc(managers, func(name string) bool {
				return injector.Rules{{Managers: []string{pattern}}}.Find(injector.Access{Manager: name}) >= 0
			})
			c.require(known || len(managers) == 0, fmt.Sprintf("%q is none of the managers here: %s", pattern, strings.Join(managers, ", ")),
				append(at, "managers", strconv.Itoa(j))...)
		}
	}
}

func (r rule) isEmpty() bool {
	return len(r.Namespaces)+len(r.ServiceAccounts)+len(r.Managers)+len(r.Names)+len(r.Keys) == 0
}

type ruleFlaw struct {
	path   []string
	reason string
}

// flawsOf reads what the library says of one rule: "rules[0].names[1]: ...".
func flawsOf(r rule) (flaws []ruleFlaw) {
	err := injector.Rules{injector.Rule(r)}.Validate()
	if err == nil {
		return nil
	}
	for _, err := range split(err) {
		field, reason, _ := strings.Cut(strings.TrimPrefix(err.Error(), "rules[0]."), ": ")
		list, index, _ := strings.Cut(strings.TrimSuffix(field, "]"), "[")
		flaws = append(flaws, ruleFlaw{[]string{list, index}, reason})
	}
	return flaws
}

// split returns the errors that errors.Join joined.
func split(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// allow returns what decides about each access, and tells decided.
func (cfg *config) allow(decided []func(injector.Access, error)) func(injector.Access) error {
	if cfg.Allow == nil {
		return nil
	}
	all := cfg.Allow.rules()
	return func(a injector.Access) error {
		err := all.Allow(a)
		for _, tell := range decided {
			tell(a, err)
		}
		return err
	}
}

// asConfigured calls the rules what the configuration calls them.
func asConfigured(err error) string { return strings.ReplaceAll(err.Error(), "rules[", "allow[") }

// late reports the containers that webhooks behind this one add.
func (cfg *config) late(c mount.Container) bool { return slices.Contains(cfg.LateContainers, c.Name) }
