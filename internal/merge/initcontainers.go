package merge

import (
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/podsecrets/podsecrets/mount"
)

// maxFetcherEnv is how many bytes the variables of one fetcher may have. Linux
// gives a program's arguments and variables 2 MiB together by default (a quarter
// of the stack's limit).
const maxFetcherEnv = 1 << 20

// fetcher is an init container that fetches secrets, with the variables of all
// that need it.
type fetcher struct {
	*corev1.Container
	env  ordered[fetcherEnv] // Container.Env first
	size int                 // of the variables, in bytes
	requesters
}

type fetcherEnv struct {
	*corev1.EnvVar
	first int
}

func (c *Change) addFetchers(i int) {
	f := &c.secrets[i].Fragment
	for _, ic := range f.InitContainers {
		old, ok := c.fetchers.get(ic.Name)
		switch {
		case !ok:
			c.fetchers.add(ic.Name, fetcher{Container: ic.Container, requesters: requesters{first: i}})
			old, _ = c.fetchers.get(ic.Name)
			old.env.grow(len(ic.Container.Env) + len(ic.Env))
			c.addEnv(old, i, ic.Container.Env)
		case old.Container != ic.Container && !equality.Semantic.DeepEqual(old.Container, ic.Container):
			c.conflict(i, old.first, "initContainers", ic.Name, "would have to do two different things")
			continue
		default:
			old.requesters.add(i)
		}
		c.addEnv(old, i, ic.Env)
	}
}

func (c *Change) addEnv(f *fetcher, i int, env []corev1.EnvVar) {
	for j := range env {
		v := &env[j]
		switch old, ok := f.env.get(v.Name); {
		case !ok:
			f.env.add(v.Name, fetcherEnv{v, i})
			if f.size += len(v.Name) + len(v.Value); f.size > maxFetcherEnv {
				c.problem(i, none, &mount.ValueError{
					Name:   v.Name,
					Reason: fmt.Sprintf("the variables of init container %q would have more than %d bytes", f.Name, maxFetcherEnv),
				})
			}
		case !sameVariable(old.EnvVar, v):
			c.conflict(i, old.first, "initContainers", f.Name, "would have two values in the variable "+quote(v.Name))
		}
	}
}

type pullSecret = corev1.LocalObjectReference

func (c *Change) addPullSecrets(i int) {
	for _, ref := range c.secrets[i].Fragment.ImagePullSecrets {
		if _, ok := c.pullSecrets.get(ref.Name); !ok {
			c.pullSecrets.add(ref.Name, ref)
		}
	}
}

// isFetcher reports whether a container is a fetcher, of this call or of an
// earlier one: it has a name of ours, and mounts a volume into which they write.
func (c *Change) isFetcher(found *container) bool {
	if !found.Init || !mount.IsName(found.Name) {
		return false
	}
	if _, ok := c.fetchers.get(found.Name); ok {
		return true
	}
	return slices.ContainsFunc(found.mounts, func(m mounted) bool {
		return !m.device && (m.volume == mount.FetchVolume || m.volume == mount.EnvVolume)
	})
}

// addFetchers adds the fetchers that are missing, and variables to those that
// are there.
func (d *decision) addFetchers() {
	fetchers := &d.change.fetchers
	if len(fetchers.items) == 0 {
		return
	}
	found := make([]*container, len(fetchers.items))
	for i := range d.view.initContainers {
		c := &d.view.initContainers[i]
		if at, ok := fetchers.find(c.Name); ok {
			found[at] = c
		}
	}
	var missing []*corev1.Container
	for i := range fetchers.items {
		f := &fetchers.items[i]
		if found[i] != nil {
			d.updateFetcher(f, found[i])
		} else {
			missing = append(missing, d.newFetcher(f))
		}
	}
	for i := range d.view.containers {
		c := &d.view.containers[i]
		if f, ok := fetchers.get(c.Name); ok {
			d.conflict(f.requesters, &mount.ConflictError{
				Path: c.path(i, "name"), Field: "containers", Name: c.Name, Reason: "has the name of a fetching init container",
			})
		}
	}
	add(d, podInits, place{}, d.insertAt, len(d.view.initContainers), missing)
}

// insertIndex returns the index at which fetchers go.
func insertIndex(inits []container, order mount.InitOrder) int {
	sidecar := func(c container) bool { return c.Sidecar }
	first := slices.IndexFunc(inits, sidecar)
	if order != mount.InitAfterSidecars || first < 0 {
		return 0
	}
	for first < len(inits) && sidecar(inits[first]) {
		first++
	}
	return first
}

func (d *decision) newFetcher(f *fetcher) *corev1.Container {
	c := *f.Container
	c.Env = make([]corev1.EnvVar, len(f.env.items))
	for i, v := range f.env.items {
		c.Env[i] = *v.EnvVar
		d.growth += len(v.Name) + len(v.Value) + variableGrowth
	}
	c.Resources = d.fit(c.Resources)
	return &c
}

// fit leaves out what the Pod as a whole requests or limits. Otherwise the
// fetcher could exceed that, and API servers refuse such a Pod.
func (d *decision) fit(r corev1.ResourceRequirements) corev1.ResourceRequirements {
	limited := d.view.resources()
	if len(limited) == 0 {
		return r
	}
	return corev1.ResourceRequirements{Limits: without(r.Limits, limited), Requests: without(r.Requests, limited), Claims: r.Claims}
}

func without(list corev1.ResourceList, names map[corev1.ResourceName]bool) corev1.ResourceList {
	var rest corev1.ResourceList
	for name, quantity := range list {
		if !names[name] {
			if rest == nil {
				rest = corev1.ResourceList{}
			}
			rest[name] = quantity
		}
	}
	return rest
}

// updateFetcher adds the variables that a fetcher which is there does not have.
// It is ours if it has at least one of our variables, and none with another
// value.
func (d *decision) updateFetcher(f *fetcher, found *container) {
	index := d.initIndex(f.Name)
	matches := found.env.lookup(&f.env.index, nil)
	var missing []*corev1.EnvVar
	known := len(matches) == 0 // then by its name alone
	for i := range matches {
		m, ours := &matches[i], f.env.items[i].EnvVar
		switch {
		case !m.ok():
			missing = append(missing, ours)
			d.growth += len(ours.Name) + len(ours.Value) + variableGrowth
		case sameVariable(m.get(), ours):
			known = true
		default:
			d.fetcherConflict(f, index, "fetches something else already: its variable "+quote(ours.Name)+" has another value")
			return
		}
	}
	if !known {
		d.fetcherConflict(f, index, "is another container already: it has none of the variables of ours")
		return
	}
	if len(missing) == 0 {
		return
	}
	if reason := d.distrust(f, found, index); reason != "" {
		d.fetcherConflict(f, index, "cannot fetch more secrets: "+reason)
		return
	}
	count := found.env.len()
	add(d, initEnv, place{index, 0}, count, count, missing)
}

func (d *decision) fetcherConflict(f *fetcher, index int, reason string) {
	d.conflict(f.requesters, &mount.ConflictError{
		Path: fmt.Sprintf("spec.initContainers[%d].name", index), Field: "initContainers", Name: f.Name, Reason: reason,
	})
}

// distrust says why a fetcher that was found would not do what ours does with
// more variables, or "".
func (d *decision) distrust(f *fetcher, found *container, index int) string {
	full := found.full()
	switch {
	case found.Sidecar:
		return "it is a sidecar"
	case !slices.Equal(full.Command, f.Command) || !slices.Equal(full.Args, f.Args):
		return "its command or args differ"
	case !sameImage(full.Image, f.Image):
		return "its image differs"
	}
	for i := range f.VolumeMounts {
		ours := &f.VolumeMounts[i]
		if !slices.ContainsFunc(full.VolumeMounts, func(m corev1.VolumeMount) bool {
			return m.Name == ours.Name && absolute(m.MountPath) == absolute(ours.MountPath) &&
				m.SubPath == ours.SubPath && m.SubPathExpr == ours.SubPathExpr && m.ReadOnly == ours.ReadOnly
		}) {
			return "it does not mount volume " + quote(ours.Name) + " at " + quote(ours.MountPath)
		}
	}
	for _, r := range d.receivers {
		if r.Init && r.index < index && r.index >= d.insertAt {
			return "container " + quote(r.Name) + " receives secrets and starts before it"
		}
	}
	return ""
}

// sameImage reports whether an image is ours, but for registry and digest, which
// other webhooks change.
func sameImage(found, ours string) bool {
	found, pinned, _ := strings.Cut(found, "@")
	ours, _, _ = strings.Cut(ours, "@")
	ours = repository(ours)
	if pinned != "" && path.Base(found) == name(found) { // the digest took the place of the tag
		tag := strings.LastIndexByte(path.Base(ours), ':')
		if tag >= 0 {
			ours = ours[:len(ours)-len(path.Base(ours))+tag]
		}
	}
	return found == ours || strings.HasSuffix(found, "/"+ours)
}

// name returns the last part of an image's name without its tag.
func name(image string) string {
	last, _, _ := strings.Cut(path.Base(image), ":")
	return last
}

// repository returns the name of an image without its registry, which has a dot,
// a port, or is "localhost".
func repository(image string) string {
	first, rest, ok := strings.Cut(image, "/")
	if ok && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return rest
	}
	return image
}

// addPullSecrets adds the pull secrets that the Pod does not have.
func (d *decision) addPullSecrets() {
	refs, count := &d.change.pullSecrets, d.view.pullSecrets.len()
	if len(refs.items) == 0 {
		return
	}
	matches := d.view.pullSecrets.lookup(&refs.index, nil)
	var missing []*pullSecret
	for i := range refs.items {
		if !matches[i].ok() {
			missing = append(missing, &refs.items[i])
		}
	}
	add(d, podPullSecrets, place{}, count, count, missing)
}
