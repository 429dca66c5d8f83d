// Package injectortest helps to test code that builds on the library.
// [TestManager] and [Run] are for managers of a store. [Fake], [Pod],
// [CanRead], [CanReadExact] and [Exist] are for programs that inject secrets.
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
// the Pod, each kind of Pod. To test a failure of the store, give the manager a
// store that fails, and want Fails.
//
// Use the race detector (go test -race).
//
// # The rules
//
// The rules are those of injector.SecretManager and mount.Fragment. The kit
// calls the manager as the injector does: Mount is the result of Request.Form.
// Each case runs in Flyte's layout. It also runs in a layout with another
// directory and other prefixes for files and variables, and with
// mount.InitAfterSidecars. A served case also runs with exact names
// (mount.Layout.Exact). A variable then has an EnvVar, and a file has the
// case's Path, or else "group/key".
//
//   - name: Name is constant, not empty, and has only the allowed characters.
//   - outcome: the manager returns what the case wants: a Fragment, an error
//     that wraps secret.ErrNotFound or secret.ErrUnsupported, or another error.
//   - fragment: the Fragment passes its Validate, including the names of
//     volumes and init containers; a literal fits into the variable.
//   - form: the Fragment has a Value for mount.EnvVar, and is a File for
//     mount.File. The kit also requests the other forms. The manager may refuse
//     those.
//   - same answer: the same request and target give the same result a hundred
//     times, whatever calls come in between.
//   - retains nothing: the result stays the same after the metadata of earlier
//     calls has changed. Nothing else that the manager gets can change.
//   - immutable: after all those calls, the first Fragment is unchanged.
//   - version: a Fragment that is not Versioned does not depend on the version.
//     If the kit adds or removes the version, the result is the same, an error,
//     or Versioned. A Fragment may depend on the version if another webhook
//     also provides the alias or the env file, or if the path is exact.
//   - env file: if a Value refers to an env file (FileKeyRef), each secret has
//     its own file, the path is relative and clean, and the reference is not
//     optional. If the file is in mount.EnvVolume, an init container that
//     mounts this volume names the file, or Case.WritesEnv says what it writes.
//   - placement: the kit injects the result into a Pod with a real Injector. By
//     the rules of CanRead, the Pod's containers then read the secret exactly
//     at its injector.Placement, and a variable equals Case.Value. If the
//     request has a version but the primary name has none, they also find the
//     alias of a variable, and that of a file if a projected volume or
//     annotations can provide it. A fetcher must name the file that it writes,
//     or Case.Writes says what it writes. The containers do not run as root,
//     and there is no fsGroup. The manager's own tests must cover what CanRead
//     cannot know (ErrUnknown), and files of webhooks other than the agent
//     injectors of Vault and OpenBao.
//   - path: with a Path, the file is at that path. The kit's paths are in mixed
//     case and two directories deep. The manager may decline.
//   - container: the manager also serves the request with a Container. In a Pod
//     with two containers, that one reads the secret. The other is unchanged
//     and cannot read it.
//   - honors: if the request has a Field, or is for a file and has a Mode, the
//     manager declines, or sets Honors and follows the request. Then a
//     variable, argument, item or annotation contains the field or mode, or the
//     Value is another literal. If the manager does not set Honors, the
//     Fragment is the same as without the Field or Mode.
//   - shared container: if two secrets have init containers with the same name,
//     the Container is the same, no variable has two values, and each secret
//     has a variable in Env that the other does not have. Injecting one after
//     the other gives the same variables as injecting both.
//   - pairs: any two secrets of the cases fit into one Pod, if containers look
//     for them at different places. Equal volumes have the same name, and
//     different volumes have different names. Equal init containers have the
//     same name.
//   - idempotent: injecting again adds nothing. The manager then sees the
//     metadata of the injected Pod. This also holds after an API server has set
//     defaults and made a name from the Pod's GenerateName.
//   - concurrent: calls from many goroutines give the same results.
//   - context: if the context is canceled or past its deadline, the manager
//     returns within ten seconds, with an error that wraps the context's, or
//     with the correct result.
//   - no leak: no error contains Case.Value, plain, quoted or in base64.
//
// If a case breaks one of the rules from "outcome" to "immutable", the rules
// after it skip that case. If a case breaks "env file" or "placement", or
// "honors" for its own request, the rules about Pods after "placement" skip it.
//
// The subtests of Run are independent: go test -run TestConformance/placement
// finds the same faults as the whole run does for that rule.
//
// The kit cannot see what a store really contains, whether a fetcher's image
// does what its variables say, or how a manager behaves if its context ends
// during a call.
//
// # Testing programs that use the library
//
// Fake stands in for the managers, and Pod makes a Pod. CanRead reports whether
// a container of the injected Pod can read a secret, whether it is a variable
// or a file. For exact names (mount.Layout.Exact), use CanReadExact:
//
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{fake}})
//	...
//	if err := injectortest.CanRead(pod, "app", secret.Request{Group: "user-info", Key: "password"}); err != nil {
//		t.Error(err)
//	}
//
// A Pod that refers to Secrets by name needs these Secrets. Exist reports which
// objects of a Plan's references are missing from a list of objects:
//
//	if err := injectortest.Exist(plan.References(), secrets...); err != nil {
//		t.Error(err)
//	}
package injectortest
