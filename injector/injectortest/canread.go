package injectortest

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/secret"
)

// ErrUnknown means that the Pod does not show whether the secret can be read,
// because that depends on something that the Pod only refers to, such as the
// content of a volume. CanRead and CanReadExact wrap it.
var ErrUnknown = errors.New("the pod does not show")

// CanRead returns nil if a program in the named container gets the requested
// secret from Flyte's client. Otherwise the error says why not. The container
// may be an init container. CanRead looks only at the Pod. It follows the
// recorded rules of the client (flytekit 1.16.24) rather than the library's own
// names, so it can also check Pods from other sources. The Pod must be one that
// API servers accept.
//
// The client asks for Group, GroupVersion and Key as the request has them. A
// store without versions may serve a request with a version under the name
// without the version; then omit GroupVersion. The other fields require more:
//
//   - Mount, unless it is mount.Any, requires that the client reads the secret
//     in that form; it prefers a variable.
//   - EnvVar requires that this variable has the same value as the client's
//     variable, or the path of the file. If some Kubernetes clusters do not
//     accept the name of the client's variable, EnvVar alone is enough.
//   - Path requires the file at that path below the directory in the variable
//     FLYTE_SECRETS_DEFAULT_DIR, instead of the client's path. A container
//     without that variable is an error: use CanReadExact.
//   - Mode requires that mode, if the Pod shows it: in the items of a volume,
//     and in annotations of Vault's injector.
//   - Container must be the given container, or empty.
//   - Field requires nothing, because no Pod shows the content of a secret.
//
// # Variables that shells drop
//
// Most names of Kubernetes Secrets contain "-" or ".", and so do the client's
// variables for them. A container gets such a variable, and CanRead finds it.
// But /bin/sh of Debian and Alpine does not pass it on, so a program started by
// a shell, such as an image's entrypoint script, does not find it. Use an exact
// name (EnvVar) or a file instead.
//
// # envFrom and optional references
//
// A variable that only envFrom provides counts as missing. A variable with the
// same name in env replaces it. But if that is an optional reference to a
// missing Secret or key, the kubelet omits it, and the program gets the value
// from envFrom.
//
// # Assumptions
//
//   - The Secrets and ConfigMaps that the Pod refers to exist and have the
//     keys, including optional ones.
//   - A variable or file with the right name has the right secret, whatever its
//     source.
//   - A file in an emptyDir exists if an init container names it, mounts the
//     volume writable, and ends before this container starts (or has
//     restartPolicy Always and a startupProbe, which the kubelet waits for).
//     The init container names the file if a literal variable, the command or
//     the arguments contain its path in that container, or its path below the
//     mount with or without a leading slash. The path must be a word, come
//     after a "=", or be a string in JSON. Whether the program then writes the
//     file is unknown. If a container does not name the file, its program
//     counts as not writing it.
//   - The same applies to an env file that a variable refers to (fileKeyRef).
//     The kubelet does not start a container while an env file of any of its
//     variables is missing, so such a container reads nothing. The file is
//     assumed to have the key, and the nodes to have Kubernetes 1.35; older
//     ones make the variable empty.
//   - For the agent injectors of Vault and OpenBao, annotations show which
//     files they provide to which containers before these start. If annotations
//     mark the Pod as injected, they show only which files the agent's init
//     container writes, if the Pod has that container. Everything else then
//     depends on the Pod's containers and volumes. Whether the injector runs,
//     and what the store contains, is unknown.
//   - In Secret, ConfigMap, downwardAPI and projected volumes, the mode of a
//     file must not keep out the container's user and groups, as far as the Pod
//     shows these. Modes of files from fetchers and Vault's agent are assumed
//     to be right. On Windows, modes are ignored, paths are those of drive C,
//     and their case does not matter.
//
// # Limits
//
// The error wraps ErrUnknown if the answer depends on something that CanRead
// cannot know: the content of other volumes (CSI, hostPath, claims and so on)
// or of a volume that another webhook will add, the value of a subPathExpr,
// discovery variables that refer to an object, or whether an EnvVar with a
// reference inside other text is right. A variable of a service
// (enableServiceLinks) counts as missing, and so does a file of the image.
func CanRead(pod *corev1.Pod, container string, req secret.Request) error {
	return canRead(pod, container, req, func(*reader) {})
}

// CanReadExact is CanRead for a program that uses exact names
// (mount.Layout.Exact) instead of Flyte's client. A variable is Request.EnvVar.
// A file is Request.Path below dir, or else "group/key" with its case kept;
// Request.EnvVar, if set, must then have the file's path. A request without
// Mount is for a variable if EnvVar is set, and Path and Mode are not;
// otherwise it is for a file. dir is the layout's directory; empty means
// Flyte's, "/etc/flyte/secrets".
func CanReadExact(pod *corev1.Pod, container, dir string, req secret.Request) error {
	return canRead(pod, container, req, func(r *reader) { r.setExact(dir) })
}

func canRead(pod *corev1.Pod, container string, req secret.Request, set func(*reader)) error {
	if err := req.Validate(); err != nil {
		return fmt.Errorf("secret %v: %w", req, err)
	}
	r, err := find(pod, container)
	if err != nil {
		return err
	}
	set(r)
	if err := r.read(req); err != nil {
		return fmt.Errorf("container %q cannot read secret %v: %w", container, req, err)
	}
	return nil
}
