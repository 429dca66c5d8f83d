package merge

import (
	"maps"
	"slices"
	"strings"
)

type annotation struct {
	value string
	must  bool // rather than a default
	first int  // the first secret that needs it
}

// addAnnotations adds those that must be, or defaults. All that must be come
// before.
func (c *Change) addAnnotations(i int, annotations map[string]string, must bool) {
	if c.annotations == nil && len(annotations) > 0 {
		c.annotations = make(map[string]annotation)
	}
	var conflicts []string
	for key, value := range annotations {
		old, ok := c.annotations[key]
		switch {
		case !ok:
			c.annotations[key] = annotation{value, must, i}
		case old.must && !must:
		case old.value != value:
			conflicts = append(conflicts, key)
		}
	}
	if len(conflicts) > 0 {
		key := slices.Min(conflicts)
		c.conflict(i, c.annotations[key].first, "metadata.annotations", key, "would need two values")
	}
}

// addListOfNames adds the annotation that lists the receiving containers.
func (c *Change) addListOfNames(i int) {
	key := c.secrets[i].Fragment.ContainersAnnotation
	if key == "" {
		return
	}
	if r, ok := c.listsOfNames.get(key); ok {
		r.add(i)
	} else {
		c.listsOfNames.add(key, requesters{first: i})
	}
}

// needing returns the secrets for which an annotation must be.
func (c *Change) needing(key string) requesters {
	r := requesters{first: c.annotations[key].first}
	for i := r.first + 1; i < len(c.secrets); i++ {
		if _, ok := c.secrets[i].Fragment.Annotations[key]; ok {
			r.add(i)
		}
	}
	return r
}

func (d *decision) annotate() {
	have := d.view.Metadata.Annotations
	missing := make([]pair, 0, len(d.change.annotations))
	for _, key := range sortedKeys(d.change.annotations) {
		a := d.change.annotations[key]
		switch value, ok := have[key]; {
		case !ok:
			missing = append(missing, pair{key, a.value})
		case a.must && value != a.value && !d.full():
			d.conflict(d.change.needing(key), "", "metadata.annotations", key, "has another value already")
		}
	}
	d.hasAllAnnotations = len(missing) == 0
	for _, key := range sortedKeys(d.change.listsOfNames.at) {
		r, _ := d.change.listsOfNames.get(key)
		if value := d.listContainers(key, *r); value != "" {
			missing = append(missing, pair{key, value})
		}
	}
	if len(missing) > 0 {
		slices.SortFunc(missing, func(a, b pair) int { return strings.Compare(a.key, b.key) })
		d.edits = append(d.edits, annotate{len(have), missing})
	}
}

// listContainers returns the missing annotation that lists the receiving
// containers, or "" if there is one, or if all receive.
func (d *decision) listContainers(key string, r requesters) string {
	var names []string
	for _, r := range d.receivers {
		if !r.Init {
			names = append(names, r.Name)
		}
	}
	all := true
	for _, c := range d.leftOut {
		if c.Init {
			d.conflict(r, c.Name, "metadata.annotations", key, "cannot leave out an init container")
		} else {
			all = false
		}
	}
	value, ok := d.view.Metadata.Annotations[key]
	if a, set := d.change.annotations[key]; set && !ok {
		value, ok = a.value, true
	}
	switch {
	case !all && len(names) == 0:
		d.conflict(r, "", "metadata.annotations", key, "cannot leave out every container")
	case ok && !sameNames(strings.Split(value, ","), names):
		d.conflict(r, "", "metadata.annotations", key, "lists other containers than those that receive secrets")
	case !ok && !all:
		return strings.Join(names, ",")
	}
	return ""
}

func sameNames(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

func sortedKeys[T any](m map[string]T) []string {
	keys := slices.AppendSeq(make([]string, 0, len(m)), maps.Keys(m))
	slices.Sort(keys)
	return keys
}
