package injector

import (
	"context"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// SecretManager provides secrets from one store. It decides what a Pod needs so
// that containers can read a secret, and returns that as data. It never changes
// the Pod, and sees only its mount.Target. This interface will never gain
// methods.
//
// A manager must follow these rules, which package injectortest checks:
//
//   - The same request and target give the same Fragment, independent of
//     clocks, randomness and map order.
//   - It does not modify or retain its arguments, and does not change a
//     Fragment, or anything it refers to, after returning it.
//   - It returns the same Fragment for a Pod that is already injected. Such a
//     Pod's metadata has the added annotations, and a name where there was only
//     a GenerateName.
//   - It is safe for concurrent use.
//   - If it does anything that takes time, it returns when the context ends,
//     with an error that wraps the context's.
//   - No error contains the value of a secret.
//   - The Fragment follows the rules of mount.Fragment. Names of volumes and
//     fetchers come from mount.Name with everything that identifies them, so
//     that names differ exactly if their purposes differ.
//   - If secret.Request.Mount is EnvVar, the Fragment has a Value. If it is
//     File, the Fragment is a File. With Any the manager chooses: a variable if
//     it can provide one, otherwise a file. If it cannot provide the type, it
//     returns secret.ErrUnsupported, and the next manager is tried.
//   - A store without versions either returns secret.ErrUnsupported for a
//     request with a GroupVersion, or ignores the version. Its Fragment is then
//     not Versioned, and the primary name has no version. A client that asks
//     with the version finds the secret only through the alias, which exists
//     for a Value, for a file in a projected volume of Secrets, and with
//     mount.Webhook.AliasAnnotations.
type SecretManager interface {
	// Name identifies the manager in placements, errors and audit annotations,
	// such as "k8s". It is constant, not empty, and has only ASCII letters,
	// digits, "-", "_", "." and "/". Managers with the same name are counted
	// together.
	Name() string

	// Mount returns what a Pod needs to read the secret. The request has passed
	// its Validate method. The error is
	//
	//   - nil: this manager serves the request, and no other manager is tried;
	//   - secret.ErrNotFound or secret.ErrUnsupported, possibly wrapped: this
	//     manager does not have the secret, or does not serve such requests,
	//     and the next one is tried;
	//   - anything else: the request fails, and no other manager is tried,
	//     because another store's secret is not the requested one. A
	//     *mount.ConflictError (the Pod conflicts) or *secret.InvalidError is
	//     shown to the Pod's author. Any other error is a failure of the
	//     manager, and reviews say only that it failed.
	//
	// With an error, only the Fragment's Reads is used. It names the secret
	// that the error is about: if Config.Allow refuses to let the Pod read it,
	// the error becomes secret.ErrNotFound.
	Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error)
}
