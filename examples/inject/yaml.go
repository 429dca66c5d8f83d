package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v2"
)

// yamlToJSON converts one YAML document as sigs.k8s.io/yaml does, which kubectl
// uses, and with the same parser, but keeps the text of numbers that JSON can
// write so: that package makes 1 of 1.0, and rounds integers of more than 64
// bits.
func yamlToJSON(text []byte) (json.RawMessage, error) {
	tree, err := decodeYAML(text, true)
	if err != nil && bytes.Contains(text, []byte("<<:")) {
		// The parser takes a key that is merged in and then set for a
		// duplicate.
		tree, err = decodeYAML(text, false)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(tree)
}

func decodeYAML(text []byte, strict bool) (any, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.SetStrict(strict)
	var n node
	if err := d.Decode(&n); err != nil && err != io.EOF {
		return nil, err
	}
	// Old line breaks, such as a lone CR, separate documents for the parser.
	switch err := d.Decode(new(any)); {
	case err == nil:
		return nil, errors.New("yaml: more than one document, with line breaks other than LF or CRLF")
	case err != io.EOF:
		return nil, err
	}
	return n.value, nil
}

// node is a YAML node as JSON's nil, bool, string, json.Number, []any or
// map[string]any.
type node struct{ value any }

// UnmarshalYAML finds out the node's kind by trying: what does not fit is a
// TypeError. Other errors come from within the node.
func (n *node) UnmarshalYAML(unmarshal func(any) error) error {
	var wrongKind *yaml.TypeError

	var text string
	err := unmarshal(&text)
	if err == nil {
		n.value, err = scalar(text, unmarshal)
		return err
	}

	var list []node
	if err = unmarshal(&list); err == nil {
		values := make([]any, len(list))
		for i := range list {
			values[i] = list[i].value
		}
		n.value = values
		return nil
	}
	if !errors.As(err, &wrongKind) {
		return err
	}

	var mapping map[any]node
	if err = unmarshal(&mapping); err == nil {
		n.value, err = withTextKeys(mapping)
	}
	if errors.As(err, &wrongKind) { // a key that is there twice
		return fmt.Errorf("yaml: %s", strings.Join(wrongKind.Errors, "; "))
	}
	return err
}

// UnmarshalText gets the texts "null" and "~", which the parser takes for null
// before it asks UnmarshalYAML, and then notices that they are quoted.
func (n *node) UnmarshalText(text []byte) error {
	n.value = string(text)
	return nil
}

func scalar(text string, unmarshal func(any) error) (any, error) {
	var value any
	if err := unmarshal(&value); err != nil {
		return nil, err
	}
	switch value.(type) {
	case int, int64, uint64, float64:
		if json.Valid([]byte(text)) {
			return json.Number(text), nil
		}
		number, err := json.Marshal(value) // 0x1f, 0644, 1_000, .5; .inf is an error
		return json.Number(number), err
	}
	return value, nil
}

// withTextKeys makes texts of keys, as JSON has no others.
func withTextKeys(mapping map[any]node) (map[string]any, error) {
	out := make(map[string]any, len(mapping))
	for k, n := range mapping {
		var key string
		switch k := k.(type) {
		case string:
			key = k
		case int, int64, bool:
			key = fmt.Sprint(k)
		case float64:
			key = strconv.FormatFloat(k, 'g', -1, 32) // 32 as sigs.k8s.io/yaml has it
		default:
			return nil, fmt.Errorf("yaml: key %v is not a text", k)
		}
		if _, ok := out[key]; ok {
			return nil, fmt.Errorf("yaml: key %q is there twice", key)
		}
		out[key] = n.value
	}
	return out, nil
}

// jsonToYAML writes JSON as sigs.k8s.io/yaml does, but keeps the text of
// numbers. The encoder would not, so it gets stand-ins for all but plain
// integers: words that are nowhere in the document.
func jsonToYAML(raw json.RawMessage) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	plain, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	word := "number"
	for bytes.Contains(plain, []byte(word)) {
		word += "r"
	}
	var standIns []string // each followed by its number
	tree = replaceNumbers(tree, func(n string) any {
		if i, err := strconv.ParseInt(n, 10, 64); err == nil && strconv.FormatInt(i, 10) == n {
			return i
		}
		standIns = append(standIns, word+strconv.Itoa(len(standIns))+".", n)
		return standIns[len(standIns)-2]
	})
	out, err := yaml.Marshal(tree)
	if err != nil {
		return nil, err
	}
	return []byte(strings.NewReplacer(standIns...).Replace(string(out))), nil
}

func replaceNumbers(tree any, replace func(string) any) any {
	switch t := tree.(type) {
	case json.Number:
		return replace(string(t))
	case []any:
		for i := range t {
			t[i] = replaceNumbers(t[i], replace)
		}
	case map[string]any:
		for k := range t {
			t[k] = replaceNumbers(t[k], replace)
		}
	}
	return tree
}
