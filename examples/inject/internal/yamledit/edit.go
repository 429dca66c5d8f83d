package yamledit

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Edit replaces the bytes from Start to End by Text.
type Edit struct {
	Start, End int
	Text       string
}

// Rewrite reports a part of a document that could not be changed by adding whole lines, and
// why.
type Rewrite struct {
	Offset int
	Path   string // such as spec.containers[0].env
	Reason string
}

// editor computes the edits that give a document another Value.
type editor struct {
	doc      *Document
	look     look
	edits    []Edit
	rewrites []Rewrite
	path     []string
	final    map[*Node]*Value // the anchors' new Values, where they change
}

// Edit returns the edits that give the document the Value v, which Patch returned for the
// document's Value. They are ordered by offset and as small as possible.
func (d *Document) Edit(v *Value) (edits []Edit, rewrites []Rewrite, err error) {
	look := lookOf(d)
	if edits, rewrites, err = d.edit(v, look); err != nil {
		look.quoted = true // blank lines after a block scalar would become part of it
		edits, rewrites, err = d.edit(v, look)
	}
	return edits, rewrites, err
}

func (d *Document) edit(v *Value, look look) (edits []Edit, rewrites []Rewrite, err error) {
	e := editor{doc: d, look: look, final: make(map[*Node]*Value)}
	e.node(d.Root, v, place{root: true, column: 0})
	if edits, err = e.finish(); err != nil {
		return nil, nil, err
	}
	return edits, e.rewrites, d.verify(edits, v)
}

// finish returns the edits in order, with adjacent removals joined.
func (e *editor) finish() (joined []Edit, err error) {
	slices.SortStableFunc(e.edits, func(a, b Edit) int {
		if a.Start == b.Start && (a.Start == a.End) != (b.Start == b.End) {
			return a.End - b.End // insertions come before replacements
		}
		return a.Start - b.Start
	})
	for _, next := range e.edits {
		last := len(joined) - 1
		switch {
		case last >= 0 && joined[last].Text == "" && next.Text == "" && next.Start <= joined[last].End:
			joined[last].End = max(joined[last].End, next.End)
		case last >= 0 && next.Start < joined[last].End:
			return nil, fmt.Errorf("two edits overlap at line %d", Line(e.doc.File, next.Start))
		default:
			joined = append(joined, next)
		}
	}
	file := e.doc.File
	if last := len(joined) - 1; last >= 0 && joined[last].Text == "" && joined[last].End == len(file) && !bytes.HasSuffix(file, []byte("\n")) {
		// The file did not end with a line break, and still does not.
		joined[last].Start = max(e.doc.Start, len(bytes.TrimSuffix(bytes.TrimSuffix(file[:joined[last].Start], []byte("\n")), []byte("\r"))))
	}
	return joined, nil
}

// Apply returns the text from start to end with the edits applied.
func Apply(file []byte, start, end int, edits []Edit) []byte {
	var out bytes.Buffer
	_ = WriteEdited(&out, file, start, end, edits) // a buffer never fails
	return out.Bytes()
}

// WriteEdited writes what Apply returns.
func WriteEdited(out io.Writer, file []byte, start, end int, edits []Edit) error {
	for _, e := range edits {
		if _, err := out.Write(file[start:e.Start]); err != nil {
			return err
		}
		if _, err := io.WriteString(out, e.Text); err != nil {
			return err
		}
		start = e.End
	}
	_, err := out.Write(file[start:end])
	return err
}

// verify reads the edited document with kubectl's reader and expects v.
func (d *Document) verify(edits []Edit, v *Value) error {
	start, end := d.Start, d.End
	if d.JSON {
		start, end = d.Root.Start, d.Root.End
	}
	k := newKubectl(Apply(d.File, start, end, edits))
	got, err := k.next()
	switch {
	case err != nil:
		return fmt.Errorf("the edited document cannot be read: %w", err)
	case !Equal(got, v):
		return fmt.Errorf("the edited document would have another meaning: %s", firstDifference(v, got))
	}
	return nil
}

// place is the position of a node in its collection.
type place struct {
	root   bool
	inFlow bool
	inItem bool // after a "-"; otherwise after a ":"
	column int  // of the collection's entries
	behind int  // the end of the ":" or "-"
}

func (e *editor) insert(at int, text string)         { e.replace(at, at, text) }
func (e *editor) push(step string)                   { e.path = append(e.path, step) }
func (e *editor) pop()                               { e.path = e.path[:len(e.path)-1] }
func (e *editor) note(n *Node, why string)           { e.noteAt(n.Start, why) }
func (e *editor) lineEnd(offset int) (end, next int) { return lineEnd(e.doc.File, offset, e.doc.End) }

func (e *editor) replace(start, end int, text string) {
	if start < end || text != "" {
		e.edits = append(e.edits, Edit{start, end, text})
	}
}

func (e *editor) noteAt(offset int, why string) {
	path := strings.TrimPrefix(strings.Join(e.path, ""), ".")
	if !e.doc.JSON && !slices.ContainsFunc(e.rewrites, func(r Rewrite) bool { return r.Path == path }) {
		e.rewrites = append(e.rewrites, Rewrite{offset, path, why})
	}
}

// node edits the node at a place so that it means v.
func (e *editor) node(n *Node, v *Value, at place) {
	if v == n.value && len(e.final) == 0 {
		return
	}
	switch {
	case n.Kind == Alias:
		now, changed := e.final[n.target]
		if !changed {
			now = n.target.value
		}
		if Equal(now, v) {
			return
		}
		reason := "the alias would have another meaning"
		if changed {
			reason = "its anchor's value changes"
		}
		e.rewrite(n, v, at, reason)
	case n.Kind == Mapping && v.IsObject() && len(n.pairs) > 0 && len(v.fields) > 0 && !e.isBare(n):
		e.mapping(n, v, at)
	case n.Kind == Sequence && v.IsList() && len(n.items) > 0 && len(v.items) > 0:
		e.sequence(n, v, at)
	case !Equal(n.value, v):
		e.rewrite(n, v, at, "it was "+e.describe(n))
	}
	if n.anchor != "" && v != n.value {
		e.final[n] = v
	}
}

// isBare reports whether n is a mapping without brackets: an item of a flow sequence such
// as "a: b".
func (e *editor) isBare(n *Node) bool {
	return n.style == flow && n.Kind == Mapping && e.doc.File[n.content] != '{'
}

// describe describes a node that is bare, empty, or a scalar.
func (e *editor) describe(n *Node) string {
	switch n.Kind {
	case Mapping:
		if e.isBare(n) {
			return "an object without brackets"
		}
		return "{}"
	case Sequence:
		return "[]"
	}
	return n.value.What()
}

// mapping edits a mapping so that it means v. Neither is empty.
func (e *editor) mapping(n *Node, v *Value, at place) {
	inherited, ok := e.inherited(n, v)
	if !ok {
		e.rewrite(n, v, at, "\"<<\" would merge in unwanted fields")
		return
	}
	own := make(map[string]bool, len(n.pairs))
	var gone []int
	for i, p := range n.pairs {
		if p.key.merges() && !e.doc.JSON {
			continue
		}
		name := p.key.value.text
		field := v.find(name)
		if field >= 0 && p.colon == p.key.End && !Equal(p.value.value, v.fields[field].Value) {
			e.noteAt(p.start, "the key had no \":\"")
			gone = append(gone, i) // to be added again
			continue
		}
		own[name] = true
		if field < 0 {
			gone = append(gone, i)
			continue
		}
		e.push("." + name)
		e.node(p.value, v.fields[field].Value, place{inFlow: n.style == flow, column: n.column, behind: p.colon})
		e.pop()
	}
	var added []Field
	for _, f := range v.fields {
		if !own[f.Name] && (inherited[f.Name] == nil || !Equal(inherited[f.Name], f.Value)) {
			added = append(added, f)
		}
	}
	if len(gone) == len(n.pairs) {
		e.rewrite(n, v, at, "all that was here is removed")
		return
	}
	e.removePairs(n, gone)
	e.addFields(n, added)
}

// sequence edits a sequence so that it means v. Neither is empty.
func (e *editor) sequence(n *Node, v *Value, at place) {
	if !slices.ContainsFunc(v.items, func(want *Value) bool { return want.node != nil }) {
		e.rewrite(n, v, at, "all that was here is removed")
		return
	}
	next := 0 // the next item of n
	var gone []int
	var added []*Value
	for _, want := range v.items {
		i := -1
		if want.node != nil {
			i = slices.IndexFunc(n.items[next:], func(it item) bool { return want.node == it.node })
		}
		if i < 0 {
			added = append(added, want)
			continue
		}
		for ; i > 0; i-- {
			gone = append(gone, next)
			next++
		}
		e.addItems(n, next, added)
		added = nil
		it := n.items[next]
		e.push(fmt.Sprintf("[%d]", next))
		e.node(it.node, want, place{inFlow: n.style == flow, inItem: true, column: n.column, behind: it.start + 1})
		e.pop()
		next++
	}
	for ; next < len(n.items); next++ {
		gone = append(gone, next)
	}
	e.removeItems(n, gone)
	e.addItems(n, len(n.items), added)
}
