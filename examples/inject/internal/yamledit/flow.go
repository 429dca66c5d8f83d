package yamledit

// flowNode reads a node in flow style, after blanks and comments.
func (r *reader) flowNode() (*Node, error) {
	if err := r.nest(); err != nil {
		return nil, err
	}
	defer func() { r.depth-- }()
	empty := &Node{Start: r.pos, End: r.pos, content: r.pos}
	props := properties{start: -1}
	for {
		r.skip()
		if r.atMarker() {
			return nil, r.errorf(r.pos, "the document ends inside brackets")
		}
		more, err := r.properties()
		if err != nil {
			return nil, err
		}
		if props = props.and(more); more.start < 0 {
			break
		}
	}
	var n *Node
	var err error
	switch c := r.at(r.pos); {
	case r.pos >= r.end, c == ',', c == ']', c == '}', c == ':' && !r.json && (r.isBlankOrEnd(r.pos+1) || r.endsFlow(r.pos+1)):
		if n = empty; props.start >= 0 {
			n.Start, n.End, n.content = props.start, props.end, props.end
		}
	default:
		if n, err = r.leaf(0, true); err != nil {
			return nil, err
		}
	}
	props.apply(n)
	r.define(n)
	return n, nil
}

func (r *reader) endsFlow(i int) bool {
	switch r.at(i) {
	case ',', '[', ']', '{', '}':
		return true
	}
	return false
}

// flowCollection reads a mapping or a sequence in brackets.
func (r *reader) flowCollection() (*Node, error) {
	n := &Node{Kind: Sequence, style: flow, Start: r.pos, content: r.pos}
	closing := byte(']')
	if r.at(r.pos) == '{' {
		n.Kind, closing = Mapping, '}'
	}
	wantEntry := false // after a comma; JSON allows no trailing comma
	for r.pos++; ; {
		r.skip()
		switch c := r.at(r.pos); {
		case r.pos >= r.end, r.atMarker():
			return nil, r.errorf(n.Start, "unclosed bracket")
		case r.json && wantEntry && (c == closing || c == ','):
			return nil, r.errorf(r.pos, "unexpected %q", c)
		case c == closing:
			r.pos++
			n.End = r.pos
			return n, nil
		case c == ',':
			r.pos++
			wantEntry = true
		case c == ']' || c == '}':
			return nil, r.errorf(r.pos, "unexpected %q", c)
		default:
			if err := r.flowEntry(n); err != nil {
				return nil, err
			}
			wantEntry = false
		}
	}
}

// flowEntry reads one entry of n. In a sequence, an entry with a key is a mapping of one
// entry.
func (r *reader) flowEntry(n *Node) error {
	p := pair{start: r.pos}
	explicit := r.at(r.pos) == '?' && !r.json
	if explicit {
		r.pos++
	}
	var err error
	if p.key, err = r.flowNode(); err != nil {
		return err
	}
	end, bol := r.pos, r.bol
	r.skip()
	switch {
	case r.at(r.pos) == ':' && !r.atMarker():
		r.pos++
		p.colon = r.pos
		if p.value, err = r.flowNode(); err != nil {
			return err
		}
	case n.Kind == Sequence && !explicit:
		r.pos, r.bol = end, bol
		n.items = append(n.items, item{p.key, p.key.Start})
		return nil
	default:
		r.pos, r.bol = end, bol
		p.colon = p.key.End
		p.value = &Node{Start: end, End: end, content: end}
	}
	if n.Kind == Mapping {
		n.pairs = append(n.pairs, p)
		return nil
	}
	m := &Node{Kind: Mapping, style: flow, Start: p.start, content: p.start, End: max(p.colon, p.value.End), pairs: []pair{p}}
	n.items = append(n.items, item{m, p.start})
	return nil
}
