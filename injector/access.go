package injector

import (
	"fmt"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Access is what Config.Allow decides about: one Pod reading one secret from
// one manager.
type Access struct {
	// Manager is the Name of the manager that would serve the request.
	Manager string
	Request secret.Request
	// Reads is what the manager's store would be asked for
	// (mount.Fragment.Reads). The zero value means that the manager does not
	// say.
	Reads mount.Object
	// Namespace comes from the admission request or from Injector.For, never
	// from an object itself. It is empty if unknown.
	Namespace string
	// ServiceAccount is the name of the Pod's service account, or "default" if
	// the Pod names none. The Pod's author chooses it among those of the
	// namespace.
	ServiceAccount string
}

// String returns a description in one line.
func (a Access) String() string {
	in := "an unknown namespace"
	if a.Namespace != "" {
		in = fmt.Sprintf("namespace %q", a.Namespace)
	}
	what := "an unspecified object"
	if a.Reads != (mount.Object{}) {
		what = fmt.Sprintf("%q", a.Reads.Name)
		if a.Reads.Key != "" {
			what += fmt.Sprintf(", key %q", a.Reads.Key)
		}
	}
	return fmt.Sprintf("manager %s reading %s for service account %q of %s", a.Manager, what, a.ServiceAccount, in)
}

// For returns an Injector for objects in the given namespace, whatever
// namespace they have themselves. It is for tools and controllers, which know
// the namespace of what they create. Config.Allow and managers see that
// namespace. An empty namespace overrides nothing: managers then see the
// object's own, and Config.Allow sees that of the admission request, or an
// unknown one if there is none.
func (in *Injector) For(namespace string) *Injector {
	out := *in
	out.namespace = namespace
	return &out
}

// authorize asks Config.Allow about an access. A refusal counts as
// secret.ErrNotFound, so that the Pod's author does not learn which secrets
// exist.
func (in *Injector) authorize(req secret.Request, manager string, reads mount.Object, target mount.Target, namespace string) error {
	if in.allow == nil {
		return nil
	}
	if err := in.allow(Access{manager, req, reads, namespace, target.ServiceAccount()}); err != nil {
		return fmt.Errorf("%w: not allowed: %w", secret.ErrNotFound, err)
	}
	return nil
}
