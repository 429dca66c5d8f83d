package vault

import (
	"cmp"
	"fmt"
	"path"
	"strings"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Engines, as a request's version names them.
const (
	kv1 = "kv1"
	kv2 = "kv2"
	db  = "db"
)

// read is what an agent reads for one secret. An empty key means all entries at the
// path.
type read struct {
	engine, path, key string
}

// read returns what the agent reads for a request.
func (m *Manager) read(req secret.Request) (read, error) {
	r := read{cmp.Or(req.GroupVersion, m.defaultEngine), path.Clean("/" + req.Group)[1:], req.Key}
	reason := ""
	switch {
	case r.path == "":
		reason = "group must be a path in " + m.product
	case r.engine != kv1 && r.engine != kv2 && r.engine != db:
		reason = "version must be kv1, kv2 or db"
	case len(m.mounts) == 0:
	case r.engine == kv2 && m.mountOf(r.path) == "":
		reason = "Mounts has no kv2 engine for this path"
	case r.engine != kv2 && m.mountOf(r.path) != "":
		reason = "Mounts has a kv2 engine at this path, but version is " + r.engine
	}
	if reason != "" {
		return read{}, fmt.Errorf("%w: %s", secret.ErrUnsupported, reason)
	}
	return r, nil
}

// mountOf returns the longest of Config.Mounts that contains the path, or "".
func (m *Manager) mountOf(p string) string {
	for _, mount := range m.mounts { // longest first
		if p == mount || strings.HasPrefix(p, mount+"/") {
			return mount
		}
	}
	return ""
}

// object returns what the agent asks Vault for. With kv2 it inserts a missing "data/"
// after the mount, as consul-template 0.41.1 does in shimKVv2Path.
func (m *Manager) object(r read) mount.Object {
	key := r.key
	if r.engine == db {
		key = "" // all entries; the key only names the file
	}
	if r.engine != kv2 {
		return mount.Object{Name: r.path, Key: key}
	}
	engine := m.mountOf(r.path)
	if engine == "" {
		engine, _, _ = strings.Cut(r.path, "/")
	}
	below := strings.TrimPrefix(r.path[len(engine):], "/")
	for _, api := range [...]string{"data/", "metadata/", "subkeys/"} {
		if strings.HasPrefix(below, api) {
			return mount.Object{Name: r.path, Key: key}
		}
	}
	return mount.Object{Name: path.Join(engine, "data", below), Key: key}
}

// id identifies the secret and its file in the names of annotations, which leave 36 bytes
// for it. vault-k8s requires lower case, and would read a leading "file-" as part of
// another annotation, agent-inject-template-file-.
func (r read) id(file string) string { return mount.Name("vault", r.engine, r.path, r.key, file) }
