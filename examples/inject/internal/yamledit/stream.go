package yamledit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"unicode/utf8"
)

// Document is one document of a file.
type Document struct {
	File  []byte // the whole file
	Start int    // of the chunk, after its separator line
	End   int    // of the chunk
	JSON  bool   // a value in a JSON stream

	Root  *Node
	Value *Value

	line int // of Start
}

// Line returns the line of an offset in the document as editors count it, from 1.
func (d *Document) Line(offset int) int {
	return d.line + bytes.Count(d.File[d.Start:min(max(offset, d.Start), len(d.File))], []byte("\n"))
}

// Error is an error with its place in a file.
type Error struct {
	File   []byte
	Offset int
	Err    error
}

func (e *Error) Error() string { return fmt.Sprintf("line %d: %v", e.Line(), e.Err) }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Line returns the line as editors count it, from 1.
func (e *Error) Line() int { return Line(e.File, e.Offset) }

// Line returns the line of an offset as editors count it, from 1.
func Line(file []byte, offset int) int {
	return 1 + bytes.Count(file[:min(max(offset, 0), len(file))], []byte("\n"))
}

// Read returns the documents of a file in order, and an error in place of each invalid
// document. Empty and null documents are left out, because kubectl skips them.
func Read(file []byte) iter.Seq2[*Document, error] {
	return func(yield func(*Document, error) bool) {
		if !utf8.Valid(file) {
			yield(nil, &Error{file, invalidUTF8(file), fmt.Errorf("is not UTF-8")})
			return
		}
		k := newKubectl(file)
		for c := range chunks(file) {
			docs, err := k.check(c)
			if err != nil {
				if !yield(nil, err) {
					return
				}
				continue
			}
			for _, d := range docs {
				if !yield(d, nil) {
					return
				}
			}
		}
	}
}

func invalidUTF8(file []byte) int {
	for i := 0; i < len(file); {
		c, n := utf8.DecodeRune(file[i:])
		if c == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(file)
}

// chunk is one document to kubectl, or a stream of JSON values.
type chunk struct {
	file       []byte
	start, end int
	line       int    // of start
	separator  string // the line before it, without "---" and line end
	json       bool
}

// chunks splits a file as kubectl does: at lines that begin with "---", wherever they are.
// A file that begins with JSON is a JSON stream up to the first such line.
func chunks(file []byte) iter.Seq[chunk] {
	return func(yield func(chunk) bool) {
		c, number := chunk{file: file, line: 1}, 1
		c.json = bytes.HasPrefix(bytes.TrimLeft(file, " \t\r\n\v\f\u0085\u00a0"), []byte("{"))
		for line := 0; line < len(file); {
			next := len(file)
			if i := bytes.IndexByte(file[line:], '\n'); i >= 0 {
				next = line + i + 1
				number++
			}
			if bytes.HasPrefix(file[line:next], []byte("---")) {
				c.end = line
				if (c.start < c.end || c.separator != "") && !yield(c) {
					return
				}
				separator := bytes.TrimSuffix(bytes.TrimSuffix(file[line+3:next], []byte("\n")), []byte("\r"))
				c = chunk{file: file, start: next, line: number, separator: string(separator)}
			}
			line = next
		}
		c.end = len(file)
		if c.start < c.end || c.separator != "" {
			yield(c)
		}
	}
}

// read returns the documents of the chunk that are not empty.
func (c chunk) read() (docs []*Document, err error) {
	if c.json && isJSONStream(c.file[c.start:c.end]) {
		if docs, err = c.readAs(true); err == nil {
			return docs, nil
		}
	}
	return c.readAs(false) // a YAML document may begin with "{" too
}

// isJSONStream reports whether a text is a sequence of JSON values.
func isJSONStream(text []byte) bool {
	decoder := json.NewDecoder(bytes.NewReader(text))
	for {
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

func (c chunk) readAs(isJSON bool) (docs []*Document, err error) {
	r := reader{text: c.file, pos: c.start, bol: c.start, end: c.end, json: isJSON}
	if bytes.HasPrefix(c.file[c.start:c.end], byteOrderMark) && c.start == 0 {
		r.pos, r.bol = len(byteOrderMark), len(byteOrderMark)
	}
	roots, err := r.roots()
	if err != nil {
		return nil, err
	}
	for _, root := range roots {
		value, err := build(root, isJSON)
		if err != nil {
			return nil, err
		}
		if !value.IsNull() {
			docs = append(docs, &Document{File: c.file, Start: c.start, End: c.end, JSON: isJSON, Root: root, Value: value, line: c.line})
		}
	}
	return docs, nil
}

// ParseJSON returns the Value of one JSON text.
func ParseJSON(raw []byte) (*Value, error) {
	docs, err := chunk{file: raw, end: len(raw)}.readAs(true)
	switch {
	case err != nil:
		return nil, err
	case len(docs) == 0:
		return &Value{}, nil
	}
	return withoutNodes(docs[0].Value), nil
}

// withoutNodes turns a Value of another text into a new one.
func withoutNodes(v *Value) *Value {
	v.node = nil
	for _, item := range v.items {
		withoutNodes(item)
	}
	for _, f := range v.fields {
		withoutNodes(f.Value)
	}
	return v
}
