package yamledit

import "slices"

// inherited returns the fields that the mapping's merge keys contribute after the edit. ok
// is false if v lacks one of them, or if one has the name of the mapping's own key.
func (e *editor) inherited(n *Node, v *Value) (fields map[string]*Value, ok bool) {
	if e.doc.JSON || !slices.ContainsFunc(n.pairs, func(p pair) bool { return p.key.merges() }) {
		return nil, true
	}
	fields = make(map[string]*Value)
	own := make(map[string]bool)
	for _, p := range n.pairs {
		if !p.key.merges() {
			own[p.key.value.text] = true
			continue
		}
		for _, f := range e.mergedNow(p.value) {
			if own[f.Name] {
				return nil, false
			}
			fields[f.Name] = f.Value
		}
	}
	for name := range fields {
		if v.find(name) < 0 {
			return nil, false
		}
	}
	return fields, true
}

func (e *editor) mergedNow(n *Node) (fields []Field) {
	switch n.Kind {
	case Alias:
		if now, changed := e.final[n.target]; changed {
			return now.Fields()
		}
		return n.target.value.Fields()
	case Sequence:
		for i := len(n.items) - 1; i >= 0; i-- {
			fields = append(fields, e.mergedNow(n.items[i].node)...)
		}
		return fields
	}
	return n.value.Fields()
}
