package merge

import (
	"iter"
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Secret is one secret that a Pod asks for, and what its manager answered.
type Secret struct {
	secret.Request
	Manager  string
	Fragment mount.Fragment

	name string // see Name
}

// Name returns the variable or the file that holds the secret.
func (s *Secret) Name(layout mount.Layout) string {
	switch {
	case s.name != "":
	case s.Fragment.File:
		s.name = s.layout(layout).Path(s.Group, s.version(), s.Key)
	default:
		s.name = layout.EnvVar(s.Group, s.version(), s.Key)
	}
	return s.name
}

// version is the one that the primary name carries, otherVersion that of the
// second.
func (s *Secret) version() string {
	if s.Fragment.Versioned {
		return s.GroupVersion
	}
	return ""
}

func (s *Secret) otherVersion() string {
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

// owners are the secrets that need something, by their indices.
type owners struct {
	first int
	more  []int
}

func (o *owners) add(index int) {
	if o.more == nil {
		o.more = make([]int, 0, 8)
	}
	o.more = append(o.more, index)
}

func (o owners) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		if !yield(o.first) {
			return
		}
		slices.Values(o.more)(yield)
	}
}

// Change is what a list of secrets adds to any Pod. It may share memory with
// their fragments and is read-only once made.
type Change struct {
	secrets     []Secret
	vars        named[variable]
	volumes     named[volume]
	mounts      named[mounted] // by clean path
	fetchers    named[fetcher]
	pullSecrets named[corev1.LocalObjectReference]
	annotations map[string]annotation
	lists       named[owners] // annotations that list containers

	files    []file
	fileTree tree[int] // the places of files in the slice

	adding   int // the secret that is being added
	failed   map[int]bool
	problems []Problem
}

type fetcher struct {
	*corev1.Container
	owners
}

type annotation struct {
	value string
	must  bool // rather than a default
	first int  // the first secret that needs it
}

// Merge adds up what the secrets need, and finds out which of them cannot be
// together. Fragments must be valid. With a problem, the Change is of no use but
// for finding more.
func Merge(layout mount.Layout, secrets []Secret) (*Change, []Problem) {
	c := &Change{secrets: secrets}
	variables := 3 // those by which the client finds the others
	for i := range secrets {
		if !secrets[i].Fragment.File || secrets[i].EnvVar != "" {
			variables++
		}
	}
	c.vars.grow(variables)
	layout = layout.WithDefaults()
	for c.adding = range secrets {
		c.add(&secrets[c.adding], layout)
	}
	c.findShadowed(layout)
	// Only now are all values known that win over defaults, and all primary
	// names, in whose way no second name may be.
	for c.adding = range secrets {
		s := &secrets[c.adding]
		c.addAnnotations(s.Fragment.DefaultAnnotations, false)
		c.addSecondName(s, layout)
	}
	c.findHidden()
	return c, c.problems
}

func (c *Change) add(s *Secret, layout mount.Layout) {
	f := &s.Fragment
	c.addVolumes(f, s.layout(layout).Dir)
	if f.File {
		c.addFile(s, layout)
	} else {
		c.addValue(s, layout)
	}
	for i := range f.Fetchers {
		c.addFetcher(&f.Fetchers[i])
	}
	c.addAnnotations(f.Annotations, true)
	if key := f.ContainersAnnotation; key != "" {
		if o, ok := c.lists.get(key); ok {
			o.add(c.adding)
		} else {
			c.lists.add(key, owners{first: c.adding})
		}
	}
	for _, ref := range f.ImagePullSecrets {
		if _, ok := c.pullSecrets.get(ref.Name); !ok {
			c.pullSecrets.add(ref.Name, ref)
		}
	}
}

func (c *Change) addFetcher(container *corev1.Container) {
	old, ok := c.fetchers.get(container.Name)
	switch {
	case !ok:
		if c.fetchers.items == nil {
			c.fetchers.grow(len(c.secrets))
		}
		c.fetchers.add(container.Name, fetcher{container, owners{first: c.adding}})
	case !equality.Semantic.DeepEqual(old.Container, container):
		c.conflict(old.first, "initContainers", container.Name, "would have to do two different things")
	default:
		old.owners.add(c.adding)
	}
}

// addAnnotations adds those that must be, or defaults. All that must be come
// before.
func (c *Change) addAnnotations(annotations map[string]string, must bool) {
	if c.annotations == nil && len(annotations) > 0 {
		c.annotations = make(map[string]annotation)
	}
	var conflicts []string
	for key, value := range annotations {
		old, ok := c.annotations[key]
		switch {
		case !ok:
			c.annotations[key] = annotation{value, must, c.adding}
		case old.must && !must:
		case old.value != value:
			conflicts = append(conflicts, key)
		}
	}
	if len(conflicts) > 0 {
		key := slices.Min(conflicts)
		c.conflict(c.annotations[key].first, "metadata.annotations", key, "would need two values")
	}
}

// needing returns the secrets for which an annotation must be.
func (c *Change) needing(key string) owners {
	of := owners{first: c.annotations[key].first}
	for i := of.first + 1; i < len(c.secrets); i++ {
		if _, ok := c.secrets[i].Fragment.Annotations[key]; ok {
			of.add(i)
		}
	}
	return of
}

func (c *Change) conflict(other int, field, name, reason string) {
	c.problem(other, &mount.ConflictError{Field: field, Name: name, Reason: reason})
}

// problem keeps the first problem of a secret; the next are often the same one,
// seen from another side.
func (c *Change) problem(other int, err error) {
	if c.failed == nil {
		c.failed = make(map[int]bool)
	}
	if !c.failed[c.adding] {
		c.failed[c.adding] = true
		c.problems = append(c.problems, Problem{c.adding, other, err})
	}
}

func quote(s string) string { return strconv.Quote(s) }

func sortedKeys[T any](m map[string]T) []string {
	keys := slices.AppendSeq(make([]string, 0, len(m)), maps.Keys(m))
	slices.Sort(keys)
	return keys
}
