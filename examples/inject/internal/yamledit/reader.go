package yamledit

import (
	"bytes"
	"fmt"
)

// maxDepth is the maximum nesting depth, as in kubectl's JSON reader.
const maxDepth = 10000

// reader reads one chunk of a text.
type reader struct {
	text    []byte
	pos     int
	end     int // of the chunk
	bol     int // the beginning of pos's line
	json    bool
	depth   int
	anchors map[string]*Node
}

// SyntaxError is an error at an offset of the file.
type SyntaxError struct {
	Offset int // in the file
	Reason string
}

func (e *SyntaxError) Error() string { return e.Reason }

func (r *reader) errorf(at int, format string, args ...any) error {
	return &SyntaxError{at, fmt.Sprintf(format, args...)}
}

// at returns the byte at an offset, or 0 at the end and after it.
func (r *reader) at(i int) byte {
	if i < r.end {
		return r.text[i]
	}
	return 0
}

// lineBreak returns the length of the line break at an offset, or 0. YAML 1.1 has more
// line breaks than editors know.
func (r *reader) lineBreak(i int) int {
	if i >= r.end {
		return 0
	}
	switch rest := r.text[i:r.end]; rest[0] {
	case '\n':
		return 1
	case '\r':
		if len(rest) > 1 && rest[1] == '\n' {
			return 2
		}
		return 1
	case 0xC2:
		if len(rest) > 1 && rest[1] == 0x85 {
			return 2
		}
	case 0xE2:
		if len(rest) > 2 && rest[1] == 0x80 && (rest[2] == 0xA8 || rest[2] == 0xA9) {
			return 3
		}
	}
	return 0
}

func (r *reader) isBlank(i int) bool { return r.at(i) == ' ' || r.at(i) == '\t' }

// isBlankOrEnd reports a blank, a line break or the end.
func (r *reader) isBlankOrEnd(i int) bool {
	return i >= r.end || r.isBlank(i) || r.lineBreak(i) > 0
}

// readLine skips a line break and appends its meaning in a scalar. At the end of the text
// it appends one too, because kubectl's reader adds it.
func (r *reader) readLine(to []byte) []byte {
	n := r.lineBreak(r.pos)
	switch {
	case n == 3:
		to = append(to, r.text[r.pos:r.pos+n]...)
	default:
		to = append(to, '\n')
	}
	r.pos += n
	r.bol = r.pos
	return to
}

func (r *reader) column() int { return r.columnOf(r.pos) }

func (r *reader) columnOf(pos int) int {
	return pos - r.bol
}

var byteOrderMark = []byte("\uFEFF")

// skip skips blanks, comments and line breaks.
func (r *reader) skip() {
	for r.pos < r.end {
		if r.pos == r.bol && bytes.HasPrefix(r.text[r.pos:r.end], byteOrderMark) {
			r.pos += len(byteOrderMark)
		}
		for r.isBlank(r.pos) {
			r.pos++
		}
		if r.at(r.pos) == '#' {
			for r.pos < r.end && r.lineBreak(r.pos) == 0 {
				r.pos++
			}
		}
		n := r.lineBreak(r.pos)
		if n == 0 {
			return
		}
		r.pos += n
		r.bol = r.pos
	}
}

// atMarker reports whether a line that ends the document begins here.
func (r *reader) atMarker() bool {
	return r.pos == r.bol && r.markerAt(r.pos)
}

func (r *reader) markerAt(i int) bool {
	if !r.isBlankOrEnd(i+3) || r.end-i < 3 || r.json {
		return false
	}
	three := string(r.text[i : i+3])
	return three == "---" || three == "..."
}

// done reports whether the document ends here.
func (r *reader) done() bool { return r.pos >= r.end || r.atMarker() }

// roots reads the documents of the chunk, or the values of a JSON stream.
func (r *reader) roots() (roots []*Node, err error) {
	for {
		r.skip()
		if !r.json {
			r.skipMarkers()
		}
		if r.pos >= r.end {
			return roots, nil
		}
		var n *Node
		r.anchors = nil
		if r.json {
			n, err = r.flowNode()
		} else {
			n, err = r.block(-1, false)
		}
		if err != nil {
			return nil, err
		}
		if r.json && n.empty() {
			return nil, r.errorf(n.Start, "is not JSON")
		}
		roots = append(roots, n)
		if r.skip(); !r.done() && !r.json {
			return nil, r.errorf(r.pos, "unexpected text after the document")
		}
	}
}

// skipMarkers skips directives and the lines that begin or end a document.
func (r *reader) skipMarkers() {
	for r.pos == r.bol {
		switch {
		case r.atMarker():
			r.pos += 3
		case r.at(r.pos) == '%':
			for r.pos < r.end && r.lineBreak(r.pos) == 0 {
				r.pos++
			}
		default:
			return
		}
		r.skip()
	}
}

// nest counts and limits the nesting depth.
func (r *reader) nest() error {
	if r.depth++; r.depth > maxDepth {
		return r.errorf(r.pos, "is nested deeper than %d", maxDepth)
	}
	return nil
}
