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

// maxFetcherEnv limits the bytes of one fetcher's variables. By default, Linux limits a
// program's arguments and variables to 2 MiB together (a quarter of the stack limit).
const maxFetcherEnv = 1 << 20

// fetcher is an init container that fetches secrets, with the variables for all of them.
type fetcher struct {
	*corev1.Container
	env  ordered[fetcherEnv] // begins with Container.Env
	size int                 // bytes of the variables
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
			c.conflict(i, old.first, "initContainers", ic.Name, "would need two different definitions")
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
			c.conflict(i, old.first, "initContainers", f.Name, "would need two different values for variable "+quote(v.Name))
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

// isFetcher reports whether a container is a fetcher of this call or of an earlier one. A
// fetcher has a generated name and mounts FetchVolume or EnvVolume.
func (c *Change) isFetcher(ctr *container) bool {
	if !ctr.Init || !mount.IsName(ctr.Name) {
		return false
	}
	if _, ok := c.fetchers.get(ctr.Name); ok {
		return true
	}
	return slices.ContainsFunc(ctr.mounts, func(m containerMount) bool {
		return !m.device && (m.volume == mount.FetchVolume || m.volume == mount.EnvVolume)
	})
}

// addFetchers adds the missing fetchers, and the missing variables of existing ones.
func (d *decision) addFetchers() {
	fetchers := &d.change.fetchers
	if len(fetchers.items) == 0 {
		return
	}
	existing := make([]*container, len(fetchers.items))
	for i := range d.view.initContainers {
		c := &d.view.initContainers[i]
		if at, ok := fetchers.lookup(c.Name); ok {
			existing[at] = c
		}
	}
	var missing []*corev1.Container
	for i := range fetchers.items {
		f := &fetchers.items[i]
		if existing[i] != nil {
			d.updateFetcher(f, existing[i])
		} else {
			missing = append(missing, d.newFetcher(f))
		}
	}
	for i := range d.view.containers {
		c := &d.view.containers[i]
		if f, ok := fetchers.get(c.Name); ok {
			d.conflict(f.requesters, &mount.ConflictError{
				Path: c.path(i, "name"), Field: "containers", Name: c.Name, Reason: "has the name of an init container that fetches secrets",
			})
		}
	}
	addInsert(d, podInits, place{}, d.insertAt, len(d.view.initContainers), missing)
}

// insertIndex returns the index at which new fetchers go.
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
	c.Resources = d.omitPodResources(c.Resources)
	return &c
}

// omitPodResources leaves out resources that the Pod as a whole requests or limits. API
// servers refuse a Pod whose containers exceed these.
func (d *decision) omitPodResources(r corev1.ResourceRequirements) corev1.ResourceRequirements {
	names := d.view.limitedResources()
	if len(names) == 0 {
		return r
	}
	return corev1.ResourceRequirements{Limits: without(r.Limits, names), Requests: without(r.Requests, names), Claims: r.Claims}
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

// updateFetcher adds the missing variables of an existing fetcher. A container is our
// fetcher if it has at least one of our variables, and none with a different value.
func (d *decision) updateFetcher(f *fetcher, existing *container) {
	index := d.initIndex(f.Name)
	matches := existing.env.lookup(&f.env.index, nil)
	var missing []*corev1.EnvVar
	recognized := len(matches) == 0 // without variables, the name is enough
	for i := range matches {
		m, ours := &matches[i], f.env.items[i].EnvVar
		switch {
		case !m.ok():
			missing = append(missing, ours)
			d.growth += len(ours.Name) + len(ours.Value) + variableGrowth
		case sameVariable(m.get(), ours):
			recognized = true
		default:
			d.fetcherConflict(f, index, "already fetches something else: its variable "+quote(ours.Name)+" has a different value")
			return
		}
	}
	if !recognized {
		d.fetcherConflict(f, index, "is already another container: it has none of the fetcher's variables")
		return
	}
	if len(missing) == 0 {
		return
	}
	if reason := d.fetcherMismatch(f, existing, index); reason != "" {
		d.fetcherConflict(f, index, "cannot fetch more secrets: "+reason)
		return
	}
	count := existing.env.len()
	addInsert(d, initEnv, place{index, 0}, count, count, missing)
}

func (d *decision) fetcherConflict(f *fetcher, index int, reason string) {
	d.conflict(f.requesters, &mount.ConflictError{
		Path: fmt.Sprintf("spec.initContainers[%d].name", index), Field: "initContainers", Name: f.Name, Reason: reason,
	})
}

// fetcherMismatch says why an existing fetcher, given more variables, would not work as
// ours, or "".
func (d *decision) fetcherMismatch(f *fetcher, existing *container, index int) string {
	actual := existing.decoded()
	switch {
	case existing.Sidecar:
		return "it is a sidecar"
	case !slices.Equal(actual.Command, f.Command) || !slices.Equal(actual.Args, f.Args):
		return "its command or args differ"
	case !sameImage(actual.Image, f.Image):
		return "its image differs"
	}
	for i := range f.VolumeMounts {
		ours := &f.VolumeMounts[i]
		if !slices.ContainsFunc(actual.VolumeMounts, func(m corev1.VolumeMount) bool {
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

// sameImage reports whether two images are equal except for registry and digest, which
// other webhooks change.
func sameImage(existing, ours string) bool {
	existing, pinned, _ := strings.Cut(existing, "@")
	ours, _, _ = strings.Cut(ours, "@")
	ours = repository(ours)
	if pinned != "" && path.Base(existing) == imageName(existing) { // the digest replaced the tag
		tag := strings.LastIndexByte(path.Base(ours), ':')
		if tag >= 0 {
			ours = ours[:len(ours)-len(path.Base(ours))+tag]
		}
	}
	return existing == ours || strings.HasSuffix(existing, "/"+ours)
}

// imageName returns the last part of an image's name without its tag.
func imageName(image string) string {
	last, _, _ := strings.Cut(path.Base(image), ":")
	return last
}

// repository returns an image's name without its registry. A registry has a dot or a port,
// or is "localhost".
func repository(image string) string {
	first, rest, ok := strings.Cut(image, "/")
	if ok && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return rest
	}
	return image
}

// addPullSecrets adds the pull secrets that the Pod lacks.
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
	addInsert(d, podPullSecrets, place{}, count, count, missing)
}
