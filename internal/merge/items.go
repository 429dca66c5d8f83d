package merge

import (
	"path"

	corev1 "k8s.io/api/core/v1"
)

// addItems adds the missing items to an existing volume: to the Secret's source there, or
// in a new source. Other sources stay as they are.
func (d *decision) addItems(v scopedVolume, m *match[corev1.Volume]) {
	sources := m.get().Projected.Sources
	p := v.projection()
	existing := existingItems(sources, p)
	added := make([][]*corev1.KeyToPath, len(p.sources))
	for i := range p.items {
		it := &p.items[i]
		key, ok := existing.files[it.Path]
		reason, _, blocked := existing.blocked(it.Path)
		switch {
		case ok && key == projectedKey{p.sources[it.source].name, it.Key}:
		case it.alias != "" && (ok || blocked || d.blocksMountDir(v.scope, it)):
		case ok:
			d.volumeConflict(v.volume, it.requesters, m.index, "already has another key at "+quote(it.Path))
		case blocked:
			d.volumeConflict(v.volume, it.requesters, m.index, "cannot have "+quote(it.Path)+", which "+reason)
		default:
			added[it.source] = append(added[it.source], &it.KeyToPath)
			existing.add(it.Path, projectedKey{p.sources[it.source].name, it.Key})
		}
	}
	d.addToSources(p, m, sources, added)
}

// addToSources adds items by source. It adds no items to an existing source that already
// has all keys of its Secret.
func (d *decision) addToSources(p *projection, m *match[corev1.Volume], existing []corev1.VolumeProjection, added [][]*corev1.KeyToPath) {
	indexes := make(map[sourceID]int, len(existing))
	for i := range existing {
		if s := existing[i].Secret; s != nil && len(s.Items) > 0 {
			indexes[sourceIDOf(s)] = i
		}
	}
	var sources []*corev1.VolumeProjection
	for i, items := range added {
		if len(items) == 0 {
			continue
		}
		s := p.sources[i]
		if at, ok := indexes[s.sourceID]; ok {
			count := len(existing[at].Secret.Items)
			addInsert(d, projectedItems, place{m.index, at}, count, count, items)
			continue
		}
		values := make([]corev1.KeyToPath, len(items))
		for j := range items {
			values[j] = *items[j]
		}
		source := s.with(values)
		sources = append(sources, &source)
	}
	addInsert(d, projectedSources, place{m.index, 0}, len(existing), len(existing), sources)
}

// projectedKey is a key of a Secret at a path of a projected volume. The zero value is
// anything else.
type projectedKey struct{ secret, key string }

// existingItems returns what the sources have at each path. It records only directories
// that would be files of ours, because there can be millions of others.
func existingItems(sources []corev1.VolumeProjection, ours *projection) *tree[projectedKey] {
	existing := &tree[projectedKey]{make(map[string]projectedKey), make(map[string]projectedKey)}
	add := func(p string, key projectedKey) {
		// The kubelet cleans paths, and uses any one of several items at a path.
		p = path.Clean(p)
		if other, ok := existing.files[p]; ok && other != key {
			key = projectedKey{}
		}
		existing.files[p] = key
		for dir := range parents(p) {
			if _, ok := ours.lookup(dir); ok {
				existing.dirs[dir] = key
			}
		}
	}
	for i := range sources {
		switch s := &sources[i]; {
		case s.Secret != nil:
			for _, it := range s.Secret.Items {
				add(it.Path, projectedKey{s.Secret.Name, it.Key})
			}
		case s.ConfigMap != nil:
			for _, it := range s.ConfigMap.Items {
				add(it.Path, projectedKey{})
			}
		case s.DownwardAPI != nil:
			for _, it := range s.DownwardAPI.Items {
				add(it.Path, projectedKey{})
			}
		case s.ServiceAccountToken != nil:
			add(s.ServiceAccountToken.Path, projectedKey{})
		}
	}
	return existing
}

// blocksMountDir reports whether an alias would be a file where a container needs a
// directory for one of its mounts.
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
