package merge

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// projection is the content of a projected volume: keys of Secrets, each at a path.
type projection struct {
	sources       []source
	sourceIndexes map[sourceID]int // nil for a single source
	items         []item
	tree          tree[int] // indexes of items by path; empty up to linearMax items
}

type source struct {
	sourceID
	optional *bool // as in the fragment
}

// sourceID identifies a source. A Secret that is optional for one request and required for
// another is two sources.
type sourceID struct {
	name     string
	optional bool
}

func sourceIDOf(s *corev1.SecretProjection) sourceID {
	return sourceID{s.Name, s.Optional != nil && *s.Optional}
}

// item is one file of a projected volume.
type item struct {
	corev1.KeyToPath
	source int    // index in sources
	alias  string // of an alias: its path in the container; it is left out if it cannot exist
	requesters
}

// projectsSecrets reports whether a volume projects only keys of Secrets. Such volumes with
// the same name are merged.
func projectsSecrets(v *corev1.Volume) bool {
	if v.Projected == nil || len(v.Projected.Sources) == 0 {
		return false
	}
	for i := range v.Projected.Sources {
		if s := &v.Projected.Sources[i]; s.Secret == nil || len(s.Secret.Items) == 0 {
			return false
		}
	}
	return true
}

// hasOneItem reports whether a volume projects a single key.
func hasOneItem(v *corev1.Volume) bool {
	return projectsSecrets(v) && len(v.Projected.Sources) == 1 && len(v.Projected.Sources[0].Secret.Items) == 1
}

// project adds the items of a secret's volume.
func (c *Change) project(v *volume, i int, from *corev1.ProjectedVolumeSource) {
	if v.merged == nil {
		v.merged = new(projection)
		if v.Projected != from {
			v.merged.addFirst(v.Projected, v.first)
		}
	}
	for j := range from.Sources {
		s := from.Sources[j].Secret
		at := v.merged.sourceIndex(s)
		for _, it := range s.Items {
			c.addItem(v, i, item{KeyToPath: it, source: at, requesters: requesters{first: i}})
		}
	}
}

// addFirst adds the only item of the first fragment.
func (p *projection) addFirst(from *corev1.ProjectedVolumeSource, first int) {
	s := from.Sources[0].Secret
	p.put(item{KeyToPath: s.Items[0], source: p.sourceIndex(s), requesters: requesters{first: first}})
}

// lookup returns the index of the item at a path.
func (p *projection) lookup(file string) (int, bool) {
	if p.tree.files != nil {
		at, ok := p.tree.files[file]
		return at, ok
	}
	for i := range p.items {
		if p.items[i].Path == file {
			return i, true
		}
	}
	return 0, false
}

// blocked reports the same as tree.blocked.
func (p *projection) blocked(file string) (reason string, by int, blocked bool) {
	if p.tree.files != nil {
		return p.tree.blocked(file)
	}
	for i := range p.items {
		switch other := p.items[i].Path; {
		case other == file:
		case isUnder(file, other):
			return reasonDirectory, i, true
		case isUnder(other, file):
			return reasonBelow(other), i, true
		}
	}
	return "", 0, false
}

func (p *projection) put(it item) {
	p.items = append(p.items, it)
	switch {
	case p.tree.files != nil:
		p.tree.add(it.Path, len(p.items)-1)
	case len(p.items) > linearMax:
		for i := range p.items {
			p.tree.add(p.items[i].Path, i)
		}
	}
}

// sourceIndex returns the index of a Secret in sources. It adds a missing source.
func (p *projection) sourceIndex(s *corev1.SecretProjection) int {
	id := sourceIDOf(s)
	if last := len(p.sources) - 1; last >= 0 && p.sources[last].sourceID == id {
		return last
	}
	if at, ok := p.sourceIndexes[id]; ok {
		return at
	}
	p.sources = append(p.sources, source{id, s.Optional})
	if len(p.sources) > 1 {
		if p.sourceIndexes == nil {
			p.sourceIndexes = map[sourceID]int{p.sources[0].sourceID: 0}
		}
		p.sourceIndexes[id] = len(p.sources) - 1
	}
	return len(p.sources) - 1
}

func (c *Change) addItem(v *volume, i int, it item) {
	p := v.merged
	if at, ok := p.lookup(it.Path); ok {
		if old := &p.items[at]; old.source == it.source && equality.Semantic.DeepEqual(old.KeyToPath, it.KeyToPath) {
			old.requesters.add(i)
		} else {
			c.conflict(i, old.first, "volumes", v.Name, "would have two different keys or modes at "+quote(it.Path))
		}
		return
	}
	// The kubelet cannot mount such a volume, although it passes validation.
	if reason, by, blocked := p.blocked(it.Path); blocked {
		c.conflict(i, p.items[by].first, "volumes", v.Name, "has "+quote(it.Path)+", which "+reason)
		return
	}
	p.put(it)
}

// volumeSources returns the sources with the items that include selects.
func (p *projection) volumeSources(include func(*item) bool) []corev1.VolumeProjection {
	items := make([][]corev1.KeyToPath, len(p.sources))
	for i := range p.items {
		if it := &p.items[i]; include(it) {
			items[it.source] = append(items[it.source], it.KeyToPath)
		}
	}
	out := make([]corev1.VolumeProjection, 0, len(p.sources))
	for i, s := range p.sources {
		if len(items[i]) > 0 {
			out = append(out, s.with(items[i]))
		}
	}
	return out
}

func (s source) with(items []corev1.KeyToPath) corev1.VolumeProjection {
	return corev1.VolumeProjection{Secret: &corev1.SecretProjection{
		LocalObjectReference: corev1.LocalObjectReference{Name: s.name}, Items: items, Optional: s.optional,
	}}
}
