package injectortest

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// fetched returns nil if an init container before this one brings the
// file of an emptyDir, as far as the Pod tells.
func (r *reader) fetched(volume, file string) error {
	mounted, there := false, ""
	for _, c := range r.before {
		for i := range c.VolumeMounts {
			m := &c.VolumeMounts[i]
			if m.Name != volume {
				continue
			}
			mounted = true
			below, ok := relative("/"+m.SubPath, "/"+file)
			if !ok || m.ReadOnly || m.SubPathExpr != "" {
				continue
			}
			if r.brings(c, m, below) {
				return nil
			}
			there = fmt.Sprintf(": init container %q has that file at %q", c.Name, path.Join(m.MountPath, below))
		}
	}
	if !mounted {
		return fmt.Errorf("of the init containers that end before it starts, none mounts the emptyDir %q", volume)
	}
	if r.writes != nil {
		return fmt.Errorf("by what Case.Writes says, no init container before it that mounts the emptyDir %q writes %q%s", volume, file, there)
	}
	if strings.Contains(file, "$") {
		there += `, where "$" is doubled in variables and arguments, as mount.Literal does it`
	}
	return fmt.Errorf("no init container before it that mounts the emptyDir %q names %q in a variable or argument%s", volume, file, there)
}

func (r *reader) brings(c *corev1.Container, m *corev1.VolumeMount, file string) bool {
	if r.writes != nil {
		return path.Clean(r.writes(*c.DeepCopy())) == path.Join("/", m.MountPath, file)
	}
	return names(c, m, file)
}

// names reports whether a container is told of a file below a mount.
func names(c *corev1.Container, m *corev1.VolumeMount, file string) bool {
	env := environment(c)
	var texts []string
	for _, v := range env {
		if v.known() {
			texts = append(texts, v.text)
		}
	}
	for _, word := range slices.Concat(c.Command, c.Args) {
		if text, mixed := expand(word, env); !mixed {
			texts = append(texts, text)
		}
	}
	for _, text := range texts {
		for _, word := range append(strings.Fields(text), text) {
			for _, name := range []string{path.Join(m.MountPath, file), "/" + file, file} {
				if word == name || strings.HasSuffix(word, "="+name) {
					return true
				}
			}
		}
	}
	return false
}

// The annotations of the Vault Agent Injector that decide where files come.
const (
	vaultPrefix     = "vault.hashicorp.com/"
	vaultInject     = vaultPrefix + "agent-inject"
	vaultStatus     = vaultPrefix + "agent-inject-status"
	vaultConfigMap  = vaultPrefix + "agent-configmap"
	vaultBefore     = vaultPrefix + "agent-pre-populate"
	vaultFirst      = vaultPrefix + "agent-init-first"
	vaultContainers = vaultPrefix + "agent-inject-containers"
	vaultVolume     = vaultPrefix + "secret-volume-path"
	vaultSecret     = vaultPrefix + "agent-inject-secret-"
	vaultName       = vaultPrefix + "agent-inject-file-"
)

// vaultDir returns where the Vault Agent Injector will mount its volume in the
// Pod's containers, if it will.
func vaultDir(annotations map[string]string) (string, bool) {
	on, err := strconv.ParseBool(annotations[vaultInject])
	if err != nil || !on || annotations[vaultStatus] == "injected" {
		return "", false
	}
	if dir, ok := annotations[vaultVolume]; ok {
		return path.Clean("/" + dir), true
	}
	return "/vault/secrets", true
}

// vaultFile returns nil if the agent's init container brings a file to the path
// in its volume, which is mounted at dir.
func (r *reader) vaultFile(dir, p string) error {
	all := r.pod.Annotations
	if before, ok := all[vaultBefore]; ok {
		if on, err := strconv.ParseBool(before); err != nil || !on {
			return fmt.Errorf("annotation %q is %q, and no init container brings secrets", vaultBefore, before)
		}
	}
	if all[vaultConfigMap] != "" {
		return fmt.Errorf("%w what the agent does, as annotation %q is set", ErrUnknown, vaultConfigMap)
	}
	if first, err := strconv.ParseBool(all[vaultFirst]); r.init && (err != nil || !first) {
		return fmt.Errorf("annotation %q is not true, and this init container comes before the agent's", vaultFirst)
	}
	if list, ok := all[vaultContainers]; ok && !r.init && !slices.Contains(strings.Split(list, ","), r.Name) {
		return fmt.Errorf("annotation %q does not list the container", vaultContainers)
	}
	for name, secret := range all {
		id, ok := strings.CutPrefix(name, vaultSecret)
		if !ok || strings.TrimSpace(secret) == "" {
			continue
		}
		file := all[vaultName+id]
		if file == "" {
			file = strings.ToLower(id)
		}
		to, moved := all[vaultVolume+"-"+id]
		if !moved {
			to = dir
		}
		if path.Join("/", to, file) == p {
			return nil
		}
	}
	return fmt.Errorf("no annotation has the Vault Agent Injector bring it to %s", dir)
}
