package merge

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/mount"
)

// variable is one that every receiving container gets.
type variable struct {
	corev1.EnvVar
	kind kind
	of   string // of a literal, which secret it is; two secrets may be equal by chance
	text []byte // see found.is
	owners
}

// kind decides what happens in a container that defines the variable otherwise.
type kind uint8

const (
	discovery kind = iota // always a conflict: without it the client looks elsewhere
	holds                 // a secret or its path: as the ConflictPolicy says
	second                // never a conflict: it was only an offer
)

func (c *Change) addVariable(env corev1.EnvVar, kind kind, of string) {
	old, ok := c.vars.get(env.Name)
	switch {
	case !ok:
		c.vars.add(env.Name, variable{EnvVar: env, kind: kind, of: of, owners: owners{first: c.adding}})
	case !sameVariable(&old.EnvVar, &env), old.of != of:
		c.conflict(old.first, "env", env.Name, "would stand for two different things")
	default:
		old.owners.add(c.adding)
	}
}

// text is a variable that holds no secret.
func text(name, value string) corev1.EnvVar { return mount.Literal(value).EnvVar(name) }

// addValue adds the variables of a secret that is read as a variable.
func (c *Change) addValue(s *Secret, layout mount.Layout) {
	value := s.Fragment.Value
	c.addVariable(text(mount.EnvPrefixVar, layout.EnvPrefix), discovery, "")
	of := ""
	if value.IsLiteral() {
		of = quote(s.Group) + quote(s.version()) + quote(s.Key)
	}
	for _, name := range []string{s.Name(layout), s.EnvVar} {
		if name == "" {
			continue
		}
		if err := value.Validate(name); err != nil {
			c.problem(none, err)
			continue
		}
		c.addVariable(value.EnvVar(name), holds, of)
	}
}

// addFile adds a secret that is read as a file, and the variables that belong
// to it.
func (c *Change) addFile(s *Secret, layout mount.Layout) {
	announced := s.layout(layout)
	c.addVariable(text(mount.DefaultDirVar, announced.Dir), discovery, "")
	c.addVariable(text(mount.FilePrefixVar, announced.FilePrefix), discovery, "")
	p := s.Name(layout)
	if s.EnvVar != "" {
		c.addVariable(text(s.EnvVar, p), holds, "")
	}
	if old, ok := c.fileTree.files[p]; ok {
		if !sameFile(&c.files[old].secret.Fragment, &s.Fragment) {
			c.conflict(c.files[old].first, "files", p, "would hold two different secrets")
			return
		}
		c.files[old].owners.add(c.adding)
		return
	}
	if reason, by, blocked := c.fileTree.blocked(p); blocked {
		c.conflict(c.files[by].first, "files", p, reason)
		return
	}
	c.putFile(file{p, c.mountOf(s, p, announced.Dir), s, holds, owners{first: c.adding}})
}

// addSecondName adds, for a reference, the name with the version where the
// primary one is without it, and the other way round. The client looks for a
// name with the version only if its caller passes the version again.
func (c *Change) addSecondName(s *Secret, layout mount.Layout) {
	if s.GroupVersion == "" {
		return
	}
	if s.Fragment.File {
		c.addSecondItem(s, layout)
		return
	}
	name := layout.EnvVar(s.Group, s.otherVersion(), s.Key)
	_, taken := c.vars.get(name)
	if taken || s.Fragment.Value.IsLiteral() || mount.IsDiscoveryVar(name) || len(validation.IsEnvVarName(name)) > 0 {
		return
	}
	c.addVariable(s.Fragment.Value.EnvVar(name), second, "")
}
