// Package injectortest is for the tests of code that builds on the library: of
// managers for a store ([TestManager], [Run]), and of programs that inject secrets
// ([Fake], [Pod], [CanRead], [CanReadExact], [Exist]).
//
// # To test a manager
//
// Give it to Run in one of your tests, with the requests that matter to it and
// the answers that you expect:
//
//	func TestConformance(t *testing.T) {
//		injectortest.Run(t, myManager,
//			injectortest.Case{Request: secret.Request{Group: "team/a", Key: "Token"}, Want: injectortest.File},
//			injectortest.Case{Request: secret.Request{Group: "team/b", Key: "Token", GroupVersion: "2"}},
//			injectortest.Case{Request: secret.Request{Group: "nobody", Key: "k"}, Want: injectortest.NotFound},
//			injectortest.Case{Request: secret.Request{Group: "team/a", Key: "k", Mount: mount.EnvVar}, Want: injectortest.Unsupported},
//		)
//	}
//
// Good cases are a secret in each form and shape that the manager serves, two
// with the same key in different groups, one with upper case, one with a version,
// one with a Path, one with each of Field and Mode that the manager honors, one with
// whatever the store's names may have ("/", "$", blanks), each reason to refuse one,
// and, if the manager looks at the Pod, a Pod of each kind. To test a failure of the
// store, replace the store.
//
// Run it with the race detector (go test -race).
//
// # The rules
//
// They are those of injector.SecretManager and mount.Fragment. A manager is asked as
// the injector asks: with the Mount that Request.Form decides. Each case is asked in
// Flyte's layout, and once more in another one (another directory, prefixes for
// files and variables, mount.InitAfterSidecars). A case that is served is also asked
// with exact names (mount.Layout.Exact): with an EnvVar for variables, and for files
// with the Path of the case, or else "group/key".
//
//   - name: Name is constant, not empty, and of the characters that are allowed.
//   - outcome: it answers what the case wants: a Fragment, an error that wraps
//     secret.ErrNotFound or secret.ErrUnsupported, or another one.
//   - fragment: the Fragment's Validate finds nothing, which checks the names of
//     volumes and init containers too; a literal fits into the variable.
//   - form: a Value for mount.EnvVar, a File for mount.File. It is also asked for
//     the forms that the case does not ask for, and may refuse.
//   - same answer: the same request and target give the same answer, a hundred
//     times and whatever was asked in between.
//   - keeps nothing: the answer stays the same after metadata that the manager was
//     shown before have changed. All else that it is given is a value.
//   - stays as it is: after all those calls, the first Fragment is what it was.
//   - version: a Fragment that is not Versioned does not depend on the version:
//     asked with another one the answer is the same, or refused, or Versioned. What
//     another webhook brings may depend on it, if it brings the alias too, and so may
//     what has an exact path.
//   - env file: a Value that refers to an env file (FileKeyRef) has one for each
//     secret, at a relative and clean path, and is not optional. An init container
//     that mounts mount.EnvVolume names the file, or the case says what it writes
//     (Case.WritesEnv).
//   - placement: a real Injector places what the manager has answered in a Pod,
//     and its containers, by the rules of CanRead, read the secret just where
//     injector.Placement says; a variable is what Case.Value has. Where the name has
//     no version and the request has, they find it under the alias too, if a
//     reference, a projected volume or annotations make that possible. What CanRead
//     does not know (ErrUnknown) is left to the manager's own tests, and so is a file
//     of another webhook, unless it is the Vault Agent Injector. A fetcher must name
//     the file that it writes, or the case says what it writes (Case.Writes). The
//     containers do not run as root, and there is no fsGroup.
//   - path: asked for a Path, the file is there: in mixed case, two directories
//     deep. The manager may decline.
//   - container: asked for one container, the manager answers as for all. In a Pod
//     with two, that one reads the secret, and the other one is not changed and does
//     not read it.
//   - honors: asked for a Field, and for a file with a Mode, the manager declines, or
//     its Fragment says in Honors that it follows it: then a variable, an argument,
//     an item or an annotation has the field or the mode, or the Value is another
//     literal. If Honors does not say so, the Fragment is the same as without.
//   - union: where two secrets have init containers of one name, the Container is
//     the same, no variable has two values, and each secret has a variable of its own
//     in Env. A Pod that is injected with one and then with the other one has the
//     same variables there as a Pod that is injected with both.
//   - apart: any two secrets of the cases fit into one Pod, if containers look for
//     them in different places. Volumes and init containers have one name if they are
//     equal, and volumes have different names if they are not.
//   - once is enough: injecting the injected Pod again adds nothing, though the
//     manager sees what was added to its metadata; nor when an API server has
//     filled in defaults and made a name of the Pod's GenerateName.
//   - concurrent: asked from many goroutines, it answers as from one.
//   - context: with a context that has been canceled or whose deadline has
//     passed, it returns within ten seconds, with an error that wraps the
//     context's, or with the right answer.
//   - no value: no error in all this holds Case.Value, as it is, quoted or in
//     base64.
//
// Cases that break one of the rules from "outcome" to "stays as it is" are left out
// of the others. Cases that break "env file", "placement", or what "honors" asks of
// the case's own request, are left out of the rules about Pods behind them.
//
// The subtests of Run are independent: go test -run TestConformance/placement finds
// what the whole run finds in that rule.
//
// What the kit cannot see: what a store really has, whether a fetcher's image
// does as it is told, and how a manager behaves whose context ends during a call.
//
// # To test what uses the library
//
// A Fake stands for the managers, a Pod for the Pod, and CanRead tells whether a
// container of the injected Pod can read a secret, whichever way it gets there. With
// exact names (mount.Layout.Exact), CanReadExact does:
//
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{fake}})
//	...
//	if err := injectortest.CanRead(pod, "app", secret.Request{Group: "user-info", Key: "password"}); err != nil {
//		t.Error(err)
//	}
//
// What refers to Secrets by name needs them. Exist tells which of a Plan's references
// are not among given objects:
//
//	if err := injectortest.Exist(plan.References(), secrets...); err != nil {
//		t.Error(err)
//	}
package injectortest
