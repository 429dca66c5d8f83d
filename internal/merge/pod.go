package merge

import (
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

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
	d.annotated = len(missing) == 0
	for _, key := range sortedKeys(d.change.lists.at) {
		of, _ := d.change.lists.get(key)
		if value := d.listContainers(key, *of); value != "" {
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
func (d *decision) listContainers(key string, of owners) string {
	var names []string
	for _, r := range d.receivers {
		if !r.init {
			names = append(names, r.Name)
		}
	}
	all := true
	for _, c := range d.leftOut {
		if c.Init {
			d.conflict(of, c.Name, "metadata.annotations", key, "cannot leave out an init container")
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
		d.conflict(of, "", "metadata.annotations", key, "cannot leave out every container")
	case ok && !sameNames(strings.Split(value, ","), names):
		d.conflict(of, "", "metadata.annotations", key, "lists other containers than those that receive secrets")
	case !ok && !all:
		return strings.Join(names, ",")
	}
	return ""
}

func sameNames(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// addVolumes adds what is missing to the volumes that are there, and then the
// volumes that are missing.
func (d *decision) addVolumes() {
	have, count := d.view.volumesNamed(d.change.volumes.at), d.view.volumeCount()
	var missing []*corev1.Volume
	for i := range d.change.volumes.items {
		v := &d.change.volumes.items[i]
		switch f := &have[i]; {
		case !f.ok():
			missing = append(missing, d.whole(v))
		case f.raw != nil && f.is(d.whole(v), new([]byte)):
		case !sameSource(f.get(), v.Volume):
			d.conflict(v.owners, "", "volumes", v.Name, "has another source already")
		case len(v.items) > 0:
			d.addItems(v, f)
		}
	}
	add(d, podVolumes, 0, count, count, missing)
}

// whole returns the volume with all its items.
func (d *decision) whole(v *volume) *corev1.Volume {
	if len(v.items) == 0 {
		return v.Volume
	}
	out, source := *v.Volume, *v.Secret
	source.Items = make([]corev1.KeyToPath, 0, len(v.items))
	for i := range v.items {
		if !d.inTheWay(&v.items[i]) {
			source.Items = append(source.Items, v.items[i].KeyToPath)
		}
	}
	out.Secret = &source
	return &out
}

// addItems adds the missing items to the Pod's volume that was found.
func (d *decision) addItems(v *volume, f *found[corev1.Volume]) {
	have := f.get().Secret.Items
	if len(have) == 0 {
		d.conflict(v.owners, "", "volumes", v.Name, "holds the whole Secret, to which no list of keys can be added")
		return
	}
	// Of the directories above the Pod's own items, which can be millions, only
	// those count that would be files.
	files := tree[string]{make(map[string]string), make(map[string]string)}
	for _, it := range have {
		// The kubelet cleans paths, and of two items at one it takes any.
		p, key := path.Clean(it.Path), it.Key
		if other, ok := files.files[p]; ok && other != key {
			key = "" // neither
		}
		files.files[p] = key
		for dir := range above(p) {
			if _, ours := v.tree.files[dir]; ours {
				files.dirs[dir] = it.Key
			}
		}
	}
	var missing []*corev1.KeyToPath
	for i := range v.items {
		it := &v.items[i]
		key, ok := files.files[it.Path]
		reason, _, blocked := files.blocked(it.Path)
		switch {
		case ok && key == it.Key:
		case it.second != "" && (ok || blocked || d.inTheWay(it)):
		case ok:
			d.conflict(it.owners, "", "volumes", v.Name, "has another key at "+quote(it.Path)+" already")
		case blocked:
			d.conflict(it.owners, "", "volumes", v.Name, "cannot take "+quote(it.Path)+", which "+reason)
		default:
			missing = append(missing, &it.KeyToPath)
			files.add(it.Path, it.Key)
		}
	}
	add(d, secretItems, f.index, len(have), len(have), missing)
}

// inTheWay reports whether the second name it would be a file where a container
// needs the directory of one of its mounts.
func (d *decision) inTheWay(it *item) bool {
	if it.second == "" {
		return false
	}
	if d.mountDirs == nil {
		d.mountDirs = make(map[string]bool)
		for _, r := range d.receivers {
			for at := range r.taken() {
				for dir := range above(at) {
					if _, ours := d.change.fileTree.files[dir]; ours {
						d.mountDirs[dir] = true
					}
				}
			}
		}
	}
	return d.mountDirs[it.second]
}

func (d *decision) addPullSecrets() {
	have := d.view.Spec.ImagePullSecrets
	names := make(map[string]bool, len(have))
	for _, ref := range have {
		names[ref.Name] = true
	}
	var missing []*corev1.LocalObjectReference
	for i := range d.change.pullSecrets.items {
		if ref := &d.change.pullSecrets.items[i]; !names[ref.Name] {
			missing = append(missing, ref)
		}
	}
	add(d, podPullSecrets, 0, len(have), len(have), missing)
}

func (d *decision) addFetchers() {
	inits := d.view.Spec.InitContainers
	at := make(map[string]*Container, len(inits))
	for i := range inits {
		at[inits[i].Name] = &inits[i]
	}
	var missing []*corev1.Container
	for _, f := range d.change.fetchers.items {
		found, ok := at[f.Name]
		switch {
		case !ok:
			missing = append(missing, f.Container)
		case !sameFetcher(found, f.Container):
			d.conflict(f.owners, "", "initContainers", f.Name, "fetches something else already")
		}
	}
	for _, c := range d.view.Spec.Containers {
		if f, ok := d.change.fetchers.get(c.Name); ok {
			d.conflict(f.owners, "", "containers", c.Name, "has the name of a fetching init container")
		}
	}
	add(d, podInits, 0, fetchersAt(inits, d.options.InitOrder), len(inits), missing)
}

// fetchersAt returns the index at which fetchers go.
func fetchersAt(inits []Container, order mount.InitOrder) int {
	sidecar := func(c Container) bool { return c.describe(true).Sidecar }
	first := slices.IndexFunc(inits, sidecar)
	if order != mount.AfterSidecars || first < 0 {
		return 0
	}
	for first < len(inits) && sidecar(inits[first]) {
		first++
	}
	return first
}
