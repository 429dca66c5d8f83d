package injector

import (
	"context"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// SecretManager knows one store of secrets. It decides what a Pod needs so that
// its containers can read a secret of that store, and returns that as data; it
// never sees the Pod and changes nothing. The interface never gains methods.
//
// A manager keeps these rules, which package injectortest checks:
//
//   - The same request and target give the same Fragment. Nothing in it comes
//     from a clock, from randomness or from the order of a map.
//   - It neither modifies nor keeps what it is given, and does not change a
//     Fragment, or what that refers to, once it is returned.
//   - It gives the same answer for a Pod that is injected already. Its metadata
//     then have the annotations that were added, and a name where there was only
//     a GenerateName.
//   - It may be called from many goroutines at once.
//   - It returns when the context ends, with the context's error wrapped, if it
//     does anything that takes time.
//   - No error holds the value of a secret.
//   - The Fragment keeps the rules of mount.Fragment. Names of volumes and
//     fetchers come from mount.Name, given all that makes them what they are,
//     so that they differ exactly where they do different things.
//   - The Fragment has a Value where secret.Request.Mount is EnvVar, and is a
//     File where it is File. Any leaves the choice: a variable where the manager
//     can provide one, otherwise a file. What a manager cannot provide is
//     secret.ErrUnsupported, so that the next one is asked.
//   - A store without versions either ignores secret.Request.GroupVersion, and
//     then its Fragment is not Versioned and has the name without the version,
//     where a client that asks with the version does not look unless the
//     Fragment is a reference; or it answers secret.ErrUnsupported.
type SecretManager interface {
	// Name identifies the manager in placements, errors and audit annotations,
	// such as "k8s". It is constant, not empty, and of ASCII letters, digits,
	// and "-", "_", ".", "/". Managers of one name are counted together.
	Name() string

	// Mount says what a Pod needs to read the secret. The request is valid as
	// by its Validate method. The error is
	//
	//   - nil: this manager serves the request, and no other is asked;
	//   - secret.ErrNotFound or secret.ErrUnsupported, wrapped: this manager
	//     does not have the secret, or serves no request of that kind or shape,
	//     and the next manager is asked;
	//   - any other: the request fails, and no other manager is asked, because
	//     another store's secret is not what was asked for. A
	//     *mount.ConflictError (the Pod is in the way) or *secret.InvalidError
	//     is shown to the Pod's author. Everything else is a failure of the
	//     manager, and reviews say only that it failed.
	//
	// With an error, all of the Fragment but Reads is ignored. Reads with an error
	// says about which secret the error is: whoever may not read it is told that
	// it was not found.
	Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error)
}
