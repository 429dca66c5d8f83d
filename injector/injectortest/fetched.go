package injectortest

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// fetched returns nil if an earlier init container writes the file in an
// emptyDir, as far as the Pod shows. writes, if set, returns the file that a
// container writes; by is its name.
func (r *reader) fetched(volume, file string, writes func(corev1.Container) string, by string) error {
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
			if r.writesFile(c, m, below, writes) {
				return r.agentsMode(c, path.Join("/", m.MountPath, below))
			}
			there = fmt.Sprintf(": init container %q has that file at %q", c.Name, path.Join(m.MountPath, below))
		}
	}
	if !mounted {
		return fmt.Errorf("no init container that ends before it starts mounts the emptyDir %q", volume)
	}
	if writes != nil {
		return fmt.Errorf("according to %s, no earlier init container with the emptyDir %q writes %q%s", by, volume, file, there)
	}
	if strings.Contains(file, "$") {
		there += `, where "$" is doubled in variables and arguments, as mount.Literal does it`
	}
	return fmt.Errorf("no earlier init container with the emptyDir %q names %q in a variable or argument%s", volume, file, there)
}

// writesFile reports whether a container writes a file below a mount.
func (r *reader) writesFile(c *corev1.Container, m *corev1.VolumeMount, file string, writes func(corev1.Container) string) bool {
	at := path.Join("/", m.MountPath, file)
	if writes != nil {
		return path.Clean(writes(*c.DeepCopy())) == at
	}
	return r.names(c, m, file) || r.agentWrites(c, at)
}

// names reports whether a container names a file below a mount. The exact
// variable of the request does not count, because init containers that read the
// file have it too.
func (r *reader) names(c *corev1.Container, m *corev1.VolumeMount, file string) bool {
	env := environment(c)
	var texts []string
	for name, v := range env {
		if v.known() && (name != r.exactVar || v.text != r.exactPath) {
			texts = append(texts, v.text)
		}
	}
	for _, word := range slices.Concat(c.Command, c.Args) {
		if text, mixed := expand(word, env); !mixed {
			texts = append(texts, text)
		}
	}
	for _, text := range texts {
		for _, word := range words(text) {
			for _, name := range []string{path.Join(m.MountPath, file), "/" + file, file} {
				if word, name := r.fold(word), r.fold(name); word == name || strings.HasSuffix(word, "="+name) {
					return true
				}
			}
		}
	}
	return false
}

// words returns the text, its words, and the strings in it if it is JSON.
func words(text string) []string {
	all := append(strings.Fields(text), text)
	var value any
	if json.Unmarshal([]byte(text), &value) == nil {
		all = appendStrings(all, value)
	}
	return all
}

func appendStrings(all []string, value any) []string {
	switch value := value.(type) {
	case string:
		all = append(all, value)
	case []any:
		for _, v := range value {
			all = appendStrings(all, v)
		}
	case map[string]any:
		for _, v := range value {
			all = appendStrings(all, v)
		}
	}
	return all
}
