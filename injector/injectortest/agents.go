package injectortest

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// agent is a webhook whose init container writes files: the Vault Agent
// Injector, or OpenBao's, which is the same program with other names. prefix
// starts its annotations.
type agent struct {
	prefix string
	dir    string // where its volume is mounted, unless an annotation says otherwise
	volume string
	init   string // the name of the init container
}

var agents = []agent{
	{"vault.hashicorp.com/", "/vault/secrets", "vault-secrets", "vault-agent-init"},
	{"openbao.org/", "/openbao/secrets", "openbao-secrets", "openbao-agent-init"},
}

// The annotations that decide where files are written, after the prefix.
const (
	agentInject     = "agent-inject"
	agentStatus     = "agent-inject-status"
	agentConfigMap  = "agent-configmap"
	agentBefore     = "agent-pre-populate"
	agentFirst      = "agent-init-first"
	agentContainers = "agent-inject-containers"
	agentVolume     = "secret-volume-path"
	agentSecret     = "agent-inject-secret-" // followed by an id, as the next ones
	agentFile       = "agent-inject-file-"
	agentPerms      = "agent-inject-perms-"
	agentOwnVolume  = "secret-volume-path-"
)

// willMount returns where the webhook will mount its volume in the Pod's
// containers, if at all.
func (a *agent) willMount(annotations map[string]string) (dir string, ok bool) {
	if !isTrue(annotations[a.prefix+agentInject]) || annotations[a.prefix+agentStatus] == "injected" {
		return "", false
	}
	return a.volumeDir(annotations), true
}

func (a *agent) volumeDir(annotations map[string]string) string {
	if dir, ok := annotations[a.prefix+agentVolume]; ok {
		return path.Clean("/" + dir)
	}
	return a.dir
}

func isTrue(text string) bool {
	on, err := strconv.ParseBool(text)
	return err == nil && on
}

// rendered is a file that the init container writes.
type rendered struct {
	dir   string // where its volume is mounted
	path  string // absolute
	perms string
}

// files returns the files that annotations make the init container write.
func (a *agent) files(annotations map[string]string) (all []rendered) {
	for _, name := range slices.Sorted(maps.Keys(annotations)) {
		id, ok := strings.CutPrefix(name, a.prefix+agentSecret)
		if !ok || strings.TrimSpace(annotations[name]) == "" {
			continue
		}
		file := annotations[a.prefix+agentFile+id]
		if file == "" {
			file = strings.ToLower(id)
		}
		dir := a.volumeDir(annotations)
		if own, ok := annotations[a.prefix+agentOwnVolume+id]; ok {
			dir = path.Clean("/" + own)
		}
		all = append(all, rendered{dir, path.Join(dir, file), annotations[a.prefix+agentPerms+id]})
	}
	return all
}

// agentProvides returns nil if the init container, not added yet, writes a file
// at the path in this container.
func (r *reader) agentProvides(a *agent, p string) error {
	if err := r.agentComesFirst(a); err != nil {
		return err
	}
	all := r.pod.Annotations
	if list, ok := all[a.prefix+agentContainers]; ok && !r.init && !slices.Contains(strings.Split(list, ","), r.Name) {
		return fmt.Errorf("annotation %q does not list the container", a.prefix+agentContainers)
	}
	for _, f := range a.files(all) {
		if f.path == p {
			return r.hasMode(f)
		}
	}
	return fmt.Errorf("no annotation makes the agent's init container write it in %s", a.volumeDir(all))
}

// agentWritesEnvFile is agentProvides for an env file, which the container need
// not see.
func (r *reader) agentWritesEnvFile(a *agent, file string) error {
	if err := r.agentComesFirst(a); err != nil {
		return err
	}
	dir := a.volumeDir(r.pod.Annotations)
	for _, f := range a.files(r.pod.Annotations) {
		if f.dir == dir && f.path == path.Join(dir, file) {
			return nil
		}
	}
	return errors.New("no annotation makes the agent's init container write it")
}

// agentComesFirst returns nil if the init container, not added yet, ends before
// this container starts.
func (r *reader) agentComesFirst(a *agent) error {
	all := r.pod.Annotations
	before, ok := all[a.prefix+agentBefore]
	switch {
	case r.windows:
		return errors.New("the agent cannot run in a Windows Pod")
	case ok && !isTrue(before):
		return fmt.Errorf("annotation %q is %q, so no init container writes secrets", a.prefix+agentBefore, before)
	case all[a.prefix+agentConfigMap] != "":
		return fmt.Errorf("%w what the agent does, as annotation %q is set", ErrUnknown, a.prefix+agentConfigMap)
	case r.init && !isTrue(all[a.prefix+agentFirst]):
		return fmt.Errorf("annotation %q is not true, and this init container comes before the agent's", a.prefix+agentFirst)
	}
	return nil
}

// agentWrites reports whether a container is an agent's init container that the
// Pod already has, and writes the file at that path.
func (r *reader) agentWrites(c *corev1.Container, p string) bool {
	_, ok := r.agentFileOf(c, p)
	return ok
}

// agentsMode returns nil unless the container is an agent's and gives the file
// another mode than requested.
func (r *reader) agentsMode(c *corev1.Container, p string) error {
	if f, ok := r.agentFileOf(c, p); ok {
		return r.hasMode(f)
	}
	return nil
}

func (r *reader) agentFileOf(c *corev1.Container, p string) (rendered, bool) {
	for i := range agents {
		if c.Name != agents[i].init {
			continue
		}
		for _, f := range agents[i].files(r.pod.Annotations) {
			if f.path == p {
				return f, true
			}
		}
	}
	return rendered{}, false
}

func (r *reader) hasMode(f rendered) error {
	if r.mode == 0 {
		return nil
	}
	if mode, err := strconv.ParseInt(f.perms, 8, 32); err != nil || int32(mode) != r.mode {
		return fmt.Errorf("its annotation for the mode is %q, not %#o", f.perms, r.mode)
	}
	return nil
}
