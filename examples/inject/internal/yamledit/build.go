package yamledit

import (
	"errors"
	"fmt"
)

// builder computes the Values of nodes.
type builder struct {
	json   bool
	active map[*Node]bool // aliases on the path from the root
	errs   []error
}

func (b *builder) errorf(n *Node, format string, args ...any) {
	b.errs = append(b.errs, &SyntaxError{n.Start, fmt.Sprintf(format, args...)})
}

// build returns the Value of the root, or all errors.
func build(root *Node, json bool) (*Value, error) {
	b := builder{json: json}
	v := b.value(root)
	return v, errors.Join(b.errs...)
}

func (b *builder) value(n *Node) *Value {
	if n.value != nil {
		return n.value
	}
	switch v := (&Value{node: n}); n.Kind {
	case Alias:
		n.value = b.alias(n)
	case Mapping:
		v.kind = object
		b.fields(n, v)
		n.value = v
	case Sequence:
		v.kind = array
		v.items = make([]*Value, len(n.items))
		for i, it := range n.items {
			v.items[i] = b.value(it.node)
		}
		n.value = v
	default:
		var err error
		if n.value, err = b.scalar(n); err != nil {
			b.errorf(n, "%v", err)
			n.value = v
		}
	}
	return n.value
}

// alias returns the anchor's Value with the alias as its node.
func (b *builder) alias(n *Node) *Value {
	if b.active[n] {
		b.errorf(n, "anchor %q contains itself", n.target.anchor)
		return &Value{node: n}
	}
	if b.active == nil {
		b.active = make(map[*Node]bool)
	}
	b.active[n] = true
	v := *b.value(n.target)
	delete(b.active, n)
	v.node = n
	return &v
}

// fields sets the fields of a mapping, merged ones included. The last of a name counts.
func (b *builder) fields(n *Node, v *Value) {
	v.fields = make([]Field, 0, len(n.pairs))
	own := make(map[string]*Node, len(n.pairs))
	at := make(map[string]int, len(n.pairs))
	set := func(name string, value *Value) {
		if i, ok := at[name]; ok {
			v.fields[i].Value = value
			return
		}
		at[name] = len(v.fields)
		v.fields = append(v.fields, Field{name, value})
	}
	for _, p := range n.pairs {
		if p.key.merges() && !b.json {
			for _, f := range b.merged(p.value) {
				set(f.Name, f.Value)
			}
			continue
		}
		name, ok := b.key(p.key)
		if !ok {
			continue
		}
		if own[name] != nil {
			b.errorf(p.key, "duplicate key %q", name)
		}
		own[name] = p.key
		set(name, b.value(p.value))
	}
}

// merged returns the fields that a merge key contributes, possibly with duplicates.
func (b *builder) merged(n *Node) (fields []Field) {
	from := n
	if n.Kind == Alias {
		from = n.target
	}
	switch {
	case from.Kind == Mapping:
		return b.value(n).fields
	case n.Kind == Sequence:
		for i := len(n.items) - 1; i >= 0; i-- {
			fields = append(fields, b.value(n.items[i].node).fields...)
		}
		return fields
	}
	b.errorf(n, "\"<<\" needs a mapping or a list of mappings")
	return nil
}
