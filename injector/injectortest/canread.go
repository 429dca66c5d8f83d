package injectortest

import (
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// ErrUnknown says that the Pod does not tell whether the secret can be read:
// what decides it is in a volume, an object or a program that the Pod only
// refers to. CanRead wraps it.
var ErrUnknown = errors.New("the pod does not tell")

// CanRead returns nil if a program in the named container, which may be an init
// container, gets the secret that the request names when it asks Flyte's client
// for it, and otherwise an error that says why not. It goes by the Pod alone and
// by the recorded rules of that client (flytekit 1.16.24), not by the library's
// own idea of where things belong, so it can also judge Pods that something else
// has made. The Pod is one that the API server would take.
//
// The client asks for Group, GroupVersion and Key as the request has them. What
// was injected with a version, by a manager whose store has none, may have the
// name without it: then take the version out of the request.
// Request.Mount, if not Any, demands that the client reads it in that form; it
// prefers a variable. Request.EnvVar, if set, demands that this variable holds
// the same as the one that the client reads, or the path of the file.
//
// # What it assumes, and what it cannot know
//
//   - What a Secret or ConfigMap holds. That it is there and has the key is
//     assumed; an optional one may be missing.
//   - Whether it is the right secret. Where there is a variable or a file of the
//     name, the client reads it, whoever put it there.
//   - A variable that only envFrom brings, or one of a service
//     (enableServiceLinks), counts as not there, and so does a file of the image.
//   - A file in an emptyDir is there if an init container names it, ends before
//     this one starts (or, with restartPolicy Always, has a startupProbe, for which
//     the kubelet waits), and mounts the volume writable. To name it is to have its
//     path in that container, or its path below the mount with or without a slash
//     in front, as a word of a literal variable, of the command or of the
//     arguments, or behind a "=" there. Whether the program then writes it is not
//     known. A program that is not told which files to write counts as one that
//     does not write this one.
//   - A file of the Vault Agent Injector is there if the annotations instruct it
//     to bring it to this container before it starts (agent-inject-secret-<id>,
//     agent-inject-file-<id>, secret-volume-path and those that package vault's
//     documentation names). The Pod is taken for one that this injector's webhook
//     has not seen yet. Whether it runs, and what Vault has, is not known.
//   - File permissions of Secret, ConfigMap, downwardAPI and projected volumes
//     count where the container's user and group are known to lack them. Those that
//     fetchers and Vault's agent give their files are assumed to be right.
//   - What is in volumes of other kinds (CSI, hostPath, claims, ...), what a
//     subPathExpr is, what discovery variables are that refer to an object, and
//     whether a Request.EnvVar is right that has a reference among other text, is
//     not known: then the error wraps ErrUnknown.
func CanRead(pod *corev1.Pod, container string, req secret.Request) error {
	if err := req.Validate(); err != nil {
		return fmt.Errorf("secret %v: %w", req, err)
	}
	r, err := find(pod, container)
	if err != nil {
		return err
	}
	if err := r.read(req); err != nil {
		return fmt.Errorf("container %q cannot read secret %v: %w", container, req, err)
	}
	return nil
}

// reader is the container that wants to read.
type reader struct {
	*corev1.Container
	pod *corev1.Pod
	// before are the init containers that have done their work when it starts.
	before []*corev1.Container
	init   bool
	env    map[string]content
	// writes, if set, tells which file an init container writes.
	writes func(fetcher corev1.Container) string
}

func find(pod *corev1.Pod, name string) (*reader, error) {
	if pod == nil {
		return nil, errors.New("there is no pod")
	}
	byName := func(c corev1.Container) bool { return c.Name == name }
	r := &reader{pod: pod}
	last := len(pod.Spec.InitContainers)
	if at := slices.IndexFunc(pod.Spec.Containers, byName); at >= 0 {
		r.Container = &pod.Spec.Containers[at]
	} else if at := slices.IndexFunc(pod.Spec.InitContainers, byName); at >= 0 {
		r.Container, r.init, last = &pod.Spec.InitContainers[at], true, at
	} else {
		return nil, fmt.Errorf("the pod has no container %q", name)
	}
	for i := range pod.Spec.InitContainers[:last] {
		c := &pod.Spec.InitContainers[i]
		sidecar := c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		if !sidecar || c.StartupProbe != nil {
			r.before = append(r.before, c)
		}
	}
	r.env = environment(r.Container)
	return r, nil
}

func (r *reader) read(req secret.Request) error {
	for _, name := range []string{mount.EnvPrefixVar, mount.DefaultDirVar, mount.FilePrefixVar} {
		if v, ok := r.env[name]; ok && !v.known() {
			return fmt.Errorf("%w what %s is, where its client looks", ErrUnknown, name)
		}
	}
	at := r.lookUp(req)
	value, isVariable := r.env[at.variable]
	switch {
	case isVariable && req.Mount == mount.File:
		return fmt.Errorf("its client finds the variable %s before any file", at.variable)
	case isVariable:
		return r.extra(req.EnvVar, value)
	case req.Mount == mount.EnvVar:
		return fmt.Errorf("%s", r.noVariable(at.variable))
	}
	if err := r.file(at.file); err != nil {
		return fmt.Errorf("%s, and no file %s: %w", r.noVariable(at.variable), at.file, err)
	}
	return r.extra(req.EnvVar, content{text: at.file})
}

func (r *reader) lookUp(req secret.Request) lookup {
	return lookUp(func(name string) string { return r.env[name].text }, req)
}

func (r *reader) noVariable(name string) string {
	text := "it has no variable " + name
	if len(r.EnvFrom) > 0 {
		text += " in env (envFrom is not looked at)"
	}
	return text
}

// extra checks the variable that a request has asked for besides.
func (r *reader) extra(name string, want content) error {
	if name == "" {
		return nil
	}
	got, ok := r.env[name]
	switch {
	case !ok:
		return errors.New(r.noVariable(name))
	case got.mixed || want.mixed:
		return fmt.Errorf("%w whether the variable %s is what its client reads", ErrUnknown, name)
	case !got.equal(want):
		return fmt.Errorf("the variable %s is something else than what its client reads", name)
	}
	return nil
}
