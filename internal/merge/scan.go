package merge

import (
	"encoding/json"
	"errors"
	"fmt"
)

// scanner reads JSON from front to back and validates all of it. It builds no tree and
// decodes only what is asked for.
//
//	s := scanner{text: text}
//	for s.object(); s.next('}'); {
//		switch string(s.key()) {
//		case "name":
//			name = s.string()
//		default:
//			s.skip()
//		}
//	}
//	err := s.end()
//
// Read each member and each element with exactly one call, such as string, skip, object or
// array. null is read as the zero value. After the first error, these do nothing and next
// returns false.
//
// It accepts what encoding/json.Valid accepts, and decodes strings as encoding/json does. It
// returns duplicate keys as often as they occur.
type scanner struct {
	text    []byte
	strings string // a copy of text, or "": string then returns parts of it, without allocating
	pos     int
	depth   int
	first   bool // the next element or member is the first
	null    bool // the object or array is null
	name    span // the key that next found
	err     error
}

// span is a part of the text. For a string, it excludes the quotes.
type span struct {
	from, to int32
	encoded  bool // a string with escapes or non-ASCII bytes, which encoding/json must decode
}

// maxDepth is encoding/json's limit on nesting.
const maxDepth = 10_000

// errSyntax is a placeholder: end replaces it with encoding/json's error.
var errSyntax = errors.New("syntax error")

// end returns the first error. Text after the value is an error too.
func (s *scanner) end() error {
	if s.skipSpace(); s.err == nil && s.pos < len(s.text) {
		s.err = errSyntax
	}
	if s.err == errSyntax {
		var any json.RawMessage
		return json.Unmarshal(s.text, &any)
	}
	return s.err
}

func (s *scanner) fail() {
	if s.err == nil {
		s.err = errSyntax
	}
}

// failType skips a value of an unexpected type and fails. A syntax error in the value takes
// precedence.
func (s *scanner) failType(want string) {
	s.skipSpace()
	at := s.pos
	s.skip()
	if s.err == nil {
		s.err = fmt.Errorf("json: the value at byte %d is not %s", at, want)
	}
}

// skipSpace skips white space.
func (s *scanner) skipSpace() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek skips white space and returns the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		if c := s.text[s.pos]; c > ' ' {
			return c
		}
	}
	if s.skipSpace(); s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

// object begins an object. next('}') then goes to each member.
func (s *scanner) object() { s.begin('{', "an object") }

// array begins an array. next(']') then goes to each element.
func (s *scanner) array() { s.begin('[', "an array") }

func (s *scanner) begin(open byte, want string) {
	switch c := s.peek(); {
	case s.err != nil:
	case c == open:
		s.enter()
	case c == 'n':
		s.literal("null")
		s.null = true
	default:
		s.failType(want)
	}
}

func (s *scanner) enter() {
	s.pos++
	s.first = true
	if s.depth++; s.depth > maxDepth {
		s.fail()
	}
}

// next goes to the next member or element of the object or array that close ends. It returns
// false at the end.
func (s *scanner) next(close byte) bool {
	if s.err != nil || s.null {
		s.null = false
		return false
	}
	first := s.first
	s.first = false
	switch c := s.peek(); {
	case c == close:
		s.pos++
		s.depth--
		return false
	case c == ',' && !first:
		s.pos++
	case !first:
		s.fail()
		return false
	}
	if close == '}' {
		s.member()
	}
	return s.err == nil
}

// member reads a key and the colon.
func (s *scanner) member() {
	if s.peek() != '"' {
		s.fail()
		return
	}
	s.name = s.quoted()
	if s.peek() != ':' {
		s.fail()
		return
	}
	s.pos++
}

// key returns the key of the current member.
func (s *scanner) key() []byte { return decode(s.text, s.name) }

// string reads a string.
func (s *scanner) string() string { return s.stringOf(s.stringSpan()) }

func (s *scanner) stringOf(p span) string {
	switch {
	case p.encoded:
		return unquote(s.text, p)
	case s.strings != "":
		return s.strings[p.from:p.to]
	}
	return string(s.text[p.from:p.to])
}

// stringSpan reads a string and returns its position.
func (s *scanner) stringSpan() span {
	switch c := s.peek(); {
	case s.err != nil:
	case c == '"':
		if p := s.quoted(); s.err == nil {
			return p
		}
	case c == 'n':
		s.literal("null")
	default:
		s.failType("a string")
	}
	return span{}
}

// bool reads true or false.
func (s *scanner) bool() bool {
	switch s.peek() {
	case 't':
		s.literal("true")
		return s.err == nil
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		s.failType("a boolean")
	}
	return false
}

// skipSpan reads a value of any type and returns its position.
func (s *scanner) skipSpan() span {
	s.skipSpace()
	from := s.pos
	s.skip()
	return span{from: int32(from), to: int32(s.pos)}
}

// skip reads a value of any type.
func (s *scanner) skip() {
	if s.err != nil {
		return
	}
	switch c := s.peek(); {
	case c == '"':
		s.quoted()
	case c == '{':
		for s.enter(); s.next('}'); {
			s.skip()
		}
	case c == '[':
		for s.enter(); s.next(']'); {
			s.skip()
		}
	case c == 't':
		s.literal("true")
	case c == 'f':
		s.literal("false")
	case c == 'n':
		s.literal("null")
	default:
		s.number()
	}
}
