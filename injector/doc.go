// Package injector decides how secrets reach a Pod, and returns the Pod that
// has them, or the JSON patch that adds them.
//
//	in, err := injector.New(injector.Config{
//		Managers: []injector.SecretManager{globalSecrets, kubernetesSecrets},
//	})
//	pod, err = in.Inject(ctx, pod, secret.Request{Group: "user-info", Key: "password"})
//
// A [SecretManager] answers what a Pod needs to read one secret; the Injector
// asks managers in order, names things, merges the answers, finds conflicts and
// writes the result. [Injector.Plan] says where each secret would be found and
// changes nothing; [Injector.Inject], [Injector.InjectTemplate] and
// [Injector.Patch] suit controllers, [Injector.PatchJSON] those with unstructured
// objects, [Injector.Review] and [Injector.Verify] admission webhooks.
// Package mount defines the words that are used here.
//
// # What always holds
//
//   - Inputs are never modified or retained, and results share nothing with
//     them. The package does not log, has no state, and reads neither clock,
//     randomness nor environment.
//   - On error there is no result; the error lists every failed request, and for
//     one that conflicts with others, the first conflict.
//   - The same input gives the same bytes.
//   - Injection is idempotent, also after the API server or other webhooks have
//     filled in or changed the rest of what was added. With more requests the
//     second time, only what is missing is added, and nothing moves. What an
//     earlier call added stays as it is, also where a manager with another Config
//     would now answer otherwise. So a request may conflict with it: with the
//     alias of an earlier one, with the list of containers in an annotation, or,
//     if it names one container, with a volume that this container shares with
//     others already.
//   - A patch turns the Pod's JSON into the injected Pod's JSON, and only adds.
//     It is written directly, not by comparing Pods, so that fields which this
//     build of k8s.io/api does not know stay where they are.
//   - Nothing is silently replaced: a name that means something else already is
//     a *mount.ConflictError that says where.
//   - The value of a secret is in the resulting Pod and patch and nowhere else.
//
// # What a container gets
//
// All containers receive secrets, init containers too, unless Config.Containers
// or the request (secret.Request.Container) chooses. A secret is a variable or a
// file. Its derived name is the one that Flyte's client looks up; see
// mount.Layout. With it come the discovery variables, from which that client
// learns where to look. Variables are put in front, so that the Pod's own can
// refer to them with $(NAME); of two definitions of a name, the last counts.
//
// A request with a version gets an alias: the derived name with the version where
// the primary name has none, and the other way round. The name with the version
// is one that the client may look for, so another secret there is a conflict. An
// alias without the version gives way to another request's name, and so does a
// file that would have to be below another file.
//
// A request can ask for exact names besides: a variable (EnvVar) and a path
// (Path). With mount.Layout.Exact there are only exact names.
//
// A variable from an env file is set only on containers that start after the
// fetcher has written the file, because the kubelet does not start a container
// whose env file is missing. A container that starts earlier is no receiver of
// that secret.
//
// A second call also gives secrets to containers that other webhooks have added
// since the first. To avoid that, register the webhook with reinvocationPolicy
// Never.
//
// # Secrets of one container
//
// A request that names a container is merged for that container alone: its
// variables, its mounts, and its own volumes of Kubernetes Secrets, so that no
// other container sees its keys. Volumes with fetched files, and those of another
// webhook or a driver, show all their files to every container that mounts them.
// So all requests that bring files into one must have the same Container, and no
// other container may mount it. Variables from env files are exempt: nobody
// mounts their volume but the fetchers.
//
// # What goes together
//
// One path has one volume. So secrets of two stores can be in one Pod unless both
// bring their volume to the directory of secrets itself:
//
//	          Secret    top       fetched   Vault     OpenBao   CSI       variable
//	Secret    yes       yes       yes       yes       yes       yes       yes
//	top       yes       yes       no        no        no        yes       yes
//	fetched   yes       no        yes       no        no        yes       yes
//	Vault     yes       no        no        yes       no        yes       yes
//	OpenBao   yes       no        no        no        yes       yes       yes
//	CSI       yes       yes       yes       yes       yes       yes       yes
//	variable  yes       yes       yes       yes       yes       yes       yes
//
// "Secret" is a file of a Kubernetes Secret, "top" one whose exact path has no
// directory (secret.Request.Path "token"), "fetched" a file that an init container
// fetches from AWS, Google or Azure. Vault and OpenBao are their files and their
// variables, "variable" is that of any other store. A "no" is a
// *mount.ConflictError. The way out is a directory in Path instead of "top", and a
// variable instead of a fetched file.
//
// # Who may read what
//
// Config.Allow decides about each access; Rules are the usual way. They match what
// a store would be asked for, so the spelling of a request makes no difference.
// Where they refuse, the next manager is asked, which needs a rule of its own.
//
// An Access has the namespace of the admission request, or that of Injector.For:
// the API server's word, or the controller's. An object's own word never counts.
// The service account is the Pod author's choice among those of the namespace, so a
// rule with ServiceAccounts separates workloads, not people. Labels and annotations
// are the author's word too; managers may read them.
//
// Rules limit what this library brings. They do not limit what a Pod's author can
// reach without it: any Secret of the namespace, by a reference of the Pod's own, and
// whatever the Pod's service account may fetch. So they matter most for secrets that
// managers bring from elsewhere: literals (package global), and stores to which the
// fetcher or the agent logs in for everybody. global.Config.Allow stays: it is asked
// before the secret is looked up, and both must allow.
//
// [Injector.Verify] checks, behind all mutating webhooks, that a Pod has what it asks
// for.
//
// # Odd Pods
//
// A Pod, or what it asks for, can be odd by accident or on purpose:
//
//   - A volume of the same Secret that is the Pod's own stays as it is, and a
//     second one is added. Any other use of a name or path that a secret needs is
//     an error: a variable with another value (mount.ConflictKeepPod leaves it), a
//     volume or container with our name, another part of our volume (subPath), a
//     mount at or below the secret's path, and a mount above it in which the
//     kubelet cannot make the mount point.
//   - A variable of the Pod's own with the name of a secret that is a file is left
//     alone. Flyte's client reads it rather than the file.
//   - A variable that envFrom would bring is shadowed by one of ours, because env
//     has precedence. It shows through where our reference is optional and the
//     Secret is missing: the container then gets the other value under that name.
//     k8ssecret.Config.Required prevents it.
//   - A copy of an injected Pod that asks for other secrets keeps the old ones and
//     gains the new ones. To avoid that, copy the Pod without them. Known gap: an
//     old fetched secret whose path differs only in case from a new one is not
//     detected.
//   - Requests whose names differ in case or separators only are one where they
//     are one to the store, as groups of package k8ssecret are in upper and lower
//     case, and otherwise an error, since they share a derived name.
//   - A group or a key may be empty if a manager serves it so; a request with
//     neither is an error. A key with "/" is a file in a directory, where the
//     store has such keys (Vault has, Kubernetes has not); ".." is an error.
//   - A Pod for Windows gets variables and Secrets like any other. Managers that
//     fetch with containers for Linux refuse it; see mount.Target.OS.
//   - A Pod in the host's network is like any other, and so is one that names its
//     node already.
//   - A Pod with resources of its own (spec.resources) stays valid: what it limits
//     as a whole is left out of the fetchers' resources.
//   - An init container of the Pod's own with a name like ours receives secrets.
//     One with the name of a fetcher of this call, and none of its variables, is a
//     conflict.
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
//	secrets of all containers together        MaxRequests    *LimitError; each named container counts those of all too
//	names and values of annotations           256 KiB        413 in Review, *LimitError in PatchJSON, mount.ErrTooLarge; Kubernetes' own limit
//	JSON of a Pod or template                 3 MiB          413 in Review, *LimitError in PatchJSON; what an API server takes in a request
//	nesting of that JSON                      10,000         400; as in API servers
//	name and value of a literal secret        131,070 bytes  *mount.ValueError; mount.MaxEnvVar
//	literals that one Pod gains               512 KiB        *mount.ValueError, all containers together
//	variables of one fetcher                  1 MiB          *mount.ValueError
//	what the containers of one Pod gain       3 MiB          mount.ErrTooLarge, as estimated
//	conflicts found in one Pod                1,000          the search ends
//	message of a refusal                      20 errors      the number of the others, and 16 KiB
//
// Within these, memory and time grow with the number of requests, containers,
// variables and volumes, and not faster. A context that ends while managers are
// asked ends the call.
package injector
