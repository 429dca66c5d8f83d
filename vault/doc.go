// Package vault serves secrets from HashiCorp Vault or OpenBao, through the Vault
// Agent Injector (vault-k8s) or OpenBao's own (openbao-k8s), which must run in the
// cluster. What follows speaks of Vault; with Config.Flavor OpenBao, annotations
// begin with "openbao.org/" instead, and the manager is called "openbao".
//
//	m, err := vault.New(vault.Config{Role: "tasks"})
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
//
// The package never talks to Vault. It writes annotations, and that injector's
// own webhook turns them into an init container with a Vault Agent, which logs
// in as the Pod's service account and writes the files. So the package cannot
// know whether a secret is there; a Pod whose secret is not there never starts,
// and the agent's log names the path and the key. That webhook must see the Pod
// after this library has: webhooks are called in the order of the names of their
// configurations, and vault-k8s installs its own as "vault-agent-injector-cfg".
//
// # Requests
//
// A request's group is the path in Vault and its key an entry there; both keep
// their case. Its version is the engine:
//
//   - "kv1" and "kv2" are the two versions of the key-value engine. The file
//     holds the value of the entry. The path is that of Vault's API; with kv2
//     the agent adds "data/" behind the mount if it is missing.
//   - "db" is a database engine, or any other that makes what is read, such as
//     "database/creds/task". The file holds a line "name: value" for each entry,
//     sorted by name. The key is just the file's name. Several files of one path
//     come from one read, so that a user name matches its password.
//   - Empty is Config.KVVersion.
//
// An empty key is all that is at the path, as a JSON object. Requests are served in
// Pods for Linux only.
//
// A file's path is "group/key" without the version, as Flyte documents it and its
// users' programs ask for it. If the request has a version, further annotations
// bring the same secret under the path with the version too. A request's exact path
// (secret.Request.Path) takes the place of both. Two engines of one group and key
// are a conflict, because they would share a file. The path in Vault is no URL: "?"
// and "#" are part of it. Files have the agent's user, 100, as their owner; a
// request's Mode is what others may do.
//
// With Config.EnvFiles, requests for variables and for mount.Any are variables. The
// agent writes an env file for each, and the kubelet sets the variable from it. The
// agent fails if an env file cannot hold the value: if it is empty, has a single
// quote, a NUL byte or a carriage return before a newline, if a line has 64 KiB or
// the variable 128 KiB. Its log then names the path, the key and the reason. (With
// kv1 and an empty value it does so unreadably: consul-template redacts the values
// that it has read, and "" is everywhere.) Containers that start before the agent
// do not get the variable. In a template, variables are not served, because API
// servers refuse one that refers to a volume that is not there yet.
//
// # Annotations
//
// A request for the key "Password" of "secret/data/Task" makes
//
//	vault.hashicorp.com/agent-inject: "true"
//	vault.hashicorp.com/agent-init-first: "true"
//	vault.hashicorp.com/agent-pre-populate-only: "true"
//	vault.hashicorp.com/role: flyte
//	vault.hashicorp.com/secret-volume-path: /etc/flyte/secrets
//
// which are common to all, and, with a hash of the secret and its file for <id>,
//
//	vault.hashicorp.com/agent-inject-secret-<id>: secret/data/Task
//	vault.hashicorp.com/agent-inject-file-<id>: secret/data/task/password
//	vault.hashicorp.com/agent-inject-template-<id>: '{{- with secret "secret/data/Task" -}}...'
//
// A request with a version makes three more, with another <id>, for the file
// secret/data/task/kv2/password. They are left out where that file cannot exist.
// Several templates on one path make one read, so both files hold the same.
//
// The template fails in the agent if there is no such entry, or null in it.
// Strings are written byte for byte, other values as Go's templates print them.
//
// Of the common ones the Pod's own win, then those of Config.Annotations, then
// the defaults above; those in Config.Locked a Pod may not change. Those of a
// secret nobody can change.
//
// If not all of a Pod's containers receive secrets, agent-inject-containers
// lists those that do. A list of the Pod's own is accepted if it has all of them.
// The Vault Agent Injector mounts its volume into every init container, so
// excluding one is a *mount.ConflictError. Its init container is the first of the
// Pod with mount.InitFirst; with mount.InitAfterSidecars agent-init-first is left
// out, and it is the last, so that the Pod's init containers run before the secrets
// are there.
//
// # What is refused
//
// A *mount.ConflictError says that with an annotation of the Pod the secret
// would silently never arrive:
//
//   - agent-inject or agent-pre-populate is anything but true;
//   - role is empty: the agent would log in as what another annotation says;
//   - agent-configmap is set: the agent would only do what that says;
//   - agent-inject-status is "injected", so that the Pod would be left as it is,
//     but one of those above is missing, or the agent's containers are, or its
//     volume in a container that receives secrets;
//   - agent-inject-containers does not list a container that receives secrets;
//   - agent-inject-secret-<own> or agent-inject-file-<own> makes the agent write
//     one of our files, or secret-volume-path-<own> mounts a volume over it;
//   - secret-volume-path is no directory that can be announced to the client.
//     Any that can moves the files and what is announced;
//   - secret-volume-path-<id>, agent-template-left-delim-<id> or
//     agent-template-right-delim-<id> has another value than it has without;
//   - with OpenBao, the Pod has Vault's annotation in place of one of these or of one
//     in Config.Locked: OpenBao's injector would rename it.
//
// All else that a Pod tells the Vault Agent Injector is left to its author, such
// as agent-inject-perms-<id>, agent-inject-command-<id>, or secrets of its own with
// other files. What is plainly wrong, that webhook refuses.
//
// # Where the facts come from
//
// What agent configuration vault-k8s 1.7.6 makes of annotations was recorded, and
// is tested in the nested module internal/vaulttest, together with the agent's
// template renderer (consul-template) and Vault's own key-value engines; env files
// are read with the kubelet's own parser in internal/envfile. What vault-k8s
// does with agent-pre-populate, agent-configmap, agent-inject-perms, the delimiters
// and secret-volume-path-<id> is from its source and its documentation. What
// OpenBao's injector has of its own is from its documentation.
package vault
