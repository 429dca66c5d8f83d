package merge

import (
	"iter"
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/podsecrets/podsecrets/mount"
)

// Secret is one secret that a Pod asks for, and what its manager answered.
type Secret struct {
	Group, Version, Key string
	EnvVar              string // an extra variable, or ""
	Fragment            mount.Fragment
}

// Variable returns the name of the variable that holds the secret.
func (s *Secret) Variable(layout mount.Layout) string {
	return layout.EnvVar(s.Group, s.version(), s.Key)
}

// Path returns the file that holds the secret.
func (s *Secret) Path(layout mount.Layout) string {
	return s.layout(layout).Path(s.Group, s.version(), s.Key)
}

// version is the one that the primary name carries, otherVersion that of the
// second.
func (s *Secret) version() string {
	if s.Fragment.Versioned {
		return s.Version
	}
	return ""
}

func (s *Secret) otherVersion() string {
	if s.Fragment.Versioned {
		return ""
	}
	return s.Version
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

func (o *owners) add(secret int) { o.more = append(o.more, secret) }

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
	vars        list[variable]
	volumes     list[volume]
	mounts      list[mounted] // by clean path
	fetchers    list[fetcher]
	pullSecrets list[corev1.LocalObjectReference]
	annotations map[string]annotation
	lists       map[string]*owners // annotations that list containers

	files    []file
	fileTree tree[int]        // the places of files in the slice
	covers   map[string][]int // a path at which a mount would hide files, and these

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
	owners
}

// Merge adds up what the secrets need, and finds out which of them cannot be
// together. Fragments must be valid. With a problem, the Change is of no use but
// for finding more.
func Merge(layout mount.Layout, secrets []Secret) (*Change, []Problem) {
	c := &Change{
		annotations: make(map[string]annotation),
		lists:       make(map[string]*owners),
		covers:      make(map[string][]int),
		failed:      make(map[int]bool),
	}
	layout = layout.WithDefaults()
	for c.adding = range secrets {
		c.add(&secrets[c.adding], layout)
	}
	c.findShadowed(layout, secrets)
	// Only now are all values known that win over defaults, and all primary
	// names, in whose way no second name may be.
	for c.adding = range secrets {
		s := &secrets[c.adding]
		for _, key := range sortedKeys(s.Fragment.DefaultAnnotations) {
			c.addAnnotation(key, s.Fragment.DefaultAnnotations[key], false)
		}
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
	for _, key := range sortedKeys(f.Annotations) {
		c.addAnnotation(key, f.Annotations[key], true)
	}
	if key := f.ContainersAnnotation; key != "" {
		if o, ok := c.lists[key]; ok {
			o.add(c.adding)
		} else {
			c.lists[key] = &owners{first: c.adding}
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
		c.fetchers.add(container.Name, fetcher{container, owners{first: c.adding}})
	case !equality.Semantic.DeepEqual(old.Container, container):
		c.conflict(old.first, "initContainers", container.Name, "would have to do two different things")
	default:
		old.owners.add(c.adding)
	}
}

// addAnnotation adds one that must be, or a default. All that must be come
// before.
func (c *Change) addAnnotation(key, value string, must bool) {
	old, ok := c.annotations[key]
	switch {
	case !ok:
		c.annotations[key] = annotation{value, must, owners{first: c.adding}}
	case old.must && !must:
	case old.value != value:
		c.conflict(old.first, "metadata.annotations", key, "would need two values")
	default:
		old.owners.add(c.adding)
		c.annotations[key] = old
	}
}

func (c *Change) conflict(other int, field, name, reason string) {
	c.problem(other, &mount.ConflictError{Field: field, Name: name, Reason: reason})
}

// problem keeps the first problem of a secret; the next are often the same one,
// seen from another side.
func (c *Change) problem(other int, err error) {
	if !c.failed[c.adding] {
		c.failed[c.adding] = true
		c.problems = append(c.problems, Problem{c.adding, other, err})
	}
}

func quote(s string) string { return strconv.Quote(s) }

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
