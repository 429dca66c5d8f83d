package yamledit

import (
	"regexp"
	"strings"
	"unicode"
)

// isSimple reports whether v is a scalar or an empty collection.
func (v *Value) isSimple() bool {
	return v == nil || len(v.items) == 0 && len(v.fields) == 0
}

// lines returns v in block style, indented from column 0.
func (l look) lines(v *Value) (lines []string) {
	switch {
	case v.isSimple():
		return l.block(v)
	case v.kind == array:
		for _, item := range v.items {
			lines = append(lines, l.item(item)...)
		}
		return lines
	}
	for _, f := range v.fields {
		lines = append(lines, l.field(f)...)
	}
	return lines
}

// field returns the lines of an entry of a mapping.
func (l look) field(f Field) []string {
	key := l.plainOrQuoted(f.Name, false) + ":"
	below := l.lines(f.Value)
	switch {
	case f.Value.isSimple():
		return append([]string{key + " " + below[0]}, indented(below[1:], l.step)...)
	case f.Value.kind == array:
		return append([]string{key}, indented(below, l.inKey)...)
	}
	return append([]string{key}, indented(below, l.step)...)
}

// item returns the lines of an item of a sequence.
func (l look) item(v *Value) []string {
	lines := l.lines(v)
	return append([]string{l.dash + lines[0]}, indented(lines[1:], len(l.dash))...)
}

// block returns the lines of a scalar or of an empty collection. A string with several
// lines becomes a block scalar if possible.
func (l look) block(v *Value) []string {
	if v == nil || v.kind != text || l.quoted || !isBlockText(v.text) {
		return []string{l.scalar(v, false)}
	}
	header := "|"
	if !strings.HasSuffix(v.text, "\n") {
		header = "|-"
	}
	return append([]string{header}, strings.Split(strings.TrimSuffix(v.text, "\n"), "\n")...)
}

// isBlockText reports whether a block scalar can hold s unchanged: it has several lines,
// does not begin with a space, no line ends with a space, and it ends with at most one line
// break.
func isBlockText(s string) bool {
	lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
	if !strings.Contains(s, "\n") || lines[0] == "" || lines[0][0] == ' ' || lines[len(lines)-1] == "" {
		return false
	}
	for _, line := range lines {
		if !isPrintable(line) || strings.HasSuffix(line, " ") {
			return false
		}
	}
	return true
}

// scalar returns a scalar or an empty collection on one line.
func (l look) scalar(v *Value, inFlow bool) string {
	if v == nil {
		return "null"
	}
	switch v.kind {
	case null:
		return "null"
	case object:
		return "{}"
	case array:
		return "[]"
	case text:
		return l.plainOrQuoted(v.text, inFlow)
	}
	return v.text
}

// plainOrQuoted returns s without quotes if every YAML reader then reads the same string.
func (l look) plainOrQuoted(s string, inFlow bool) string {
	if !l.json && isPlain(s, inFlow) {
		return s
	}
	if l.quote == '\'' && !l.json && isPrintable(s) {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return string(quoteText(s))
}

// quoteText quotes s as JSON does, which is also YAML. It additionally escapes characters
// that YAML forbids or treats as line breaks.
func quoteText(s string) []byte {
	quoted := appendText(nil, s)
	if isPrintable(s) {
		return quoted
	}
	var out []byte
	for _, c := range string(quoted) {
		if c != ' ' && (!unicode.IsPrint(c) || c == '\uFEFF') {
			out = appendEscape(out, c)
			continue
		}
		out = append(out, string(c)...)
	}
	return out
}

func appendEscape(to []byte, c rune) []byte {
	const digits = "0123456789abcdef"
	if c > 0xFFFF { // valid unescaped in JSON and YAML
		return append(to, string(c)...)
	}
	return append(to, '\\', 'u', digits[c>>12], digits[c>>8&15], digits[c>>4&15], digits[c&15])
}

func isPrintable(s string) bool {
	for _, c := range s {
		if c != ' ' && !unicode.IsPrint(c) {
			return false
		}
	}
	return true
}

var (
	plainText = regexp.MustCompile(`^[A-Za-z0-9_./$(](?:[A-Za-z0-9_./$()\\^~=+<>@%!*&;|'"-]|[ ?,:\[\]{}]|#)*$`)
	// likeNumber matches texts that some YAML reader takes for a number, a time, or a
	// base-60 number.
	likeNumber = regexp.MustCompile(`^[-+.]|^[0-9][0-9_.:eEbBoOxXa-fA-FtTzZ +-]*$`)
)

// isPlain reports whether s needs no quotes. If in doubt, it does.
func isPlain(s string, inFlow bool) bool {
	switch {
	case !plainText.MatchString(s), likeNumber.MatchString(s), s == "=", s == "<<", s == "~":
		return false
	case strings.Contains(s, ": "), strings.Contains(s, " #"), strings.HasSuffix(s, ":"), strings.HasSuffix(s, " "):
		return false
	case strings.HasPrefix(s, "---"), strings.HasPrefix(s, "..."):
		return false
	case inFlow && strings.ContainsAny(s, ",?:[]{}#"):
		return false
	}
	_, isWord := constants[s]
	return !isWord
}

// flow returns v in flow style; indent is the indentation of its first line.
func (l look) flow(v *Value, indent string) string {
	if v.isSimple() {
		return l.scalar(v, true)
	}
	open, closing := "{", "}"
	var entries []string
	inner := indent + l.flowStep
	for _, f := range v.fields {
		entries = append(entries, l.flowField(f, inner))
	}
	for _, item := range v.items {
		entries = append(entries, l.flow(item, inner))
	}
	if v.kind == array {
		open, closing = "[", "]"
	}
	if !l.multiLine || l.flowStep == "" {
		return open + l.pad + strings.Join(entries, l.comma) + l.pad + closing
	}
	return open + l.newLine + inner + strings.Join(entries, ","+l.newLine+inner) + l.newLine + indent + closing
}

func (l look) flowField(f Field, indent string) string {
	return l.plainOrQuoted(f.Name, true) + l.colon + l.flow(f.Value, indent)
}
