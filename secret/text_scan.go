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
	letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
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
// in brackets. It leaves a following colon.
func (s *scanner) fieldName() (string, error) {
	if s.peek() == '[' {
		return s.typeName()
	}
	word := s.word()
	if !isIdent(word) {
		if !isInteger(word) || len(word) > 1 && word[0] == '0' {
			return "", s.unexpected()
		}
		if _, err := strconv.ParseInt(word, 10, 32); err != nil {
			return "", s.errorf("field number is out of range")
		}
	}
	s.advance(len(word))
	return word, nil
}

// typeName reads [name], [prefix/name] or [/name]. A name is identifiers joined
// by dots; a prefix has the characters of a URL. Spaces and comments may be
// anywhere between.
func (s *scanner) typeName() (string, error) {
	const nameChars, urlChars = letters + decimal + "-_", ".~!$&()*+,;="
	at := *s
	var all []byte
	for s.advance(1); s.peek() != ']'; s.advance(1) {
		c := s.peek()
		if c == '%' {
			if rest := s.rest(); len(rest) < 3 || strings.Trim(rest[1:3], hex) != "" {
				return "", s.unexpected()
			}
			s.pos += 2
		} else if c == 0 || strings.IndexByte(nameChars+urlChars+"/", c) < 0 {
			return "", s.unexpected()
		}
		all = append(all, c)
	}
	s.advance(1)
	name := string(all)
	if slash := strings.LastIndexByte(name, '/'); slash >= 0 {
		if slash > 0 && name[0] == '/' {
			return "", at.errorf("invalid name in brackets")
		}
		name = name[slash+1:]
	}
	if strings.Contains("."+name+".", "..") || strings.Trim(name, nameChars+".") != "" {
		return "", at.errorf("invalid name in brackets")
	}
	return "[" + name + "]", nil
}

// number reads a number and returns it without its minus sign, which spaces and
// comments may follow.
func (s *scanner) number() (digits string, negative bool, err error) {
	negative = s.eat('-')
	digits = s.word()
	// prototext accepts ".", "1e" and "1e+" as numbers, except at the very end.
	cutShort := digits == "." || strings.Trim(digits[max(0, len(digits)-1):], "eE+-") == ""
	if !isInteger(digits) && (!isFloat(digits) || cutShort && len(digits) == len(s.rest())) {
		return "", false, s.unexpected()
	}
	s.advance(len(digits))
	return digits, negative, nil
}

func isIdent(word string) bool {
	for i := range len(word) {
		if !inIdent(word[i]) {
			return false
		}
	}
	return word != "" && strings.IndexByte(decimal, word[0]) < 0
}

// isInteger reports decimal without a leading zero, hex and octal.
func isInteger(word string) bool {
	switch {
	case word == "":
		return false
	case strings.HasPrefix(word, "0x"), strings.HasPrefix(word, "0X"):
		return len(word) > 2 && strings.Trim(word[2:], hex) == ""
	case word[0] == '0':
		return strings.Trim(word, octal) == ""
	}
	return strings.Trim(word, decimal) == ""
}

// isFloat reports digits, a point and digits, an exponent, and an "f". It
// requires digits or a point; no digits need follow the point or the exponent.
func isFloat(word string) bool {
	rest := strings.TrimLeft(word, decimal)
	integer := word[:len(word)-len(rest)]
	fraction, point := strings.CutPrefix(rest, ".")
	if integer == "" && !point || len(integer) > 1 && integer[0] == '0' {
		return false
	}
	if point {
		rest = strings.TrimLeft(fraction, decimal)
	}
	if rest != "" && strings.IndexByte("eE", rest[0]) >= 0 {
		rest = rest[1:]
		if rest != "" && strings.IndexByte("+-", rest[0]) >= 0 {
			rest = rest[1:]
		}
		rest = strings.TrimLeft(rest, decimal)
	}
	return rest == "" || rest == "f" || rest == "F"
}
