package main

import (
	"bytes"
	"encoding/json"
	"errors"
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

func jsonToYAML(raw json.RawMessage) ([]byte, error) {
	var tree any
	if err := kjson.Unmarshal(raw, &tree); err != nil {
		return nil, err
	}
	return yaml.Marshal(tree)
}
