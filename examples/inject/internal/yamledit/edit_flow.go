package yamledit

import (
	"bytes"
	"slices"
	"strings"
)

const inFlowStyle = "it is in flow style"

// entries returns the spans of a flow collection's entries.
func (n *Node) entries() (spans [][2]int) {
	for _, p := range n.pairs {
		spans = append(spans, [2]int{p.start, max(p.colon, p.value.End)})
	}
	for _, it := range n.items {
		spans = append(spans, [2]int{it.start, it.node.End})
	}
	return spans
}

func (e *editor) addFlowFields(n *Node, added []Field) {
	e.note(n, inFlowStyle)
	look := e.look.flowIn(e.doc, n)
	var texts []string
	for _, f := range added {
		texts = append(texts, look.flowField(f, look.indent))
	}
	for _, p := range n.pairs {
		if p.colon == p.key.End {
			e.quoteColon(p.key)
		}
	}
	e.appendFlow(n, look, texts)
}

// quoteColon quotes a text that ends with ":", because a comma after it would turn it into
// a key.
func (e *editor) quoteColon(n *Node) {
	isGone := slices.ContainsFunc(e.edits, func(edit Edit) bool { return edit.Start <= n.content && n.content < edit.End })
	if n.Kind == Scalar && n.style == plain && strings.HasSuffix(n.text, ":") && !isGone {
		e.replace(n.content, n.End, string(quoteText(n.text)))
	}
}

func (e *editor) addFlowItems(n *Node, i int, added []*Value) {
	e.note(n, inFlowStyle)
	look := e.look.flowIn(e.doc, n)
	var texts []string
	for _, v := range added {
		texts = append(texts, look.flow(v, look.indent))
	}
	for _, it := range n.items {
		e.quoteColon(it.node)
	}
	if i == len(n.items) {
		e.appendFlow(n, look, texts)
		return
	}
	separator := look.comma
	if look.multiLine {
		separator = "," + look.newLine + look.indent
	}
	text := strings.Join(texts, separator)
	if i > 0 && !bytes.Contains(e.doc.File[n.items[i-1].node.End:n.items[i].start], []byte("#")) {
		before := n.items[i-1].node.End
		e.insert(before, e.blankFor(before)+separator+text)
		return
	}
	e.insert(n.items[i].start, text+separator)
}

// appendFlow adds entries after the last one. The collection is not empty.
func (e *editor) appendFlow(n *Node, look look, texts []string) {
	spans := n.entries()
	last := spans[len(spans)-1][1]
	comma := e.commaBehind(last, n.End)
	if !look.multiLine {
		if comma >= 0 {
			last = comma + 1
			e.insert(last, " "+strings.Join(texts, look.comma)+",")
			return
		}
		e.insert(last, e.blankFor(last)+look.comma+strings.Join(texts, look.comma))
		return
	}
	text := strings.Join(texts, ","+look.newLine+look.indent)
	if comma >= 0 {
		last = comma + 1
		text += ","
	} else if at, _ := lineEnd(e.doc.File, last, n.End); bytes.Contains(e.doc.File[last:at], []byte("#")) {
		e.insert(last, e.blankFor(last)+",")
		last = at
	} else {
		text = e.blankFor(last) + "," + look.newLine + look.indent + text
		e.insert(last, text)
		return
	}
	e.insert(last, look.newLine+look.indent+text)
}

// blankFor returns the space that must precede a comma after an entry without a value,
// which ends with ":", a tag or an anchor.
func (e *editor) blankFor(comma int) string {
	text := e.doc.File[:comma]
	word := text[bytes.LastIndexAny(text, " \t\n[{,")+1:]
	isQuoted := len(e.edits) > 0 && e.edits[len(e.edits)-1].End == comma
	if !e.doc.JSON && !isQuoted && len(word) > 0 && (bytes.HasSuffix(word, []byte(":")) || word[0] == '!' || word[0] == '&') {
		return " "
	}
	return ""
}

// commaBehind returns the offset of a comma after the last entry, or -1.
func (e *editor) commaBehind(last, end int) int {
	r := reader{text: e.doc.File, pos: last, bol: e.doc.Start, end: end}
	if r.skip(); r.at(r.pos) == ',' {
		return r.pos
	}
	return -1
}

// removeFlow removes entries with their commas. At least one entry stays.
func (e *editor) removeFlow(n *Node, gone []int) {
	isGone := make(map[int]bool, len(gone))
	for _, i := range gone {
		isGone[i] = true
	}
	spans := n.entries()
	kept := 0 // entries before this one that stay
	for i, span := range spans {
		switch {
		case !isGone[i]:
			kept++
		case kept > 0:
			e.replace(spans[i-1][1], span[1], "")
		default: // up to the next one, which exists because one stays
			e.replace(span[0], spans[i+1][0], "")
		}
	}
	e.note(n, inFlowStyle)
}

// flowText returns v in flow style, for an offset within a line.
func (e *editor) flowText(v *Value, at int) string {
	look := e.look
	line := lineStart(e.doc.File, at, e.doc.Start)
	if look.multiLine = e.look.flowStep != ""; look.multiLine {
		look.indent = leadingBlanks(e.doc.File[line:at])
	}
	return look.flow(v, look.indent)
}

func leadingBlanks(line []byte) string {
	return string(line[:len(line)-len(bytes.TrimLeft(line, " \t"))])
}
