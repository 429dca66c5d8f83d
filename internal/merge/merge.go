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
	// Name is the variable or the file that holds the secret.
	Name string
}

// NewSecret returns the Secret with its Name in the layout.
func NewSecret(layout mount.Layout, req secret.Request, manager string, f mount.Fragment) Secret {
	s := Secret{Request: req, Manager: manager, Fragment: f}
	if f.File {
		s.Name = s.layout(layout).Path(s.Group, s.version(), s.Key)
	} else {
		s.Name = layout.EnvVar(s.Group, s.version(), s.Key)
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

func (s *Secret) layout(layout mount.Layout) mount.Layout {
	if s.Fragment.Dir != "" {
		layout.Dir = s.Fragment.Dir
	}
	return layout
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
	secrets      []Secret
	all          scope
	fetchers     ordered[fetcher]
	pullSecrets  ordered[pullSecret]
	annotations  map[string]annotation
	listsOfNames ordered[requesters] // annotations that list containers

	failed   map[int]bool
	problems []Problem
}

// scope is what one set of receivers gets.
type scope struct {
	vars     ordered[variable]
	volumes  ordered[volume]
	mounts   ordered[mountPoint] // by clean path
	files    []file
	fileTree tree[int] // the places of files in the slice
}

// Merge adds up what the secrets need, and finds out which of them cannot be
// together. Fragments must be valid. With a problem, the Change is of no use but
// for finding more.
func Merge(layout mount.Layout, secrets []Secret) (*Change, []Problem) {
	c := &Change{secrets: secrets}
	layout = layout.WithDefaults()
	sc := &c.all
	sc.vars.grow(c.countVariables())
	for i := range secrets {
		c.add(sc, i, layout)
	}
	c.findShadowed(sc, layout)
	// Only now are all values known that win over defaults, and all primary
	// names, in whose way no alias may be.
	for i := range secrets {
		c.addAnnotations(i, secrets[i].Fragment.DefaultAnnotations, false)
		c.addAlias(sc, i, layout)
	}
	c.findHidden(sc)
	return c, c.problems
}

func (c *Change) add(sc *scope, i int, layout mount.Layout) {
	s := &c.secrets[i]
	f := &s.Fragment
	c.addVolumes(sc, i, s.layout(layout).Dir)
	if f.File {
		c.addFile(sc, i, layout)
	} else {
		c.addValue(sc, i, layout)
	}
	c.addFetchers(i)
	c.addAnnotations(i, f.Annotations, true)
	c.addListOfNames(i)
	c.addPullSecrets(i)
}

// addAlias adds, where it can, the name with the version where the primary one
// is without it, and the other way round. The client looks for a name with the
// version only if its caller passes the version again.
func (c *Change) addAlias(sc *scope, i int, layout mount.Layout) {
	switch s := &c.secrets[i]; {
	case s.GroupVersion == "":
	case s.Fragment.File:
		c.addFileAlias(sc, i, layout)
	default:
		c.addVariableAlias(sc, i, layout)
	}
}

func (c *Change) conflict(i, other int, field, name, reason string) {
	c.problem(i, other, &mount.ConflictError{Field: field, Name: name, Reason: reason})
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
