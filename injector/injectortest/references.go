package injectortest

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/podsecrets/podsecrets/injector"
)

// Exist returns nil if objects contains every referenced object that is not
// optional, with all referenced keys. A Pod of that Plan can then start.
// Otherwise Exist returns joined errors, one for each missing object or key. It
// is for tests of programs that ship Pods together with the objects that the
// Pods read, such as an operator's manifests.
//
// Exist recognizes Secrets, ConfigMaps and PersistentVolumeClaims by Go type,
// and other objects by their kind. A reference or an object without a namespace
// matches any namespace.
func Exist(refs []injector.Reference, objects ...runtime.Object) error {
	var errs []error
	for _, ref := range refs {
		if ref.Optional {
			continue
		}
		keys, ok := keysOf(ref, objects)
		if !ok {
			errs = append(errs, fmt.Errorf("%s does not exist", describe(ref)))
			continue
		}
		for _, key := range ref.Keys {
			if !keys[key] {
				errs = append(errs, fmt.Errorf("%s has no key %q", describe(ref), key))
			}
		}
	}
	return errors.Join(errs...)
}

func describe(ref injector.Reference) string {
	text := fmt.Sprintf("%s %q", ref.Kind, ref.Name)
	if ref.Namespace != "" {
		text += fmt.Sprintf(" in namespace %q", ref.Namespace)
	}
	return text
}

// keysOf returns the keys of the referenced object.
func keysOf(ref injector.Reference, objects []runtime.Object) (keys map[string]bool, ok bool) {
	for _, o := range objects {
		m, err := meta.Accessor(o)
		if err != nil || m.GetName() != ref.Name || !sameNamespace(ref, m) {
			continue
		}
		if kind, keys := contentOf(o); kind == ref.Kind {
			return keys, true
		}
	}
	return nil, false
}

func sameNamespace(ref injector.Reference, o metav1.Object) bool {
	return ref.Namespace == "" || o.GetNamespace() == "" || ref.Namespace == o.GetNamespace()
}

func contentOf(o runtime.Object) (kind string, keys map[string]bool) {
	keys = make(map[string]bool)
	switch o := o.(type) {
	case *corev1.Secret:
		addKeys(keys, o.Data)
		addKeys(keys, o.StringData)
		return "Secret", keys
	case *corev1.ConfigMap:
		addKeys(keys, o.Data)
		addKeys(keys, o.BinaryData)
		return "ConfigMap", keys
	case *corev1.PersistentVolumeClaim:
		return "PersistentVolumeClaim", keys
	}
	return o.GetObjectKind().GroupVersionKind().Kind, keys
}

func addKeys[V any](keys map[string]bool, data map[string]V) {
	for key := range data {
		keys[key] = true
	}
}
