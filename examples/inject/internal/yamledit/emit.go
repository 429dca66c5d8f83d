package yamledit

import (
	"regexp"
	"strings"
	"unicode"
)

// isSimple reports whether v has one line in block style.
func (v *Value) isSimple() bool {
	return v == nil || len(v.items) == 0 && len(v.fields) == 0
}

// lines returns v in block style, its own lines at column 0.
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

// block returns the lines of a scalar or of an empty collection. A text of several
// lines is a block scalar, if it can be one.
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

// isBlockText reports texts of several lines that a block scalar holds as they
// are: the first line does not begin with a blank, no line ends with one, and at
// most one line break is at the end.
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

// plainOrQuoted returns a text without quotes if no reader of YAML takes that for
// something else.
func (l look) plainOrQuoted(s string, inFlow bool) string {
	if !l.json && isPlain(s, inFlow) {
		return s
	}
	if l.quote == '\'' && !l.json && isPrintable(s) {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return string(quoteText(s))
}

// quoteText is JSON's way, which YAML has too; only what YAML does not allow, or
// takes for a line break, is escaped besides.
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
	if c > 0xFFFF { // printable as JSON and YAML have it
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
	// likeNumber are texts that some reader of YAML takes for a number, a time or
	// a number of base 60.
	likeNumber = regexp.MustCompile(`^[-+.]|^[0-9][0-9_.:eEbBoOxXa-fA-FtTzZ +-]*$`)
)

// isPlain reports whether a text needs no quotes. It errs on the side of quotes.
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

// flow returns v in flow style; indent is that of the line in which it begins.
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
