package kubelet

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// maxLine is the length from which on a line of an env file is too long, in
// bytes, without its newline.
const maxLine = 64 << 10

// ParseEnvFile returns the value of a key in the text of an env file, to which a
// variable refers with a fileKeyRef. It is "" if the key is missing, which the
// kubelet cannot tell from an empty value. It follows ParseEnv in Kubernetes'
// pkg/kubelet/util/env (1.35.4 and 1.37.2, which are the same), with its messages:
//
//   - A line is KEY='value', with blanks in front and a comment behind. Blank
//     lines and comments are skipped. Nothing is an escape in a value, which may
//     have several lines. A carriage return before a newline is lost.
//   - A blank behind "=" makes the value empty, whatever follows.
//   - The first line with the key counts. A malformed line before it is an error.
//   - A line of 64 KiB or more is an error, and in a value the end of the text.
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

// assignment returns the name in the line and what is behind "=". In a blank line
// and a comment there is no name.
func (l *lines) assignment() (name, after string, err error) {
	line := strings.TrimLeft(l.line, " \t")
	if line == "" || line[0] == '#' {
		return "", "", nil
	}
	name, after, ok := strings.Cut(line, "=")
	switch {
	case !ok:
		return "", "", l.malformed("missing '='")
	case name == "": // there are no blanks in front
		return "", "", l.malformed("empty variable name")
	case strings.TrimRight(name, " \t") != name:
		return "", "", l.malformed("whitespace before '=' is not allowed")
	}
	return name, after, nil
}

// quoted returns the value in single quotes with which text begins. It may end in
// a later line.
func (l *lines) quoted(text string) (string, error) {
	text, ok := strings.CutPrefix(text, "'")
	if !ok {
		return "", l.malformed("value must be enclosed in single quotes")
	}
	first := l.number
	var value strings.Builder
	for {
		part, behind, closed := strings.Cut(text, "'")
		value.WriteString(part)
		if closed {
			if behind = strings.TrimLeft(behind, " \t"); behind != "" && behind[0] != '#' {
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
