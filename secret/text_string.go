package secret

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// escapes are the escapes of one letter, with what they stand for.
var escapes = [256]byte{
	'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
	'?': '?', '\\': '\\', '\'': '\'', '"': '"',
}

func (s *scanner) atQuote() bool { return s.peek() == '"' || s.peek() == '\'' }

// quoted reads a string: one or more literals, which are joined. The scanner
// stands at a quote. The result need not be valid UTF-8, as escapes can be bytes.
func (s *scanner) quoted() (string, error) {
	text, err := s.literal()
	if err != nil || !s.atQuote() {
		return text, err // the usual case, a part of the text
	}
	out := []byte(text)
	for s.atQuote() {
		if text, err = s.literal(); err != nil {
			return "", err
		}
		out = append(out, text...)
	}
	return string(out), nil
}

// literal reads one literal in quotes and returns what it stands for.
func (s *scanner) literal() (string, error) {
	quote := rune(s.peek())
	s.pos++ // not advance: what follows are no blanks
	from, out := s.pos, []byte(nil)
	for !s.atEnd() {
		c, n := utf8.DecodeRuneInString(s.rest())
		switch {
		case c == quote:
			text := s.text[from:s.pos]
			s.advance(n)
			if out == nil {
				return text, nil
			}
			return string(append(out, text...)), nil
		case c == 0, c == '\n', c == utf8.RuneError && n == 1:
			return "", s.unexpected()
		case c == '\\':
			var value string
			if value, n = unescape(s.rest()); n == 0 {
				return "", s.errorf("invalid escape")
			}
			out = append(append(out, s.text[from:s.pos]...), value...)
			from = s.pos + n
		}
		s.pos += n
	}
	return "", s.unexpected()
}

// unescape returns what the escape at the beginning of text stands for and how
// many bytes it takes, 0 if it is not valid. text begins with a backslash.
func unescape(text string) (value string, n int) {
	if len(text) < 2 {
		return "", 0
	}
	switch c := text[1]; {
	case escapes[c] != 0:
		return string(rune(escapes[c])), 2
	case c == 'x':
		return byteEscape(text, 2, 2, hex, 16)
	case strings.IndexByte(octal, c) >= 0:
		return byteEscape(text, 1, 3, octal, 8)
	case c == 'u':
		return runeEscape(text, 6)
	case c == 'U':
		return runeEscape(text, 10)
	}
	return "", 0
}

// byteEscape reads up to most digits, from the given byte of text.
func byteEscape(text string, from, most int, digits string, base int) (string, int) {
	to := min(len(text), from+most)
	to -= len(strings.TrimLeft(text[from:to], digits))
	v, err := strconv.ParseUint(text[from:to], base, 8)
	if err != nil {
		return "", 0
	}
	return string([]byte{byte(v)}), to
}

// runeEscape reads an escape of n bytes for a code point. The first half of a
// surrogate pair takes a second half, which is \u with four digits.
func runeEscape(text string, n int) (string, int) {
	if len(text) < n {
		return "", 0
	}
	v, err := strconv.ParseUint(text[2:n], 16, 32)
	if err != nil || v > unicode.MaxRune {
		return "", 0
	}
	if !utf16.IsSurrogate(rune(v)) {
		return string(rune(v)), n
	}
	half, ok := strings.CutPrefix(text[n:], `\u`)
	if !ok || len(half) < 4 {
		return "", 0
	}
	low, err := strconv.ParseUint(half[:4], 16, 16)
	pair := utf16.DecodeRune(rune(v), rune(low))
	if err != nil || pair == unicode.ReplacementChar {
		return "", 0
	}
	return string(pair), n + 6
}
