package merge

import (
	"iter"
	"slices"
	"strconv"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Secret is a request and the fragment that its manager returned. Use NewSecret to create
// one.
type Secret struct {
	secret.Request
	Manager  string
	Fragment mount.Fragment
	// Name is the primary name: the variable or file that always holds the secret.
	Name string
}

// NewSecret returns a Secret with its Name in the layout.
func NewSecret(layout mount.Layout, req secret.Request, manager string, f mount.Fragment) Secret {
	s := Secret{Request: req, Manager: manager, Fragment: f}
	if f.File {
		s.Name = req.FilePath(s.layout(layout), s.version())
	} else {
		s.Name = req.EnvName(layout, s.version())
	}
	return s
}

// version returns the version in the primary name, or "".
func (s *Secret) version() string {
	if s.Fragment.Versioned {
		return s.GroupVersion
	}
	return ""
}

// aliasVersion returns the version in the alias, or "".
func (s *Secret) aliasVersion() string {
	if s.Fragment.Versioned {
		return ""
	}
	return s.GroupVersion
}

// layout returns the layout with the directory that holds the secret.
func (s *Secret) layout(layout mount.Layout) mount.Layout {
	if w := s.Fragment.Webhook; w != nil && w.Dir != "" {
		layout.Dir = w.Dir
	}
	return layout
}

// Dir returns the directory that holds the secret's file.
func (s *Secret) Dir(layout mount.Layout) string { return s.layout(layout).Dir }

// identity distinguishes secrets whose values are equal by chance.
type identity struct{ group, version, key, field string }

func (s *Secret) identity() identity {
	return identity{s.Group, s.version(), s.Key, s.Field}
}

// Problem is an error of one secret. A conflict of two secrets belongs to the later one.
// An error that concerns several secrets is a Problem of each.
type Problem struct {
	Secret int // index
	Other  int // index of the secret with which it conflicts, or -1
	Err    error
}

// none is an index that stands for no secret or container.
const none = -1

// requesters are the indices of the secrets that need something.
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

// Change is what a list of secrets adds to any Pod. It may share memory with the
// fragments and does not change after Merge.
type Change struct {
	layout  mount.Layout
	secrets []Secret
	// scopes begins with the scope of all receivers; byContainer has the others.
	scopes      []*scope
	byContainer map[string]*scope

	// The Pod as a whole gets these.
	fetchers    ordered[fetcher]
	pullSecrets ordered[pullSecret]
	webhooks    []webhook
	annotations map[string]annotation
	shared      ordered[sharedVolume]

	failed   map[int]bool
	problems []Problem
}

// requestersOf returns the secrets for which needs is true. If there are none, first is
// none.
func (c *Change) requestersOf(needs func(*Secret) bool) requesters {
	reqs := requesters{first: none}
	for i := range c.secrets {
		switch {
		case !needs(&c.secrets[i]):
		case reqs.first == none:
			reqs.first = i
		default:
			reqs.add(i)
		}
	}
	return reqs
}

// Merge combines what the secrets need and reports those that conflict. Fragments must be
// valid. If there are problems, use the Change only to find more of them.
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
	// Aliases come after all primary names, and default annotations after all required
	// ones, because they give way to these.
	for i := range secrets {
		c.addDefaultAnnotations(i)
	}
	for _, sc := range c.scopes {
		for _, i := range sc.members {
			c.addAlias(sc, i)
		}
		c.checkShadows(sc)
		c.checkHidden(sc)
	}
	return c, c.problems
}

func (c *Change) conflict(i, other int, field, name, reason string) {
	c.problem(i, other, &mount.ConflictError{Field: field, Name: name, Reason: reason})
}

// conflictOf is conflict for two secrets in any order.
func (c *Change) conflictOf(a, b int, field, name, reason string) {
	c.conflict(max(a, b), min(a, b), field, name, reason)
}

// problem records only the first problem of a secret: later ones often have the same
// cause.
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
