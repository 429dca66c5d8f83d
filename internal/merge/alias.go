package merge

import (
	"slices"
	"strings"

	"github.com/podsecrets/podsecrets/internal/names"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// addAlias adds the alias if it can exist: the derived name with the version if the
// primary name has none, without it otherwise. A client that asks with the version looks
// for the name with it.
func (c *Change) addAlias(sc *scope, i int) {
	switch s := &c.secrets[i]; {
	case s.GroupVersion == "", c.layout.Exact:
	case s.Fragment.File:
		c.addFileAlias(sc, i)
	default:
		c.addVariableAlias(sc, i)
	}
}

// addVariableAlias adds an alias that is a variable. The client may look for a name with
// the version, so another secret with that name is a conflict. An alias without the
// version gives way to another request's name.
func (c *Change) addVariableAlias(sc *scope, i int) {
	s := &c.secrets[i]
	value := s.Fragment.Value
	name, kind := c.layout.EnvVar(s.Group, s.aliasVersion(), s.Key), kindVersionedAlias
	if s.aliasVersion() == "" {
		kind = kindUnversionedAlias
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
	case old.kind == kindUnversionedAlias:
		old.dropped = true // neither gets it: for one of them it would hold a wrong secret
		if kind == kindVersionedAlias {
			*old = v
		}
	case kind == kindVersionedAlias, old.kind == kindExact, old.kind == kindPath:
		c.conflictOf(i, old.first, "env", name, "is a name of both secrets, and can hold only one")
	}
}

// validName reports whether a variable with the value can have the name.
func validName(name string, value *mount.Value) bool {
	if value.EnvFileVolume() != "" {
		return names.IsRelaxedEnvVar(name)
	}
	return names.IsEnvVar(name)
}

// checkShadows reports files that the client would not read, because it looks for a
// variable first: a variable with the derived name of a file must hold the same secret.
func (c *Change) checkShadows(sc *scope) {
	if c.layout.Exact || !slices.ContainsFunc(sc.vars.items, func(v variable) bool { return v.kind != kindDiscovery }) {
		return // common: only files
	}
	identities := make(map[*variable]map[identity]bool)
	for _, i := range sc.members {
		s := &c.secrets[i]
		if !s.Fragment.File {
			continue
		}
		c.checkShadow(sc, i, s.version(), identities)
		if s.GroupVersion != "" {
			c.checkShadow(sc, i, s.aliasVersion(), identities)
		}
	}
}

func (c *Change) checkShadow(sc *scope, i int, version string, identities map[*variable]map[identity]bool) {
	s := &c.secrets[i]
	name := c.layout.EnvVar(s.Group, version, s.Key)
	v, ok := sc.vars.get(name)
	if !ok || v.dropped {
		return
	}
	if v.kind == kindPath {
		c.problem(v.first, otherOrNone(v.first, i), &secret.InvalidError{
			Field:  "envVar",
			Reason: "is a name that Flyte's client looks for: it would mistake the path for the secret " + s.Request.String(),
		})
		return
	}
	if s.Path != "" {
		return // its program opens the exact path
	}
	if identities[v] == nil {
		identities[v] = make(map[identity]bool)
		for o := range v.all() {
			identities[v][c.secrets[o].identity()] = true
		}
	}
	switch {
	case identities[v][s.identity()], refersTo(v.ValueFrom, s):
	case v.kind == kindUnversionedAlias:
		v.dropped = true
	case version == "" && s.version() != "" && v.kind == kindPrimary:
		// Without the version, the name is the other secret's.
	default:
		c.conflictOf(i, v.first, "env", name, "would be read before the file "+quote(s.Name)+", and is another secret")
	}
}

// otherOrNone returns i, or none if it equals first.
func otherOrNone(first, i int) int {
	if first == i {
		return none
	}
	return i
}

// addFileAlias adds an alias that is a file. The client may look for a name with the
// version, so another secret there is a conflict. An alias without the version gives way,
// and so does one that cannot exist.
func (c *Change) addFileAlias(sc *scope, i int) {
	s := &c.secrets[i]
	at, ok := sc.fileTree.files[s.Name]
	if !ok || s.Path != "" {
		return // has a conflict, or only an exact name
	}
	p, kind := s.layout(c.layout).Path(s.Group, s.aliasVersion(), s.Key), kindVersionedAlias
	if s.aliasVersion() == "" {
		kind = kindUnversionedAlias
	}
	if j, ok := sc.fileTree.files[p]; ok {
		if f := &sc.files[j]; kind == kindVersionedAlias && !c.sameFile(f.first, i) {
			c.conflictOf(i, f.first, "files", p, "is a name of both secrets, and can hold only one")
		}
		return
	}
	base := sc.files[at].base
	if _, _, blocked := sc.fileTree.blocked(p); blocked || !isUnder(base, p) || sc.hidden(p, base) != nil {
		return
	}
	if c.provideAlias(sc, i, base, p) {
		c.putFile(sc, file{p, base, kind, requesters{first: i}})
	}
}

// provideAlias makes the secret's volume or webhook provide the alias p too. It returns
// false if that is not possible.
func (c *Change) provideAlias(sc *scope, i int, base, p string) bool {
	s := &c.secrets[i]
	m, _ := sc.mounts.get(base)
	if m.webhook {
		return s.Fragment.Webhook != nil && c.addAliasAnnotations(i)
	}
	v, ok := sc.volumes.get(m.Name)
	if !ok || !projectsSecrets(v.Volume) || m.SubPath != "" || m.SubPathExpr != "" {
		return false
	}
	proj := v.projection()
	source, ok := proj.lookup(relative(base, s.Name))
	if !ok {
		return false
	}
	copied := proj.items[source]
	copied.Path, copied.alias, copied.requesters = relative(base, p), p, requesters{first: i}
	_, exists := proj.lookup(copied.Path)
	_, _, blocked := proj.blocked(copied.Path)
	// Kubernetes refuses item paths that begin with "..".
	if exists || blocked || strings.HasPrefix(copied.Path, "..") {
		return false
	}
	v.merged = proj
	c.addItem(v, i, copied)
	return true
}
