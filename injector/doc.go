// Package injector decides how secrets reach a Pod, and returns the Pod with
// the secrets, or the JSON patch that adds them.
//
//	in, err := injector.New(injector.Config{
//		Managers: []injector.SecretManager{globalSecrets, kubernetesSecrets},
//	})
//	pod, err = in.Inject(ctx, pod, secret.Request{Group: "user-info", Key: "password"})
//
// A [SecretManager] returns what a Pod needs to read one secret. The Injector
// tries managers in order, generates names, merges the fragments, finds
// conflicts and writes the result. [Injector.Plan] only reports where each
// secret would be. [Injector.Inject], [Injector.InjectTemplate] and
// [Injector.Patch] are for controllers, [Injector.PatchJSON] is for
// unstructured objects, and [Injector.Review] and [Injector.Verify] are for
// admission webhooks. Package mount defines the terms used here.
//
// # Guarantees
//
//   - Inputs are never modified or retained, and results share no memory with
//     them. The package does not log, has no state, and does not read clocks,
//     randomness or the environment.
//   - On error there is no result. The error lists every failed request. For a
//     request that conflicts with other requests, it has only the first of
//     these conflicts.
//   - The same input gives the same bytes.
//   - Injection is idempotent, even if the API server or other webhooks have
//     since set other fields of what was added. A second call with more
//     requests adds only what is missing, and moves nothing. Earlier additions
//     stay, even if a manager with another Config would now answer differently.
//     A new request may therefore conflict with them: with an alias of an
//     earlier request, with the list of containers in an annotation, or, if it
//     names one container, with a volume that this container already shares
//     with others.
//   - A patch turns the Pod's JSON into the injected Pod's JSON, and only adds.
//     The package does not compute it by comparing Pods, so fields that this
//     build of k8s.io/api does not know are kept.
//   - Nothing is silently replaced: a name that already has another meaning is
//     a *mount.ConflictError with its path.
//   - The value of a secret is in the resulting Pod and patch, and nowhere
//     else.
//
// # What a container gets
//
// All containers receive secrets, including init containers, unless
// Config.Containers or the request (secret.Request.Container) selects some. A
// secret is a variable or a file. Its derived name is the one that Flyte's
// client looks up; see mount.Layout. Receivers also get discovery variables,
// which tell that client where to look. New variables are put first, so that
// the Pod's own can refer to them with $(NAME). If a container defines a
// variable twice, the last definition counts.
//
// If a request has a version, its secret also gets an alias: the derived name
// with the version if the primary name has none, without it otherwise. The
// client may look up the name with the version, so another secret at that name
// is a conflict. An alias without the version is omitted if another request
// needs that name. An alias is also omitted if its file would have to be below
// another file.
//
// A request can add exact names: a variable (EnvVar) and a path (Path). With
// mount.Layout.Exact there are only exact names.
//
// A variable from an env file is set only in containers that start after the
// fetcher has written the file, because the kubelet does not start a container
// whose env file is missing. A container that starts earlier does not receive
// that secret.
//
// A second call also gives secrets to containers that other webhooks have added
// since the first. To avoid that, register the webhook with reinvocationPolicy
// Never.
//
// # Secrets for one container
//
// A request that names a container is merged for that container alone: its
// variables, its mounts, and its own volumes of Kubernetes Secrets, so no other
// container sees its keys. Volumes with fetched files, and volumes of another
// webhook or a driver, show all their files to every container that mounts
// them. All requests with files in one such volume must therefore have the same
// Container, and no other container may mount it. This does not apply to
// variables from env files, because only fetchers mount that volume.
//
// # Combining stores
//
// Only one volume can be mounted at a path. Secrets of two stores can therefore
// be in one Pod unless both need a volume at the directory of secrets itself:
//
//	          Secret    top       fetched   Vault     OpenBao   CSI       CSI top   variable
//	Secret    yes       yes       yes       yes       yes       yes       no        yes
//	top       yes       yes       no        no        no        yes       no        yes
//	fetched   yes       no        yes       no        no        yes       no        yes
//	Vault     yes       no        no        yes       no        yes       no        yes
//	OpenBao   yes       no        no        no        yes       yes       no        yes
//	CSI       yes       yes       yes       yes       yes       yes       no        yes
//	CSI top   no        no        no        no        no        no        yes       yes
//	variable  yes       yes       yes       yes       yes       yes       yes       yes
//
// "Secret" is a file of a Kubernetes Secret. "top" is such a file whose exact
// path has no directory (secret.Request.Path "token"). "fetched" is a file that
// an init container fetches from AWS, Google or Azure. "Vault" and "OpenBao"
// are files and variables from these stores. "CSI top" is a file of the CSI
// driver whose exact path is its key. "variable" is a variable from any other
// store. A "no" is a *mount.ConflictError. To avoid it, use a directory in Path
// instead of "top" and "CSI top", and a variable instead of a fetched file.
//
// # Authorization
//
// Config.Allow decides about each access; use Rules for it. Rules match what a
// store would be asked for, so the spelling of a request does not matter. If no
// rule matches, the injector tries the next manager, which needs its own rule.
//
// An Access has the namespace of Injector.For, which comes from the controller,
// or else that of the admission request, which comes from the API server. The
// namespace in an object never counts. The Pod's author chooses the service
// account among those of the namespace, so a rule with ServiceAccounts
// separates workloads, not people. Labels and annotations also come from the
// author; managers may read them.
//
// Rules limit what this library provides. They do not limit what a Pod's author
// can reach without it: any Secret of the namespace, because a Pod can refer to
// it directly, and whatever the Pod's service account may fetch. They matter
// most for secrets that managers get from elsewhere: literals (package global),
// and stores where the fetcher or agent uses one login for everyone.
// global.Config.Allow also applies: it is called before the lookup, and both
// must allow the access.
//
// [Injector.Verify] checks, after all mutating webhooks, that a Pod has its
// secrets.
//
// # Special cases
//
// A Pod or its requests can be unusual, by accident or on purpose:
//
//   - If the Pod has its own volume of the same Secret, that volume stays, and
//     a second one is added. Any other use of a name or path that a secret
//     needs is an error: a variable with another value (unless
//     mount.ConflictKeepPod keeps it), a volume or container with our name,
//     another part of our volume (subPath), a mount at or below the secret's
//     path, and a mount above it in which the kubelet cannot create the mount
//     point.
//   - If the Pod has its own variable with the derived name of a secret that is
//     a file, the variable stays. Flyte's client reads it instead of the file.
//   - Our variable shadows one from envFrom, because env takes precedence. If
//     our reference is optional and the Secret is missing, the container gets
//     the value from envFrom instead. k8ssecret.Config.Required prevents this.
//   - If a copy of an injected Pod requests other secrets, it keeps the old
//     ones and gains the new ones. To avoid that, copy the Pod without the old
//     ones. Known gap: if the paths of an old and a new fetched secret differ
//     only in case, the conflict is not detected.
//   - Requests whose names differ only in case or separators share a derived
//     name. If the store treats them as equal, they are one request. For
//     example, package k8ssecret treats groups in upper and lower case as
//     equal. Otherwise they are an error.
//   - A group or a key may be empty if a manager supports it. A request without
//     group, key and version is an error. A request with only a version needs a
//     manager that honors versions, or an exact name. A key with "/" is a file
//     in a directory, if the store has such keys (Vault does, Kubernetes does
//     not); ".." is an error.
//   - A Windows Pod gets variables and files of Kubernetes Secrets like any
//     other. Managers whose fetchers run on Linux refuse it; see
//     mount.Target.OS.
//   - Pods with host networking, and Pods that already name their node, are
//     like any other.
//   - A Pod with its own resources (spec.resources) stays valid: the resources
//     that it limits are omitted from the fetchers.
//   - An init container of the Pod receives secrets even if its name looks
//     generated, unless it mounts a volume for fetchers. If it has the name of
//     a fetcher of this call, but none of that fetcher's variables, it is a
//     conflict.
//   - Ephemeral containers never receive secrets. They are added later, by an
//     update that Review ignores and that cannot change them.
//   - A static Pod has no requests, because the kubelet runs it without an API
//     server. Its mirror Pod is allowed unchanged.
//   - If no container of a Pod would receive the secrets, because there is none
//     or none is selected, that is an error.
//   - The numbers in the names of annotations may have gaps, and s10 comes
//     after s9. A number with a leading zero or a sign is an error, and so is a
//     missing number: the secret would otherwise be missing silently.
//
// # Limits
//
//	what                                      maximum        otherwise
//	one request                               4,096 bytes    *secret.InvalidError, see secret.Request.Validate
//	requests in one call                      MaxRequests    *LimitError
//	secrets of all containers together        MaxRequests    *LimitError; see Injector.Plan
//	names and values of annotations           256 KiB        413 in Review, *LimitError in PatchJSON, mount.ErrTooLarge; Kubernetes' own limit
//	JSON of a Pod or template                 3 MiB          413 in Review, *LimitError in PatchJSON; the API server's limit for a request
//	nesting of that JSON                      10,000         400; as in API servers
//	name and value of a literal secret        131,070 bytes  *mount.ValueError; mount.MaxEnvVar
//	literals added to one Pod                 512 KiB        *mount.ValueError, all containers together
//	variables of one fetcher                  1 MiB          *mount.ValueError
//	additions to the containers of one Pod    3 MiB          mount.ErrTooLarge; the size is estimated
//	conflicts found in one Pod                1,000          the search ends, and the error lists these
//	errors in the message of a refusal        20             the message has the number of the others
//	message of a refusal                      16 KiB         the rest is cut off
//
// Within these limits, memory and time grow at most linearly with the number of
// requests, containers, variables and volumes. If the context ends while
// managers are called, the call ends.
package injector
