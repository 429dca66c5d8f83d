package secret

import (
	"path"
	"strconv"
	"strings"

	"github.com/podsecrets/podsecrets/internal/names"
	"github.com/podsecrets/podsecrets/mount"
)

// Request asks for one secret. The secret manager decides which secret Group,
// Key and GroupVersion identify. Requests are comparable. The zero value asks
// for nothing and is invalid.
type Request struct {
	// Group is the secret's group, such as a Kubernetes Secret or a path in
	// Vault. Empty means none.
	Group string
	// Key is the entry in the group. Empty means none.
	Key string
	// GroupVersion is the version of the group, for stores that have versions.
	// Empty means none.
	GroupVersion string
	// Mount is the form in which containers read the secret. The zero value,
	// mount.Any, lets the secret manager choose, unless other fields decide;
	// see Form.
	Mount mount.Type
	// EnvVar is an exact name: that of a variable. If the secret is a variable,
	// this variable has the value. Containers get it in addition to the derived
	// variable or, with mount.Layout.Exact, instead of it. If the secret is a
	// file, this variable has the file's path. Empty means none.
	EnvVar string
	// Path is an exact name: the file's path below mount.Layout.Dir, with its
	// case kept. It replaces the derived path. Empty means the derived path, or
	// "group/key" with mount.Layout.Exact.
	Path string
	// Field selects a top-level field if the value is a JSON object. The secret
	// is then the text of that field if it is a string, and its JSON otherwise.
	// Empty means the whole value.
	Field string
	// Mode is the permission bits of the file, at most 0777. 0 means the
	// manager's default.
	Mode int32
	// Container is the one container that receives the secret. Empty means all
	// that injector.Config.Containers selects.
	Container string
}

// Form returns the form that the request implies in a layout: Mount, unless
// that is mount.Any. Then it is
//
//   - mount.File if Path or Mode is set;
//   - with mount.Layout.Exact, mount.EnvVar if EnvVar is set, otherwise
//     mount.File;
//   - otherwise mount.Any: the manager chooses.
func (r Request) Form(l mount.Layout) mount.Type {
	switch {
	case r.Mount != mount.Any:
		return r.Mount
	case r.Path != "" || r.Mode != 0:
		return mount.File
	case l.Exact && r.EnvVar != "":
		return mount.EnvVar
	case l.Exact:
		return mount.File
	}
	return mount.Any
}

// EnvName returns the primary variable of a secret that is read as a variable:
// the derived name with the given version, or EnvVar with mount.Layout.Exact.
// EnvName also returns EnvVar if that is set and some Kubernetes clusters do
// not accept the derived name.
func (r Request) EnvName(l mount.Layout, version string) string {
	if l.Exact {
		return r.EnvVar
	}
	derived := l.EnvVar(r.Group, version, r.Key)
	if r.EnvVar != "" && !names.IsEnvVar(derived) {
		return r.EnvVar
	}
	return derived
}

// FilePath returns the absolute path of a secret that is read as a file: Path
// below mount.Layout.Dir, or else the derived path with the given version. With
// mount.Layout.Exact and no Path it is "group/key", with its case kept. It
// never leaves the directory.
func (r Request) FilePath(l mount.Layout, version string) string {
	if exact, ok := r.exactPath(l); ok {
		return path.Join(l.WithDefaults().Dir, exact)
	}
	return l.Path(r.Group, version, r.Key)
}

// RelPath returns FilePath relative to mount.Layout.Dir, for programs that see
// the volume at another path.
func (r Request) RelPath(l mount.Layout, version string) string {
	if exact, ok := r.exactPath(l); ok {
		return exact
	}
	return l.RelPath(r.Group, version, r.Key)
}

// exactPath returns the exact path relative to the directory, if there is one.
func (r Request) exactPath(l mount.Layout) (exact string, ok bool) {
	switch {
	case r.Path != "":
		return path.Clean("/" + r.Path)[1:], true
	case l.Exact:
		// Clean each part separately, so that ".." in one never removes the
		// other.
		return path.Join(path.Clean("/" + r.Group)[1:], path.Clean("/" + r.Key)[1:]), true
	}
	return "", false
}

// String returns the set fields in a fixed order:
//
//	group="user-info" key="password" version="v1" mount=FILE env="PASSWORD_FILE" path="db/password" field="pw" mode=0400 container="web"
//
// Texts are quoted as in Go source, so different requests print differently and
// no control character reaches a log. Empty fields are omitted, and so is Mount
// if it is Any. A request without group, key and version starts with key="".
func (r Request) String() string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+"="+strconv.Quote(value))
		}
	}
	add("group", r.Group)
	add("key", r.Key)
	add("version", r.GroupVersion)
	if len(parts) == 0 {
		parts = append(parts, `key=""`)
	}
	if r.Mount != mount.Any {
		parts = append(parts, "mount="+r.Mount.String())
	}
	add("env", r.EnvVar)
	add("path", r.Path)
	add("field", r.Field)
	if r.Mode != 0 {
		parts = append(parts, "mode="+octalText(r.Mode))
	}
	add("container", r.Container)
	return strings.Join(parts, " ")
}
