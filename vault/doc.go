// Package vault serves secrets from HashiCorp Vault or OpenBao, through the Vault Agent
// Injector (vault-k8s) or OpenBao's injector (openbao-k8s), which must run in the
// cluster. This text describes Vault. Config.Flavor selects OpenBao: its annotations
// begin with "openbao.org/", and its manager is called "openbao".
//
//	m, err := vault.New(vault.Config{Role: "tasks"})
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
//
// The package never contacts Vault. It adds annotations. From these, the Vault Agent
// Injector's webhook makes an init container with a Vault Agent. The agent logs in as
// the Pod's service account and writes the files. The package cannot know whether a
// secret exists: a Pod whose secret is missing does not start, and the agent's log
// names the path and the key.
//
// API servers must call that webhook after this library's. They call webhooks in the
// order of their configurations' names. That of vault-k8s is named
// "vault-agent-injector-cfg".
//
// # Requests
//
// A request's group is the path in Vault, and its key is an entry at that path. Both
// keep their case. The version selects the engine:
//
//   - "kv1" and "kv2" are the versions of the key-value engine. The file holds the
//     entry's value. The path is that of Vault's API; with kv2 the agent inserts a
//     missing "data/" after the mount.
//   - "db" is the database engine, or any other engine that generates secrets. An
//     example of a path is "database/creds/task". The file has a line "name: value" for
//     each entry, sorted by name; the key only names the file. Files from the same path
//     come from one read, so a user name matches its password.
//   - An empty version means Config.KVVersion.
//
// An empty key means all entries at the path, as a JSON object. Pods for Windows are
// not supported.
//
// A file's path is "group/key" without the version, as Flyte documents. If the request
// has a version, more annotations add an alias: the same secret at the path with the
// version. An exact path (secret.Request.Path) replaces both. Two requests for the same
// group and key in different engines are a conflict, because they would share a file.
// "?" and "#" are ordinary characters of a path in Vault. The agent's user, 100, owns
// the files; a request's Mode decides what other users may do.
//
// With Config.EnvFiles, requests for variables and for mount.Any are served as
// variables. The agent writes an env file for each secret, and the kubelet sets the
// variable from it. An env file cannot hold every value. The agent fails, and logs the
// path, the key and the reason, if the value is empty; if it contains a single quote, a
// NUL byte, or a carriage return before a newline; if a line of the file has 64 KiB or
// more; or if the variable's name and value together are longer than mount.MaxEnvVar.
// (With kv1, the message about an empty value is unreadable: consul-template redacts
// the values that it has read, and "" matches everywhere.) Containers that start before
// the agent do not get the variable.
//
// In a Pod template, a request for a variable is secret.ErrUnsupported, and a request
// for mount.Any becomes a file: API servers refuse references to a volume that is
// missing.
//
// # Annotations
//
// With the zero Config, a request for the key "Password" of "secret/data/Task" adds
// annotations that all secrets share:
//
//	vault.hashicorp.com/agent-inject: "true"
//	vault.hashicorp.com/agent-init-first: "true"
//	vault.hashicorp.com/agent-pre-populate-only: "true"
//	vault.hashicorp.com/role: flyte
//	vault.hashicorp.com/secret-volume-path: /etc/flyte/secrets
//
// and annotations of its own, where <id> is a hash of the secret and its file:
//
//	vault.hashicorp.com/agent-inject-secret-<id>: secret/data/Task
//	vault.hashicorp.com/agent-inject-file-<id>: secret/data/task/password
//	vault.hashicorp.com/agent-inject-template-<id>: '{{- with secret "secret/data/Task" -}}...'
//
// A request with the version kv2 adds three more with another <id>, for the alias
// secret/data/task/kv2/password, unless that file cannot exist. The agent reads a path
// once for all templates of that path, so both files have the same content.
//
// The template makes the agent fail if the entry is missing or null. The agent writes
// strings byte for byte, and other values as Go's templates print them.
//
// For the shared annotations, the Pod's own values take precedence, then
// Config.Annotations, then the defaults above. A Pod cannot change the annotations in
// Config.Locked, nor a secret's own annotations.
//
// If some containers do not receive secrets, agent-inject-containers lists those that
// do. The Pod's own list is accepted if it has all of them. The Vault Agent Injector
// mounts its volume into every init container, so excluding one is a
// *mount.ConflictError. With mount.InitFirst the agent's init container comes first.
// With mount.InitAfterSidecars agent-init-first is omitted and the agent's init
// container comes last, so the Pod's own init containers run before the secrets are
// available.
//
// # Conflicts
//
// These annotations of a Pod are a *mount.ConflictError, because otherwise the secret
// would silently never arrive:
//
//   - agent-inject or agent-pre-populate is not true.
//   - role is empty: the agent would use the role from another annotation.
//   - agent-configmap is set: the agent would follow only that ConfigMap.
//   - agent-inject-status is "injected", so the webhook skips the Pod, but something
//     that this package or the webhook adds is missing: one of our annotations, the
//     agent's containers, or its volume in a receiver.
//   - agent-inject-containers does not list all receivers.
//   - agent-inject-secret-<other> or agent-inject-file-<other> makes the agent write
//     one of our files, or secret-volume-path-<other> mounts a volume over it.
//   - secret-volume-path is a directory that mount.Layout refuses. Any other value
//     moves the files and the directory that the discovery variables name.
//   - secret-volume-path-<id>, agent-template-left-delim-<id> or
//     agent-template-right-delim-<id> differs from its default.
//   - With OpenBao: the Pod has a Vault annotation that is named above without an <id>,
//     or one whose OpenBao name is in Config.Locked. OpenBao's injector would rename it.
//
// The Pod's author decides about all other annotations of the Vault Agent Injector,
// such as agent-inject-command-<id>, and those of secrets with other files. The webhook
// itself rejects invalid ones.
//
// # Sources
//
// The nested module internal/vaulttest has a recording of the agent configuration that
// vault-k8s 1.7.6 makes from annotations. It tests this package against the recording,
// with the agent's template renderer (consul-template) and Vault's own key-value
// engines. internal/envfile reads the env files with the kubelet's parser. What
// vault-k8s does with agent-pre-populate, agent-configmap, agent-inject-perms, the
// delimiters and secret-volume-path-<id> comes from its source and documentation; what
// is specific to OpenBao's injector comes from its documentation.
package vault
