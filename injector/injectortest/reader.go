package injectortest

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// reader is the container that reads the secret.
type reader struct {
	*corev1.Container
	pod *corev1.Pod
	// before are the init containers that have ended when it starts.
	before  []*corev1.Container
	init    bool
	windows bool
	env     map[string]envValue
	// exact means that its program uses exact names, with files in dir.
	exact bool
	dir   string
	mode  int32 // the mode that the file must have, or 0
	// exactVar is the variable with the path of the file, exactPath.
	exactVar, exactPath string
	// writes and writesEnv, if set, return the file and env file that a fetcher
	// writes.
	writes, writesEnv func(fetcher corev1.Container) string
}

func find(pod *corev1.Pod, name string) (*reader, error) {
	if pod == nil {
		return nil, errors.New("the pod is nil")
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
	r.windows, r.env = onWindows(pod), environment(r.Container)
	return r, nil
}

func (r *reader) setExact(dir string) {
	r.exact, r.dir = true, cmp.Or(dir, "/etc/flyte/secrets")
}

func (r *reader) read(req secret.Request) error {
	if req.Container != "" && req.Container != r.Name {
		return fmt.Errorf("the request is for container %q", req.Container)
	}
	if err := r.starts(); err != nil {
		return err
	}
	at, err := r.lookUp(req)
	if err != nil {
		return err
	}
	if value, ok := r.env[at.derived]; ok && at.derived != "" {
		if at.form == mount.File {
			return fmt.Errorf("its client finds the variable %s before any file", at.derived)
		}
		return cmp.Or(r.resolves(value), r.extra(req.EnvVar, value))
	}
	if at.form != mount.File && at.variable != "" {
		// If the variable has the file's path, the file must exist.
		if value, ok := r.env[at.variable]; ok && (at.file == "" || value.text != at.file) {
			return r.resolves(value)
		}
	}
	if at.form == mount.EnvVar {
		return errors.New(r.noVariable(at.variable))
	}
	r.mode, r.exactVar, r.exactPath = req.Mode, req.EnvVar, at.file
	if err := r.file(at.file); err != nil {
		if at.variable != "" {
			return fmt.Errorf("%s, and no file %s: %w", r.noVariable(at.variable), at.file, err)
		}
		return fmt.Errorf("it has no file %s: %w", at.file, err)
	}
	return r.extra(req.EnvVar, envValue{text: at.file})
}

func (r *reader) noVariable(name string) string {
	text := "it has no variable " + name
	if len(r.EnvFrom) > 0 {
		text += " in env (envFrom is not looked at)"
	}
	return text
}

// extra checks the exact variable that a request adds to the derived name.
func (r *reader) extra(name string, want envValue) error {
	if name == "" {
		return nil
	}
	got, ok := r.env[name]
	switch {
	case !ok:
		return errors.New(r.noVariable(name))
	case got.mixed || want.mixed:
		return fmt.Errorf("%w whether variable %s is what its client reads", ErrUnknown, name)
	case !got.equal(want):
		return fmt.Errorf("variable %s differs from what its client reads", name)
	}
	return nil
}

// onWindows reports whether a Pod is for Windows.
func onWindows(pod *corev1.Pod) bool {
	var os, hostProcess corev1.OSName
	if pod.Spec.OS != nil {
		os = pod.Spec.OS.Name
	}
	if s := pod.Spec.SecurityContext; s != nil && s.WindowsOptions != nil && s.WindowsOptions.HostProcess != nil && *s.WindowsOptions.HostProcess {
		hostProcess = corev1.Windows
	}
	of := cmp.Or(string(os), pod.Spec.NodeSelector[corev1.LabelOSStable], pod.Labels[corev1.LabelOSStable], string(hostProcess))
	return of == string(corev1.Windows)
}

// clean returns a path as the container sees it: absolute, and on Windows
// without the drive, with slashes, and in lower case.
func (r *reader) clean(p string) string {
	if r.windows {
		if len(p) >= 2 && strings.EqualFold(p[:2], "c:") {
			p = p[2:]
		}
		p = strings.ReplaceAll(r.fold(p), `\`, "/")
	}
	return path.Clean("/" + p)
}

// fold returns the same form for all spellings of a name.
func (r *reader) fold(name string) string {
	if r.windows {
		return strings.ToLower(name)
	}
	return name
}
