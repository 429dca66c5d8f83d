package mount

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/podsecrets/podsecrets/internal/names"
)

// The discovery variables, from which Flyte's client learns where to look. It
// treats an empty one as unset, and its own default directory differs from the
// one that Flyte's webhook uses. So every receiver gets them, unless
// Layout.Exact is set.
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

// Layout says where in a container secrets are looked for. Its methods return
// derived names: those that Flyte's client (flytekit) looks up. That client
// changes the case of what it is asked for, so derived names differ in more than
// case or are the same. The zero value is Flyte's own layout.
type Layout struct {
	// Dir is the directory of secret files: an absolute, clean path without
	// ":", which Kubernetes refuses in a mount path. It must not hide what a
	// container needs: the root, /proc, /sys, /dev and all below them, the
	// directories of programs and libraries, the top directories themselves
	// (such as /etc), and whatever contains or is below the service account's
	// directory are refused. Empty means "/etc/flyte/secrets".
	Dir string
	// FilePrefix is put in front of the last part of each derived file path,
	// its case kept. Empty, the default, means none.
	FilePrefix string
	// EnvPrefix begins each derived variable name, its case kept. Empty means
	// "_FSEC_".
	EnvPrefix string
	// Exact means that there are only exact names, for programs that do not
	// use Flyte's client: no derived names, no aliases, no discovery variables.
	// A variable is secret.Request.EnvVar, and a file secret.Request.Path, or
	// else "group/key" with its case kept. FilePrefix and EnvPrefix then have
	// no effect.
	Exact bool
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

// EnvVar returns the derived variable of a secret: the prefix and the parts that
// are not empty, in upper case and joined with "_". It never fails; Kubernetes
// may still refuse the name.
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

// writeUpper writes what strings.ToUpper returns, without a copy.
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

// Path returns the derived file of a secret: Dir and the parts that are not
// empty, in lower case, with FilePrefix in front of the last. It never fails and
// never leaves Dir: each part is cleaned as if it were an absolute path, so that
// ".." ends at Dir.
func (l Layout) Path(group, version, key string) string {
	return l.join(path.Clean(l.WithDefaults().Dir), group, version, key)
}

// RelPath returns Path relative to Dir, for programs that mount the volume
// elsewhere. Without parts, or if nothing is left of them, it is "".
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
	case !names.IsEnvVar(l.EnvPrefix + "X"):
		return &LayoutError{"EnvPrefix", l.EnvPrefix, "cannot begin the name of an environment variable"}
	}
	return nil
}
