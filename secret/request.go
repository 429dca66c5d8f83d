package secret

import (
	"strconv"
	"strings"

	"github.com/podsecrets/podsecrets/mount"
)

// Request asks for one secret. Which secret Group, Key and GroupVersion name is
// the secret manager's matter. Requests are comparable. The zero value asks for
// nothing and is invalid.
type Request struct {
	// Group is the secret's group: a Kubernetes Secret, a path in Vault, ...
	// Empty means none.
	Group string
	// Key is the entry in the group. Empty means none.
	Key string
	// GroupVersion is the version of the group, for stores that have versions.
	// Empty means none.
	GroupVersion string
	// Mount is the form in which containers read the secret. The zero value,
	// mount.Any, leaves the choice to the secret manager.
	Mount mount.Type
	// EnvVar names a variable that containers get in addition: it holds the
	// value where the secret is mounted as a variable, and the file's path where
	// it is mounted as a file. Empty means none.
	EnvVar string
}

// String returns the fields that are set, in a fixed order:
//
//	group="user-info" key="password" version="v1" mount=FILE env="PASSWORD_FILE"
//
// Texts are quoted as in Go source, so that different requests print
// differently and no control character reaches a log. Mount is left out if it
// is Any, and every other field if it is empty; key="" stands for a request
// without group, key and version.
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
	return strings.Join(parts, " ")
}
