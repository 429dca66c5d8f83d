package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"unicode/utf8"

	strictjson "sigs.k8s.io/json"
)

// document is one document of a file, or what stands between two.
type document struct {
	file  string
	index int // from 1, as people count documents; 0 if the body has no bytes

	// head and body are its bytes; all documents' make up the file. The head is
	// the separator and the comments before the content, which stay when the
	// content is written anew.
	head, body []byte

	json    json.RawMessage // of the body, compact; nil if that has no bytes
	changes []change
	patched json.RawMessage // nil if nothing changes
}

// empty reports whether there is nothing but comments, or null, which kubectl
// skips too.
func (d *document) empty() bool { return d.json == nil || string(d.json) == "null" }

func (d *document) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: document %d: %w", d.file, d.index, fmt.Errorf(format, args...))
}

var (
	// YAML gives "---" and "..." at the start of a line no other meaning, not
	// even in the middle of a text.
	separator = regexp.MustCompile(`(?m)^(?:---|\.\.\.)(?:[ \t\r\n]|$)`)

	// Byte order mark, separator, then lines that are blank, comments or
	// directives.
	heading = regexp.MustCompile(`^\x{FEFF}?(?:(?:---|\.\.\.)(?:[ \t]+|\r?\n|$))?(?:[ \t]*(?:#.*)?\r?(?:\n|$)|%.*(?:\n|$))*`)
)

// parse splits a file into documents and converts each to JSON.
func parse(file string, text []byte) ([]document, error) {
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("%s: is not UTF-8", file)
	}
	var docs []document
	start, index := 0, 0
	for _, end := range append(separator.FindAllIndex(text, -1), []int{len(text)}) {
		for _, d := range splitJSON(text[start:end[0]]) {
			d.file = file
			if len(d.body) > 0 {
				index++
				d.index = index
			}
			if err := d.convert(); err != nil {
				return nil, d.errorf("%w", err)
			}
			docs = append(docs, d)
		}
		start = end[0]
	}
	return docs, nil
}

// splitJSON returns the JSON objects that follow one another in the text, which
// kubectl accepts, or else the text as one document.
func splitJSON(text []byte) []document {
	n := len(heading.Find(text))
	whole := document{head: text[:n], body: text[n:]}
	if !bytes.HasPrefix(bytes.TrimLeft(whole.body, " \t\r\n"), []byte("{")) {
		return []document{whole}
	}
	var docs []document
	decoder := json.NewDecoder(bytes.NewReader(whole.body))
	last := 0 // where the last of docs begins
	for {
		var value json.RawMessage
		switch err := decoder.Decode(&value); {
		case err == io.EOF:
			docs[0].head = whole.head
			return docs
		case err != nil:
			return []document{whole} // in YAML too, an object may begin with "{"
		}
		if start := int(decoder.InputOffset()) - len(value); len(docs) > 0 {
			docs[len(docs)-1].body = whole.body[last:start]
			last = start
		}
		docs = append(docs, document{body: whole.body[last:], json: value})
	}
}

// convert sets d.json.
func (d *document) convert() (err error) {
	switch {
	case len(d.body) == 0:
		return nil
	case d.json == nil:
		// With the head, so that lines are counted from the separator.
		d.json, err = yamlToJSON(append(bytes.Clone(d.head), d.body...))
		return err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, d.json); err != nil {
		return err
	}
	d.json = compact.Bytes()
	duplicates, err := strictjson.UnmarshalStrict(d.json, new(any), strictjson.DisallowDuplicateFields)
	return errors.Join(append(duplicates, err)...)
}
