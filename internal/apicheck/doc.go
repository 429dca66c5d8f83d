// Package apicheck enforces the library's compatibility promise.
//
// The file api.txt in this directory lists the public API, one line per symbol. Every
// change of the API changes that file, so reviewers see it. A change of a promised symbol
// fails until the CHANGELOG names it. The check needs only the files of one checkout, no
// history.
//
//	make api               write api.txt, after a change of the API
//	make api API=-release  promise the current API, when a version is released
//
// A line begins with two spaces if the symbol is promised, with "+ " if it is new since
// the last release and may still change, and with "- " if it was promised and is gone. A
// change of a promised symbol is a "-" and a "+". For each "-", the CHANGELOG's section
// "Unreleased" must name the symbol or its parent in backquotes below "### Breaking":
// `mount.Layout.Dir`, or `mount.Layout` if the whole type is gone. The first line has a
// checksum of the promised symbols, so that no promise is lost when branches are merged
// or a line is deleted. Symbols in Frozen never change.
//
// # The promise
//
// Code that compiles keeps compiling, and constants keep their values. As in Go's own
// promise (https://go.dev/doc/go1compat), this excludes struct literals without field
// names, embedding a type of this library together with another, and dot imports. The
// check is stricter than the promise where that is simpler: any changed line counts, even
// if no program would notice, such as a method that moves from the pointer to the value.
package apicheck
