// Package mount says how a secret sits in a Pod: where containers look for it
// ([Layout]), in which form they read it ([Type]), what whoever provides it may
// know of the Pod ([Target]), and what the Pod gains so that it can be read
// ([Fragment]). It knows nothing of requests or stores.
//
// Managers of secrets start here: read the Layout off the Target, and return a
// Fragment.
//
//	func (m *Manager) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
//		return mount.Fragment{Value: mount.FromSource(&corev1.EnvVarSource{ ... })}, nil
//	}
//
// Package injector/injectortest tests a manager by its contract.
//
// The package is vocabulary. It never reads or writes a Pod: fragments are
// merged, checked against the Pod and written by package injector alone, in an
// internal package, so that what a manager can depend on stays as small as
// this. It neither logs nor keeps state, and no value of a secret that passes
// through a [Value] ever shows in print.
//
// The names that a Layout makes are those which Flyte's Python client
// (flytekit) looks up; testdata holds what it was seen to do.
package mount
