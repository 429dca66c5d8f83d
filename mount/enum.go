package mount

import (
	"fmt"
	"slices"
	"strings"
)

// enum converts between a type's values and their text forms, indexed by value.
type enum struct {
	goType string
	texts  []string
}

func (e enum) string(v uint8) string {
	if int(v) < len(e.texts) {
		return e.texts[v]
	}
	return fmt.Sprintf("%s(%d)", e.goType, v)
}

func (e enum) marshal(v uint8) ([]byte, error) {
	if int(v) < len(e.texts) {
		return []byte(e.texts[v]), nil
	}
	return nil, fmt.Errorf("mount: %s has no text form", e.string(v))
}

func (e enum) parse(text string) (uint8, error) {
	if v := slices.Index(e.texts, text); v >= 0 {
		return uint8(v), nil
	}
	return 0, fmt.Errorf("mount: %q is not one of %s", text, strings.Join(e.texts, ", "))
}
