package merge

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// findShadowed reports files that the client would not read: it looks for a
// variable first, and one of that name holds another secret.
func (c *Change) findShadowed(layout mount.Layout, secrets []Secret) {
	if !slices.ContainsFunc(c.vars.items, func(v variable) bool { return v.kind == holds }) {
		return // as most lists are of one form
	}
	for i := range secrets {
		s := &secrets[i]
		if !s.Fragment.File {
			continue
		}
		name := layout.EnvVar(s.Group, s.version(), s.Key)
		v, ok := c.vars.get(name)
		if !ok || v.holdsSecret(s, secrets) {
			continue
		}
		c.adding = max(i, v.first)
		c.conflict(min(i, v.first), "env", name, "would be read before the file "+quote(s.layout(layout).Path(s.Group, s.version(), s.Key))+", and is another secret")
	}
}

func (v *variable) holdsSecret(s *Secret, secrets []Secret) bool {
	for i := range v.all() {
		if sameSecret(&secrets[i], s) {
			return true
		}
	}
	return false
}

// sameSecret reports whether a variable and a file are of one secret: they were
// asked for under one name, or refer to one key of a Secret.
func sameSecret(variable, file *Secret) bool {
	if variable.Group == file.Group && variable.Key == file.Key {
		return true
	}
	if variable.Fragment.Value == nil {
		return false
	}
	source := variable.Fragment.Value.EnvVar("").ValueFrom
	if source == nil || source.SecretKeyRef == nil {
		return false
	}
	return slices.ContainsFunc(file.Fragment.Volumes, func(v corev1.Volume) bool {
		return v.Secret != nil && v.Secret.SecretName == source.SecretKeyRef.Name &&
			slices.ContainsFunc(v.Secret.Items, func(it corev1.KeyToPath) bool { return it.Key == source.SecretKeyRef.Key })
	})
}
