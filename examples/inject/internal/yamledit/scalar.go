package yamledit

import (
	"encoding/json"
	"unicode/utf8"
)

// folding collects the text of a scalar whose line breaks are folded.
type folding struct {
	text     []byte
	blanks   []byte // pending, on one line
	first    []byte // the first pending line break
	more     []byte // the following ones
	newLines bool   // a line break is pending
}

// flush adds pending blanks and line breaks before the next character.
func (f *folding) flush() {
	switch {
	case !f.newLines:
		f.text = append(f.text, f.blanks...)
	case len(f.first) > 0 && f.first[0] != '\n': // U+2028 and U+2029 are kept
		f.text = append(append(f.text, f.first...), f.more...)
	case len(f.more) > 0:
		f.text = append(f.text, f.more...)
	default:
		f.text = append(f.text, ' ')
	}
	f.reset()
}

func (f *folding) reset() {
	f.blanks, f.first, f.more, f.newLines = f.blanks[:0], f.first[:0], f.more[:0], false
}

// space skips blanks and line breaks and records them as pending.
func (r *reader) space(f *folding) {
	for r.isBlank(r.pos) || r.lineBreak(r.pos) > 0 {
		switch {
		case r.lineBreak(r.pos) == 0:
			if !f.newLines {
				f.blanks = append(f.blanks, r.at(r.pos))
			}
			r.pos++
		case !f.newLines:
			f.first, f.newLines = r.readLine(f.first), true
		default:
			f.more = r.readLine(f.more)
		}
	}
}

// plain reads a scalar without quotes. Its continuation lines begin at the column indent
// or deeper.
func (r *reader) plain(indent int, inFlow bool) (*Node, error) {
	n := &Node{Start: r.pos, content: r.pos}
	var f folding
	end, bol := r.pos, r.bol
	for !r.atMarker() && r.at(r.pos) != '#' {
		start := r.pos
		for !r.isBlankOrEnd(r.pos) && !r.endsPlain(inFlow) {
			r.pos++
		}
		if r.pos > start {
			f.flush()
			f.text = append(f.text, r.text[start:r.pos]...)
			end, bol = r.pos, r.bol
		}
		if r.pos >= r.end || !r.isBlankOrEnd(r.pos) {
			break
		}
		r.space(&f)
		if !inFlow && f.newLines && r.column() < indent {
			break
		}
	}
	r.pos, r.bol = end, bol
	n.End, n.text = end, string(f.text)
	if n.End == n.Start {
		return nil, r.errorf(n.Start, "unexpected %q", r.at(n.Start))
	}
	return n, nil
}

func (r *reader) endsPlain(inFlow bool) bool {
	switch r.at(r.pos) {
	case ':':
		return r.isBlankOrEnd(r.pos + 1)
	case ',', '?', '[', ']', '{', '}':
		return inFlow
	}
	return false
}

// quoted reads a scalar in quotes.
func (r *reader) quoted() (*Node, error) {
	n := &Node{Start: r.pos, content: r.pos, style: single}
	quote := r.at(r.pos)
	if quote == '"' {
		n.style = double
	}
	var f folding
	for r.pos++; ; {
		switch c := r.at(r.pos); {
		case r.pos >= r.end, r.atMarker():
			return nil, r.errorf(n.Start, "unclosed quotes")
		case r.isBlank(r.pos), r.lineBreak(r.pos) > 0:
			r.space(&f)
			f.flush()
		case c == quote && quote == '\'' && r.at(r.pos+1) == '\'':
			f.text = append(f.text, '\'')
			r.pos += 2
		case c == quote:
			r.pos++
			n.End = r.pos
			return n, r.setQuoted(n, f.text)
		case c == '\\' && quote == '"' && r.lineBreak(r.pos+1) > 0:
			r.pos++
			r.readLine(nil)
			f.newLines = true // skip this one, keep the following ones
			r.space(&f)
			f.text = append(f.text, f.more...)
			f.reset()
		case c == '\\' && quote == '"':
			if err := r.escape(&f); err != nil {
				return nil, err
			}
		default:
			_, size := utf8.DecodeRune(r.text[r.pos:r.end])
			f.text = append(f.text, r.text[r.pos:r.pos+size]...)
			r.pos += size
		}
	}
}

func (r *reader) setQuoted(n *Node, text []byte) error {
	n.text = string(text)
	if !r.json {
		return nil
	}
	if err := json.Unmarshal(r.text[n.Start:n.End], &n.text); err != nil {
		return r.errorf(n.Start, "%v", err)
	}
	return nil
}

// escapes maps the single-character escapes of double quotes.
var escapes = map[byte]string{
	'0': "\x00", 'a': "\a", 'b': "\b", 't': "\t", '\t': "\t", 'n': "\n", 'v': "\v", 'f': "\f", 'r': "\r",
	'e': "\x1b", ' ': " ", '"': `"`, '\'': "'", '\\': `\`, '/': "/",
	'N': "\u0085", '_': "\u00a0", 'L': "\u2028", 'P': "\u2029",
}

func (r *reader) escape(f *folding) error {
	start := r.pos
	c := r.at(r.pos + 1)
	r.pos += 2
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	if s, ok := escapes[c]; ok {
		f.text = append(f.text, s...)
		return nil
	}
	if digits == 0 {
		return r.errorf(start, "unknown escape %q", c)
	}
	var value rune
	for range digits {
		d := hex(r.at(r.pos))
		if d < 0 {
			return r.errorf(start, "escape has too few digits")
		}
		value = value<<4 + d
		r.pos++
	}
	f.text = utf8.AppendRune(f.text, value)
	return nil
}

func hex(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10
	}
	return -1
}
