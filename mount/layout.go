package mount

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation"
)

// The discovery variables, from which Flyte's client learns where to look. It
// takes an empty one for unset and then uses defaults of its own, and its own
// directory is another one than Flyte's webhook uses, so every receiving
// container gets them.
const (
	EnvPrefixVar  = "FLYTE_SECRETS_ENV_PREFIX"
	DefaultDirVar = "FLYTE_SECRETS_DEFAULT_DIR"
	FilePrefixVar = "FLYTE_SECRETS_FILE_PREFIX"
)

// IsDiscoveryVar reports whether name is one of the discovery variables.
func IsDiscoveryVar(name string) bool {
	return name == EnvPrefixVar || name == DefaultDirVar || name == FilePrefixVar
}

// The defaults of Layout's fields.
const (
	defaultDir       = "/etc/flyte/secrets"
	defaultEnvPrefix = "_FSEC_"
)

// Layout says where in a container secrets are looked for. It names things as
// Flyte's client (flytekit) looks them up; that client upper-cases and
// lower-cases what it is asked for, so names differ in more than case or are
// the same. The zero value is Flyte's own layout.
type Layout struct {
	// Dir is the directory of secret files: absolute and clean, not "/", and
	// without ":", which Kubernetes refuses in a mount path. Empty means
	// "/etc/flyte/secrets".
	Dir string
	// FilePrefix stands before the last part of each file's path, its case
	// kept. Empty, the default, means none.
	FilePrefix string
	// EnvPrefix begins the name of each variable, its case kept. Empty means
	// "_FSEC_".
	EnvPrefix string
}

// WithDefaults returns l with the defaults in place of its empty fields.
func (l Layout) WithDefaults() Layout {
	if l.Dir == "" {
		l.Dir = defaultDir
	}
	if l.EnvPrefix == "" {
		l.EnvPrefix = defaultEnvPrefix
	}
	return l
}

// Validate reports the first field that no container could use, as a
// *LayoutError.
func (l Layout) Validate() error {
	l = l.WithDefaults()
	switch {
	case !path.IsAbs(l.Dir), path.Clean(l.Dir) != l.Dir:
		return &LayoutError{"Dir", l.Dir, "is not an absolute, clean path"}
	case l.Dir == "/":
		return &LayoutError{"Dir", l.Dir, "is the root directory"}
	case strings.Contains(l.Dir, ":"):
		return &LayoutError{"Dir", l.Dir, `has ":", which Kubernetes refuses in a mount path`}
	case longSegment(l.Dir):
		return &LayoutError{"Dir", l.Dir, "has a segment of more than 255 bytes"}
	case unreadable(l.Dir):
		return &LayoutError{"Dir", l.Dir, "has outer blanks, control characters or invalid UTF-8"}
	case strings.ContainsAny(l.FilePrefix, "/="):
		return &LayoutError{"FilePrefix", l.FilePrefix, `has "/" or "="`}
	case strings.HasPrefix(l.FilePrefix, ".."):
		return &LayoutError{"FilePrefix", l.FilePrefix, `begins with "..", which Kubernetes refuses in an item of a volume`}
	case longSegment(l.FilePrefix + "x"):
		return &LayoutError{"FilePrefix", l.FilePrefix, "leaves no room in a file name of 255 bytes"}
	case unreadable(l.FilePrefix):
		return &LayoutError{"FilePrefix", l.FilePrefix, "has outer blanks, control characters or invalid UTF-8"}
	case len(validation.IsEnvVarName(l.EnvPrefix+"X")) > 0:
		return &LayoutError{"EnvPrefix", l.EnvPrefix, "cannot begin the name of an environment variable"}
	}
	return nil
}

// unreadable reports text that would not reach the client as it is: it strips
// what it reads from the discovery variables.
func unreadable(s string) bool {
	return strings.TrimSpace(s) != s || strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s)
}

// longSegment reports a path that no Linux file can have (NAME_MAX).
func longSegment(p string) bool {
	return slices.ContainsFunc(strings.Split(p, "/"), func(s string) bool { return len(s) > 255 })
}

// LayoutError says which field of a Layout cannot be used, and why.
type LayoutError struct {
	Field, Value, Reason string
}

func (e *LayoutError) Error() string {
	return fmt.Sprintf("layout: %s %q %s", e.Field, e.Value, e.Reason)
}

// EnvVar returns the name of the variable in which the client looks for a
// secret: the prefix and the parts that are not empty, upper-cased and joined
// with "_". It never fails; whether Kubernetes takes the name is another
// question (validation.IsEnvVarName).
func (l Layout) EnvVar(group, version, key string) string {
	parts := present(group, version, key)
	return l.WithDefaults().EnvPrefix + strings.ToUpper(strings.Join(parts, "_"))
}

// Path returns the file in which the client looks for a secret: Dir and the
// parts that are not empty, lower-cased, the last of them behind FilePrefix.
// It never fails and never leaves Dir: each part is cleaned as if it were an
// absolute path, so that ".." ends at Dir.
func (l Layout) Path(group, version, key string) string {
	return path.Join(l.WithDefaults().Dir, l.RelPath(group, version, key))
}

// RelPath is Path below Dir, without a slash in front: what a program is told
// that writes into a volume which containers see at Dir, but which it has
// somewhere else. Without parts, or of parts of which nothing is left, it is "".
func (l Layout) RelPath(group, version, key string) string {
	parts := present(clean(group), clean(version), clean(key))
	if len(parts) == 0 {
		return ""
	}
	last := &parts[len(parts)-1]
	*last = l.FilePrefix + *last
	return path.Join(parts...)
}

// clean returns the lower-cased part, cleaned as if absolute, without the
// slash that makes it so.
func clean(part string) string {
	if part == "" {
		return ""
	}
	return path.Clean("/" + strings.ToLower(part))[1:]
}

func present(parts ...string) []string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}
