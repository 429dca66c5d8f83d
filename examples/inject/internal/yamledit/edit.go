package yamledit

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Edit puts Text in the place of the bytes from Start to End.
type Edit struct {
	Start, End int
	Text       string
}

// Rewrite says which part of a document an Edit does not extend by whole lines
// only, and why.
type Rewrite struct {
	Offset int
	Path   string // such as spec.containers[0].env
	Reason string
}

// editor finds the edits that make a document say something else.
type editor struct {
	doc      *Document
	look     look
	edits    []Edit
	rewrites []Rewrite
	path     []string
	final    map[*Node]*Value // what anchors mean in the end, where that changes
}

// Edit returns what to change in the document's text so that it means v, which
// Patch has made of the document's Value: edits in the order of their places, in
// as few bytes as possible.
func (d *Document) Edit(v *Value) (edits []Edit, rewrites []Rewrite, err error) {
	look := lookOf(d)
	if edits, rewrites, err = d.edit(v, look); err != nil {
		look.quoted = true // blanks behind a block scalar would become a part of it
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

// finish returns the edits in order, with those joined that remove what lies side
// by side.
func (e *editor) finish() (joined []Edit, err error) {
	slices.SortStableFunc(e.edits, func(a, b Edit) int {
		if a.Start == b.Start && (a.Start == a.End) != (b.Start == b.End) {
			return a.End - b.End // what is inserted stands before what is replaced
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
		// The last line had no line break, so the one before it has none either.
		joined[last].Start = max(e.doc.Start, len(bytes.TrimSuffix(bytes.TrimSuffix(file[:joined[last].Start], []byte("\n")), []byte("\r"))))
	}
	return joined, nil
}

// Apply returns the text from start to end with the edits.
func Apply(file []byte, start, end int, edits []Edit) []byte {
	var out bytes.Buffer
	_ = WriteEdited(&out, file, start, end, edits) // a buffer takes all
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

// verify reads the edited document with kubectl's reader. In a stream of JSON, the
// others in the chunk are read too.
func (d *Document) verify(edits []Edit, v *Value) error {
	start, end := d.Start, d.End
	if d.JSON {
		start, end = d.Root.Start, d.Root.End
	}
	k := newKubectl(Apply(d.File, start, end, edits))
	got, err := k.next()
	switch {
	case err != nil:
		return fmt.Errorf("the changed document cannot be read: %w", err)
	case !Equal(got, v):
		return fmt.Errorf("the changed document would say something else: %s", firstDifference(v, got))
	}
	return nil
}

// place says where a node is written.
type place struct {
	root   bool
	inFlow bool
	inItem bool // behind a "-"; otherwise behind a ":"
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

// node makes what is written at a place mean v.
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
		reason := "the alias would mean something else"
		if changed {
			reason = "what its anchor means has changed"
		}
		e.rewrite(n, v, at, reason)
	case n.Kind == Mapping && v.IsObject() && len(n.pairs) > 0 && len(v.fields) > 0 && !e.isBare(n):
		e.mapping(n, v, at)
	case n.Kind == Sequence && v.IsList() && len(n.items) > 0 && len(v.items) > 0:
		e.sequence(n, v, at)
	case !Equal(n.value, v):
		e.rewrite(n, v, at, "there was "+e.describe(n)+" here")
	}
	if n.anchor != "" && v != n.value {
		e.final[n] = v
	}
}

// isBare reports the mapping of one entry that an item such as "a: b" of a flow
// sequence is.
func (e *editor) isBare(n *Node) bool {
	return n.style == flow && n.Kind == Mapping && e.doc.File[n.content] != '{'
}

// describe says what a node is that is bare, has nothing in it, or is a scalar.
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

// mapping makes a mapping that has entries mean v, which has fields.
func (e *editor) mapping(n *Node, v *Value, at place) {
	inherited, ok := e.inherited(n, v)
	if !ok {
		e.rewrite(n, v, at, "what is merged in with \"<<\" would bring what it shall not have")
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
			e.noteAt(p.start, "there was a key without \":\" here")
			gone = append(gone, i) // it is added again
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

// sequence makes a sequence that has items mean v, which has items.
func (e *editor) sequence(n *Node, v *Value, at place) {
	if !slices.ContainsFunc(v.items, func(want *Value) bool { return want.node != nil }) {
		e.rewrite(n, v, at, "all that was here is removed")
		return
	}
	next := 0 // the item of n that is still to come
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
