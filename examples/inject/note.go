package main

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/podsecrets/podsecrets/examples/inject/internal/manifest"
	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
)

// severity is a note's severity, in KRM's terms.
type severity string

const (
	failure severity = "error"
	warning severity = "warning"
	info    severity = "info"
)

// note is a line on standard error.
type note struct {
	severity severity
	file     string // "" if the note concerns no file
	line     int
	object   manifest.Object
	place    string // in the object, such as spec.containers[0]
	text     string
}

func (n note) String() string {
	var parts []string
	if n.severity == warning {
		parts = append(parts, string(n.severity))
	}
	if n.file != "" && n.line > 0 {
		parts = append(parts, fmt.Sprintf("%s:%d", n.file, n.line))
	} else if n.file != "" {
		parts = append(parts, n.file)
	}
	for _, s := range []string{n.object.String(), n.place, n.text} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return oneLine(strings.Join(parts, ": "))
}

// notesOf returns a note for each error that err joins.
func notesOf(err error, n note, d *yamledit.Document) []note {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var notes []note
		for _, err := range joined.Unwrap() {
			notes = append(notes, notesOf(err, n, d)...)
		}
		return notes
	}
	var syntax *yamledit.Error
	if errors.As(err, &syntax) {
		n.line, n.text = syntax.Line(), syntax.Err.Error()
		return []note{n}
	}
	var placed *manifest.Error
	if errors.As(err, &placed) {
		n.line = lineOf(d, placed.Pointer)
		n.place = manifest.Path(strings.TrimPrefix(placed.Pointer, n.object.Pointer))
		n.text = placed.Err.Error()
		return []note{n}
	}
	n.text = err.Error()
	return []note{n}
}

// lineOf returns the line of a pointer's value in the original document, or of the closest
// parent that exists there.
func lineOf(d *yamledit.Document, pointer string) int {
	for {
		if offset := d.Value.Pointer(pointer).Offset(); offset >= 0 || pointer == "" {
			return d.Line(offset)
		}
		pointer = pointer[:strings.LastIndex(pointer, "/")]
	}
}

// oneLine joins lines with "; " and replaces control characters.
func oneLine(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ")
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return ' '
		}
		return c
	}, s)
}
