package yamledit

import (
	"bytes"
	"slices"
	"strings"
)

// lineEnd returns the end of an offset's line, before and after its line break. All of
// YAML's line breaks count.
func lineEnd(file []byte, offset, end int) (at, next int) {
	r := reader{text: file, end: end}
	for at = offset; at < end && r.lineBreak(at) == 0; at++ {
	}
	return at, at + r.lineBreak(at)
}

// lineStart returns the beginning of an offset's line.
func lineStart(file []byte, offset, start int) int {
	r := reader{text: file, end: offset}
	for i := offset; i > start; i-- {
		if n := r.lineBreak(i - 1); n > 0 {
			return i
		}
		if i-3 >= start && r.lineBreak(i-3) == 3 || i-2 >= start && r.lineBreak(i-2) == 2 {
			return i
		}
	}
	return start
}

// insertLines inserts lines after an offset's line.
func (e *editor) insertLines(offset int, lines []string) {
	at, next := e.lineEnd(offset)
	for next > at && next < e.doc.End { // lines of tabs may follow a scalar, but not the new lines
		end, after := e.lineEnd(next)
		if blank := e.doc.File[next:end]; len(bytes.TrimLeft(blank, " \t")) > 0 || !bytes.Contains(blank, []byte("\t")) {
			break
		}
		at, next = end, after
	}
	if at == next { // the last line of the file has no line break
		e.insert(at, e.look.newLine+strings.Join(lines, e.look.newLine))
		return
	}
	e.insert(next, strings.Join(lines, e.look.newLine)+e.look.newLine)
}

// addFields adds fields at the end of a mapping.
func (e *editor) addFields(n *Node, added []Field) {
	if len(added) == 0 {
		return
	}
	if n.style == flow {
		e.addFlowFields(n, added)
		return
	}
	look := e.look.beside(n)
	var lines []string
	for _, f := range added {
		lines = append(lines, look.field(f)...)
	}
	e.insertLines(e.ownComments(n.End, n.column), indented(lines, n.column))
}

// ownComments returns the end of the comments after an entry that belong to its collection:
// indented at least as much, and more than the next line.
func (e *editor) ownComments(offset, column int) int {
	file, end := e.doc.File, e.doc.End
	_, next := e.lineEnd(offset)
	behind := offset
	for at := next; at < end; {
		to, after := e.lineEnd(at)
		text := bytes.TrimLeft(file[at:to], " ")
		indent := to - at - len(text)
		if !bytes.HasPrefix(text, []byte("#")) || indent < column || indent <= e.columnBehind(after) || after == to {
			break
		}
		behind, at = to, after
	}
	return behind
}

// columnBehind returns the column of the next line that is not a comment, or -1 at the end.
func (e *editor) columnBehind(at int) int {
	for at < e.doc.End {
		to, after := e.lineEnd(at)
		text := bytes.TrimLeft(e.doc.File[at:to], " ")
		if isText := len(bytes.TrimSpace(text)) > 0 && text[0] != '#'; isText {
			return to - at - len(text)
		}
		if after == to {
			break
		}
		at = after
	}
	return -1
}

// addItems adds items before the i-th of a sequence.
func (e *editor) addItems(n *Node, i int, added []*Value) {
	if len(added) == 0 {
		return
	}
	if n.style == flow {
		e.addFlowItems(n, i, added)
		return
	}
	look := e.look
	look.dash = dashOf(n)
	var lines []string
	for _, v := range added {
		lines = append(lines, look.item(v)...)
	}
	lines = indented(lines, n.column)
	first := n.items[0]
	switch {
	case i > 0:
		before := n.items[i-1]
		at := max(before.start, before.node.End)
		if i == len(n.items) {
			at = e.ownComments(at, n.column)
		}
		e.insertLines(at, lines)
	case e.opensLine(n, first):
		e.insertLines(e.headEnd(n), lines)
	default: // the sequence begins after another "-" or "?", or the document begins with it
		text := strings.Join(lines, e.look.newLine) + e.look.newLine + spaces(n.column)
		e.insert(first.start, text[n.column:])
	}
}

// headEnd returns the end of the text before a collection: the ":" of its key, or its
// anchor and tag.
func (e *editor) headEnd(n *Node) int {
	file, start := e.doc.File, e.doc.Start
	for end := n.content; ; {
		end = start + len(bytes.TrimRight(file[start:end], " \t\r\n"))
		line := lineStart(file, end, start)
		if end == start || !bytes.HasPrefix(bytes.TrimLeft(file[line:end], " \t"), []byte("#")) {
			return end
		}
		end = line // a comment
	}
}

// opensLine reports whether the first item begins a line that is not the document's first.
func (e *editor) opensLine(n *Node, first item) bool {
	line := lineStart(e.doc.File, first.start, e.doc.Start)
	return len(bytes.TrimLeft(e.doc.File[line:first.start], " ")) == 0 && e.headEnd(n) > e.doc.Start
}

// removePairs removes entries of a mapping. At least one stays.
func (e *editor) removePairs(n *Node, gone []int) {
	starts := make([]int, 0, len(n.pairs))
	for _, p := range n.pairs {
		starts = append(starts, p.start)
	}
	e.remove(n, gone, starts)
}

// removeItems removes items of a sequence. At least one stays.
func (e *editor) removeItems(n *Node, gone []int) {
	starts := make([]int, 0, len(n.items))
	for _, it := range n.items {
		starts = append(starts, it.start)
	}
	e.remove(n, gone, starts)
}

func (e *editor) remove(n *Node, gone, starts []int) {
	if len(gone) > 0 && n.style == flow {
		e.removeFlow(n, gone)
		return
	}
	for len(gone) > 0 {
		run := 1 // adjacent ones are removed together
		for run < len(gone) && gone[run] == gone[0]+run {
			run++
		}
		first, last := gone[0], gone[run-1]
		next := -1
		if last+1 < len(starts) {
			next = starts[last+1]
		}
		e.removeBlock(starts[first], n.entryEnd(last), next)
		gone = gone[run:]
	}
}

// removeBlock removes the lines of entries. If the first does not begin its line, the entry
// at next moves up.
func (e *editor) removeBlock(start, end, next int) {
	line := lineStart(e.doc.File, start, e.doc.Start)
	if len(bytes.TrimLeft(e.doc.File[line:start], " \t")) > 0 && next >= 0 {
		e.replace(start, next, "")
		return
	}
	_, after := e.lineEnd(end)
	e.replace(line, after, "")
}

// rewrite replaces a node's text.
func (e *editor) rewrite(n *Node, v *Value, at place, reason string) {
	isNothing := n.Kind == Scalar && n.empty()
	if !isNothing || at.inFlow {
		e.note(n, reason)
	}
	start := n.content
	if n.Kind == Alias {
		start = n.Start
	}
	switch {
	case at.inFlow || at.root && n.style == flow:
		e.replace(start, n.End, spaceBefore(e.doc.File, start)+e.flowText(v, start))
	case v.isSimple() && n.style == block && start == e.firstOfLine(start) && start > at.behind && !at.root:
		head := at.behind
		if n.Start < n.content {
			head = e.headEnd(n)
		}
		_, after := e.lineEnd(n.End)
		e.insert(head, " "+e.look.scalar(v, false))
		e.replace(lineStart(e.doc.File, start, e.doc.Start), after, "")
	case v.isSimple():
		e.replace(start, n.End, spaceBefore(e.doc.File, start)+e.look.scalar(v, false))
	case at.inItem:
		lines := e.look.lines(v)
		e.replace(start, n.End, spaceBefore(e.doc.File, start)+lines[0])
		if len(lines) > 1 {
			column := start - lineStart(e.doc.File, start, e.doc.Start) + len(spaceBefore(e.doc.File, start))
			e.insertLines(n.End, indented(lines[1:], column))
		}
	case n.style == block && !at.root && start == e.firstOfLine(start):
		lines := indented(e.look.lines(v), n.column)
		_, after := e.lineEnd(n.End)
		e.replace(lineStart(e.doc.File, start, e.doc.Start), after, strings.Join(lines, e.look.newLine)+e.look.newLine)
	default:
		gap := ""
		if n.End < e.doc.End && e.doc.File[n.End] == '#' {
			gap = " " // between ":" and a comment
		}
		e.replace(len(bytes.TrimRight(e.doc.File[:start], " \t")), n.End, gap)
		column := at.column + e.look.step
		if v.kind == array {
			column = at.column + e.look.inKey
		}
		e.insertLines(n.End, indented(e.look.lines(v), column))
	}
}

// firstOfLine returns the first character of an offset's line that is not blank.
func (e *editor) firstOfLine(offset int) int {
	line := lineStart(e.doc.File, offset, e.doc.Start)
	return line + len(leadingBlanks(e.doc.File[line:offset]))
}

// spaceBefore returns the space that is missing between a ":" or "-" and a node that was
// empty.
func spaceBefore(file []byte, at int) string {
	if at > 0 && !slices.Contains([]byte(" \t\n[{"), file[at-1]) {
		return " "
	}
	return ""
}
