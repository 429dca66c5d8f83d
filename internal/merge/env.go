package merge

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/podsecrets/podsecrets/internal/names"
	"github.com/podsecrets/podsecrets/mount"
)

// variable is an environment variable that every receiver of a scope gets.
type variable struct {
	corev1.EnvVar
	kind    kind
	literal bool // holds a secret's value in plain text
	envFile bool // from an env file: only for receivers that start after it is written
	dropped bool // an alias without the version that would hold a wrong secret
	requesters
}

// kind decides what happens if the name already has another meaning.
type kind uint8

const (
	kindDiscovery        kind = iota // a discovery variable: always a conflict
	kindPrimary                      // the primary name of a secret
	kindExact                        // EnvVar, with the value
	kindPath                         // EnvVar, with the path of the file
	kindVersionedAlias               // the alias with the version
	kindUnversionedAlias             // the alias without the version: gives way
)

// countVariables returns the maximum number of variables, without aliases.
func (c *Change) countVariables(sc *scope) int {
	n := 3 // the discovery variables
	for _, i := range sc.members {
		if s := &c.secrets[i]; !s.Fragment.File || s.EnvVar != "" {
			n++
		}
	}
	return n
}

// addValue adds the variables of a secret that is a variable: the primary name, the exact
// name, and the discovery variable with the prefix.
func (c *Change) addValue(sc *scope, i int) {
	s := &c.secrets[i]
	if s.Fragment.File {
		return
	}
	if !c.layout.Exact {
		c.addVariable(sc, i, plainEnv(mount.EnvPrefixVar, c.layout.EnvPrefix), kindDiscovery)
	}
	c.addSecretVariable(sc, i, s.Name, kindPrimary)
	if s.EnvVar != "" && s.EnvVar != s.Name {
		c.addSecretVariable(sc, i, s.EnvVar, kindExact)
	}
	// Here the derived name is valid only under Kubernetes' relaxed rule, which always
	// applies where env files work.
	if s.EnvVar == s.Name && !c.layout.Exact && s.Fragment.Value.EnvFileVolume() != "" {
		if derived := c.layout.EnvVar(s.Group, s.version(), s.Key); derived != s.Name && names.IsRelaxedEnvVar(derived) {
			c.addSecretVariable(sc, i, derived, kindPrimary)
		}
	}
}

func (c *Change) addSecretVariable(sc *scope, i int, name string, kind kind) {
	value := c.secrets[i].Fragment.Value
	if err := value.Validate(name); err != nil {
		c.problem(i, none, err)
		return
	}
	c.addVariable(sc, i, value.EnvVar(name), kind)
}

// addFileVariables adds the variables of a secret that is a file: the discovery variables,
// and EnvVar with the path.
func (c *Change) addFileVariables(sc *scope, i int) {
	s := &c.secrets[i]
	if !c.layout.Exact {
		c.addVariable(sc, i, plainEnv(mount.DefaultDirVar, s.layout(c.layout).Dir), kindDiscovery)
		c.addVariable(sc, i, plainEnv(mount.FilePrefixVar, c.layout.FilePrefix), kindDiscovery)
	}
	if s.EnvVar != "" {
		c.addVariable(sc, i, plainEnv(s.EnvVar, s.Name), kindPath)
	}
}

// plainEnv returns a variable that holds no secret.
func plainEnv(name, value string) corev1.EnvVar { return mount.Literal(value).EnvVar(name) }

func (c *Change) addVariable(sc *scope, i int, env corev1.EnvVar, kind kind) {
	v := c.newVariable(i, env, kind)
	switch old, ok := sc.vars.get(env.Name); {
	case !ok:
		sc.vars.add(env.Name, v)
	case c.sameMeaning(old, &v):
		old.requesters.add(i)
	default:
		c.conflict(i, old.first, "env", env.Name, "would have two different meanings"+c.hint(i, old.first))
	}
}

func (c *Change) newVariable(i int, env corev1.EnvVar, kind kind) variable {
	isPath := kind == kindDiscovery || kind == kindPath
	return variable{
		EnvVar: env, kind: kind, requesters: requesters{first: i},
		literal: !isPath && env.ValueFrom == nil,
		envFile: env.ValueFrom != nil && env.ValueFrom.FileKeyRef != nil,
	}
}

// sameMeaning reports whether two variables with the same name hold the same thing. Two
// different literal secrets do not, even if their values are equal.
func (c *Change) sameMeaning(a, b *variable) bool {
	return a.literal == b.literal && sameVariable(&a.EnvVar, &b.EnvVar) &&
		(!a.literal || c.secrets[a.first].identity() == c.secrets[b.first].identity())
}

// hint says what to do about two fields of one secret, which share all derived names. It
// is "" for other secrets.
func (c *Change) hint(i, j int) string {
	if a, b := &c.secrets[i], &c.secrets[j]; a.Field != b.Field && a.Group == b.Group && a.Key == b.Key && !c.layout.Exact {
		return ": two fields of one secret share the derived name (use exact names only, Layout.Exact)"
	}
	return ""
}

// addVariables adds the variables that a receiver lacks. They go first, so that the Pod's
// own variables can refer to them. It returns scratch memory for the next receiver.
func (d *decision) addVariables(r receiver, scratch []match[corev1.EnvVar]) []match[corev1.EnvVar] {
	sc := r.scope
	matches := r.env.lookup(&sc.vars.index, scratch)
	missing := make([]*corev1.EnvVar, 0, len(matches))
	var text [256]byte
	for i := range sc.vars.items {
		v := &sc.vars.items[i]
		m := &matches[i]
		early := v.envFile && r.Init && d.tooEarly(r, v.first)
		switch {
		case v.dropped:
		case !m.ok():
			if !early {
				missing = append(missing, &v.EnvVar)
				d.countVariable(v)
			}
		case m.sameText(&v.EnvVar, text[:]), sameVariable(m.get(), &v.EnvVar):
			if early {
				d.envConflict(r, v, m.index, "refers to an env file that is written after the container starts")
			}
		case early, v.kind == kindVersionedAlias, v.kind == kindUnversionedAlias:
		case v.kind != kindDiscovery && d.options.OnConflict == mount.ConflictKeepPod:
			d.keep(r, v)
		default:
			d.envConflict(r, v, m.index, "is already set to something else")
		}
	}
	addInsert(d, r.envList(), place{r.index, 0}, 0, r.env.len(), missing)
	return matches
}

func (d *decision) envConflict(r receiver, v *variable, index int, reason string) {
	d.conflict(v.requesters, &mount.ConflictError{
		Path:      fmt.Sprintf("%s[%d].name", r.path(r.index, "env"), index),
		Container: r.Name, Field: "env", Name: v.Name, Reason: reason,
	})
}

// keep records that a receiver keeps its own variable with a primary name.
func (d *decision) keep(r receiver, v *variable) {
	if d.kept == nil {
		d.kept = make(map[keptVariable]bool)
	}
	for i := range v.all() {
		if d.change.secrets[i].Name == v.Name {
			d.kept[keptVariable{i, r.container}] = true
		}
	}
}

func (d *decision) countVariable(v *variable) {
	size := len(v.Name) + len(v.Value)
	d.growth += size + variableGrowth
	if v.ValueFrom != nil {
		d.growth += size + referenceGrowth // its names have about the same length
	}
	if !v.literal || d.literals > MaxLiterals {
		return
	}
	if d.literals += size; d.literals > MaxLiterals {
		d.problems = append(d.problems, Problem{v.first, none, TooManyLiterals(v.Name)})
	}
}

// TooManyLiterals returns the error for the variable with which a Pod's literal secrets
// exceed MaxLiterals.
func TooManyLiterals(variable string) *mount.ValueError {
	return &mount.ValueError{
		Name: variable, Reason: fmt.Sprintf("the literals added to the pod would have more than %d bytes", MaxLiterals),
	}
}

// sameVariable reports whether two variables mean the same: an equal literal, or a
// reference to the same key of the same object. It ignores other fields of existing,
// because API servers and other webhooks fill them in.
func sameVariable(existing, ours *corev1.EnvVar) bool {
	if ours.ValueFrom == nil {
		return existing.ValueFrom == nil && existing.Value == ours.Value
	}
	f, o := existing.ValueFrom, ours.ValueFrom
	switch {
	case f == nil:
		return false
	case o.SecretKeyRef != nil:
		return f.SecretKeyRef != nil && f.SecretKeyRef.Name == o.SecretKeyRef.Name && f.SecretKeyRef.Key == o.SecretKeyRef.Key
	case o.ConfigMapKeyRef != nil:
		return f.ConfigMapKeyRef != nil && f.ConfigMapKeyRef.Name == o.ConfigMapKeyRef.Name && f.ConfigMapKeyRef.Key == o.ConfigMapKeyRef.Key
	case o.FileKeyRef != nil:
		return f.FileKeyRef != nil && f.FileKeyRef.VolumeName == o.FileKeyRef.VolumeName && f.FileKeyRef.Path == o.FileKeyRef.Path && f.FileKeyRef.Key == o.FileKeyRef.Key
	}
	return equality.Semantic.DeepDerivative(o, f)
}
