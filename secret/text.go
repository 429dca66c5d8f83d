package secret

import (
	"fmt"
	"unicode/utf8"

	"github.com/podsecrets/podsecrets/mount"
)

// textField is a field of Flyte's message core.Secret.
type textField struct {
	name  string
	field string  // named as in InvalidError
	text  *string // nil for the enum, which is Mount
}

// textFields returns the message's fields with pointers into r. Field numbers
// start at 1.
func textFields(r *Request) [5]textField {
	return [...]textField{
		{"group", "group", &r.Group},
		{"group_version", "groupVersion", &r.GroupVersion},
		{"key", "key", &r.Key},
		{"mount_requirement", "mount", nil},
		{"env_var", "envVar", &r.EnvVar},
	}
}

// mountNumbers has the numbers of Flyte's enum core.Secret.MountType. Its names
// are the text forms of mount.Type.
var mountNumbers = [...]mount.Type{0: mount.Any, 1: mount.EnvVar, 2: mount.File}

// encodeText returns the request in protobuf's text format, spelled as Flyte's
// encoder does: a line for each nonempty field, ordered by number. Errors are
// *InvalidError.
func encodeText(r Request) (string, error) {
	var out []byte
	for _, f := range textFields(&r) {
		switch {
		case f.text == nil:
			name, err := r.Mount.MarshalText()
			if err != nil {
				return "", &InvalidError{f.field, "is not one of ANY, ENV_VAR, FILE"}
			}
			if r.Mount != mount.Any {
				out = fmt.Appendf(out, "%s: %s\n", f.name, name)
			}
		case !utf8.ValidString(*f.text):
			return "", &InvalidError{f.field, "is not valid UTF-8"}
		case *f.text != "":
			out = append(out, f.name+`: "`...)
			out = appendEscaped(out, *f.text)
			out = append(out, "\"\n"...)
		}
	}
	return string(out), nil
}

func appendEscaped(out []byte, text string) []byte {
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\n':
			out = append(out, `\n`...)
		case c == '\r':
			out = append(out, `\r`...)
		case c == '\t':
			out = append(out, `\t`...)
		case c == '"', c == '\\':
			out = append(out, '\\', c)
		case c < ' ', c > '~':
			out = fmt.Appendf(out, `\%03o`, c)
		default:
			out = append(out, c)
		}
	}
	return out
}
