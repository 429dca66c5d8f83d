package secret

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	octal   = "01234567"
	decimal = octal + "89"
	hex     = decimal + "abcdefABCDEF"
)

// scanner reads the tokens of protobuf's text format. Between method calls pos
// is at a token, never at spaces or a comment.
type scanner struct {
	text string
	pos  int
}

func newScanner(text string) *scanner {
	s := &scanner{text: text}
	s.advance(0)
	return s
}

func (s *scanner) rest() string { return s.text[s.pos:] }

func (s *scanner) atEnd() bool { return s.pos == len(s.text) }

// peek returns the next byte, or 0 at the end. No token starts with 0.
func (s *scanner) peek() byte {
	if s.atEnd() {
		return 0
	}
	return s.text[s.pos]
}

// advance skips n bytes, and the spaces and comments after them.
func (s *scanner) advance(n int) {
	s.pos += n
	for !s.atEnd() {
		switch s.peek() {
		case ' ', '\n', '\r', '\t':
			s.pos++
		case '#':
			comment, _, _ := strings.Cut(s.rest(), "\n")
			s.pos += len(comment)
		default:
			return
		}
	}
}

// eat skips c if it is next.
func (s *scanner) eat(c byte) bool { return s.eatAny(string(rune(c))) }

// eatAny skips one of chars if it is next.
func (s *scanner) eatAny(chars string) bool {
	if s.atEnd() || strings.IndexByte(chars, s.peek()) < 0 {
		return false
	}
	s.advance(1)
	return true
}

// errorf returns an error with the scanner's position.
func (s *scanner) errorf(format string, args ...any) error {
	return fmt.Errorf("text at byte %d: "+format, append([]any{s.pos}, args...)...)
}

// unexpected returns an error about the next character.
func (s *scanner) unexpected() error {
	if s.atEnd() {
		return s.errorf("unexpected end")
	}
	c, _ := utf8.DecodeRuneInString(s.rest())
	return s.errorf("unexpected character %q", c)
}

// word returns the longest run of characters of identifiers and numbers,
// without advancing.
func (s *scanner) word() string {
	rest := s.rest()
	n := 0
	for n < len(rest) && (inIdent(rest[n]) || rest[n] == '+' || rest[n] == '-' || rest[n] == '.') {
		n++
	}
	return rest[:n]
}

// inIdent reports whether c can be in an identifier.
func inIdent(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}

// fieldName reads a field's name or number, or the name of an extension or type
// in brackets. It leaves a following colon. Names in brackets are never those of
// our fields, so all of them are "[]".
func (s *scanner) fieldName() (string, error) {
	if s.eat('[') {
		for !s.eat(']') {
			if c := s.peek(); !inIdent(c) && (c == 0 || strings.IndexByte("/%.-~!$&()*+,;=", c) < 0) {
				return "", s.unexpected()
			}
			s.advance(1)
		}
		return "[]", nil
	}
	word := s.word()
	if !isIdent(word) {
		if word == "" || strings.Trim(word, decimal) != "" || len(word) > 1 && word[0] == '0' {
			return "", s.unexpected()
		}
		if _, err := strconv.ParseInt(word, 10, 32); err != nil {
			return "", s.errorf("field number is out of range")
		}
	}
	s.advance(len(word))
	return word, nil
}

func isIdent(word string) bool {
	for i := range len(word) {
		if !inIdent(word[i]) {
			return false
		}
	}
	return word != "" && strings.IndexByte(decimal, word[0]) < 0
}
