package yamledit

import (
	"bytes"
	"strings"
)

// look is how a document is written: what is new shall look like what is there.
type look struct {
	newLine string
	step    int    // how much deeper a mapping stands below a key
	inKey   int    // how much deeper a sequence stands below a key
	dash    string // "-" and the blanks behind it
	quote   byte   // of texts that need quotes
	quoted  bool   // no block scalars

	// In flow style:
	json      bool   // all texts have quotes
	comma     string // between entries on one line
	colon     string
	pad       string // inside of brackets
	multiLine bool   // each entry has a line
	flowStep  string // how much deeper entries stand; "" without lines of their own
	indent    string // of the entries, at one place
}

// lookOf looks at the whole document.
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

// lookOfJSON looks at the first entry of a value in JSON.
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

// survey counts how the nodes of a document are written.
type survey struct {
	singles, doubles int
	step, inKey      int // of the last one that was seen
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

// beside is how fields of a mapping look: as those that are there.
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

// dashOf returns the dash of a sequence's items, with the blanks behind it.
func dashOf(n *Node) string {
	for _, it := range n.items {
		if width := it.node.Start - it.start; width > 1 && width < 10 && it.node.Kind == Mapping && it.node.column == n.column+width {
			return "-" + spaces(width-1)
		}
	}
	return "- "
}

// flowIn is how the entries of a collection in flow style look.
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
