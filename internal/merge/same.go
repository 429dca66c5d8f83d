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

// sameSource reports whether found is a volume of the same Secret, or has at
// least what ours has. Items are another matter, but for a volume of ours that
// has none and so holds the whole Secret.
func sameSource(found, ours *corev1.Volume) bool {
	if o, f := ours.Secret, found.Secret; o != nil {
		return f != nil && f.SecretName == o.SecretName && (len(o.Items) > 0 || len(f.Items) == 0)
	}
	return equality.Semantic.DeepDerivative(ours.VolumeSource, found.VolumeSource)
}

// sameFetcher reports whether found has the variables of ours. Of two with one
// name, the last counts.
func sameFetcher(found *Container, ours *corev1.Container) bool {
	var want named[*corev1.EnvVar]
	for i := range ours.Env {
		v := &ours.Env[i]
		if earlier, ok := want.get(v.Name); ok {
			*earlier = v
		} else {
			want.add(v.Name, v)
		}
	}
	have := found.envNamed(want.at)
	for i := range have {
		f, ours := &have[i], want.items[i]
		if !f.ok() || !f.is(ours, new([]byte)) && !sameVariable(f.get(), ours) {
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
