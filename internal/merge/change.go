package merge

import (
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
// that conflict, the later one.
type Problem struct {
	Secret int
	Err    error
}

// Change is what a list of secrets adds to any Pod. It may share memory with
// their fragments and is read-only once made.
type Change struct {
	vars        list[variable]
	volumes     list[volume]
	mounts      list[mounted] // by clean path
	fetchers    list[fetcher]
	pullSecrets list[pullSecret]
	annotations map[string]annotation
	lists       map[string]int // annotations that list containers, and their owners

	files    []file
	fileTree tree[int] // the places of files in the slice

	mountTree tree[struct{}]    // the mounts' paths
	covers    map[string]string // a path at which a mount would hide a file, and that file

	owner    int // the secret that is being added
	failed   map[int]bool
	problems []Problem
}

type fetcher struct {
	*corev1.Container
	owner int
}

type pullSecret struct {
	corev1.LocalObjectReference
	owner int
}

type annotation struct {
	value string
	must  bool // rather than a default
	owner int
}

// Merge adds up what the secrets need, and finds out which of them cannot be
// together. Fragments must be valid. With a problem, the Change is of no use but
// for finding more.
func Merge(layout mount.Layout, secrets []Secret) (*Change, []Problem) {
	c := &Change{
		annotations: make(map[string]annotation),
		lists:       make(map[string]int),
		covers:      make(map[string]string),
		failed:      make(map[int]bool),
	}
	layout = layout.WithDefaults()
	for c.owner = range secrets {
		c.add(&secrets[c.owner], layout)
	}
	// Only now are all primary names known, in whose way no second name may be.
	for c.owner = range secrets {
		c.addSecondName(&secrets[c.owner], layout)
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
		c.addAnnotation(key, annotation{f.Annotations[key], true, c.owner})
	}
	for _, key := range sortedKeys(f.DefaultAnnotations) {
		c.addAnnotation(key, annotation{f.DefaultAnnotations[key], false, c.owner})
	}
	if key := f.ContainersAnnotation; key != "" {
		if _, ok := c.lists[key]; !ok {
			c.lists[key] = c.owner
		}
	}
	for _, ref := range f.ImagePullSecrets {
		if _, ok := c.pullSecrets.get(ref.Name); !ok {
			c.pullSecrets.add(ref.Name, pullSecret{ref, c.owner})
		}
	}
}

func (c *Change) addFetcher(container *corev1.Container) {
	old, ok := c.fetchers.get(container.Name)
	switch {
	case !ok:
		c.fetchers.add(container.Name, fetcher{container, c.owner})
	case !equality.Semantic.DeepEqual(old.Container, container):
		c.conflict("initContainers", container.Name, "would have to do two different things")
	}
}

// addAnnotation lets what must be win over a default.
func (c *Change) addAnnotation(key string, a annotation) {
	old, ok := c.annotations[key]
	switch {
	case !ok, a.must && !old.must:
		c.annotations[key] = a
	case old.value != a.value && old.must == a.must:
		c.conflict("metadata.annotations", key, "would need two values")
	}
}

func (c *Change) conflict(field, name, reason string) {
	c.problem(&mount.ConflictError{Field: field, Name: name, Reason: reason})
}

// problem keeps the first problem of a secret; the next are often the same one,
// seen from another side.
func (c *Change) problem(err error) {
	if !c.failed[c.owner] {
		c.failed[c.owner] = true
		c.problems = append(c.problems, Problem{c.owner, err})
	}
}

func quote(s string) string { return strconv.Quote(s) }

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
