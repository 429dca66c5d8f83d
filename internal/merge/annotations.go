package merge

import (
	"fmt"
	"slices"
	"strings"

	"github.com/podsecrets/podsecrets/mount"
)

// MaxAnnotations is how many bytes the names and values of a Pod's annotations
// may have together: Kubernetes' own limit (TotalAnnotationSizeLimitB of
// apimachinery's api/validation), which it checks only after all mutating webhooks
// were called.
const MaxAnnotations = 256 << 10

// SizeOf returns how many bytes the names and values of annotations have.
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

// annotationKind decides what happens where the Pod has another value.
type annotationKind uint8

const (
	annotationRequired annotationKind = iota // a conflict
	annotationDefault                        // the Pod's own wins
	annotationAlias                          // the alias gives way
)

// addDefaultAnnotations adds annotations that give way to required ones, which
// must all be known.
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
		c.conflict(i, c.annotations[key].first, "metadata.annotations", key, "would need two values")
	}
}

// addAliasAnnotations adds those by which the webhook brings the alias, unless
// another request needs one of them with another value.
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

// needing returns the secrets that require an annotation.
func (c *Change) needing(key string) requesters {
	r := requesters{first: c.annotations[key].first}
	for i := r.first + 1; i < len(c.secrets); i++ {
		if w := c.secrets[i].Fragment.Webhook; w != nil {
			if _, ok := w.Annotations[key]; ok {
				r.add(i)
			}
		}
	}
	return r
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

// missingAnnotations returns those that the Pod does not have, sorted, and reports
// those that have another value. The annotations of an alias are added if
// none of them has another value.
func (d *decision) missingAnnotations() []pair {
	have := d.view.Metadata.Annotations
	var missing []pair
	var others []string
	blocked := make(map[int]bool)
	for key, a := range d.change.annotations {
		if a.kind == annotationAlias {
			is, known := blocked[a.first]
			if !known {
				is = d.aliasIsBlocked(a.first)
				blocked[a.first] = is
			}
			if is {
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
			others = append(others, key)
		}
	}
	slices.Sort(others)
	for _, key := range others {
		if d.full() {
			break
		}
		d.annotationConflict(d.change.needing(key), key, "has another value already")
	}
	slices.SortFunc(missing, byKey)
	return missing
}

func byKey(a, b pair) int { return strings.Compare(a.key, b.key) }

// aliasIsBlocked reports whether the Pod has one of the alias' annotations with
// another value, or has passed the webhook already.
func (d *decision) aliasIsBlocked(i int) bool {
	w := d.change.secrets[i].Fragment.Webhook
	if d.saysItRan(w) {
		return true
	}
	for key, value := range w.AliasAnnotations {
		if found, ok := d.view.Metadata.Annotations[key]; ok && found != value {
			return true
		}
	}
	return false
}

func (d *decision) saysItRan(w *mount.Webhook) bool {
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
		return fmt.Errorf("%w: its annotations would have %d bytes, of at most %d", mount.ErrTooLarge, total, MaxAnnotations)
	}
	d.edits = append(d.edits, annotate{len(have), d.view.noMetadata, missing})
	return nil
}

func (d *decision) annotationConflict(of requesters, key, reason string) {
	d.conflict(of, &mount.ConflictError{
		Path: "metadata.annotations[" + key + "]", Field: "metadata.annotations", Name: key, Reason: reason,
	})
}
