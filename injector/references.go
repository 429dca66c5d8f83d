package injector

import (
	"cmp"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
)

// Reference is an object that the Pod refers to because of its secrets.
type Reference struct {
	// Kind is "Secret", "ConfigMap", "PersistentVolumeClaim" or
	// "SecretProviderClass" (of the Secrets Store CSI driver).
	Kind string
	// Namespace is that of Injector.For, or else the Pod's own. It is empty if
	// neither is known.
	Namespace string
	Name      string
	// Keys are the keys that containers read, sorted. Empty means the whole
	// object.
	Keys []string
	// Optional means that the Pod starts even if the object or one of Keys is
	// missing. It applies to all Keys: an object with optional and required
	// keys has two references.
	Optional bool
}

// References returns the objects that the Pod's secrets refer to, sorted by
// kind and name. The Pod starts only if all of those that are not Optional
// exist; a pull secret may be missing where the image is public. A controller can watch them, and restart Pods when they change.
func (p *Plan) References() []Reference { return p.references() }

type referenceKey struct {
	kind, name string
	optional   bool
}

// references collects the objects and keys that fragments refer to.
type references map[referenceKey]map[string]bool

func (r references) add(kind, name string, optional *bool, keys ...string) {
	if name == "" {
		return
	}
	to := referenceKey{kind, name, optional != nil && *optional}
	if r[to] == nil {
		r[to] = make(map[string]bool)
	}
	for _, key := range keys {
		r[to][key] = true
	}
}

func referencesOf(secrets []merge.Secret, namespace string) []Reference {
	r := make(references)
	for i := range secrets {
		r.addFragment(&secrets[i].Fragment)
	}
	out := make([]Reference, 0, len(r))
	for to, keys := range r {
		if to.optional { // omit keys that are also required
			if required, ok := r[referenceKey{to.kind, to.name, false}]; ok {
				for key := range required {
					delete(keys, key)
				}
				if len(keys) == 0 {
					continue
				}
			}
		}
		out = append(out, Reference{
			Kind: to.kind, Namespace: namespace, Name: to.name, Keys: slices.Sorted(maps.Keys(keys)), Optional: to.optional,
		})
	}
	slices.SortFunc(out, func(a, b Reference) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), compareBool(a.Optional, b.Optional))
	})
	return out
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

func (r references) addFragment(f *mount.Fragment) {
	if f.Value != nil {
		r.addSource(f.Value.EnvVar("").ValueFrom)
	}
	for i := range f.Volumes {
		r.addVolume(&f.Volumes[i].VolumeSource)
	}
	for _, c := range f.InitContainers {
		for _, from := range c.EnvFrom {
			r.addEnvFrom(from)
		}
		for _, v := range slices.Concat(c.Container.Env, c.Env) {
			r.addSource(v.ValueFrom)
		}
	}
	for _, ref := range f.ImagePullSecrets {
		r.add("Secret", ref.Name, nil)
	}
}

func (r references) addSource(s *corev1.EnvVarSource) {
	switch {
	case s == nil:
	case s.SecretKeyRef != nil:
		r.add("Secret", s.SecretKeyRef.Name, s.SecretKeyRef.Optional, s.SecretKeyRef.Key)
	case s.ConfigMapKeyRef != nil:
		r.add("ConfigMap", s.ConfigMapKeyRef.Name, s.ConfigMapKeyRef.Optional, s.ConfigMapKeyRef.Key)
	}
}

func (r references) addEnvFrom(s corev1.EnvFromSource) {
	if s.SecretRef != nil {
		r.add("Secret", s.SecretRef.Name, s.SecretRef.Optional)
	}
	if s.ConfigMapRef != nil {
		r.add("ConfigMap", s.ConfigMapRef.Name, s.ConfigMapRef.Optional)
	}
}

func (r references) addVolume(v *corev1.VolumeSource) {
	if s := v.Secret; s != nil {
		r.add("Secret", s.SecretName, s.Optional, keysOf(s.Items)...)
	}
	if c := v.ConfigMap; c != nil {
		r.add("ConfigMap", c.Name, c.Optional, keysOf(c.Items)...)
	}
	if c := v.PersistentVolumeClaim; c != nil {
		r.add("PersistentVolumeClaim", c.ClaimName, nil)
	}
	if c := v.CSI; c != nil {
		// The Secrets Store CSI driver finds its object by this attribute.
		r.add("SecretProviderClass", c.VolumeAttributes["secretProviderClass"], nil)
		if c.NodePublishSecretRef != nil {
			r.add("Secret", c.NodePublishSecretRef.Name, nil)
		}
	}
	if v.Projected == nil {
		return
	}
	for _, s := range v.Projected.Sources {
		if s.Secret != nil {
			r.add("Secret", s.Secret.Name, s.Secret.Optional, keysOf(s.Secret.Items)...)
		}
		if s.ConfigMap != nil {
			r.add("ConfigMap", s.ConfigMap.Name, s.ConfigMap.Optional, keysOf(s.ConfigMap.Items)...)
		}
	}
}

func keysOf(items []corev1.KeyToPath) []string {
	keys := make([]string, len(items))
	for i := range items {
		keys[i] = items[i].Key
	}
	return keys
}
