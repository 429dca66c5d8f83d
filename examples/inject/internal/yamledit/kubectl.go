package yamledit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	kyaml "k8s.io/apimachinery/pkg/util/yaml"
)

// kubectl reads a file with kubectl's own reader, in step with this package's.
type kubectl struct {
	file    []byte
	decoder *kyaml.YAMLOrJSONDecoder
}

func newKubectl(file []byte) *kubectl {
	k := &kubectl{file: file}
	k.restart(0)
	return k
}

func (k *kubectl) restart(at int) {
	k.decoder = kyaml.NewYAMLOrJSONDecoder(bytes.NewReader(k.file[at:]), 4096)
}

// next returns the next object that is not null, or nil at the end.
func (k *kubectl) next() (*Value, error) {
	for {
		var raw json.RawMessage
		switch err := k.decoder.Decode(&raw); {
		case errors.Is(err, io.EOF):
			return nil, nil
		case err != nil:
			return nil, err
		}
		if raw = bytes.TrimSpace(raw); len(raw) == 0 || string(raw) == "null" {
			continue
		}
		return ParseJSON(raw)
	}
}

// check returns the documents of a chunk if kubectl sees the same objects.
func (k *kubectl) check(c chunk) ([]*Document, error) {
	docs, err := c.read()
	if err == nil {
		err = c.checkSeparator()
	}
	if err == nil {
		err = k.compare(c, docs)
	}
	if err == nil {
		return docs, nil
	}
	k.restart(c.end)
	return nil, k.locate(c, err)
}

// compare reads as many objects with kubectl's reader as the chunk has, and expects the end
// after the last chunk.
func (k *kubectl) compare(c chunk, docs []*Document) error {
	for _, d := range docs {
		v, err := k.next()
		switch {
		case err != nil:
			return err
		case v == nil:
			return &SyntaxError{d.Root.Start, "kubectl stops before this document"}
		case !Equal(v, d.Value):
			return &SyntaxError{d.Root.Start, "kubectl reads a different object here: " + firstDifference(d.Value, v)}
		}
	}
	if c.end < len(k.file) {
		return nil
	}
	if v, err := k.next(); err != nil || v != nil {
		return errors.Join(err, &SyntaxError{c.start, "kubectl sees another object here"})
	}
	return nil
}

// checkSeparator refuses text on the line of "---".
func (c chunk) checkSeparator() error {
	rest := strings.TrimSpace(c.separator)
	if rest == "" && c.separator == strings.TrimRight(c.separator, "\r\u0085\u2028\u2029") {
		return nil
	}
	at := c.start - 1
	switch {
	case strings.ContainsAny(c.separator, "\r\u0085\u2028\u2029"):
		return &SyntaxError{at, "a line break that only YAML knows follows \"---\", and kubectl does not read the rest"}
	case rest[0] != '#':
		return &SyntaxError{at, "kubectl refuses a document that begins on the line of \"---\""}
	}
	return nil
}

// lineOfError finds the line in messages of kubectl's reader, counted within the chunk.
var lineOfError = regexp.MustCompile(`^(?:error converting YAML to JSON: )?yaml: (?:unmarshal errors:\s+)?(?:line (\d+): )?`)

// locate adds the place in the file to an error. It prefers kubectl's syntax errors, and
// otherwise this package's, whose places are more exact.
func (k *kubectl) locate(c chunk, err error) error {
	var own *SyntaxError
	if errors.As(err, &own) {
		if theirs := c.kubectlError(); theirs != nil && !strings.Contains(theirs.Error(), "unsupported value") {
			return k.locateTheirs(c, theirs, own.Offset)
		}
		return k.locateOwn(err)
	}
	return k.locateTheirs(c, err, c.start)
}

// locateOwn adds the place to each of this package's errors.
func (k *kubectl) locateOwn(err error) error {
	var all interface{ Unwrap() []error }
	if !errors.As(err, &all) {
		var one *SyntaxError
		errors.As(err, &one)
		return &Error{k.file, one.Offset, one}
	}
	var located []error
	for _, err := range all.Unwrap() {
		var one *SyntaxError
		if errors.As(err, &one) {
			located = append(located, &Error{k.file, one.Offset, one})
		}
	}
	return errors.Join(located...)
}

// locateTheirs adds the place to an error of kubectl's reader. If that names no line, the
// place is otherwise.
func (k *kubectl) locateTheirs(c chunk, err error, otherwise int) error {
	message := err.Error()
	at := otherwise
	if m := lineOfError.FindStringSubmatch(message); m != nil {
		message = strings.TrimPrefix(message, m[0])
		if n, err := strconv.Atoi(m[1]); err == nil {
			at = offsetOfLine(k.file, c.start, n)
		}
	}
	return &Error{k.file, at, &SyntaxError{at, message}}
}

// offsetOfLine returns the beginning of the n-th line from start, counted from 1.
func offsetOfLine(file []byte, start, n int) int {
	for ; n > 1; n-- {
		i := bytes.IndexByte(file[start:], '\n')
		if i < 0 {
			break
		}
		start += i + 1
	}
	return start
}

// kubectlError returns the error of kubectl's reader for the chunk alone.
func (c chunk) kubectlError() error {
	k := newKubectl(c.file[c.start:c.end])
	for {
		if v, err := k.next(); err != nil || v == nil {
			return err
		}
	}
}

// firstDifference describes where two values differ, without showing the values.
func firstDifference(a, b *Value) string {
	switch {
	case a.kind != b.kind:
		return fmt.Sprintf("%v instead of %v", b.kind, a.kind)
	case len(a.items) != len(b.items) || len(a.fields) != len(b.fields):
		return "a different number of entries"
	}
	for i := range a.items {
		if !Equal(a.items[i], b.items[i]) {
			return fmt.Sprintf("[%d]: %s", i, firstDifference(a.items[i], b.items[i]))
		}
	}
	for _, f := range a.fields {
		other := b.Get(f.Name)
		if other == nil {
			return fmt.Sprintf("without %q", f.Name)
		}
		if !Equal(f.Value, other) {
			return fmt.Sprintf("%s: %s", f.Name, firstDifference(f.Value, other))
		}
	}
	return "a different value"
}
