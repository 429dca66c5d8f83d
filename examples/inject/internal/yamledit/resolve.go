package yamledit

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// The tags that kubectl's reader supports.
const (
	tagPrefix = "tag:yaml.org,2002:"
	tagText   = tagPrefix + "str"
	tagBool   = tagPrefix + "bool"
	tagInt    = tagPrefix + "int"
	tagFloat  = tagPrefix + "float"
	tagNull   = tagPrefix + "null"
	tagTime   = tagPrefix + "timestamp"
	tagBinary = tagPrefix + "binary"
	tagMerge  = tagPrefix + "merge"
)

func longTag(tag string) string {
	if verbatim, ok := strings.CutPrefix(tag, "!<"); ok {
		return strings.TrimSuffix(verbatim, ">")
	}
	if short, ok := strings.CutPrefix(tag, "!!"); ok {
		return tagPrefix + short
	}
	return tag
}

// constants are the words of YAML 1.1.
var constants = func() map[string]*Value {
	m := make(map[string]*Value)
	for _, word := range []string{"y", "yes", "true", "on"} {
		addWord(m, word, &Value{kind: boolean, text: "true"})
	}
	for _, word := range []string{"n", "no", "false", "off"} {
		addWord(m, word, &Value{kind: boolean, text: "false"})
	}
	addWord(m, "null", &Value{})
	m["~"], m[""] = &Value{}, &Value{}
	return m
}()

func addWord(m map[string]*Value, word string, v *Value) {
	m[word], m[strings.ToUpper(word)] = v, v
	m[strings.ToUpper(word[:1])+word[1:]] = v
}

// notANumber matches YAML's numbers that JSON cannot express.
var notANumber = regexp.MustCompile(`^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)

var decimal = regexp.MustCompile(`^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$`)

var jsonNumber = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$`)

var errNotANumber = errors.New("is a number that JSON cannot express")

// scalar returns the Value of a scalar, in YAML 1.1 as kubectl reads it.
func (b *builder) scalar(n *Node) (*Value, error) {
	v := &Value{kind: text, text: n.text, node: n}
	switch {
	case b.json:
		return jsonScalar(n)
	case n.tag == "" && n.style != plain, n.tag == tagText:
		return v, nil
	case n.tag == tagBinary:
		raw, err := base64.StdEncoding.DecodeString(n.text)
		v.text = string(raw)
		return v, err
	case n.tag != "" && n.tag != tagBool && n.tag != tagInt && n.tag != tagFloat && n.tag != tagNull && n.tag != tagTime:
		return v, nil
	}
	if c, ok := constants[n.text]; ok {
		return &Value{kind: c.kind, text: c.text, node: n}, nil
	}
	if notANumber.MatchString(n.text) {
		return nil, fmt.Errorf("%s %w", n.text, errNotANumber)
	}
	if s, ok := numberOf(n.text); ok {
		v.kind, v.text = number, s
	}
	return v, nil
}

func jsonScalar(n *Node) (*Value, error) {
	v := &Value{kind: text, text: n.text, node: n}
	switch {
	case n.style == double:
	case n.text == "null":
		v.kind, v.text = null, ""
	case n.text == "true" || n.text == "false":
		v.kind = boolean
	case jsonNumber.MatchString(n.text):
		v.kind = number
	default:
		return nil, fmt.Errorf("%q is not JSON", n.text)
	}
	return v, nil
}

// numberOf returns the JSON of a plain scalar that is a number. A decimal keeps all its
// digits.
func numberOf(s string) (string, bool) {
	if s == "" || !strings.ContainsRune("+-.0123456789", rune(s[0])) {
		return "", false
	}
	if s[0] == '.' {
		return floatOf(s, s)
	}
	plain := strings.ReplaceAll(s, "_", "")
	if i, err := strconv.ParseInt(plain, 0, 64); err == nil {
		return strconv.FormatInt(i, 10), true
	}
	if u, err := strconv.ParseUint(plain, 0, 64); err == nil {
		return strconv.FormatUint(u, 10), true
	}
	if decimal.MatchString(plain) {
		return floatOf(plain, s)
	}
	return "", false
}

func floatOf(plain, source string) (string, bool) {
	f, err := strconv.ParseFloat(plain, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return "", false
	}
	if jsonNumber.MatchString(source) {
		return source, true
	}
	raw, err := json.Marshal(f)
	return string(raw), err == nil
}

// key returns the name of a field. Keys that are not strings become what kubectl's reader
// makes of them.
func (b *builder) key(n *Node) (name string, ok bool) {
	v := b.value(n)
	switch v.kind {
	case text, boolean:
		return v.text, true
	case number:
		if !strings.ContainsAny(v.text, ".eE") {
			return v.text, true
		}
		f, err := strconv.ParseFloat(v.text, 64)
		return strconv.FormatFloat(f, 'g', -1, 32), err == nil
	}
	b.errorf(n, "a key is %v", v.kind)
	return "", false
}
