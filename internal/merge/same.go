package merge

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/podsecrets/podsecrets/mount"
)

// What these functions leave out of the comparison is what the API server and
// other webhooks fill in or change.

// sameVariable reports whether found means what ours means: an equal literal,
// or a reference to the same key of the same object.
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

// sameSource reports whether found is a volume of the same Secret, whatever its
// items, or has at least what ours has.
func sameSource(found, ours *corev1.Volume) bool {
	if ours.Secret != nil {
		return found.Secret != nil && found.Secret.SecretName == ours.Secret.SecretName
	}
	return equality.Semantic.DeepDerivative(ours.VolumeSource, found.VolumeSource)
}

// sameFetcher reports whether found has the variables of ours.
func sameFetcher(found []corev1.EnvVar, ours *corev1.Container) bool {
	has := make(map[string]*corev1.EnvVar, len(found))
	for i := range found {
		has[found[i].Name] = &found[i] // of two, the last counts
	}
	for i := range ours.Env {
		f, ok := has[ours.Env[i].Name]
		if !ok || !sameVariable(f, &ours.Env[i]) {
			return false
		}
	}
	return true
}

// sameFile reports whether two secrets that have one path are one secret, which
// is so where the managers gave the same answer.
func sameFile(a, b *mount.Fragment) bool {
	return equality.Semantic.DeepEqual(a, b)
}
