// Package apicheck holds the library's promise of compatibility.
//
// The public API is written down in api.txt beside this file, one line for each
// symbol. Every change of the API is a change of that file, which a reviewer
// sees, and a change of what is promised fails until the CHANGELOG names it.
// All of that is found out from the files of one checkout; no history is needed.
//
//	make api               write api.txt, after a change of the API
//	make api API=-release  promise what is there, when a version is released
//
// A line begins with two blanks if the symbol is promised, with "+ " if it is new
// since the last release and may still change, and with "- " if it was promised
// and is gone. A change of a promised symbol is a "-" and a "+". For each "-" the
// section "Unreleased" of the CHANGELOG has, below "### Breaking", the symbol or
// what holds it in backquotes: `mount.Layout.Dir`, or `mount.Layout` if that is
// what is gone. The first line has a checksum of what is promised, so that a
// promise does not get lost when branches are merged or a line is deleted.
// Nothing excuses a change of what Frozen lists.
//
// # What is promised
//
// That code which compiles goes on to compile, and the values of constants. As
// with Go's own promise (https://go.dev/doc/go1compat) that leaves out struct
// literals without field names, embedding a type of ours together with another,
// and dot imports. The check is stricter than the promise where that is simpler:
// any change of a line counts, even one that no program would notice, such as a
// method that moves from the pointer to the value.
package apicheck
