package merge

import (
	"slices"
	"strings"

	"github.com/podsecrets/podsecrets/internal/names"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// addAlias adds, if it can, the derived name with the version where the primary
// one has none, and the other way round. A client that asks with the version
// looks for the name with it.
func (c *Change) addAlias(sc *scope, i int) {
	switch s := &c.secrets[i]; {
	case s.GroupVersion == "", c.layout.Exact:
	case s.Fragment.File:
		c.addFileAlias(sc, i)
	default:
		c.addVariableAlias(sc, i)
	}
}

// addVariableAlias adds the derived name with the other version. With the
// version it is a name that the client may look for, so another secret there is a
// conflict. Without the version it gives way to another request's name.
func (c *Change) addVariableAlias(sc *scope, i int) {
	s := &c.secrets[i]
	value := s.Fragment.Value
	name, kind := c.layout.EnvVar(s.Group, s.aliasVersion(), s.Key), kindAlias
	if s.aliasVersion() == "" {
		kind = kindOffer
	}
	if name == s.Name || mount.IsDiscoveryVar(name) || !validName(name, value) || value.Validate(name) != nil {
		return
	}
	v := c.newVariable(i, value.EnvVar(name), kind)
	switch old, ok := sc.vars.get(name); {
	case !ok:
		sc.vars.add(name, v)
	case c.sameMeaning(old, &v):
		old.requesters.add(i)
	case old.kind == kindOffer:
		old.dropped = true // neither gets it, as it would be a wrong one for the other
		if kind == kindAlias {
			*old = v
		}
	case kind == kindAlias, old.kind == kindExact, old.kind == kindPath:
		c.conflictOf(i, old.first, "env", name, "is a name of both secrets, and can hold only one")
	}
}

// validName reports whether a variable with that value can have the name.
func validName(name string, value *mount.Value) bool {
	if value.EnvFileVolume() != "" {
		return names.IsRelaxedEnvVar(name)
	}
	return names.IsEnvVar(name)
}

// findShadowed reports files that the client would not read: it looks for a
// variable first. So a variable with a derived name of a file must hold the
// same secret.
func (c *Change) findShadowed(sc *scope) {
	if c.layout.Exact || !slices.ContainsFunc(sc.vars.items, func(v variable) bool { return v.kind != kindDiscovery }) {
		return // as most lists of files
	}
	held := make(map[*variable]map[identity]bool)
	for _, i := range sc.members {
		s := &c.secrets[i]
		if !s.Fragment.File {
			continue
		}
		c.checkShadow(sc, i, s.version(), held)
		if s.GroupVersion != "" {
			c.checkShadow(sc, i, s.aliasVersion(), held)
		}
	}
}

func (c *Change) checkShadow(sc *scope, i int, version string, held map[*variable]map[identity]bool) {
	s := &c.secrets[i]
	name := c.layout.EnvVar(s.Group, version, s.Key)
	v, ok := sc.vars.get(name)
	if !ok || v.dropped {
		return
	}
	if v.kind == kindPath {
		c.problem(v.first, other(v.first, i), &secret.InvalidError{
			Field:  "envVar",
			Reason: "is a name that Flyte's client looks for, and it would take the path in it for the secret " + s.Request.String(),
		})
		return
	}
	if s.Path != "" {
		return // its program opens the path
	}
	if held[v] == nil {
		held[v] = make(map[identity]bool)
		for o := range v.all() {
			held[v][c.secrets[o].identity()] = true
		}
	}
	switch {
	case held[v][s.identity()], refersTo(v.ValueFrom, s):
	case v.kind == kindOffer:
		v.dropped = true
	case version == "" && s.version() != "" && v.kind == kindPrimary:
		// Without the version, the name is the other secret's.
	default:
		c.conflictOf(i, v.first, "env", name, "would be read before the file "+quote(s.Name)+", and is another secret")
	}
}

// other returns the second index, or none if it is the first.
func other(first, second int) int {
	if first == second {
		return none
	}
	return second
}

// addFileAlias adds the derived file with the other version. With the version it
// is a name that the client may look for, so another secret there is a conflict.
// A file that cannot exist there, and one without the version, give way.
func (c *Change) addFileAlias(sc *scope, i int) {
	s := &c.secrets[i]
	at, ok := sc.fileTree.files[s.Name]
	if !ok || s.Path != "" {
		return // it had a conflict, or it has only an exact name
	}
	p, kind := s.layout(c.layout).Path(s.Group, s.aliasVersion(), s.Key), kindAlias
	if s.aliasVersion() == "" {
		kind = kindOffer
	}
	if taken, ok := sc.fileTree.files[p]; ok {
		if f := &sc.files[taken]; kind == kindAlias && !c.sameFile(f.first, i) {
			c.conflictOf(i, f.first, "files", p, "is a name of both secrets, and can hold only one")
		}
		return
	}
	base := sc.files[at].base
	if _, _, blocked := sc.fileTree.blocked(p); blocked || !isUnder(base, p) || sc.hidden(p, base) != nil {
		return
	}
	if c.bringAlias(sc, i, base, p) {
		c.putFile(sc, file{p, base, kind, requesters{first: i}})
	}
}

// bringAlias brings the file of a secret to its alias too, if its volume is
// projected or another webhook brings it.
func (c *Change) bringAlias(sc *scope, i int, base, p string) bool {
	s := &c.secrets[i]
	m, _ := sc.mounts.get(base)
	if m.webhook {
		return s.Fragment.Webhook != nil && c.addAliasAnnotations(i)
	}
	v, ok := sc.volumes.get(m.Name)
	if !ok || !projectsSecrets(v.Volume) || m.SubPath != "" || m.SubPathExpr != "" {
		return false
	}
	held := v.projection()
	source, ok := held.find(relative(base, s.Name))
	if !ok {
		return false
	}
	it := held.items[source]
	it.Path, it.alias, it.requesters = relative(base, p), p, requesters{first: i}
	_, taken := held.find(it.Path)
	_, _, blocked := held.blocked(it.Path)
	// Kubernetes refuses an item whose path begins with "..".
	if taken || blocked || strings.HasPrefix(it.Path, "..") {
		return false
	}
	v.grown = held
	c.addItem(v, i, it)
	return true
}
