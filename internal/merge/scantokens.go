package merge

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

func (s *scanner) literal(word string) {
	if !bytes.HasPrefix(s.text[s.pos:], []byte(word)) {
		s.fail()
		return
	}
	s.pos += len(word)
}

// number reads a number as RFC 8259 defines it.
func (s *scanner) number() {
	s.accept("-")
	switch {
	case s.accept("0"):
	case !s.digits():
		s.fail()
		return
	}
	if s.accept(".") && !s.digits() {
		s.fail()
		return
	}
	if s.accept("eE") {
		s.accept("+-")
		if !s.digits() {
			s.fail()
		}
	}
}

// accept skips the next byte if it is one of chars.
func (s *scanner) accept(chars string) bool {
	if s.pos < len(s.text) && strings.IndexByte(chars, s.text[s.pos]) >= 0 {
		s.pos++
		return true
	}
	return false
}

// digits skips digits and reports whether there were any.
func (s *scanner) digits() bool {
	from := s.pos
	for s.pos < len(s.text) && '0' <= s.text[s.pos] && s.text[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > from
}

// plainBytes are the ASCII bytes that need no decoding in a string.
var plainBytes = func() (table [256]bool) {
	for c := range utf8.RuneSelf {
		table[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return table
}()

// quoted reads a string. pos must be at the opening quote.
func (s *scanner) quoted() span {
	text, i := s.text, s.pos+1
	p := span{from: int32(i)}
	for i < len(text) {
		c := text[i]
		switch {
		case plainBytes[c]:
			i++
		case c == '"':
			p.to, s.pos = int32(i), i+1
			return p
		case c >= utf8.RuneSelf:
			p.encoded = true
			i++
		default:
			n := 0
			if c == '\\' {
				n = escape(text[i:])
			}
			if n == 0 {
				s.fail()
				return span{}
			}
			p.encoded = true
			i += n
		}
	}
	s.fail()
	return span{}
}

// escape returns the length of the escape at the beginning of the text, or 0.
func escape(text []byte) int {
	switch {
	case len(text) < 2:
		return 0
	case text[1] != 'u':
		if strings.IndexByte(`"\/bfnrt`, text[1]) < 0 {
			return 0
		}
		return 2
	case len(text) < 6 || len(bytes.Trim(text[2:6], "0123456789abcdefABCDEF")) > 0:
		return 0
	}
	return 6
}

// decode returns the value of a valid string. It is a part of the text, unless encoding/json
// must decode it.
func decode(text []byte, p span) []byte {
	if !p.encoded {
		return text[p.from:p.to]
	}
	return []byte(unquote(text, p))
}

func unquote(text []byte, p span) (decoded string) {
	_ = json.Unmarshal(text[p.from-1:p.to+1], &decoded)
	return decoded
}
