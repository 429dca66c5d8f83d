package yamledit

import (
	"bytes"
	"encoding/json"
)

// AppendJSON appends v as compact JSON, fields in their order.
func (v *Value) AppendJSON(to []byte) []byte {
	if v == nil {
		return append(to, "null"...)
	}
	switch v.kind {
	case null:
		return append(to, "null"...)
	case text:
		return appendText(to, v.text)
	case array:
		to = append(to, '[')
		for i, item := range v.items {
			if i > 0 {
				to = append(to, ',')
			}
			to = item.AppendJSON(to)
		}
		return append(to, ']')
	case object:
		to = append(to, '{')
		for i, f := range v.fields {
			if i > 0 {
				to = append(to, ',')
			}
			to = append(appendText(to, f.Name), ':')
			to = f.Value.AppendJSON(to)
		}
		return append(to, '}')
	}
	return append(to, v.text...)
}

// MarshalJSON is AppendJSON, for package json.
func (v *Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// appendText appends s as a JSON string, without escapes for HTML.
func appendText(to []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] == '"' || s[i] == '\\' || s[i] >= 0x7f {
			return appendEscaped(to, s)
		}
	}
	return append(append(append(to, '"'), s...), '"')
}

func appendEscaped(to []byte, s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return append(to, `""`...) // impossible: strings have no errors
	}
	return append(to, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
