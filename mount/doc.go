// Package mount says how a secret sits in a Pod: where containers look for it
// ([Layout]), in which form they read it ([Type]), what a manager can see of the
// Pod ([Target]), and what the Pod gains so that it can be read ([Fragment]). It
// knows nothing of requests or stores.
//
// Authors of managers start here: read the Layout off the Target, and return a
// Fragment.
//
//	func (m *Manager) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
//		return mount.Fragment{Value: mount.FromSource(&corev1.EnvVarSource{ ... })}, nil
//	}
//
// Package injector/injectortest tests a manager by its contract.
//
// # Terminology
//
// These words have one meaning in all packages:
//
//   - A receiver is a container that gets a secret.
//   - A fetcher is an init container that fetches secrets.
//   - A derived name is the variable or file that Flyte's client looks for. It
//     follows from a request's group, version and key.
//   - An exact name is one that the request itself gives: secret.Request.EnvVar
//     and secret.Request.Path.
//   - The primary name is the one at which a secret is always found. An alias is
//     the derived name with the version where the primary name has none, and the
//     other way round.
//   - The discovery variables are the three from which Flyte's client learns where
//     to look: [EnvPrefixVar], [DefaultDirVar] and [FilePrefixVar].
//   - An env file is a file of lines KEY='value' from which the kubelet sets
//     variables (valueFrom.fileKeyRef).
//   - A scope is what one set of receivers gets. There is one for all receivers,
//     and one for each container that a request names.
//
// # Boundaries
//
// The package is vocabulary. It never reads or writes a Pod: fragments are
// merged, checked against the Pod and written by package injector alone, so that
// managers depend on nothing more than this. It neither logs nor keeps state, and
// formatting a [Value] never reveals the secret.
//
// Derived names are those which Flyte's Python client (flytekit) looks up;
// testdata holds what it was seen to do.
package mount
