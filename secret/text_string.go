package secret

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// escapes maps the letter of a one-letter escape to its value.
var escapes = [256]byte{
	'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
	'?': '?', '\\': '\\', '\'': '\'', '"': '"',
}

func (s *scanner) atQuote() bool { return s.peek() == '"' || s.peek() == '\'' }

// quoted reads a string: one or more literals, which are joined. The scanner is
// at a quote. The result may be invalid UTF-8, because escapes can be bytes.
func (s *scanner) quoted() (string, error) {
	text, err := s.literal()
	if err != nil || !s.atQuote() {
		return text, err // the usual case, without a copy
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

// literal reads one quoted literal and returns its value.
func (s *scanner) literal() (string, error) {
	quote := rune(s.peek())
	s.pos++ // not advance, which would skip spaces
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

// unescape returns the value of the escape at the start of text, and its length
// in bytes, or 0 if it is invalid. text starts with a backslash.
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

// byteEscape reads at most maxDigits digits, starting at index from.
func byteEscape(text string, from, maxDigits int, digits string, base int) (string, int) {
	to := min(len(text), from+maxDigits)
	to -= len(strings.TrimLeft(text[from:to], digits))
	v, err := strconv.ParseUint(text[from:to], base, 8)
	if err != nil {
		return "", 0
	}
	return string([]byte{byte(v)}), to
}

// runeEscape reads an escape of n bytes for a code point. The first half of a
// surrogate pair must be followed by the second half, \u with four digits.
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
