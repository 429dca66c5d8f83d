package yamledit

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Operation is one of RFC 6902's: "add", "replace" or "remove".
type Operation struct {
	Op    string
	Path  string // a JSON pointer
	Value *Value
}

// Patch returns v with the operations applied.
func (v *Value) Patch(operations ...Operation) (*Value, error) {
	for _, op := range operations {
		var steps []string
		if op.Path != "" {
			steps = strings.Split(op.Path[1:], "/")
		}
		changed, err := v.change(steps, op)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", op.Op, op.Path, err)
		}
		v = changed
	}
	return v, nil
}

var (
	unescapeStep = strings.NewReplacer("~1", "/", "~0", "~")
	escapeStep   = strings.NewReplacer("~", "~0", "/", "~1")
)

// EscapePointer escapes a name for use as a step of a JSON pointer.
func EscapePointer(name string) string {
	if !strings.ContainsAny(name, "~/") {
		return name
	}
	return escapeStep.Replace(name)
}

// UnescapePointer returns the name in a step of a JSON pointer.
func UnescapePointer(step string) string {
	if !strings.Contains(step, "~") {
		return step
	}
	return unescapeStep.Replace(step)
}

// Pointer returns the part of v at a JSON pointer, or nil if it does not exist.
func (v *Value) Pointer(pointer string) *Value {
	if pointer == "" {
		return v
	}
	for step := range strings.SplitSeq(pointer[1:], "/") {
		switch {
		case v.IsObject():
			v = v.Get(UnescapePointer(step))
		case v.IsList():
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v.items) {
				return nil
			}
			v = v.items[i]
		default:
			return nil
		}
	}
	return v
}

// change returns a copy of v with the operation applied at the end of steps. The copy
// shares everything that is not on the path.
func (v *Value) change(steps []string, op Operation) (*Value, error) {
	if len(steps) == 0 {
		return op.Value, nil
	}
	switch {
	case v.IsObject():
		return v.changeField(UnescapePointer(steps[0]), steps[1:], op)
	case v.IsList():
		return v.changeItem(steps[0], steps[1:], op)
	}
	return nil, fmt.Errorf("%q is in %s", steps[0], v.What())
}

func (v *Value) changeField(name string, rest []string, op Operation) (*Value, error) {
	i := v.find(name)
	if i < 0 && (len(rest) > 0 || op.Op != "add") {
		return nil, fmt.Errorf("%q does not exist", name)
	}
	c := *v
	switch {
	case len(rest) == 0 && op.Op == "remove":
		c.fields = slices.Delete(slices.Clone(v.fields), i, i+1)
		return &c, nil
	case i < 0:
		c.fields = append(slices.Clip(v.fields), Field{name, op.Value})
		return &c, nil
	}
	changed, err := v.fields[i].Value.change(rest, op)
	if err != nil {
		return nil, err
	}
	c.fields = slices.Clone(v.fields)
	c.fields[i].Value = changed
	return &c, nil
}

func (v *Value) changeItem(step string, rest []string, op Operation) (*Value, error) {
	i, err := strconv.Atoi(step)
	if step == "-" && len(rest) == 0 && op.Op == "add" {
		i, err = len(v.items), nil
	}
	isInsertion := len(rest) == 0 && op.Op == "add"
	if err != nil || i < 0 || i > len(v.items) || i == len(v.items) && !isInsertion {
		return nil, fmt.Errorf("item %q does not exist", step)
	}
	c := *v
	switch {
	case isInsertion:
		c.items = slices.Insert(slices.Clone(v.items), i, op.Value)
		return &c, nil
	case len(rest) == 0 && op.Op == "remove":
		c.items = slices.Delete(slices.Clone(v.items), i, i+1)
		return &c, nil
	}
	changed, err := v.items[i].change(rest, op)
	if err != nil {
		return nil, err
	}
	c.items = slices.Clone(v.items)
	c.items[i] = changed
	return &c, nil
}
