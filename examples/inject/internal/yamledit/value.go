package yamledit

import (
	"slices"
)

type valueKind uint8

const (
	null valueKind = iota
	boolean
	number
	text
	array
	object
)

func (k valueKind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "a list", "an object"}[k]
}

// Value is the meaning of a node, or a new value to write. Values are immutable: Patch
// returns new ones, which share unchanged parts.
type Value struct {
	kind   valueKind
	text   string // a boolean or number in JSON, or the string
	items  []*Value
	fields []Field
	node   *Node // nil if the Value is new
}

// Field is an entry of an object.
type Field struct {
	Name  string
	Value *Value
}

// IsNull reports whether v is missing or null.
func (v *Value) IsNull() bool { return v == nil || v.kind == null }

// IsObject reports whether v is an object.
func (v *Value) IsObject() bool { return v != nil && v.kind == object }

// Text returns v's string, if v is one.
func (v *Value) Text() (string, bool) {
	if v == nil || v.kind != text {
		return "", false
	}
	return v.text, true
}

// What names the kind of v, such as "a number".
func (v *Value) What() string {
	if v == nil {
		return null.String()
	}
	return v.kind.String()
}

// Items returns the items of a list, otherwise nothing. The slice is read-only.
func (v *Value) Items() []*Value {
	if v == nil {
		return nil
	}
	return v.items
}

// IsList reports whether v is a list.
func (v *Value) IsList() bool { return v != nil && v.kind == array }

// Fields returns the fields of an object, otherwise nothing. The slice is
// read-only.
func (v *Value) Fields() []Field {
	if v == nil {
		return nil
	}
	return v.fields
}

// Get returns the field of that name, or nil.
func (v *Value) Get(name string) *Value {
	if i := v.find(name); i >= 0 {
		return v.fields[i].Value
	}
	return nil
}

func (v *Value) find(name string) int {
	if v == nil {
		return -1
	}
	return slices.IndexFunc(v.fields, func(f Field) bool { return f.Name == name })
}

// Source returns a plain scalar as written in the file, otherwise "".
func (v *Value) Source() string {
	if v == nil || v.node == nil || v.node.Kind != Scalar || v.node.style != plain {
		return ""
	}
	return v.node.text
}

// IsBool reports whether v is a boolean.
func (v *Value) IsBool() bool { return v != nil && v.kind == boolean }

// IsNumber reports whether v is a number.
func (v *Value) IsNumber() bool { return v != nil && v.kind == number }

// Offset returns v's offset in the file, or -1 if v is new.
func (v *Value) Offset() int {
	if v == nil || v.node == nil {
		return -1
	}
	return v.node.Start
}

// NewText returns the Value of a string.
func NewText(s string) *Value { return &Value{kind: text, text: s} }

// NewObject returns an object with these fields.
func NewObject(fields ...Field) *Value { return &Value{kind: object, fields: fields} }

// NewList returns a list of these items.
func NewList(items ...*Value) *Value { return &Value{kind: array, items: items} }
