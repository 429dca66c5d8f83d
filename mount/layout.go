package mount

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/podsecrets/podsecrets/internal/names"
)

// The discovery variables tell Flyte's client where to look. The client treats
// an empty variable as unset, and its default directory differs from the one
// that Flyte's webhook uses. Receivers of a variable therefore get
// EnvPrefixVar, and receivers of a file get DefaultDirVar and FilePrefixVar,
// even if the value is empty. With Layout.Exact, containers get none of them.
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

// Layout defines where containers look for secrets. Its methods return derived
// names, which are the names that Flyte's client (flytekit) looks up. The
// client changes the case of names, so two secrets whose names differ only in
// case have the same derived names. The zero value is Flyte's own layout.
type Layout struct {
	// Dir is the directory of secret files: an absolute, clean path. It must
	// not contain ":", which Kubernetes does not allow in a mount path. A
	// volume at Dir must not hide what a container needs. Validate therefore
	// refuses the root; /proc, /sys, /dev and everything below them;
	// directories that programs and libraries need, such as /usr/bin, /lib,
	// /etc and /tmp, but not what is below them; and everything above or below
	// the service account's directory. Empty means "/etc/flyte/secrets".
	Dir string
	// FilePrefix is put before the last part of each derived file path, with
	// its case kept. Empty means no prefix.
	FilePrefix string
	// EnvPrefix starts each derived variable name, with its case kept. Empty
	// means "_FSEC_".
	EnvPrefix string
	// Exact means that there are only exact names, for programs that do not use
	// Flyte's client: no derived names, no aliases, no discovery variables. The
	// name of a variable is secret.Request.EnvVar. The path of a file is
	// secret.Request.Path, or else "group/key" with its case kept. FilePrefix
	// and EnvPrefix then have no effect.
	Exact bool
}

// WithDefaults returns l with its empty fields set to the defaults.
func (l Layout) WithDefaults() Layout {
	if l.Dir == "" {
		l.Dir = defaultDir
	}
	if l.EnvPrefix == "" {
		l.EnvPrefix = defaultEnvPrefix
	}
	return l
}

// EnvVar returns the derived variable of a secret: the prefix, followed by the
// nonempty parts in upper case, joined with "_". It never fails, but Kubernetes
// may refuse the name.
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
		writeUpper(&b, part)
		separator = "_"
	}
	return b.String()
}

// writeUpper writes strings.ToUpper(text) without a copy.
func writeUpper(b *strings.Builder, text string) {
	for i := range len(text) {
		switch c := text[i]; {
		case c >= utf8.RuneSelf:
			for _, r := range text[i:] {
				b.WriteRune(unicode.ToUpper(r))
			}
			return
		case 'a' <= c && c <= 'z':
			b.WriteByte(c - 'a' + 'A')
		default:
			b.WriteByte(c)
		}
	}
}

// Path returns the derived file of a secret: Dir and the nonempty parts in
// lower case, with FilePrefix before the last. It never fails and never leaves
// Dir: each part is cleaned as if it were an absolute path, so ".." stops at
// Dir.
func (l Layout) Path(group, version, key string) string {
	return l.join(path.Clean(l.WithDefaults().Dir), group, version, key)
}

// RelPath returns the path relative to Dir, for programs that mount the volume
// elsewhere. It is "" if no part remains.
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
	if strings.Contains(l.FilePrefix, "/") { // Validate refuses it
		return path.Clean(b.String())
	}
	return b.String()
}

// clean returns part in lower case, cleaned as if absolute, without the leading
// slash.
func clean(part string) string {
	part = strings.ToLower(part)
	switch {
	case part == ".", strings.HasPrefix(part, ".."):
	case !strings.Contains(part, "/"), path.Clean(part) == part && part[0] != '/':
		return part // the usual case, without a copy
	}
	return path.Clean("/" + part)[1:]
}

// Validate returns a *LayoutError for the first field that no container could
// use.
func (l Layout) Validate() error {
	l = l.WithDefaults()
	if reason := dirFlaw(l.Dir); reason != "" {
		return &LayoutError{"Dir", l.Dir, reason}
	}
	switch {
	case strings.ContainsAny(l.FilePrefix, "/="):
		return &LayoutError{"FilePrefix", l.FilePrefix, `contains "/" or "="`}
	case strings.HasPrefix(l.FilePrefix, ".."):
		return &LayoutError{"FilePrefix", l.FilePrefix, `starts with "..", which Kubernetes does not allow in volume items`}
	case longSegment(l.FilePrefix + "x"):
		return &LayoutError{"FilePrefix", l.FilePrefix, "leaves no room for a file name (maximum 255 bytes)"}
	case unreadable(l.FilePrefix):
		return &LayoutError{"FilePrefix", l.FilePrefix, unreadableText}
	case !names.IsEnvVar(l.EnvPrefix + "X"):
		return &LayoutError{"EnvPrefix", l.EnvPrefix, "is not a valid start of an environment variable name"}
	}
	return nil
}
