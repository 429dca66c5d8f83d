package merge

import (
	"path"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// projection is what a projected volume holds of Secrets: for each Secret some
// of its keys, each at a path.
type projection struct {
	sources []source
	places  map[sourceID]int // of sources, if there are several
	items   []item
	tree    tree[int] // the places of items by path, if there are more than few
}

type source struct {
	sourceID
	optional *bool // as the fragment has it
}

// sourceID is a Secret. One that is optional for one request and required for
// another is two sources.
type sourceID struct {
	name     string
	optional bool
}

func idOf(s *corev1.SecretProjection) sourceID {
	return sourceID{s.Name, s.Optional != nil && *s.Optional}
}

// item is one file of a projected volume.
type item struct {
	corev1.KeyToPath
	source int    // its place in sources
	alias  string // of an alias, which is left out where it cannot be: its path in the container
	requesters
}

// projectsSecrets reports whether a volume projects keys of Secrets and nothing
// else. Such volumes of one name are merged.
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
	if v.grown == nil {
		v.grown = new(projection)
		if v.Projected != from {
			v.grown.addFirst(v.Projected, v.first)
		}
	}
	for j := range from.Sources {
		s := from.Sources[j].Secret
		at := v.grown.source(s)
		for _, it := range s.Items {
			c.addItem(v, i, item{KeyToPath: it, source: at, requesters: requesters{first: i}})
		}
	}
}

// addFirst adds the one item of the first fragment.
func (p *projection) addFirst(from *corev1.ProjectedVolumeSource, first int) {
	s := from.Sources[0].Secret
	p.put(item{KeyToPath: s.Items[0], source: p.source(s), requesters: requesters{first: first}})
}

// find returns the place of the item at a path.
func (p *projection) find(file string) (int, bool) {
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

// blocked is tree.blocked.
func (p *projection) blocked(file string) (reason string, by int, blocked bool) {
	if p.tree.files != nil {
		return p.tree.blocked(file)
	}
	for i := range p.items {
		switch other := p.items[i].Path; {
		case other == file:
		case isUnder(file, other):
			return isDirectory, i, true
		case isUnder(other, file):
			return isBelow(other), i, true
		}
	}
	return "", 0, false
}

func (p *projection) put(it item) {
	p.items = append(p.items, it)
	switch {
	case p.tree.files != nil:
		p.tree.add(it.Path, len(p.items)-1)
	case len(p.items) > few:
		for i := range p.items {
			p.tree.add(p.items[i].Path, i)
		}
	}
}

// source returns the place of the Secret among the sources.
func (p *projection) source(s *corev1.SecretProjection) int {
	id := idOf(s)
	if last := len(p.sources) - 1; last >= 0 && p.sources[last].sourceID == id {
		return last
	}
	if at, ok := p.places[id]; ok {
		return at
	}
	p.sources = append(p.sources, source{id, s.Optional})
	if len(p.sources) > 1 {
		if p.places == nil {
			p.places = map[sourceID]int{p.sources[0].sourceID: 0}
		}
		p.places[id] = len(p.sources) - 1
	}
	return len(p.sources) - 1
}

func (c *Change) addItem(v *volume, i int, it item) {
	p := v.grown
	if at, ok := p.find(it.Path); ok {
		if old := &p.items[at]; old.source == it.source && equality.Semantic.DeepEqual(old.KeyToPath, it.KeyToPath) {
			old.requesters.add(i)
		} else {
			c.conflict(i, old.first, "volumes", v.Name, "would have two different keys or modes at "+quote(it.Path))
		}
		return
	}
	// The kubelet never gets such a volume mounted, though it passes
	// validation.
	if reason, by, blocked := p.blocked(it.Path); blocked {
		c.conflict(i, p.items[by].first, "volumes", v.Name, "has "+quote(it.Path)+", which "+reason)
		return
	}
	p.put(it)
}

// all returns the sources with those items that the function chooses.
func (p *projection) all(choose func(*item) bool) []corev1.VolumeProjection {
	items := make([][]corev1.KeyToPath, len(p.sources))
	for i := range p.items {
		if it := &p.items[i]; choose(it) {
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

// addItems adds the missing items to the Pod's volume that was found: to the
// Secret's source there, or in a source of their own. Sources that others have
// added stay.
func (d *decision) addItems(v scopedVolume, m *match[corev1.Volume]) {
	found := m.get().Projected.Sources
	p := v.projection()
	held := holdings(found, p)
	added := make([][]*corev1.KeyToPath, len(p.sources))
	for i := range p.items {
		it := &p.items[i]
		by, ok := held.files[it.Path]
		reason, _, blocked := held.blocked(it.Path)
		switch {
		case ok && by == holding{p.sources[it.source].name, it.Key}:
		case it.alias != "" && (ok || blocked || d.blocksMountDir(v.scope, it)):
		case ok:
			d.volumeConflict(v.volume, it.requesters, m.index, "has another key at "+quote(it.Path)+" already")
		case blocked:
			d.volumeConflict(v.volume, it.requesters, m.index, "cannot take "+quote(it.Path)+", which "+reason)
		default:
			added[it.source] = append(added[it.source], &it.KeyToPath)
			held.add(it.Path, holding{p.sources[it.source].name, it.Key})
		}
	}
	d.addToSources(p, m, found, added)
}

// addToSources adds items by source. A source that is there and has all keys of
// its Secret takes no items.
func (d *decision) addToSources(p *projection, m *match[corev1.Volume], found []corev1.VolumeProjection, added [][]*corev1.KeyToPath) {
	places := make(map[sourceID]int, len(found))
	for i := range found {
		if s := found[i].Secret; s != nil && len(s.Items) > 0 {
			places[idOf(s)] = i
		}
	}
	var sources []*corev1.VolumeProjection
	for i, items := range added {
		if len(items) == 0 {
			continue
		}
		s := p.sources[i]
		if at, ok := places[s.sourceID]; ok {
			count := len(found[at].Secret.Items)
			add(d, projectedItems, place{m.index, at}, count, count, items)
			continue
		}
		values := make([]corev1.KeyToPath, len(items))
		for j := range items {
			values[j] = *items[j]
		}
		source := s.with(values)
		sources = append(sources, &source)
	}
	add(d, projectedSources, place{m.index, 0}, len(found), len(found), sources)
}

// holding is what a projected volume has at a path: a key of a Secret. The zero
// value is anything else.
type holding struct{ secret, key string }

// holdings returns what the sources have at which path. Of the directories above,
// which can be millions, only those count that would be files of ours.
func holdings(sources []corev1.VolumeProjection, ours *projection) *tree[holding] {
	held := &tree[holding]{make(map[string]holding), make(map[string]holding)}
	put := func(p string, h holding) {
		// The kubelet cleans paths, and of two items at one it takes any.
		p = path.Clean(p)
		if other, ok := held.files[p]; ok && other != h {
			h = holding{}
		}
		held.files[p] = h
		for dir := range parents(p) {
			if _, ok := ours.find(dir); ok {
				held.dirs[dir] = h
			}
		}
	}
	for i := range sources {
		switch s := &sources[i]; {
		case s.Secret != nil:
			for _, it := range s.Secret.Items {
				put(it.Path, holding{s.Secret.Name, it.Key})
			}
		case s.ConfigMap != nil:
			for _, it := range s.ConfigMap.Items {
				put(it.Path, holding{})
			}
		case s.DownwardAPI != nil:
			for _, it := range s.DownwardAPI.Items {
				put(it.Path, holding{})
			}
		case s.ServiceAccountToken != nil:
			put(s.ServiceAccountToken.Path, holding{})
		}
	}
	return held
}

// blocksMountDir reports whether the alias would be a file where a container
// needs the directory of one of its mounts.
func (d *decision) blocksMountDir(sc *scope, it *item) bool {
	if it.alias == "" {
		return false
	}
	dirs, ok := d.mountDirs[sc]
	if !ok {
		dirs = make(map[string]bool)
		for _, r := range d.receivers {
			for _, m := range r.mounts {
				for dir := range parents(absolute(m.path)) {
					if _, ours := sc.fileTree.files[dir]; ours && r.scope == sc {
						dirs[dir] = true
					}
				}
			}
		}
		if d.mountDirs == nil {
			d.mountDirs = make(map[*scope]map[string]bool)
		}
		d.mountDirs[sc] = dirs
	}
	return dirs[it.alias]
}
