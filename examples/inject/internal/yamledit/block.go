package yamledit

// properties are the anchor and the tag before a node.
type properties struct {
	start       int // -1 if there are none
	end         int
	anchor, tag string
}

func (p properties) and(q properties) properties {
	switch {
	case q.start < 0:
		return p
	case p.start < 0:
		return q
	}
	if p.anchor == "" {
		p.anchor = q.anchor
	}
	if p.tag == "" {
		p.tag = q.tag
	}
	p.end = q.end
	return p
}

func (p properties) apply(n *Node) {
	n.anchor, n.tag = p.anchor, p.tag
	if p.start >= 0 {
		n.Start = p.start
	}
}

// properties reads anchors and tags on the current line, and skips the blanks after them.
func (r *reader) properties() (p properties, err error) {
	p.start = -1
	for c := r.at(r.pos); c == '&' || c == '!'; c = r.at(r.pos) {
		start := r.pos
		if c == '&' {
			p.anchor, err = r.name()
		} else {
			p.tag = r.readTag()
		}
		if err != nil {
			return p, err
		}
		if p.start < 0 {
			p.start = start
		}
		p.end = r.pos
		for r.isBlank(r.pos) {
			r.pos++
		}
	}
	return p, nil
}

// name reads the name of an anchor or alias, with the indicator before it.
func (r *reader) name() (string, error) {
	start := r.pos + 1
	for r.pos++; isWord(r.at(r.pos)); r.pos++ {
	}
	if r.pos == start {
		return "", r.errorf(start, "anchor or alias has no name")
	}
	return string(r.text[start:r.pos]), nil
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || c == '-'
}

func (r *reader) readTag() string {
	start := r.pos
	for !r.isBlankOrEnd(r.pos) {
		r.pos++
	}
	return longTag(string(r.text[start:r.pos]))
}

// define makes n the target of the following aliases of its anchor.
func (r *reader) define(n *Node) {
	if n.anchor != "" {
		if r.anchors == nil {
			r.anchors = make(map[string]*Node)
		}
		r.anchors[n.anchor] = n
	}
}

// block reads the node of an entry in a collection at the column parent; -1 means the root.
// With sameColumn, a sequence may begin at that column too, as below a key.
func (r *reader) block(parent int, sameColumn bool) (*Node, error) {
	if err := r.nest(); err != nil {
		return nil, err
	}
	defer func() { r.depth-- }()
	empty := &Node{Start: r.pos, End: r.pos, content: r.pos}
	outer := properties{start: -1}
	line := r.bol
	for {
		r.skip()
		if r.done() || r.bol != line && !r.belongs(parent, sameColumn) {
			if outer.start >= 0 {
				empty.End, empty.content = outer.end, outer.end
			}
			outer.apply(empty)
			r.define(empty)
			return empty, nil
		}
		inner, err := r.properties()
		if err != nil {
			return nil, err
		}
		if inner.start < 0 || r.lineBreak(r.pos) == 0 && r.pos < r.end && r.at(r.pos) != '#' {
			return r.content(parent, outer, inner)
		}
		outer = outer.and(inner) // alone on their line, they belong to the following node
	}
}

// belongs reports whether this line is indented enough for an entry of a collection at the
// column parent.
func (r *reader) belongs(parent int, sameColumn bool) bool {
	c := r.column()
	return c > parent || sameColumn && c == parent && r.atIndicator('-')
}

// atIndicator reports whether c ("-", "?" or ":") is an indicator here.
func (r *reader) atIndicator(c byte) bool {
	return r.at(r.pos) == c && r.isBlankOrEnd(r.pos+1)
}

// content reads a node whose content begins on this line. outer are the properties on
// earlier lines; inner are those on this line, which belong to the first key if the node is
// a mapping.
func (r *reader) content(parent int, outer, inner properties) (*Node, error) {
	start := r.pos
	if inner.start >= 0 {
		start = inner.start
	}
	column := r.columnOf(start)
	var n *Node
	var err error
	switch {
	case r.atIndicator('-'):
		outer = outer.and(inner)
		n = &Node{Kind: Sequence, style: block, Start: r.pos, content: r.pos, column: r.column()}
		outer.apply(n)
		r.define(n)
		return n, r.sequence(n)
	case r.atIndicator('?'), r.atIndicator(':'):
		n = &Node{Kind: Mapping, style: block, Start: r.pos, content: r.pos, column: column}
		outer.apply(n)
		r.define(n)
		return n, r.mapping(n, nil)
	case r.at(r.pos) == '|' || r.at(r.pos) == '>':
		if n, err = r.blockScalar(parent); err != nil {
			return nil, err
		}
	default:
		line := r.bol
		if n, err = r.leaf(parent+1, false); err != nil {
			return nil, err
		}
		end := r.pos
		for r.isBlank(r.pos) {
			r.pos++
		}
		if r.bol == line && r.atIndicator(':') {
			inner.apply(n)
			r.define(n)
			m := &Node{Kind: Mapping, style: block, Start: start, content: start, column: column}
			outer.apply(m)
			r.define(m)
			return m, r.mapping(m, n)
		}
		r.pos = end
	}
	outer.and(inner).apply(n)
	r.define(n)
	return n, nil
}

// leaf reads an alias, a quoted scalar, a flow collection, or a plain scalar. The parameters
// are those of plain.
func (r *reader) leaf(indent int, inFlow bool) (*Node, error) {
	switch r.at(r.pos) {
	case '*':
		return r.alias()
	case '\'', '"':
		return r.quoted()
	case '[', '{':
		return r.flowCollection()
	}
	return r.plain(indent, inFlow)
}

func (r *reader) alias() (*Node, error) {
	start := r.pos
	name, err := r.name()
	if err != nil {
		return nil, err
	}
	target := r.anchors[name]
	if target == nil {
		return nil, r.errorf(start, "unknown anchor %q", name)
	}
	return &Node{Kind: Alias, target: target, Start: start, content: start, End: r.pos}, nil
}

// mapping reads the entries of n. key is the first key, or nil if it is still unread.
func (r *reader) mapping(n *Node, key *Node) error {
	for {
		p, err := r.pair(n, key)
		if err != nil {
			return err
		}
		n.pairs = append(n.pairs, p)
		n.End = max(p.colon, p.value.End)
		key = nil
		if r.skip(); r.done() || r.column() != n.column {
			return nil
		}
	}
}

func (r *reader) pair(n *Node, key *Node) (p pair, err error) {
	p.start = r.pos
	switch {
	case key != nil:
		p.start = key.Start
	case r.atIndicator('?'):
		r.pos++
		if key, err = r.block(n.column, true); err != nil {
			return p, err
		}
		p.colon = key.End
		if r.skip(); r.done() || r.column() != n.column || !r.atIndicator(':') {
			p.key, p.value = key, &Node{Start: key.End, End: key.End, content: key.End}
			return p, nil
		}
	case r.atIndicator(':'):
		key = &Node{Start: r.pos, End: r.pos, content: r.pos}
	default:
		if key, err = r.key(n.column); err != nil {
			return p, err
		}
	}
	if !r.atIndicator(':') {
		return p, r.errorf(r.pos, "key has no \":\"")
	}
	r.pos++
	p.key, p.colon = key, r.pos
	p.value, err = r.block(n.column, true)
	return p, err
}

// key reads a key that is neither the first nor after a "?".
func (r *reader) key(column int) (*Node, error) {
	line := r.bol
	props, err := r.properties()
	if err != nil {
		return nil, err
	}
	n, err := r.leaf(column+1, false)
	if err != nil {
		return nil, err
	}
	for r.isBlank(r.pos) {
		r.pos++
	}
	if r.bol != line {
		return nil, r.errorf(n.Start, "key has several lines")
	}
	props.apply(n)
	r.define(n)
	return n, nil
}

// sequence reads the items of n.
func (r *reader) sequence(n *Node) error {
	for {
		it := item{start: r.pos}
		r.pos++
		var err error
		if it.node, err = r.block(n.column, false); err != nil {
			return err
		}
		n.items = append(n.items, it)
		n.End = max(it.start+1, it.node.End)
		if r.skip(); r.done() || r.column() != n.column || !r.atIndicator('-') {
			return nil
		}
	}
}
