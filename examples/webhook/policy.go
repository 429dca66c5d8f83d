package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
)

// rules is injector.Rules. An empty list allows nothing.
type rules []rule

// rule is injector.Rule with YAML tags.
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

// checkAllow reports invalid rules, and patterns for managers that match none of
// the managers' names. A null section or list is an error: commenting out the last
// entry must not allow everything.
func (cfg *config) checkAllow(c *checker, managers []string) {
	if cfg.Allow == nil {
		c.require(!c.has("allow"), "must be a list: leave it out to allow everything, or write [] to allow nothing", "allow")
		return
	}
	for i, r := range *cfg.Allow {
		path := []string{"allow", strconv.Itoa(i)}
		c.require(!r.isEmpty(), "must not be empty: it would allow everything", path...)
		for _, list := range []string{"namespaces", "serviceAccounts", "managers", "names", "keys"} {
			c.require(!c.has(append(path, list)...) || c.has(append(path, list, "0")...),
				"must not be empty: leave it out to match everything", append(path, list)...)
		}
		for _, flaw := range flawsOf(r) {
			c.require(false, flaw.reason, append(path, flaw.path...)...)
		}
		for j, pattern := range r.Managers {
			known := slices.ContainsFunc(managers, func(name string) bool {
				return injector.Rules{{Managers: []string{pattern}}}.Find(injector.Access{Manager: name}) >= 0
			})
			c.require(known || len(managers) == 0, fmt.Sprintf("%q matches no configured manager: %s", pattern, strings.Join(managers, ", ")),
				append(path, "managers", strconv.Itoa(j))...)
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

// flawsOf splits the library's errors about a rule: "rules[0].names[1]: ...".
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

// allow returns the rules as injector.Config.Allow. Each decision goes to the
// observers.
func (cfg *config) allow(observers []func(injector.Access, error)) func(injector.Access) error {
	if cfg.Allow == nil {
		return nil
	}
	all := cfg.Allow.rules()
	return func(a injector.Access) error {
		err := all.Allow(a)
		for _, observe := range observers {
			observe(a, err)
		}
		return err
	}
}

// asConfigured replaces the library's name of the rules by the configuration's.
func asConfigured(err error) string { return strings.ReplaceAll(err.Error(), "rules[", "allow[") }

// late reports whether a later webhook adds the container.
func (cfg *config) late(c mount.Container) bool { return slices.Contains(cfg.LateContainers, c.Name) }
