// Package injectortest helps to test code that builds on the library: managers
// for a store ([TestManager], [Run]), and programs that inject secrets ([Fake],
// [Pod], [CanRead], [CanReadExact], [Exist]).
//
// # Testing a manager
//
// Pass the manager to Run, with requests that matter to it and the expected
// outcomes:
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
// Good cases are: a secret in each form and shape that the manager serves; two
// with the same key in different groups; one with upper case; one with a
// version; one with a Path; one with each of Field and Mode that the manager
// honors; one with the unusual characters that the store's names may have ("/",
// "$", spaces); each reason to refuse a request; and, if the manager looks at
// the Pod, each kind of Pod. To test a failure of the store, replace the store.
//
// Use the race detector (go test -race).
//
// # The rules
//
// The rules are those of injector.SecretManager and mount.Fragment. The kit
// calls the manager as the injector does, with the Mount of Request.Form. Each
// case runs in Flyte's layout, and in another one (another directory, prefixes
// for files and variables, mount.InitAfterSidecars). A served case also runs
// with exact names (mount.Layout.Exact): with an EnvVar for variables, and for
// files with the case's Path, or else "group/key".
//
//   - name: Name is constant, not empty, and has only the allowed characters.
//   - outcome: the manager returns what the case wants: a Fragment, an error
//     that wraps secret.ErrNotFound or secret.ErrUnsupported, or another error.
//   - fragment: the Fragment passes its Validate, including the names of
//     volumes and init containers; a literal fits into the variable.
//   - form: a Value for mount.EnvVar, a File for mount.File. The kit also
//     requests the forms that the case does not, which the manager may refuse.
//   - same answer: the same request and target give the same result, a hundred
//     times and independently of calls in between.
//   - retains nothing: the result stays the same after metadata from earlier
//     calls has changed. All other arguments are values.
//   - immutable: after all those calls, the first Fragment is unchanged.
//   - version: a Fragment that is not Versioned does not depend on the version:
//     with another version the result is the same, an error, or Versioned. A
//     Fragment may depend on it if another webhook also provides the alias, or
//     if the path is exact.
//   - env file: a Value that refers to an env file (FileKeyRef) has a separate
//     file for each secret, with a relative, clean path, and is not optional.
//     An init container that mounts mount.EnvVolume names the file, or
//     Case.WritesEnv says what it writes.
//   - placement: a real Injector places the result in a Pod, and the Pod's
//     containers, by the rules of CanRead, read the secret exactly at its
//     injector.Placement; a variable equals Case.Value. If the name has no
//     version but the request does, they also find the alias, where a
//     reference, a projected volume or annotations make that possible. Whatever
//     CanRead cannot know (ErrUnknown) is left to the manager's own tests, as
//     are files of another webhook other than the Vault Agent Injector. A
//     fetcher must name the file that it writes, or Case.Writes says what it
//     writes. The containers do not run as root, and there is no fsGroup.
//   - path: with a Path, the file is there: in mixed case, two directories
//     deep. The manager may decline.
//   - container: with a Container, the result is the same as without. In a Pod
//     with two containers, that one reads the secret; the other is unchanged
//     and cannot read it.
//   - honors: with a Field, and for a file with a Mode, the manager declines,
//     or sets Honors and follows it: a variable, argument, item or annotation
//     contains the field or mode, or the Value is another literal. Without
//     Honors, the Fragment is the same as without the Field or Mode.
//   - shared container: if two secrets have init containers with the same name,
//     the Container is the same, no variable has two values, and each secret
//     has a separate variable in Env. Injecting one after the other gives the
//     same variables as injecting both.
//   - pairs: any two secrets of the cases fit into one Pod, if containers look
//     for them at different places. Volumes and init containers have the same
//     name if they are equal, and volumes have different names if they differ.
//   - idempotent: injecting again adds nothing, even though the manager sees
//     the additions to the metadata, and even after an API server has set
//     defaults and made a name from the Pod's GenerateName.
//   - concurrent: calls from many goroutines give the same results.
//   - context: if the context is canceled or past its deadline, the manager
//     returns within ten seconds, with an error that wraps the context's, or
//     with the correct result.
//   - no leak: no error contains Case.Value, plain, quoted or in base64.
//
// Later rules skip cases that break one of the rules from "outcome" to
// "immutable". The rules about Pods after "placement" also skip cases that
// break "env file", "placement", or "honors" for the case's own request.
//
// The subtests of Run are independent: go test -run TestConformance/placement
// finds what the whole run finds for that rule.
//
// The kit cannot see what a store really contains, whether a fetcher's image
// does what it is told, and how a manager behaves if its context ends during a
// call.
//
// # Testing programs that use the library
//
// A Fake replaces the managers, a Pod the real Pod, and CanRead reports whether
// a container of the injected Pod can read a secret, however it gets there. For
// exact names (mount.Layout.Exact), use CanReadExact:
//
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{fake}})
//	...
//	if err := injectortest.CanRead(pod, "app", secret.Request{Group: "user-info", Key: "password"}); err != nil {
//		t.Error(err)
//	}
//
// Pods that refer to Secrets by name need these Secrets. Exist reports which of
// a Plan's references are missing from a list of objects:
//
//	if err := injectortest.Exist(plan.References(), secrets...); err != nil {
//		t.Error(err)
//	}
package injectortest
