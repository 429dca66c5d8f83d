package injectortest

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/secret"
)

// ErrUnknown says that the Pod does not tell whether the secret can be read:
// what decides it is in a volume, an object or a program that the Pod only
// refers to. CanRead and CanReadExact wrap it.
var ErrUnknown = errors.New("the pod does not tell")

// CanRead returns nil if a program in the named container, which may be an init
// container, gets the secret that the request names when it asks Flyte's client
// for it, and otherwise an error that says why not. It reads the Pod alone and
// follows the recorded rules of that client (flytekit 1.16.24), not the library's
// own idea of where things belong, so it can also judge Pods that something else
// has made. The Pod is one that the API server accepts.
//
// The client asks for Group, GroupVersion and Key as the request has them. A
// store without versions may serve a request with a version under the name
// without it: then leave the version out. The other fields demand more:
//
//   - Mount, if not mount.Any, demands that the client reads it in that form; it
//     prefers a variable.
//   - EnvVar demands that this variable holds the same as the one that the client
//     reads, or the path of the file. Where Kubernetes does not accept the client's
//     variable in every cluster, EnvVar alone is enough.
//   - Path demands the file of that path below the directory that the variable
//     FLYTE_SECRETS_DEFAULT_DIR names, in place of the client's. A container
//     without that variable is an error: use CanReadExact.
//   - Mode demands that mode, where the Pod tells it: in the items of a volume, and
//     in annotations of Vault's injector.
//   - Container must be the container that is asked about, or empty.
//   - Field demands nothing, because no Pod shows what a secret holds.
//
// # What a shell drops
//
// Most names of Kubernetes Secrets have a "-" or a ".", and so have the client's
// variables for them. A container gets such a variable, and CanRead finds it. But
// /bin/sh of Debian and of Alpine does not pass it on, so a program that a shell
// starts, such as the entrypoint script of an image, finds nothing. An exact name
// (EnvVar) or a file is the way out.
//
// # envFrom and optional references
//
// A variable that only envFrom brings counts as not there. A variable in env of
// the same name replaces it. But where that is an optional reference to a Secret
// or key that is missing, the kubelet leaves it out, and the program gets what
// envFrom has.
//
// # What it assumes
//
//   - The Secrets and ConfigMaps to which the Pod refers are there and have the
//     keys, also optional ones.
//   - Where there is a variable or a file of the name, it holds the right secret,
//     whoever put it there.
//   - A file in an emptyDir is there if an init container names it, ends before
//     this container starts (or, with restartPolicy Always, has a startupProbe, for
//     which the kubelet waits), and mounts the volume writable. To name it is to
//     have its path in that container, or its path below the mount with or without
//     a slash in front, as a word of a literal variable, of the command or of the
//     arguments, or behind a "=" there, or as a string in JSON there. Whether the
//     program then writes the file is not known. A program that is not told which
//     files to write counts as one that does not write this one.
//   - The same holds for an env file, to which a variable refers (fileKeyRef). The
//     kubelet does not start a container while an env file of any of its variables
//     is missing, so such a container reads nothing. That the file has the key is
//     assumed, and that the nodes have Kubernetes 1.35, as older ones make the
//     variable empty.
//   - Of the injectors of Vault and OpenBao, the annotations tell which files they
//     bring, and to which containers before these start. In a Pod that such an
//     injector has marked as injected, they tell which files its init container
//     writes, if that is there; the rest is as the Pod's containers and volumes say.
//     Whether the injector runs, and what Vault has, is not known.
//   - File modes of Secret, ConfigMap, downwardAPI and projected volumes matter
//     where the container's user and group are known to lack the right. Those that
//     fetchers and Vault's agent give their files are assumed to be right. On
//     Windows modes mean nothing, paths are those of drive C, and their case does
//     not matter.
//
// # What it cannot know
//
// What is in volumes of other kinds (CSI, hostPath, claims and so on), what is in a
// volume that another webhook will add, what a subPathExpr is, what discovery
// variables are that refer to an object, and whether an EnvVar is right that has a
// reference among other text: then the error wraps ErrUnknown. A variable of a service (enableServiceLinks) counts as
// not there, and so does a file of the image.
func CanRead(pod *corev1.Pod, container string, req secret.Request) error {
	return canRead(pod, container, req, func(*reader) {})
}

// CanReadExact is CanRead for a program that does not use Flyte's client but opens
// exact names (mount.Layout.Exact): the variable Request.EnvVar; or, if the
// request is for a file, the file Request.Path below dir, without a Path the file
// "group/key" with its case kept, whose path EnvVar then holds. A request without
// Mount is for a variable if EnvVar alone of EnvVar, Path and Mode is set. The
// directory is the one of the layout; empty means Flyte's, "/etc/flyte/secrets".
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
