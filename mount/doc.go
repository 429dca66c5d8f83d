// Package mount describes how a secret appears in a Pod: where containers look
// for it ([Layout]), in which form they read it ([Type]), what a manager can
// see of the Pod ([Target]), and what the Pod needs so that containers can read
// it ([Fragment]). It does not depend on requests or stores.
//
// Authors of managers start here: take the Layout from the Target, and return a
// Fragment.
//
//	func (m *Manager) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
//		return mount.Fragment{Value: mount.FromSource(&corev1.EnvVarSource{ ... })}, nil
//	}
//
// Package injector/injectortest tests whether a manager follows the rules of
// injector.SecretManager.
//
// # Terminology
//
// These words have one meaning in all packages:
//
//   - A receiver is a container that gets a secret.
//   - A fetcher is an init container that fetches secrets.
//   - A derived name is the variable or file that Flyte's client looks for. It
//     follows from a request's group, version and key.
//   - An exact name is one that the request gives: secret.Request.EnvVar or
//     secret.Request.Path.
//   - The primary name is the name under which a secret is always available. An
//     alias is a second derived name. It has the version if the primary name
//     has none, and no version otherwise.
//   - The discovery variables tell Flyte's client where to look:
//     [EnvPrefixVar], [DefaultDirVar] and [FilePrefixVar].
//   - An env file has lines KEY='value', from which the kubelet sets variables
//     (valueFrom.fileKeyRef).
//   - A scope is everything that one set of receivers gets. There is one scope
//     for all receivers, and one for each container that a request names.
//
// # Boundaries
//
// This package never reads or writes a Pod. Package injector alone merges
// fragments, checks them against the Pod and writes them, so managers depend
// only on this package. It does not log and has no state, and formatting a
// [Value] never reveals the secret.
//
// Derived names match the lookups of Flyte's Python client (flytekit); testdata
// records its behavior.
package mount
