package kubelet

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// maxLine is the length in bytes, without the newline, at which a line of an env
// file is too long.
const maxLine = 64 << 10

// ParseEnvFile returns the value of a key in an env file, as a variable with a
// fileKeyRef gets it. It is "" if the key is missing: the kubelet does not
// distinguish that from an empty value. It follows ParseEnv in Kubernetes'
// pkg/kubelet/util/env (1.35.4 and 1.37.2 are the same), with its error messages:
//
//   - A line is KEY='value', with optional leading blanks and trailing comment.
//     Blank lines and comments are skipped. Values have no escapes and may have
//     several lines. A carriage return before a newline is dropped.
//   - A blank after "=" makes the value empty, whatever follows.
//   - The first line with the key counts. A malformed line before it is an error.
//   - A line of 64 KiB or more is an error. Inside a value it ends the text.
func ParseEnvFile(text []byte, key string) (value string, err error) {
	l := &lines{rest: text}
	for l.next() {
		name, after, err := l.assignment()
		if err != nil {
			return "", err
		}
		switch blank := strings.TrimLeft(after, " \t") != after; {
		case name == "", blank && name != key:
			continue
		case blank:
			return "", nil
		}
		value, err := l.quoted(after)
		if err != nil || name == key {
			return value, err
		}
	}
	return "", l.err
}

// lines reads a text line by line, as a bufio.Scanner does.
type lines struct {
	rest   []byte
	line   string
	number int
	err    error
}

func (l *lines) next() bool {
	if len(l.rest) == 0 {
		return false
	}
	line, rest, _ := bytes.Cut(l.rest, []byte("\n"))
	if len(line) >= maxLine {
		l.rest, l.err = nil, errors.New("a line has 64 KiB or more")
		return false
	}
	l.rest, l.line = rest, strings.TrimSuffix(string(line), "\r")
	l.number++
	return true
}

// assignment returns the name in the line and the text after "=". A blank line or a
// comment has no name.
func (l *lines) assignment() (name, after string, err error) {
	line := strings.TrimLeft(l.line, " \t")
	if line == "" || line[0] == '#' {
		return "", "", nil
	}
	name, after, ok := strings.Cut(line, "=")
	switch {
	case !ok:
		return "", "", l.malformed("missing '='")
	case name == "": // leading blanks are trimmed already
		return "", "", l.malformed("empty variable name")
	case strings.TrimRight(name, " \t") != name:
		return "", "", l.malformed("whitespace before '=' is not allowed")
	}
	return name, after, nil
}

// quoted returns the single-quoted value at the start of text. It may end in a later
// line.
func (l *lines) quoted(text string) (string, error) {
	text, ok := strings.CutPrefix(text, "'")
	if !ok {
		return "", l.malformed("value must be enclosed in single quotes")
	}
	first := l.number
	var value strings.Builder
	for {
		part, rest, closed := strings.Cut(text, "'")
		value.WriteString(part)
		if closed {
			if rest = strings.TrimLeft(rest, " \t"); rest != "" && rest[0] != '#' {
				return "", l.malformed("unexpected content after closing quote")
			}
			return value.String(), nil
		}
		value.WriteByte('\n')
		if !l.next() {
			return "", fmt.Errorf("invalid environment variable format starting at line %d: unclosed single quote", first)
		}
		text = l.line
	}
}

func (l *lines) malformed(reason string) error {
	return fmt.Errorf("invalid environment variable format at line %d: %s", l.number, reason)
}
