package secret

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/podsecrets/podsecrets/mount"
)

// maxFieldNumber is protobuf's highest field number.
const maxFieldNumber = 1<<29 - 1

// decodeText reads a request in protobuf's text format. It accepts what
// prototext accepts with DiscardUnknown, except undefined numbers of the enum,
// which prototext keeps. It accepts more only in the names and values of unknown
// fields. Time and memory are proportional to the text, and
// nesting uses no stack.
func decodeText(text string) (Request, error) {
	var r Request
	fields := textFields(&r)
	var seen [len(fields)]bool
	s := newScanner(text)
	for !s.atEnd() {
		name, err := s.fieldName()
		if err != nil {
			return Request{}, err
		}
		colon := s.eat(':')
		i := slices.IndexFunc(fields[:], func(f textField) bool { return f.name == name })
		switch {
		case i < 0:
			err = s.unknownField(name, len(fields))
		case seen[i]:
			err = s.errorf("%s is set twice", name)
		case !colon:
			err = s.unexpected()
		case fields[i].text == nil:
			r.Mount, err = s.mountValue()
		default:
			*fields[i].text, err = s.stringValue()
		}
		if err != nil {
			return Request{}, err
		}
		if i >= 0 {
			seen[i] = true
		}
		s.eatAny(",;")
	}
	return r, nil
}

// unknownField skips the value of a field whose name is not known. The text
// format allows numbers only for unknown fields, so the number of a known field
// is an error.
func (s *scanner) unknownField(name string, known int) error {
	if name[0] >= '0' && name[0] <= '9' {
		if n, err := strconv.Atoi(name); err != nil || n <= known || n > maxFieldNumber {
			return s.errorf("field number instead of a name")
		}
	}
	return s.skipValue()
}

func (s *scanner) stringValue() (string, error) {
	if !s.atQuote() {
		return "", s.unexpected()
	}
	at := *s
	text, err := s.quoted()
	if err == nil && !utf8.ValidString(text) {
		err = at.errorf("string is not valid UTF-8")
	}
	return text, err
}

// mountValue reads an enum value: its name, or its number in decimal, hex or
// octal.
func (s *scanner) mountValue() (mount.Type, error) {
	at := *s
	if name := s.word(); isIdent(name) {
		s.advance(len(name))
		if t, err := mount.ParseType(name); err == nil {
			return t, nil
		}
		return 0, at.errorf("mount_requirement is not one of ANY, ENV_VAR, FILE")
	}
	negative := s.eat('-')
	digits := s.word()
	if digits == "" {
		return 0, s.unexpected()
	}
	s.advance(len(digits))
	n, err := strconv.ParseUint(digits, 0, 8)
	// Go has other spellings of numbers, such as 0b1 and 0_1.
	if err != nil || strings.ContainsAny(digits, "_bBoO") || int(n) >= len(mountNumbers) || negative && n > 0 {
		return 0, at.errorf("mount_requirement is not one of ANY, ENV_VAR, FILE")
	}
	return mountNumbers[n], nil
}
