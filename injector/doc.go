// Package injector decides how secrets reach a Pod, and returns the Pod that
// has them, or the JSON patch that adds them.
//
//	in, err := injector.New(injector.Config{
//		Managers: []injector.SecretManager{globalSecrets, kubernetesSecrets},
//	})
//	pod, err = in.Inject(ctx, pod, secret.Request{Group: "user-info", Key: "password"})
//
// A [SecretManager] answers what a Pod needs to read one secret; the Injector
// asks them in order, names things, merges the answers, finds conflicts and
// writes the result. [Injector.Plan] tells where each secret would be found and
// does nothing; [Injector.Inject], [Injector.InjectTemplate] and
// [Injector.Patch] suit controllers, [Injector.Review] an admission webhook.
//
// # What always holds
//
//   - Nothing that is given is modified or kept, and results share nothing with
//     it. The package does not log, has no state, and reads neither clock,
//     randomness nor environment.
//   - An error means no result at all, and tells of every request that fails; of
//     a request that conflicts with another, the first conflict.
//   - The same input gives the same bytes.
//   - Injecting what is injected already changes nothing, also after the API
//     server or other webhooks have filled in or changed the rest of what was
//     added. With more requests the second time, only what is missing is added,
//     and nothing moves. What an earlier call added stays as it is, also where
//     a manager with another Config would now answer otherwise. So a request may
//     conflict with it: with the second name of an earlier one, or with the list
//     of containers in an annotation, where another webhook has added one since.
//   - A patch makes of the Pod's JSON the injected Pod's JSON, and only adds.
//     It is written directly, not by comparing Pods, so that fields which this
//     build of k8s.io/api does not know stay where they are.
//   - Nothing is silently replaced: a name that means something else already is
//     a *mount.ConflictError that says where.
//   - The value of a secret is in the resulting Pod and patch and nowhere else.
//
// # What a container gets
//
// Every container, init containers too, unless Config.Containers chooses. A
// secret is a variable or a file, named as Flyte's client looks it up; see
// mount.Layout. With it come the variables FLYTE_SECRETS_ENV_PREFIX, or
// FLYTE_SECRETS_DEFAULT_DIR and FLYTE_SECRETS_FILE_PREFIX, from which that
// client learns where to look. Variables are put in front, so that the Pod's own
// can refer to them with $(NAME), and a Pod's last definition of a name is the
// one that counts. A request with a version gets a second name, with or without
// the version, where a reference makes that possible and the name is free.
//
// A second call also gives secrets to containers that other webhooks have added
// since the first. So a webhook asks for reinvocationPolicy Never, unless that
// is what is wanted.
//
// # Odd Pods
//
// A Pod, or what it asks for, can be odd by bad luck or on purpose:
//
//   - A volume of the same Secret that is the Pod's own stays as it is, and a
//     second one is added. Any other use of a name or path that a secret needs is
//     an error: a variable with another value (mount.ConflictKeepPod leaves it), a volume
//     or container with our name, another part of our volume (subPath), a mount
//     at, above or below the secret's path.
//   - A variable of the Pod's own with the name of a secret that is a file is left
//     alone. Flyte's client reads it rather than the file.
//   - A copy of an injected Pod that asks for other secrets keeps the old ones and
//     gains the new ones. Who does not want that copies the Pod without them. An
//     old one that is fetched, or that Vault's agent brings, to the file of a new
//     one, as their names differ in case only, is not noticed.
//   - Requests whose names differ in case or separators only are one where they
//     are one to the store, as the groups of package k8ssecret are in upper and
//     lower case, and otherwise an error, since they have one variable or file.
//   - A group or a key may be empty if a manager serves it so; a request with
//     neither is an error. A key with "/" is a file in a directory, where the
//     store has such keys (Vault has, Kubernetes has not); ".." is an error.
//   - A Pod for Windows gets variables and Secrets like any other. What fetches
//     with containers for Linux must know: the manager sees the Pod's labels, so
//     give the Pod kubernetes.io/os, not spec.os alone.
//   - A Pod in the host's network is like any other, and so is one that names its
//     node already.
//   - Ephemeral containers never receive secrets: they are added later, by an
//     update that Review does not look at, and cannot be changed by it.
//   - A static Pod has no requests: the kubelet runs it without asking an API
//     server. Its mirror Pod is allowed as it is.
//   - A Pod in which no container would receive, because there is none or
//     because none is chosen, is an error.
//   - Gaps in the numbers of annotations are fine, and s10 comes after s9. A
//     number with a leading zero, a sign or none at all is an error, rather than
//     a secret that silently never comes.
//
// # Limits
//
//	what                                      at most        otherwise
//	one request                               4,096 bytes    *secret.InvalidError, see secret.Request.Validate
//	requests of one call                      MaxRequests    *LimitError
//	names and values of annotations, Review   256 KiB        413; Kubernetes' own limit
//	JSON of a Pod, Review                     3 MiB          413; what an API server takes in a request
//	nesting of that JSON                      10,000         400; as in API servers
//	name and value of a literal secret        131,070 bytes  *mount.ValueError; mount.MaxEnvVar
//	literals that one Pod gains               512 KiB        *mount.ValueError, all containers together
//	what the containers of one Pod gain       3 MiB          mount.ErrTooLarge, as estimated
//	conflicts found in one Pod                1,000          the search ends
//	message of a refusal                      20 errors      the number of the others, and 16 KiB
//
// Within these, memory and time grow with the number of requests, containers,
// variables and volumes, and not faster. A context that ends while managers are
// asked ends the call.
package injector
