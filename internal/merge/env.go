package merge

import (
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/mount"
)

// variable is one that every receiving container gets.
type variable struct {
	corev1.EnvVar
	kind kind
	of   string // of a literal, which secret it is; two secrets may be equal by chance
	requesters
}

// kind decides what happens in a container that defines the variable otherwise.
type kind uint8

const (
	kindDiscovery kind = iota // always a conflict: without it the client looks elsewhere
	kindSecret                // a secret or its path: as the ConflictPolicy says
	kindAlias                 // never a conflict: it was only an offer
)

// countVariables returns how many variables there can be, without aliases.
func (c *Change) countVariables() int {
	n := 3 // those by which the client finds the others
	for i := range c.secrets {
		if !c.secrets[i].Fragment.File || c.secrets[i].EnvVar != "" {
			n++
		}
	}
	return n
}

func (c *Change) addVariable(sc *scope, i int, env corev1.EnvVar, kind kind, of string) {
	old, ok := sc.vars.get(env.Name)
	switch {
	case !ok:
		sc.vars.add(env.Name, variable{EnvVar: env, kind: kind, of: of, requesters: requesters{first: i}})
	case !sameVariable(&old.EnvVar, &env), old.of != of:
		c.conflict(i, old.first, "env", env.Name, "would stand for two different things")
	default:
		old.requesters.add(i)
	}
}

// plainEnv is a variable that holds no secret.
func plainEnv(name, value string) corev1.EnvVar { return mount.Literal(value).EnvVar(name) }

// addValue adds the variables of a secret that is read as a variable.
func (c *Change) addValue(sc *scope, i int, layout mount.Layout) {
	s := &c.secrets[i]
	value := s.Fragment.Value
	c.addVariable(sc, i, plainEnv(mount.EnvPrefixVar, layout.EnvPrefix), kindDiscovery, "")
	of := ""
	if value.IsLiteral() {
		of = quote(s.Group) + quote(s.version()) + quote(s.Key)
	}
	for _, name := range []string{s.Name, s.EnvVar} {
		if name == "" {
			continue
		}
		if err := value.Validate(name); err != nil {
			c.problem(i, none, err)
			continue
		}
		c.addVariable(sc, i, value.EnvVar(name), kindSecret, of)
	}
}

// addFileVariables adds the variables that belong to a file.
func (c *Change) addFileVariables(sc *scope, i int, layout mount.Layout) {
	s := &c.secrets[i]
	c.addVariable(sc, i, plainEnv(mount.DefaultDirVar, s.layout(layout).Dir), kindDiscovery, "")
	c.addVariable(sc, i, plainEnv(mount.FilePrefixVar, layout.FilePrefix), kindDiscovery, "")
	if s.EnvVar != "" {
		c.addVariable(sc, i, plainEnv(s.EnvVar, s.Name), kindSecret, "")
	}
}

// addVariableAlias adds the alias of a reference.
func (c *Change) addVariableAlias(sc *scope, i int, layout mount.Layout) {
	s := &c.secrets[i]
	name := layout.EnvVar(s.Group, s.aliasVersion(), s.Key)
	_, taken := sc.vars.get(name)
	if taken || s.Fragment.Value.IsLiteral() || mount.IsDiscoveryVar(name) || len(validation.IsEnvVarName(name)) > 0 {
		return
	}
	c.addVariable(sc, i, s.Fragment.Value.EnvVar(name), kindAlias, "")
}

// findShadowed reports files that the client would not read: it looks for a
// variable first, and one of that name holds another secret.
func (c *Change) findShadowed(sc *scope, layout mount.Layout) {
	if !slices.ContainsFunc(sc.vars.items, func(v variable) bool { return v.kind == kindSecret }) {
		return // as most lists are of one form
	}
	asked := make(map[string]map[[2]string]bool) // by the variable, the groups and keys that share it
	for i := range c.secrets {
		s := &c.secrets[i]
		if !s.Fragment.File {
			continue
		}
		name := layout.EnvVar(s.Group, s.version(), s.Key)
		v, ok := sc.vars.get(name)
		if !ok {
			continue
		}
		if asked[name] == nil {
			asked[name] = make(map[[2]string]bool)
			for o := range v.all() {
				asked[name][[2]string{c.secrets[o].Group, c.secrets[o].Key}] = true
			}
		}
		if asked[name][[2]string{s.Group, s.Key}] || refersTo(v.ValueFrom, s) {
			continue // they are one secret
		}
		c.conflict(max(i, v.first), min(i, v.first), "env", name,
			"would be read before the file "+quote(s.layout(layout).Path(s.Group, s.version(), s.Key))+", and is another secret")
	}
}

// refersTo reports whether a variable refers to the key of a Secret that the
// file holds.
func refersTo(source *corev1.EnvVarSource, file *Secret) bool {
	if source == nil || source.SecretKeyRef == nil {
		return false
	}
	return slices.ContainsFunc(file.Fragment.Volumes, func(v corev1.Volume) bool {
		return v.Secret != nil && v.Secret.SecretName == source.SecretKeyRef.Name &&
			slices.ContainsFunc(v.Secret.Items, func(it corev1.KeyToPath) bool { return it.Key == source.SecretKeyRef.Key })
	})
}

// addVariables adds the variables that a receiver does not have. They go in
// front, so that the Pod's own variables can refer to them.
func (d *decision) addVariables(sc *scope, r receiver) {
	matches := r.env.lookup(sc.vars.at)
	missing := make([]*corev1.EnvVar, 0, len(matches))
	for i := range sc.vars.items {
		v := &sc.vars.items[i]
		switch m := &matches[i]; {
		case !m.ok():
			missing = append(missing, &v.EnvVar)
			d.countVariable(v)
		case m.sameText(d.textOf(sc, i)), sameVariable(m.get(), &v.EnvVar), v.kind == kindAlias, v.kind == kindSecret && d.options.OnConflict == mount.KeepPod:
		default:
			d.conflict(v.requesters, r.Name, "env", v.Name, "is set to something else already")
		}
	}
	add(d, r.envList(), r.index, 0, r.env.len(), missing)
}

// textOf returns the i-th variable in JSON, which many containers may have.
func (d *decision) textOf(sc *scope, i int) func() []byte {
	return func() []byte {
		if d.texts == nil {
			d.texts = make([][]byte, len(sc.vars.items))
		}
		if d.texts[i] == nil {
			d.texts[i], _ = json.Marshal(&sc.vars.items[i].EnvVar)
		}
		return d.texts[i]
	}
}

func (d *decision) countVariable(v *variable) {
	size := len(v.Name) + len(v.Value)
	d.growth += size + variableGrowth
	if v.ValueFrom != nil {
		d.growth += size + referenceGrowth // names of about that length
	}
	if v.of == "" || d.literals > maxLiterals {
		return
	}
	if d.literals += size; d.literals > maxLiterals {
		d.problems = append(d.problems, Problem{v.first, none, &mount.ValueError{
			Name:   v.Name,
			Reason: fmt.Sprintf("the literals added to the pod would have more than %d bytes", maxLiterals),
		}})
	}
}

// sameVariable reports whether found means what ours means: an equal literal,
// or a reference to the same key of the same object. The API server and other
// webhooks fill in the rest.
func sameVariable(found, ours *corev1.EnvVar) bool {
	if ours.ValueFrom == nil {
		return found.ValueFrom == nil && found.Value == ours.Value
	}
	f, o := found.ValueFrom, ours.ValueFrom
	switch {
	case f == nil:
		return false
	case o.SecretKeyRef != nil:
		return f.SecretKeyRef != nil && f.SecretKeyRef.Name == o.SecretKeyRef.Name && f.SecretKeyRef.Key == o.SecretKeyRef.Key
	case o.ConfigMapKeyRef != nil:
		return f.ConfigMapKeyRef != nil && f.ConfigMapKeyRef.Name == o.ConfigMapKeyRef.Name && f.ConfigMapKeyRef.Key == o.ConfigMapKeyRef.Key
	}
	return equality.Semantic.DeepDerivative(o, f)
}
