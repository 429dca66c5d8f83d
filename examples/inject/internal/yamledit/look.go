package yamledit

import (
	"bytes"
	"strings"
)

// look is a document's formatting, which new text follows.
type look struct {
	newLine string
	step    int    // indentation of a mapping below its key
	inKey   int    // indentation of a sequence below its key
	dash    string // "-" and the spaces after it
	quote   byte   // for strings that need quotes
	quoted  bool   // no block scalars

	// In flow style:
	json      bool   // all strings are quoted
	comma     string // between entries on one line
	colon     string
	pad       string // inside the brackets
	multiLine bool   // each entry has its own line
	flowStep  string // indentation of entries; "" if they share a line
	indent    string // of the entries at the current place
}

// lookOf returns the formatting of the whole document.
func lookOf(d *Document) look {
	l := look{newLine: "\n", step: 2, dash: "- ", quote: '"', comma: ", ", colon: ": ", json: d.JSON}
	if i := bytes.IndexByte(d.File, '\n'); i > 0 && d.File[i-1] == '\r' {
		l.newLine = "\r\n"
	}
	var s survey
	s.node(d.Root)
	if s.singles > s.doubles {
		l.quote = '\''
	}
	if s.step > 0 {
		l.step = s.step
	}
	l.inKey = s.inKey
	if s.dash > 0 {
		l.dash = "-" + spaces(s.dash-1)
	}
	if d.JSON {
		l.lookOfJSON(d)
	}
	return l
}

// lookOfJSON takes the formatting from the first entry of a JSON value.
func (l *look) lookOfJSON(d *Document) {
	if len(d.Root.pairs) == 0 {
		return
	}
	p := d.Root.pairs[0]
	if between := string(d.File[p.colon:p.value.Start]); strings.Trim(between, " ") == "" {
		l.colon = ":" + between
	}
	if bytes.Contains(d.File[d.Root.Start:p.start], []byte("\n")) {
		line := lineStart(d.File, d.Root.Start, d.Start)
		outer := leadingBlanks(d.File[line:d.Root.Start])
		inner := leadingBlanks(d.File[lineStart(d.File, p.start, d.Start):p.start])
		l.flowStep = strings.TrimPrefix(inner, outer)
	} else if l.colon == ":" {
		l.comma = ","
	}
}

// survey counts the styles of a document's nodes.
type survey struct {
	singles, doubles int
	step, inKey      int // of the last node
	dash             int
}

func (s *survey) node(n *Node) {
	switch n.style {
	case single:
		s.singles++
	case double:
		s.doubles++
	}
	for _, p := range n.pairs {
		s.node(p.key)
		if p.value.style == block && n.style == block {
			if p.value.Kind == Mapping {
				s.step = p.value.column - n.column
			} else {
				s.inKey = p.value.column - n.column
			}
		}
		s.node(p.value)
	}
	for _, it := range n.items {
		if n.style == block && it.node.style == block && it.node.Kind == Mapping && it.node.column > n.column+1 {
			s.dash = it.node.column - n.column
		}
		s.node(it.node)
	}
}

// beside returns the formatting for new fields of a mapping, like the existing ones.
func (l look) beside(n *Node) look {
	for _, p := range n.pairs {
		if p.value.style != block {
			continue
		}
		if p.value.Kind == Sequence {
			l.inKey = p.value.column - n.column
		} else if p.value.column > n.column {
			l.step = p.value.column - n.column
		}
	}
	return l
}

// dashOf returns the dash of a sequence's items, with the spaces after it.
func dashOf(n *Node) string {
	for _, it := range n.items {
		if width := it.node.Start - it.start; width > 1 && width < 10 && it.node.Kind == Mapping && it.node.column == n.column+width {
			return "-" + spaces(width-1)
		}
	}
	return "- "
}

// flowIn returns the formatting of the entries of a flow collection.
func (l look) flowIn(d *Document, n *Node) look {
	spans := n.entries()
	first, last := spans[0], spans[len(spans)-1]
	for _, p := range n.pairs {
		l.json = l.json || p.key.style == double
	}
	if d.File[n.content+1] == ' ' {
		l.pad = " "
	}
	line := lineStart(d.File, first[0], d.Start)
	closing := lineStart(d.File, n.End-1, d.Start)
	l.multiLine = line > n.content && closing > last[0]
	if l.multiLine {
		l.pad = ""
		l.indent = leadingBlanks(d.File[line:first[0]])
		l.flowStep = strings.TrimPrefix(l.indent, leadingBlanks(d.File[closing:n.End-1]))
	}
	return l
}

const maxSpaces = "                                                                "

func spaces(n int) string {
	if n <= len(maxSpaces) {
		return maxSpaces[:max(n, 0)]
	}
	return strings.Repeat(" ", n)
}

func indented(lines []string, column int) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		if line != "" {
			out[i] = spaces(column) + line
		}
	}
	return out
}
