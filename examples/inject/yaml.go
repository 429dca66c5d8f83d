package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"regexp"

	kjson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

// oddSeparator is one that only YAML takes for a separator, as it knows more
// line breaks than LF and CRLF.
var oddSeparator = regexp.MustCompile(`[\r\x{85}\x{2028}\x{2029}](?:---|\.\.\.)`)

// yamlToJSON converts one YAML document as kubectl does, but for keys that are
// there twice.
func yamlToJSON(text []byte) (json.RawMessage, error) {
	if oddSeparator.Match(text) {
		return nil, errors.New("yaml: a separator after another line break than LF or CRLF")
	}
	raw, err := yaml.YAMLToJSONStrict(text)
	if err != nil && bytes.Contains(text, []byte("<<:")) {
		// The parser takes a key that is merged in and then set for a
		// duplicate.
		raw, err = yaml.YAMLToJSON(text)
	}
	return raw, err
}

// jsonToYAML fails where the encoder would change what it writes: it has such
// gaps for rare characters, keys and numbers.
func jsonToYAML(raw json.RawMessage) ([]byte, error) {
	var tree any
	if err := kjson.Unmarshal(raw, &tree); err != nil {
		return nil, err
	}
	text, err := yaml.Marshal(tree)
	if err != nil {
		return nil, err
	}
	back, err := yaml.YAMLToJSON(text)
	if err != nil || !sameJSON(raw, back) {
		return nil, errors.New("has a text, key or number that cannot be written as YAML unchanged; -o json can")
	}
	return text, nil
}

// sameJSON reports whether both are the same but for the spelling of numbers.
func sameJSON(a, b json.RawMessage) bool {
	x, errX := decodeExactly(a)
	y, errY := decodeExactly(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

// decodeExactly has for each number the one spelling of its exact value.
func decodeExactly(raw json.RawMessage) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	return exact(tree), nil
}

func exact(tree any) any {
	switch t := tree.(type) {
	case json.Number:
		r, ok := new(big.Rat).SetString(string(t)) // #nosec G113 -- mended in Go 1.17.7; a great exponent stays as it is
		if ok {
			return json.Number(r.RatString())
		}
	case []any:
		for i := range t {
			t[i] = exact(t[i])
		}
	case map[string]any:
		for k := range t {
			t[k] = exact(t[k])
		}
	}
	return tree
}
