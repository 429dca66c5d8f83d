package merge

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// scope is what one set of receivers gets.
type scope struct {
	container string // the name of the one receiver, or "" for all
	members   []int  // the secrets, by their indices
	// own are the names of volumes that the scope has for itself, so that no
	// other container sees what is in them.
	own map[string]string

	vars     ordered[variable]
	volumes  ordered[volume]
	mounts   ordered[mountPoint] // by clean path
	files    []file
	fileTree tree[int] // the places of files in the slice
}

// makeScopes makes the scope of all receivers, and one for each container that a
// request names. A container's scope has the secrets of all receivers too, so
// that it is a scope like any other.
func (c *Change) makeScopes() {
	all := &scope{members: make([]int, 0, len(c.secrets))}
	c.scopes = append(c.scopes, all)
	for i := range c.secrets {
		sc := all
		if name := c.secrets[i].Container; name != "" {
			sc = c.scopeNamed(name)
			sc.takeVolumes(&c.secrets[i].Fragment)
		}
		sc.members = append(sc.members, i)
	}
	for _, sc := range c.scopes[1:] {
		sc.members = append(sc.members, all.members...)
		slices.Sort(sc.members)
	}
}

// scopeNamed returns the scope of the container of that name, which it makes if
// there is none.
func (c *Change) scopeNamed(container string) *scope {
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

// scopeOf returns the scope of the container of that name.
func (c *Change) scopeOf(container string) *scope {
	if sc, ok := c.byContainer[container]; ok {
		return sc
	}
	return c.scopes[0]
}

// takeVolumes gives the scope volumes of its own for those of a fragment that
// project Secrets.
func (sc *scope) takeVolumes(f *mount.Fragment) {
	for i := range f.Volumes {
		if v := &f.Volumes[i]; projectsSecrets(v) {
			if sc.own == nil {
				sc.own = make(map[string]string)
			}
			sc.own[v.Name] = ownName(v.Name, sc.container)
		}
	}
}

// volumeName returns the name that a volume of a fragment has in the scope.
func (sc *scope) volumeName(name string) string {
	if own, ok := sc.own[name]; ok {
		return own
	}
	return name
}

// ofReceiver returns the scope of a container of the Pod. A container that has
// volumes of its own from an earlier call, for requests that name it, keeps them:
// a path can have one volume only, so secrets of all receivers go into that too.
func (c *Change) ofReceiver(r *container) *scope {
	sc := c.scopeOf(r.Name)
	var own map[string]string
	for i := range r.mounts {
		found := r.mounts[i].volume
		m, ok := sc.mounts.get(absolute(r.mounts[i].path))
		if !ok || m.Name == found {
			continue
		}
		if v, ok := sc.volumes.get(m.Name); ok && projectsSecrets(v.Volume) && found == ownName(v.Name, r.Name) {
			if own == nil {
				own = make(map[string]string)
			}
			own[v.Name] = found
		}
	}
	if own == nil {
		return sc
	}
	return sc.renamed(own)
}

// ownName returns the name of a volume of one container.
func ownName(volume, container string) string { return mount.Name(volume, "container", container) }

// renamed returns the scope with other names of volumes.
func (sc *scope) renamed(own map[string]string) *scope {
	out := *sc
	out.own, out.volumes, out.mounts = own, ordered[volume]{}, ordered[mountPoint]{}
	for _, v := range sc.volumes.items {
		if name := out.volumeName(v.Name); name != v.Name {
			v.Volume = named(v.Volume, name)
		}
		out.volumes.add(v.Name, v)
	}
	for _, m := range sc.mounts.items {
		m.Name = out.volumeName(m.Name)
		out.mounts.add(m.path, m)
	}
	return &out
}

func named(v *corev1.Volume, name string) *corev1.Volume {
	out := *v
	out.Name = name
	return &out
}
