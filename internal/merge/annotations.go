package merge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/podsecrets/podsecrets/mount"
)

// MaxAnnotations limits the bytes of all names and values of a Pod's annotations. It is
// Kubernetes' limit (TotalAnnotationSizeLimitB in apimachinery's api/validation), which
// Kubernetes checks only after all mutating webhooks.
const MaxAnnotations = 256 << 10

// SizeOf returns the bytes of all names and values of annotations.
func SizeOf(annotations map[string]string) (size int) {
	for name, value := range annotations {
		size += len(name) + len(value)
	}
	return size
}

type annotation struct {
	value string
	kind  annotationKind
	first int // the first secret that needs it
}

// annotationKind decides what happens if the Pod has a different value.
type annotationKind uint8

const (
	annotationRequired annotationKind = iota // conflict
	annotationDefault                        // the Pod's own wins
	annotationAlias                          // there is no alias
)

// addDefaultAnnotations adds annotations that give way to required ones. All required
// ones must have been added.
func (c *Change) addDefaultAnnotations(i int) {
	if w := c.secrets[i].Fragment.Webhook; w != nil {
		c.addAnnotations(i, w.DefaultAnnotations, annotationDefault)
	}
}

func (c *Change) addAnnotations(i int, annotations map[string]string, kind annotationKind) {
	if c.annotations == nil && len(annotations) > 0 {
		c.annotations = make(map[string]annotation, min(8*len(c.secrets), 1<<10))
	}
	var conflicts []string
	for key, value := range annotations {
		old, ok := c.annotations[key]
		switch {
		case !ok:
			c.annotations[key] = annotation{value, kind, i}
		case old.kind == annotationRequired && kind == annotationDefault:
		case old.value != value:
			conflicts = append(conflicts, key)
		}
	}
	if len(conflicts) > 0 {
		key := slices.Min(conflicts)
		c.conflict(i, c.annotations[key].first, "metadata.annotations", key, "would need two different values")
	}
}

// addAliasAnnotations adds the annotations that make the webhook provide the alias. It
// returns false if there are none, or if another request needs a different value.
func (c *Change) addAliasAnnotations(i int) bool {
	annotations := c.secrets[i].Fragment.Webhook.AliasAnnotations
	for key, value := range annotations {
		if old, ok := c.annotations[key]; ok && old.value != value {
			return false
		}
	}
	c.addAnnotations(i, annotations, annotationAlias)
	return len(annotations) > 0
}

// requiredBy returns the secrets that require the annotation.
func (c *Change) requiredBy(key string) requesters {
	return c.requestersOf(func(s *Secret) bool {
		w := s.Fragment.Webhook
		if w == nil {
			return false
		}
		_, ok := w.Annotations[key]
		return ok
	})
}

// annotate adds the missing annotations.
func (d *decision) annotate() error {
	if len(d.change.webhooks) == 0 {
		return nil
	}
	have := d.view.Metadata.Annotations
	missing := d.missingAnnotations()
	for i := range d.change.webhooks {
		w := &d.change.webhooks[i]
		if value := d.listContainers(w); value != "" {
			missing = append(missing, pair{w.ContainersAnnotation, value})
		}
		d.checkRan(w, missing)
		d.checkFiles(w)
	}
	slices.SortFunc(missing, byKey)
	return d.addAnnotations(have, missing)
}

// missingAnnotations returns the annotations that the Pod lacks, sorted by name, and
// reports required ones with a different value. An alias' annotations are added only if
// none of them has a different value.
func (d *decision) missingAnnotations() []pair {
	have := d.view.Metadata.Annotations
	var missing []pair
	var different []string
	blocked := make(map[int]bool)
	for key, a := range d.change.annotations {
		if a.kind == annotationAlias {
			aliasBlocked, known := blocked[a.first]
			if !known {
				aliasBlocked = d.aliasIsBlocked(a.first)
				blocked[a.first] = aliasBlocked
			}
			if aliasBlocked {
				continue
			}
		}
		switch value, ok := have[key]; {
		case !ok:
			if missing == nil {
				missing = make([]pair, 0, len(d.change.annotations)+1)
			}
			missing = append(missing, pair{key, a.value})
		case a.kind == annotationRequired && value != a.value:
			different = append(different, key)
		}
	}
	slices.Sort(different)
	for _, key := range different {
		if d.tooManyProblems() {
			break
		}
		d.annotationConflict(d.change.requiredBy(key), key, "already has a different value")
	}
	slices.SortFunc(missing, byKey)
	return missing
}

func byKey(a, b pair) int { return strings.Compare(a.key, b.key) }

// aliasIsBlocked reports whether the Pod has one of the alias' annotations with a
// different value, or the webhook has already changed the Pod.
func (d *decision) aliasIsBlocked(i int) bool {
	w := d.change.secrets[i].Fragment.Webhook
	if d.hasRanMark(w) {
		return true
	}
	for key, value := range w.AliasAnnotations {
		if existing, ok := d.view.Metadata.Annotations[key]; ok && existing != value {
			return true
		}
	}
	return false
}

// hasRanMark reports whether the Pod says that the webhook has changed it.
func (d *decision) hasRanMark(w *mount.Webhook) bool {
	value, ok := d.view.Metadata.Annotations[w.RanAnnotation]
	return ok && value == w.RanValue
}

func (d *decision) addAnnotations(have map[string]string, missing []pair) error {
	if len(missing) == 0 {
		return nil
	}
	total := SizeOf(have)
	for _, p := range missing {
		total += len(p.key) + len(p.value)
	}
	if total > MaxAnnotations {
		return fmt.Errorf("%w: annotations would have %d bytes (maximum %d)", mount.ErrTooLarge, total, MaxAnnotations)
	}
	d.edits = append(d.edits, annotate{len(have), d.view.noMetadata, missing})
	return nil
}

func (d *decision) annotationConflict(reqs requesters, key, reason string) {
	d.conflict(reqs, &mount.ConflictError{
		Path: "metadata.annotations[" + key + "]", Field: "metadata.annotations", Name: key, Reason: reason,
	})
}
