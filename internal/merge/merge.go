package merge

import (
	"iter"
	"slices"
	"strconv"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Secret is one secret that a Pod asks for, and what its manager answered. Make
// it with NewSecret.
type Secret struct {
	secret.Request
	Manager  string
	Fragment mount.Fragment
	// Name is the primary name: the variable or the file that holds the secret.
	Name string
}

// NewSecret returns the Secret with its Name in the layout.
func NewSecret(layout mount.Layout, req secret.Request, manager string, f mount.Fragment) Secret {
	s := Secret{Request: req, Manager: manager, Fragment: f}
	if f.File {
		s.Name = req.FilePath(s.layout(layout), s.version())
	} else {
		s.Name = req.EnvName(layout, s.version())
	}
	return s
}

// version is the one that the primary name carries, aliasVersion that of the
// alias.
func (s *Secret) version() string {
	if s.Fragment.Versioned {
		return s.GroupVersion
	}
	return ""
}

func (s *Secret) aliasVersion() string {
	if s.Fragment.Versioned {
		return ""
	}
	return s.GroupVersion
}

// layout is the one with the directory that is announced for the secret.
func (s *Secret) layout(layout mount.Layout) mount.Layout {
	if w := s.Fragment.Webhook; w != nil && w.Dir != "" {
		layout.Dir = w.Dir
	}
	return layout
}

// Dir returns the directory in which the client looks for the secret's file.
func (s *Secret) Dir(layout mount.Layout) string { return s.layout(layout).Dir }

// identity tells secrets apart whose values may be equal by chance.
type identity struct{ group, version, key, field string }

func (s *Secret) identity() identity {
	return identity{s.Group, s.version(), s.Key, s.Field}
}

// Problem is an error and the index of the secret to which it belongs: of two
// that conflict, the later one. What several secrets share is a problem of each.
type Problem struct {
	Secret int
	Other  int // the secret with which it conflicts, or none
	Err    error
}

const none = -1

// requesters are the secrets that need something, by their indices.
type requesters struct {
	first int
	more  []int
}

func (r *requesters) add(index int) {
	if r.more == nil {
		r.more = make([]int, 0, 8)
	}
	r.more = append(r.more, index)
}

func (r requesters) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		if !yield(r.first) {
			return
		}
		slices.Values(r.more)(yield)
	}
}

// Change is what a list of secrets adds to any Pod. It may share memory with
// their fragments and is read-only once made.
type Change struct {
	layout  mount.Layout
	secrets []Secret
	// scopes begins with that of all receivers. The others are in byContainer
	// too.
	scopes      []*scope
	byContainer map[string]*scope

	// What belongs to the Pod as a whole.
	fetchers    ordered[fetcher]
	pullSecrets ordered[pullSecret]
	webhooks    []webhook
	annotations map[string]annotation
	shared      ordered[sharedVolume]

	failed   map[int]bool
	problems []Problem
}

// Merge adds up what the secrets need, and finds out which of them cannot be
// together. Fragments must be valid. With a problem, the Change is of no use but
// for finding more.
func Merge(layout mount.Layout, secrets []Secret) (*Change, []Problem) {
	c := &Change{layout: layout.WithDefaults(), secrets: secrets}
	c.makeScopes()
	for _, sc := range c.scopes {
		sc.vars.grow(c.countVariables(sc))
		if n := c.countMounts(sc); n > 0 {
			sc.mounts.grow(n)
			sc.volumes.grow(n)
		}
		for _, i := range sc.members {
			c.addVolumes(sc, i)
			c.addFile(sc, i)
			c.addEnvFile(sc, i)
			c.addValue(sc, i)
		}
	}
	for i := range secrets {
		c.addFetchers(i)
		c.addWebhook(i)
		c.addPullSecrets(i)
	}
	// Only now are all primary names known, which aliases must not take, and all
	// annotations that win over defaults.
	for i := range secrets {
		c.addDefaultAnnotations(i)
	}
	for _, sc := range c.scopes {
		for _, i := range sc.members {
			c.addAlias(sc, i)
		}
		c.findShadowed(sc)
		c.findHidden(sc)
	}
	return c, c.problems
}

func (c *Change) conflict(i, other int, field, name, reason string) {
	c.problem(i, other, &mount.ConflictError{Field: field, Name: name, Reason: reason})
}

// conflictOf is conflict of two secrets in any order.
func (c *Change) conflictOf(a, b int, field, name, reason string) {
	c.conflict(max(a, b), min(a, b), field, name, reason)
}

// problem keeps the first problem of a secret; the next are often the same one,
// seen from another side.
func (c *Change) problem(i, other int, err error) {
	if c.failed == nil {
		c.failed = make(map[int]bool)
	}
	if !c.failed[i] {
		c.failed[i] = true
		c.problems = append(c.problems, Problem{i, other, err})
	}
}

func quote(s string) string { return strconv.Quote(s) }
