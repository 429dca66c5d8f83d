package vault

import (
	"fmt"
	"path"
	"strings"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// The engines, which are also the versions that a request may have.
const (
	kv1 = "kv1"
	kv2 = "kv2"
	db  = "db"
)

// read is what an agent has to read for one secret. Without a key it is all that
// is at the path.
type read struct {
	engine, path, key string
}

// read returns what a request asks for.
func (m *Manager) read(req secret.Request) (read, error) {
	r := read{req.GroupVersion, path.Clean("/" + req.Group)[1:], req.Key}
	if r.engine == "" {
		r.engine = m.engine
	}
	switch {
	case r.path == "":
		return read{}, fmt.Errorf("%w: a secret of %v has a group, which is its path", secret.ErrUnsupported, m.flavor)
	case r.engine != kv1 && r.engine != kv2 && r.engine != db:
		return read{}, fmt.Errorf("%w: version is none of kv1, kv2, db", secret.ErrUnsupported)
	}
	if len(m.mounts) > 0 && (m.mountOf(r.path) != "") != (r.engine == kv2) {
		return read{}, fmt.Errorf("%w: Mounts lists the key-value engines of version 2, and version is %s", secret.ErrUnsupported, r.engine)
	}
	return r, nil
}

// mountOf returns the longest of Mounts that has the path, or "".
func (m *Manager) mountOf(p string) string {
	for _, mount := range m.mounts { // the longest first
		if p == mount || strings.HasPrefix(p, mount+"/") {
			return mount
		}
	}
	return ""
}

// object returns what the agent will ask for. With kv2 it puts "data/" behind the
// mount if that is missing, as consul-template 0.41.1 does in shimKVv2Path.
func (m *Manager) object(r read) mount.Object {
	key := r.key
	if r.engine == db {
		key = "" // all that is there, whatever the file is called
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

// id is what tells the secrets of a Pod apart in the names of annotations,
// which leave it 36 bytes. It must be in lower case, and "file-" at its
// beginning would make a template of another kind of it.
func (r read) id(file string) string { return mount.Name("vault", r.engine, r.path, r.key, file) }
