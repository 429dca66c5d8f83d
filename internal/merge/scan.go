package merge

import (
	"encoding/json"
	"errors"
	"fmt"
)

// scanner reads JSON front to back, and checks all of it on the way. It makes
// no tree, and decodes nothing that nobody asks for.
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
// Each member and each element is read by exactly one call of string, skip,
// span, object or array. null reads as the zero value. After the first error
// these do nothing, and next returns false.
//
// What it accepts is what encoding/json.Valid accepts, and strings are what
// encoding/json makes of them. A key that an object has twice is read twice.
type scanner struct {
	text    []byte
	strings string // text once more, or "": what string returns is a part of it
	pos     int
	depth   int
	first   bool // the next element or member is the first one
	null    bool // null stands for the object or array that was begun
	name    span // the key that next has found
	err     error
}

// span is a part of the text. Of a string, it is what stands between the quotes.
type span struct {
	from, to int32
	encoded  bool // a string that encoding/json must decode, for an escape or for what is not ASCII
}

// maxDepth is encoding/json's limit on nesting.
const maxDepth = 10_000

// errSyntax stands for encoding/json's error, which end looks up.
var errSyntax = errors.New("syntax error")

// end returns the first error; one is that something follows the value.
func (s *scanner) end() error {
	if s.blanks(); s.err == nil && s.pos < len(s.text) {
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

// wrongType skips a value of another type than was asked for, and fails. A
// syntax error in the value has precedence.
func (s *scanner) wrongType(want string) {
	s.blanks()
	at := s.pos
	s.skip()
	if s.err == nil {
		s.err = fmt.Errorf("json: the value at byte %d is not %s", at, want)
	}
}

// blanks skips what may stand between tokens.
func (s *scanner) blanks() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek skips blanks and returns the next byte, or 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		if c := s.text[s.pos]; c > ' ' {
			return c
		}
	}
	if s.blanks(); s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

// object begins to read an object. next('}') finds its members.
func (s *scanner) object() { s.begin('{', "an object") }

// array begins to read an array. next(']') finds its elements.
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
		s.wrongType(want)
	}
}

func (s *scanner) enter() {
	s.pos++
	s.first = true
	if s.depth++; s.depth > maxDepth {
		s.fail()
	}
}

// next goes to the next member or element of what close ends. At the end it
// returns false.
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

// key returns the key of the member that next has found.
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

// stringSpan reads a string, and returns where it stands.
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
		s.wrongType("a string")
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
		s.wrongType("a boolean")
	}
	return false
}

// skipSpan reads a value of any type, and returns where it stands.
func (s *scanner) skipSpan() span {
	s.blanks()
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
