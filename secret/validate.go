package secret

import (
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/podsecrets/podsecrets/internal/names"
	"github.com/podsecrets/podsecrets/mount"
)

// Linux's limits on a file name and a path (NAME_MAX, PATH_MAX), in bytes.
const (
	maxSegment = 255
	maxPath    = 4096
)

// Validate returns an *InvalidError for the first field, in the order of the
// struct, that is not valid: no container could read the secret, or its file
// would be outside the directory of secrets. Managers may refuse more.
//
//   - Group, Key and GroupVersion are the parts. At least one of them is set
//     (otherwise the error names "key"). Each is valid UTF-8 without control
//     characters, without characters whose case Python and Go map differently,
//     without a leading "/", without ".." segments, and without segments longer
//     than 255 bytes. Together they have at most 4096 bytes (otherwise the
//     error names the part that exceeds the limit). The length of a text is
//     that of the original or of its lower case, whichever is longer, because
//     lower case needs more bytes for some characters.
//   - The last part names a file. It does not end in "/" or in a "." segment,
//     because that would be a directory. It does not begin with a "." segment
//     either: the client puts the file prefix directly before it, so "./a"
//     would become another file than "a". The last part is Key. Without a Key,
//     both GroupVersion and Group must follow this rule, because not every
//     store has versions. In earlier parts ".", "a/" and "./a" are harmless.
//   - Mount is Any, EnvVar or File.
//   - EnvVar is empty, or a variable name that Kubernetes accepts in every
//     cluster, but not a discovery variable.
//   - Path is empty, or a relative, clean path of at most 4096 bytes. It is
//     valid UTF-8 and does not begin with "..". It has no control characters
//     and no segments longer than 255 bytes. It cannot be combined with
//     mount.EnvVar.
//   - Field is empty, or valid UTF-8 without control characters, of at most
//     4096 bytes.
//   - Mode is between 0 and 0777, and cannot be combined with mount.EnvVar.
//   - Container is empty, or a valid container name.
//
// The directory and prefixes of a Layout count toward the same limits, but
// Validate does not know them.
func (r Request) Validate() error {
	if r.Group == "" && r.Key == "" && r.GroupVersion == "" {
		return &InvalidError{"key", "is empty, and so are group and groupVersion"}
	}
	parts := []struct{ field, part string }{
		{"group", r.Group},
		{"key", r.Key},
		{"groupVersion", r.GroupVersion},
	}
	total := 0
	for _, p := range parts {
		last := p.field == "key" || r.Key == ""
		reason := partFlaw(p.part, last)
		if total += size(p.part); reason == "" && total > maxPath {
			reason = fmt.Sprintf("makes the request longer than %d bytes", maxPath)
		}
		if reason != "" {
			return &InvalidError{p.field, reason}
		}
	}
	if r.Mount > mount.File {
		return &InvalidError{"mount", "is not one of ANY, ENV_VAR, FILE"}
	}
	for _, f := range []struct{ field, reason string }{
		{"envVar", envVarFlaw(r.EnvVar)}, {"path", r.pathFlaw()}, {"field", fieldFlaw(r.Field)}, {"mode", r.modeFlaw()},
	} {
		if f.reason != "" {
			return &InvalidError{f.field, f.reason}
		}
	}
	if r.Container != "" && !names.IsContainer(r.Container) {
		return &InvalidError{"container", "is not a valid container name"}
	}
	return nil
}

func envVarFlaw(name string) string {
	switch {
	case name == "":
		return ""
	case mount.IsDiscoveryVar(name):
		return "must not be " + name + ", which tells Flyte's client where to look for secrets"
	case !names.IsEnvVar(name):
		return "is not a valid environment variable name"
	}
	return ""
}

const onlyForFiles = "is only for files, and mount is ENV_VAR"

func (r Request) pathFlaw() string {
	switch {
	case r.Path == "":
		return ""
	case r.Mount == mount.EnvVar:
		return onlyForFiles
	case path.IsAbs(r.Path):
		return "must be relative to the directory of secrets"
	case len(r.Path) > maxPath:
		return fmt.Sprintf("is longer than %d bytes", maxPath)
	case strings.HasPrefix(r.Path, ".."):
		return `begins with "..", which leaves the directory or is not allowed in a volume`
	case path.Clean(r.Path) != r.Path || r.Path == ".":
		return "is not clean: it has an empty, \".\" or \"..\" segment, or ends in \"/\""
	}
	if reason := textFlaw(r.Path); reason != "" {
		return reason
	}
	for s := range strings.SplitSeq(r.Path, "/") {
		if len(s) > maxSegment {
			return fmt.Sprintf("has a segment longer than %d bytes", maxSegment)
		}
	}
	return ""
}

func fieldFlaw(field string) string {
	if len(field) > maxPath {
		return fmt.Sprintf("is longer than %d bytes", maxPath)
	}
	return textFlaw(field)
}

func (r Request) modeFlaw() string {
	switch {
	case r.Mode < 0 || r.Mode > 0o777:
		return "is not between 0 and 0777"
	case r.Mode != 0 && r.Mount == mount.EnvVar:
		return onlyForFiles
	}
	return ""
}

func textFlaw(text string) string {
	if !utf8.ValidString(text) {
		return "is not valid UTF-8"
	}
	for _, c := range text {
		if unicode.IsControl(c) {
			return fmt.Sprintf("contains the control character %U", c)
		}
	}
	return ""
}

// partFlaw returns what is wrong with a part, or "". last means that the part
// may be the last in a file's path.
func partFlaw(part string, last bool) string {
	if reason := textFlaw(part); reason != "" {
		return reason
	}
	for _, c := range part {
		if c >= utf8.RuneSelf && unicode.Is(specialCase, c) {
			return fmt.Sprintf("contains %q (%U), whose case differs between Python and Go", c, c)
		}
	}
	if strings.HasPrefix(part, "/") {
		return `begins with "/"`
	}
	for s := range strings.SplitSeq(part, "/") {
		if s == ".." {
			return `has a ".." segment`
		}
		if size(s) > maxSegment {
			return fmt.Sprintf("has a segment longer than %d bytes", maxSegment)
		}
	}
	first, _, _ := strings.Cut(part, "/")
	base := part[strings.LastIndexByte(part, '/')+1:]
	switch {
	case part == "" || !last:
		return ""
	case base == "" || base == ".":
		return "names a directory, not a file"
	case first == ".":
		return `begins with a "." segment`
	}
	return ""
}

// size is the maximum length of s in bytes, unchanged or lower-cased: U+023A
// has two bytes, its lower case three.
func size(s string) int {
	if isASCII(s) {
		return len(s)
	}
	lower := 0
	for _, c := range s {
		lower += utf8.RuneLen(unicode.ToLower(c))
	}
	return max(len(s), lower)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// specialCase has the characters whose upper or lower case differs between
// Python and Go, so that Flyte's client would look for a different name.
// Python's str.upper and str.lower follow Unicode's SpecialCasing, which may
// turn one character into several; Go's strings.ToUpper and strings.ToLower map
// one to one. In Python the capital sigma, U+03A3, also becomes another letter
// at the end of a word.
var specialCase = &unicode.RangeTable{
	R16: []unicode.Range16{
		{Lo: 0x00df, Hi: 0x00df, Stride: 1},
		{Lo: 0x0130, Hi: 0x0130, Stride: 1},
		{Lo: 0x0149, Hi: 0x0149, Stride: 1},
		{Lo: 0x01f0, Hi: 0x01f0, Stride: 1},
		{Lo: 0x0390, Hi: 0x0390, Stride: 1},
		{Lo: 0x03a3, Hi: 0x03a3, Stride: 1},
		{Lo: 0x03b0, Hi: 0x03b0, Stride: 1},
		{Lo: 0x0587, Hi: 0x0587, Stride: 1},
		{Lo: 0x1e96, Hi: 0x1e9a, Stride: 1},
		{Lo: 0x1f50, Hi: 0x1f56, Stride: 2},
		{Lo: 0x1f80, Hi: 0x1faf, Stride: 1},
		{Lo: 0x1fb2, Hi: 0x1fb4, Stride: 1},
		{Lo: 0x1fb6, Hi: 0x1fb7, Stride: 1},
		{Lo: 0x1fbc, Hi: 0x1fbc, Stride: 1},
		{Lo: 0x1fc2, Hi: 0x1fc4, Stride: 1},
		{Lo: 0x1fc6, Hi: 0x1fc7, Stride: 1},
		{Lo: 0x1fcc, Hi: 0x1fcc, Stride: 1},
		{Lo: 0x1fd2, Hi: 0x1fd3, Stride: 1},
		{Lo: 0x1fd6, Hi: 0x1fd7, Stride: 1},
		{Lo: 0x1fe2, Hi: 0x1fe4, Stride: 1},
		{Lo: 0x1fe6, Hi: 0x1fe7, Stride: 1},
		{Lo: 0x1ff2, Hi: 0x1ff4, Stride: 1},
		{Lo: 0x1ff6, Hi: 0x1ff7, Stride: 1},
		{Lo: 0x1ffc, Hi: 0x1ffc, Stride: 1},
		{Lo: 0xfb00, Hi: 0xfb06, Stride: 1},
		{Lo: 0xfb13, Hi: 0xfb17, Stride: 1},
	},
	LatinOffset: 1,
}
