package merge

import (
	"encoding/json"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/podsecrets/podsecrets/mount"
)

type fetcher struct {
	*corev1.Container
	requesters
}

type pullSecret = corev1.LocalObjectReference

func (c *Change) addFetchers(i int) {
	f := &c.secrets[i].Fragment
	for j := range f.Fetchers {
		container := &f.Fetchers[j]
		old, ok := c.fetchers.get(container.Name)
		switch {
		case !ok:
			if c.fetchers.items == nil {
				c.fetchers.grow(len(c.secrets))
			}
			c.fetchers.add(container.Name, fetcher{container, requesters{first: i}})
		case !equality.Semantic.DeepEqual(old.Container, container):
			c.conflict(i, old.first, "initContainers", container.Name, "would have to do two different things")
		default:
			old.requesters.add(i)
		}
	}
}

func (c *Change) addPullSecrets(i int) {
	for _, ref := range c.secrets[i].Fragment.ImagePullSecrets {
		if _, ok := c.pullSecrets.get(ref.Name); !ok {
			c.pullSecrets.add(ref.Name, ref)
		}
	}
}

func (d *decision) addFetchers() {
	inits := d.view.initContainers
	at := make(map[string]*container, len(inits))
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
			d.conflict(f.requesters, "", "initContainers", f.Name, "fetches something else already")
		}
	}
	for _, c := range d.view.containers {
		if f, ok := d.change.fetchers.get(c.Name); ok {
			d.conflict(f.requesters, "", "containers", c.Name, "has the name of a fetching init container")
		}
	}
	add(d, podInits, 0, insertIndex(inits, d.options.InitOrder), len(inits), missing)
}

// insertIndex returns the index at which fetchers go.
func insertIndex(inits []container, order mount.InitOrder) int {
	sidecar := func(c container) bool { return c.Sidecar }
	first := slices.IndexFunc(inits, sidecar)
	if order != mount.AfterSidecars || first < 0 {
		return 0
	}
	for first < len(inits) && sidecar(inits[first]) {
		first++
	}
	return first
}

// sameFetcher reports whether found has the variables of ours. Of two with one
// name, the last counts.
func sameFetcher(found *container, ours *corev1.Container) bool {
	var want ordered[*corev1.EnvVar]
	for i := range ours.Env {
		v := &ours.Env[i]
		if earlier, ok := want.get(v.Name); ok {
			*earlier = v
		} else {
			want.add(v.Name, v)
		}
	}
	matches := found.env.lookup(want.at)
	for i := range matches {
		m, ours := &matches[i], want.items[i]
		text := func() []byte { text, _ := json.Marshal(ours); return text }
		if !m.ok() || !m.sameText(text) && !sameVariable(m.get(), ours) {
			return false
		}
	}
	return true
}

func (d *decision) addPullSecrets() {
	refs, count := &d.change.pullSecrets, d.view.pullSecrets.len()
	if len(refs.items) == 0 {
		return
	}
	matches := d.view.pullSecrets.lookup(refs.at)
	var missing []*pullSecret
	for i := range refs.items {
		if !matches[i].ok() {
			missing = append(missing, &refs.items[i])
		}
	}
	add(d, podPullSecrets, 0, count, count, missing)
}
