package merge

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// scope is everything that one set of receivers gets.
type scope struct {
	container string // the receiver's name, or "" for all receivers
	members   []int  // indices of secrets
	// own has the scope's own names for volumes of fragments, so that no other
	// container sees their files.
	own map[string]string

	vars     ordered[variable]
	volumes  ordered[volume]
	mounts   ordered[mountPoint] // by clean path
	files    []file
	fileTree tree[int] // indexes of files
}

// makeScopes creates the scope of all receivers, and one for each container that a request
// names. A container's scope includes the secrets of all receivers.
func (c *Change) makeScopes() {
	all := &scope{members: make([]int, 0, len(c.secrets))}
	c.scopes = append(c.scopes, all)
	for i := range c.secrets {
		sc := all
		if name := c.secrets[i].Container; name != "" {
			sc = c.containerScope(name)
			sc.addOwnVolumes(&c.secrets[i].Fragment)
		}
		sc.members = append(sc.members, i)
	}
	for _, sc := range c.scopes[1:] {
		sc.members = append(sc.members, all.members...)
		slices.Sort(sc.members)
	}
}

// containerScope returns the scope of the named container. It creates a missing one.
func (c *Change) containerScope(container string) *scope {
	if sc, ok := c.byContainer[container]; ok {
		return sc
	}
	if c.byContainer == nil {
		c.byContainer = make(map[string]*scope)
	}
	sc := &scope{container: container}
	c.byContainer[container] = sc
	c.scopes = append(c.scopes, sc)
	return sc
}

// scopeOf returns the scope that applies to the named container.
func (c *Change) scopeOf(container string) *scope {
	if sc, ok := c.byContainer[container]; ok {
		return sc
	}
	return c.scopes[0]
}

// addOwnVolumes gives the scope its own volumes in place of a fragment's volumes that project
// Secrets.
func (sc *scope) addOwnVolumes(f *mount.Fragment) {
	for i := range f.Volumes {
		if v := &f.Volumes[i]; projectsSecrets(v) {
			if sc.own == nil {
				sc.own = make(map[string]string)
			}
			sc.own[v.Name] = ownName(v.Name, sc.container)
		}
	}
}

// volumeName returns the name of a fragment's volume in the scope.
func (sc *scope) volumeName(name string) string {
	if own, ok := sc.own[name]; ok {
		return own
	}
	return name
}

// receiverScope returns the scope of a container of the Pod. A container that got its own
// volumes in an earlier call keeps them: a path can have only one volume, so the secrets of
// all receivers go into the same volume.
func (c *Change) receiverScope(r *container) *scope {
	sc := c.scopeOf(r.Name)
	var own map[string]string
	for i := range r.mounts {
		mounted := r.mounts[i].volume
		m, ok := sc.mounts.get(absolute(r.mounts[i].path))
		if !ok || m.Name == mounted {
			continue
		}
		if v, ok := sc.volumes.get(m.Name); ok && projectsSecrets(v.Volume) && mounted == ownName(v.Name, r.Name) {
			if own == nil {
				own = make(map[string]string)
			}
			own[v.Name] = mounted
		}
	}
	if own == nil {
		return sc
	}
	return sc.renamed(own)
}

// ownName returns the name of a container's own volume.
func ownName(volume, container string) string { return mount.Name(volume, "container", container) }

// renamed returns the scope with its own names for volumes.
func (sc *scope) renamed(own map[string]string) *scope {
	out := *sc
	out.own, out.volumes, out.mounts = own, ordered[volume]{}, ordered[mountPoint]{}
	for _, v := range sc.volumes.items {
		if name := out.volumeName(v.Name); name != v.Name {
			v.Volume = withName(v.Volume, name)
		}
		out.volumes.add(v.Name, v)
	}
	for _, m := range sc.mounts.items {
		m.Name = out.volumeName(m.Name)
		out.mounts.add(m.path, m)
	}
	return &out
}

func withName(v *corev1.Volume, name string) *corev1.Volume {
	out := *v
	out.Name = name
	return &out
}
