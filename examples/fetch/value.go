package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// The kubelet's limit for lines of env files, and Linux' limit for a variable, in bytes.
const (
	maxEnvLine = 64<<10 - 1
	maxEnv     = 131_070 // name and value, without "=" and the end byte
)

// envKey is the key in each env file.
const envKey = "V"

// content returns the content of the item's file.
func (it item) content(value []byte) ([]byte, error) {
	if it.Field != "" {
		var err error
		if value, err = field(value, it.Field); err != nil {
			return nil, err
		}
	}
	if it.Env == "" {
		return value, nil
	}
	return envFile(value, it.NameLen)
}

// envFile returns a file from which the kubelet reads exactly the value. Some values are an error,
// because the format has no escapes and an empty value counts as missing.
func envFile(value []byte, nameLen int) ([]byte, error) {
	switch {
	case len(value) == 0:
		return nil, &failure{outcome: notEnv, detail: "the value is empty"}
	case bytes.ContainsRune(value, '\''):
		return nil, &failure{outcome: notEnv, detail: "the value has a single quote"}
	case bytes.ContainsRune(value, 0):
		return nil, &failure{outcome: notEnv, detail: "the value has a NUL byte"}
	case !utf8.Valid(value):
		return nil, &failure{outcome: notEnv, detail: "the value is not UTF-8"}
	case bytes.Contains(value, []byte("\r\n")):
		return nil, &failure{outcome: notEnv, detail: "the value has a carriage return before a newline"}
	case len(value) > maxEnv-nameLen:
		return nil, &failure{outcome: tooLong, detail: fmt.Sprintf("name and value have more than %d bytes", maxEnv)}
	}
	file := []byte(envKey + "='" + string(value) + "'\n")
	for line := range bytes.SplitSeq(file, []byte("\n")) {
		if len(line) > maxEnvLine {
			return nil, &failure{outcome: tooLong, detail: "a line has 64 KiB or more"}
		}
	}
	return file, nil
}

// field returns a field of a JSON object: a string's text, or the JSON of anything else byte for
// byte.
func field(value []byte, name string) ([]byte, error) {
	fields, err := object(value)
	if err != nil {
		return nil, &failure{outcome: notObject, detail: err.Error()}
	}
	raw, ok := fields[name]
	if !ok {
		return nil, &failure{outcome: noField}
	}
	if raw[0] != '"' {
		return raw, nil
	}
	var text string
	if json.Unmarshal(raw, &text) != nil || hasLoneSurrogate(raw) {
		return nil, &failure{outcome: notObject, detail: "the field is not Unicode text"}
	}
	return []byte(text), nil
}

var (
	errNotObject = errors.New("the text is not a JSON object")
	errTwice     = errors.New("the object has a duplicate key")
)

// object returns the fields of a JSON object. Its errors never quote the text, as encoding/json's
// do.
func object(text []byte) (map[string]json.RawMessage, error) {
	if !utf8.Valid(text) {
		return nil, errNotObject // encoding/json would replace bytes
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil, errNotObject
	}
	fields := map[string]json.RawMessage{}
	for d.More() {
		token, err := d.Token()
		key, ok := token.(string)
		if err != nil || !ok {
			return nil, errNotObject
		}
		if _, ok := fields[key]; ok {
			return nil, errTwice
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil, errNotObject
		}
		fields[key] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, errNotObject
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errNotObject
	}
	return fields, nil
}

// hasLoneSurrogate reports whether a JSON string has an escape such as \ud800 without its other
// half, which encoding/json replaces by U+FFFD.
func hasLoneSurrogate(raw []byte) bool {
	for i := 0; i < len(raw)-1; i++ {
		if raw[i] != '\\' {
			continue
		}
		first := escaped(raw[i:])
		if i++; !utf16.IsSurrogate(first) {
			continue
		}
		if utf16.DecodeRune(first, escaped(raw[i+5:])) == unicode.ReplacementChar {
			return true
		}
		i += 6
	}
	return false
}

// escaped returns the code unit of the escape \uXXXX at the beginning of a text, or -1.
func escaped(text []byte) rune {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	unit, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(unit)
}
