package mount

import (
	"fmt"
	"path"
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
	if reason := dirFlaw(l.Dir); reason != "" {
		return &LayoutError{"Dir", l.Dir, reason}
	}
	switch {
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

// dirFlaw says why a directory cannot be announced to the client, or "".
func dirFlaw(dir string) string {
	switch {
	case !path.IsAbs(dir), path.Clean(dir) != dir:
		return "is not an absolute, clean path"
	case dir == "/":
		return "is the root directory"
	case strings.Contains(dir, ":"):
		return `has ":", which Kubernetes refuses in a mount path`
	case longSegment(dir):
		return "has a segment of more than 255 bytes"
	case unreadable(dir):
		return "has outer blanks, control characters or invalid UTF-8"
	}
	return ""
}

// unreadable reports text that would not reach the client as it is: it strips
// what it reads from the discovery variables.
func unreadable(s string) bool {
	return strings.TrimSpace(s) != s || strings.ContainsFunc(s, unicode.IsControl) || !utf8.ValidString(s)
}

// longSegment reports a path that no Linux file can have (NAME_MAX).
func longSegment(p string) bool {
	for segment := range strings.SplitSeq(p, "/") {
		if len(segment) > 255 {
			return true
		}
	}
	return false
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
	l = l.WithDefaults()
	var b strings.Builder
	b.Grow(len(l.EnvPrefix) + len(group) + len(version) + len(key) + len("__"))
	b.WriteString(l.EnvPrefix)
	separator := ""
	for _, part := range [...]string{group, version, key} {
		if part == "" {
			continue
		}
		b.WriteString(separator)
		for _, c := range part {
			b.WriteRune(unicode.ToUpper(c)) // as strings.ToUpper, without a copy
		}
		separator = "_"
	}
	return b.String()
}

// Path returns the file in which the client looks for a secret: Dir and the
// parts that are not empty, lower-cased, the last of them behind FilePrefix.
// It never fails and never leaves Dir: each part is cleaned as if it were an
// absolute path, so that ".." ends at Dir.
func (l Layout) Path(group, version, key string) string {
	return l.join(path.Clean(l.WithDefaults().Dir), group, version, key)
}

// RelPath is Path below Dir, without a slash in front: what a program is told
// that writes into a volume which containers see at Dir, but which it has
// somewhere else. Without parts, or of parts of which nothing is left, it is "".
func (l Layout) RelPath(group, version, key string) string {
	return strings.TrimPrefix(l.join("", group, version, key), "/")
}

func (l Layout) join(dir, group, version, key string) string {
	parts := [...]string{clean(group), clean(version), clean(key)}
	last := len(parts) - 1
	for last >= 0 && parts[last] == "" {
		last--
	}
	if last < 0 {
		return dir
	}
	var b strings.Builder
	b.Grow(len(dir) + len(l.FilePrefix) + len(parts[0]) + len(parts[1]) + len(parts[2]) + len("///"))
	b.WriteString(dir)
	for i, part := range parts {
		if part == "" {
			continue
		}
		b.WriteByte('/')
		if i == last {
			b.WriteString(l.FilePrefix)
		}
		b.WriteString(part)
	}
	if strings.Contains(l.FilePrefix, "/") { // which Validate refuses
		return path.Clean(b.String())
	}
	return b.String()
}

// clean returns the lower-cased part, cleaned as if absolute, without the
// slash that makes it so.
func clean(part string) string {
	part = strings.ToLower(part)
	switch {
	case part == ".", strings.HasPrefix(part, ".."):
	case !strings.Contains(part, "/"), path.Clean(part) == part && part[0] != '/':
		return part // as most are, without a copy
	}
	return path.Clean("/" + part)[1:]
}
