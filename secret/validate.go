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

// Linux's limits on a file name and on a path (NAME_MAX, PATH_MAX), in bytes.
const (
	maxSegment = 255
	maxParts   = 4096
)

// Validate reports the first field, in the order of the struct, that makes the
// request one that no container could read or that names a file outside of the
// secrets' directory, as an *InvalidError. Managers may refuse more.
//
//   - Group, Key and GroupVersion, the parts: at least one is set (else field
//     "key"). Each is valid UTF-8, without control characters, without a
//     character whose case Python and Go map differently, does not begin with
//     "/", and has no ".." segment and none over 255 bytes. Together they have
//     at most 4096 bytes (else the part that exceeds them). Lengths are the
//     longer ones of as asked and lower-cased, as some characters grow.
//   - The last part names a file: it does not end in "/" or in a "." segment,
//     which a directory does. It does not begin with a "." segment either,
//     because the client puts the file prefix straight before it, which makes
//     "./a" another file than "a". The last part is Key, or without a Key both
//     GroupVersion and Group, as not every store has versions. In front of the
//     last part, ".", "a/" and "./a" are harmless.
//   - Mount is Any, EnvVar or File.
//   - EnvVar is empty, or a name that Kubernetes accepts for a variable in every
//     cluster and none of the discovery variables, which tell the client where to
//     look.
//   - Path is empty, or a relative and clean path of at most 4096 bytes that does
//     not begin with "..", without control characters and segments over 255
//     bytes. It is not set together with mount.EnvVar.
//   - Field is empty, or valid UTF-8 without control characters, of at most 4096
//     bytes.
//   - Mode is between 0 and 0777, and not set together with mount.EnvVar.
//   - Container is empty, or a name that a container can have.
//
// A Layout's directory and prefixes count towards the limits too, but are not
// known here.
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
		if total += size(p.part); reason == "" && total > maxParts {
			reason = fmt.Sprintf("takes the request over %d bytes", maxParts)
		}
		if reason != "" {
			return &InvalidError{p.field, reason}
		}
	}
	if r.Mount > mount.File {
		return &InvalidError{"mount", "is none of ANY, ENV_VAR, FILE"}
	}
	for _, f := range []struct{ field, reason string }{
		{"envVar", envVarFlaw(r.EnvVar)}, {"path", r.pathFlaw()}, {"field", fieldFlaw(r.Field)}, {"mode", r.modeFlaw()},
	} {
		if f.reason != "" {
			return &InvalidError{f.field, f.reason}
		}
	}
	if r.Container != "" && !names.IsContainer(r.Container) {
		return &InvalidError{"container", "is not a name that a container can have"}
	}
	return nil
}

func envVarFlaw(name string) string {
	switch {
	case name == "":
		return ""
	case mount.IsDiscoveryVar(name):
		return "tells Flyte's client where to look for secrets, so it must not be " + name
	case !names.IsEnvVar(name):
		return "is not a name that Kubernetes accepts for a variable"
	}
	return ""
}

const asVariable = "is for files, and the secret is asked for as a variable (mount ENV_VAR)"

func (r Request) pathFlaw() string {
	switch {
	case r.Path == "":
		return ""
	case r.Mount == mount.EnvVar:
		return asVariable
	case path.IsAbs(r.Path):
		return "is absolute, and must be relative to the directory of secrets"
	case len(r.Path) > maxParts:
		return fmt.Sprintf("has more than %d bytes", maxParts)
	case strings.HasPrefix(r.Path, ".."):
		return `begins with "..", which leaves the directory, or which Kubernetes refuses in a volume`
	case path.Clean(r.Path) != r.Path || r.Path == ".":
		return "is not clean: it has an empty, \".\" or \"..\" segment, or ends in \"/\""
	}
	if reason := textFlaw(r.Path); reason != "" {
		return reason
	}
	for s := range strings.SplitSeq(r.Path, "/") {
		if len(s) > maxSegment {
			return fmt.Sprintf("has a segment over %d bytes", maxSegment)
		}
	}
	return ""
}

func fieldFlaw(field string) string {
	if len(field) > maxParts {
		return fmt.Sprintf("has more than %d bytes", maxParts)
	}
	return textFlaw(field)
}

func (r Request) modeFlaw() string {
	switch {
	case r.Mode < 0 || r.Mode > 0o777:
		return "is not between 0 and 0777"
	case r.Mode != 0 && r.Mount == mount.EnvVar:
		return asVariable
	}
	return ""
}

func textFlaw(text string) string {
	if !utf8.ValidString(text) {
		return "is not valid UTF-8"
	}
	for _, c := range text {
		if unicode.IsControl(c) {
			return fmt.Sprintf("has the control character %U", c)
		}
	}
	return ""
}

// partFlaw says what is wrong with a part, or "". last: the part may be the
// last one of a file's path.
func partFlaw(part string, last bool) string {
	if reason := textFlaw(part); reason != "" {
		return reason
	}
	for _, c := range part {
		if c >= utf8.RuneSelf && unicode.Is(specialCase, c) {
			return fmt.Sprintf("has %q (%U), whose case differs between languages", c, c)
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
			return fmt.Sprintf("has a segment over %d bytes", maxSegment)
		}
	}
	first, _, _ := strings.Cut(part, "/")
	end := part[strings.LastIndexByte(part, '/')+1:]
	switch {
	case part == "" || !last:
		return ""
	case end == "" || end == ".":
		return "names a directory, not a file"
	case first == ".":
		return `begins with a "." segment`
	}
	return ""
}

// size is the greater length of s in bytes, as asked and lower-cased: U+023A
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

// specialCase holds the characters that Python and Go upper-case or lower-case
// differently, so that Flyte's client would look for another name than this
// library writes. Python's str.upper and str.lower follow Unicode's
// SpecialCasing, where one character may become several; Go's strings.ToUpper
// and strings.ToLower map one to one. And U+03A3, the capital sigma, becomes
// another letter at the end of a word in Python.
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
