package merge

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// findShadowed reports files that the client would not read: it looks for a
// variable first, and one of that name holds another secret.
func (c *Change) findShadowed(layout mount.Layout) {
	if !slices.ContainsFunc(c.vars.items, func(v variable) bool { return v.kind == holds }) {
		return // as most lists are of one form
	}
	asked := make(map[string]map[[2]string]bool) // by the variable, the groups and keys that share it
	for i := range c.secrets {
		s := &c.secrets[i]
		if !s.Fragment.File {
			continue
		}
		name := layout.EnvVar(s.Group, s.version(), s.Key)
		v, ok := c.vars.get(name)
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
		c.adding = max(i, v.first)
		c.conflict(min(i, v.first), "env", name, "would be read before the file "+quote(s.layout(layout).Path(s.Group, s.version(), s.Key))+", and is another secret")
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
