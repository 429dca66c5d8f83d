package injector

import (
	"fmt"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Access is what Config.Allow decides about: that a manager gives one secret to
// one Pod.
type Access struct {
	// Manager is the Name of the manager that would serve the request.
	Manager string
	Request secret.Request
	// Reads is what the manager's store would be asked for (mount.Fragment.Reads).
	// The zero value means that the manager does not say.
	Reads mount.Object
	// Namespace is that of the admission request, or the one given to
	// Injector.For. It is never an object's own word, and empty where it is not
	// known.
	Namespace string
	// ServiceAccount is the name of the Pod's service account, "default" if the
	// Pod names none. The Pod's author chooses it within the namespace.
	ServiceAccount string
}

// String returns one line.
func (a Access) String() string {
	in := "an unknown namespace"
	if a.Namespace != "" {
		in = fmt.Sprintf("namespace %q", a.Namespace)
	}
	what := "an object that it does not name"
	if a.Reads != (mount.Object{}) {
		what = fmt.Sprintf("%q", a.Reads.Name)
		if a.Reads.Key != "" {
			what += fmt.Sprintf(", key %q", a.Reads.Key)
		}
	}
	return fmt.Sprintf("manager %s reading %s for service account %q of %s", a.Manager, what, a.ServiceAccount, in)
}

// For returns an Injector for objects in that namespace, whatever they say
// themselves. It is for controllers, which know the namespace of what they
// create, and for tools. Config.Allow and managers see that namespace. An empty
// namespace is the same as none: then Config.Allow is told that it is not known,
// and managers see what objects say.
func (in *Injector) For(namespace string) *Injector {
	out := *in
	out.namespace = namespace
	return &out
}

// authorize asks Config.Allow about an answer. What it refuses counts as
// secret.ErrNotFound, so that the Pod's author does not learn which secrets exist.
func (in *Injector) authorize(req secret.Request, manager string, reads mount.Object, target mount.Target, namespace string) error {
	if in.allow == nil {
		return nil
	}
	if err := in.allow(Access{manager, req, reads, namespace, target.ServiceAccount()}); err != nil {
		return fmt.Errorf("%w: not allowed: %w", secret.ErrNotFound, err)
	}
	return nil
}
