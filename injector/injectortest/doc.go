// Package injectortest is for the tests of those who build on the library: of
// managers for a store ([TestManager], [Run]), and of programs that have secrets
// injected ([Fake], [Pod], [CanRead]).
//
// # To test a manager
//
// Give it to Run in one of your tests, with the requests that matter to it and
// what it shall answer to them:
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
// one with whatever the store's names may have ("/", "$", blanks), each reason
// to refuse one, and, if the manager looks at the Pod, a Pod of each kind. A
// store's failure can be had by a manager whose store is replaced.
//
// Run it with the race detector (go test -race).
//
// # The rules
//
// They are those of injector.SecretManager and mount.Fragment. Each case is asked
// in Flyte's layout, and once more in another one (another directory, prefixes for
// files and variables, mount.InitAfterSidecars).
//
//   - name: Name is constant, not empty, and of the characters that are allowed.
//   - outcome: it answers what the case wants: a Fragment, an error that wraps
//     secret.ErrNotFound or secret.ErrUnsupported, or another one.
//   - fragment: the Fragment's Validate finds nothing, which checks the names of
//     volumes and fetchers too; a literal fits into the variable.
//   - form: a Value for mount.EnvVar, a File for mount.File. It is also asked for
//     the forms that the case does not ask for, and may refuse.
//   - same answer: the same request and target give the same answer, a hundred
//     times and whatever was asked in between.
//   - keeps nothing: nor does it differ after the metadata have changed which it
//     was shown before. All else that it is given is a value.
//   - stays as it is: the first Fragment is after all those calls what it was.
//   - version: a Fragment that is not Versioned does not depend on the version:
//     asked with another one the answer is the same, or refused, or Versioned.
//   - placement: a real Injector places what the manager has answered in a Pod,
//     and its containers, by the rules of CanRead, read the secret just where
//     injector.Placement says; a variable is what Case.Value has. What CanRead does
//     not know (ErrUnknown) is left to the manager's own tests, and so is a file
//     that neither volumes nor fetchers bring, but annotations, unless they are
//     those of the Vault Agent Injector. A fetcher must name the file that it
//     writes, or the case says what it writes (Case.Writes). The containers do not
//     run as root, and there is no fsGroup.
//   - apart: any two secrets of the cases fit into one Pod, if containers look for
//     them in different places. Volumes and fetchers have one name if they are
//     equal, and different names if they are not.
//   - once is enough: injecting the injected Pod again adds nothing, though the
//     manager sees what was added to its metadata; nor when an API server has
//     filled in defaults and made a name of the Pod's GenerateName.
//   - concurrent: asked from many goroutines, it answers as from one.
//   - context: with a context that has been cancelled or whose deadline has
//     passed, it returns within ten seconds, with an error that wraps the
//     context's, or with the right answer.
//   - no value: no error in all this holds Case.Value, as it is, quoted or in
//     base64.
//
// A case that breaks one of the rules up to "stays as it is" (but for name) is
// left out of the later ones, which rest on them.
//
// What the kit cannot see: what a store really has, whether a fetcher's image
// does as it is told, and how a manager behaves whose context ends during a call.
//
// # To test what uses the library
//
// A Fake stands for the managers, a Pod for the Pod, and CanRead tells whether a
// container of what comes out can read a secret, whichever way it gets there:
//
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{fake}})
//	...
//	if err := injectortest.CanRead(pod, "app", secret.Request{Group: "user-info", Key: "password"}); err != nil {
//		t.Error(err)
//	}
package injectortest
