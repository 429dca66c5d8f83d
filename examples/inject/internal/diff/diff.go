// Package diff writes edits of a text as a unified diff for patch and git apply.
package diff

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
)

// context is the number of unchanged lines shown around changes.
const context = 3

// block replaces the old lines from first (counted from 0) up to, but without, last by new
// ones.
type block struct {
	first, last int
	new         []string
}

// Unified returns the diff of a file. The edits are ordered by offset. Without edits it is
// empty.
func Unified(name string, text []byte, edits []yamledit.Edit) []byte {
	old := lines(string(text))
	blocks := blocksOf(text, edits)
	if len(blocks) == 0 {
		return nil
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "--- a/%[1]s\n+++ b/%[1]s\n", strings.TrimPrefix(name, "/"))
	shift := 0 // lines added so far
	for len(blocks) > 0 {
		n := 1 // blocks with touching context form one hunk
		for n < len(blocks) && blocks[n].first-blocks[n-1].last <= 2*context {
			n++
		}
		shift += hunk(&out, old, blocks[:n], shift)
		blocks = blocks[n:]
	}
	return out.Bytes()
}

// lines splits a text into lines with their line ends.
func lines(text string) []string {
	split := strings.SplitAfter(text, "\n")
	if split[len(split)-1] == "" {
		split = split[:len(split)-1]
	}
	return split
}

// region is a range of whole lines with its edits.
type region struct {
	start, end int
	edits      []yamledit.Edit
}

// regions extends edits to whole lines, and joins edits of the same lines.
func regions(text []byte, edits []yamledit.Edit) (joined []region) {
	for _, e := range edits {
		r := region{start: bytes.LastIndexByte(text[:e.Start], '\n') + 1, end: e.End, edits: []yamledit.Edit{e}}
		wholeLines := r.start == e.Start && (e.Text == "" || strings.HasSuffix(e.Text, "\n"))
		endsLine := e.End == r.start || e.End > 0 && text[e.End-1] == '\n'
		if !wholeLines || !endsLine {
			r.end = len(text)
			if i := bytes.IndexByte(text[e.End:], '\n'); i >= 0 {
				r.end = e.End + i + 1
			}
		}
		if last := len(joined) - 1; last >= 0 && (r.start < joined[last].end || r.start == joined[last].start) {
			joined[last].end = max(joined[last].end, r.end)
			joined[last].edits = append(joined[last].edits, e)
			continue
		}
		joined = append(joined, r)
	}
	return joined
}

// blocksOf returns the changed lines.
func blocksOf(text []byte, edits []yamledit.Edit) (blocks []block) {
	line, at := 0, 0
	for _, r := range regions(text, edits) {
		line += bytes.Count(text[at:r.start], []byte("\n"))
		at = r.start
		before, after := lines(string(text[r.start:r.end])), lines(string(yamledit.Apply(text, r.start, r.end, r.edits)))
		b := block{first: line}
		for len(before) > 0 && len(after) > 0 && before[0] == after[0] {
			before, after = before[1:], after[1:]
			b.first++
		}
		for len(before) > 0 && len(after) > 0 && before[len(before)-1] == after[len(after)-1] {
			before, after = before[:len(before)-1], after[:len(after)-1]
		}
		b.last, b.new = b.first+len(before), after
		blocks = append(blocks, b)
	}
	return blocks
}

// hunk writes blocks with their context, and returns the number of lines that they add.
func hunk(out *bytes.Buffer, old []string, blocks []block, shift int) (added int) {
	first := max(blocks[0].first-context, 0)
	last := min(blocks[len(blocks)-1].last+context, len(old))
	for _, b := range blocks {
		added += len(b.new) - (b.last - b.first)
	}
	fmt.Fprintf(out, "@@ -%s +%s @@\n", span(first, last-first), span(first+shift, last-first+added))
	at := first
	for _, b := range blocks {
		write(out, " ", old[at:b.first])
		write(out, "-", old[b.first:b.last])
		write(out, "+", b.new)
		at = b.last
	}
	write(out, " ", old[at:last])
	return added
}

// span formats a range of lines for a hunk's header, counted from 1. For an empty range it
// gives the line before.
func span(first, count int) string {
	if count > 0 {
		first++
	}
	if count == 1 {
		return fmt.Sprint(first)
	}
	return fmt.Sprintf("%d,%d", first, count)
}

func write(out *bytes.Buffer, sign string, lines []string) {
	for _, line := range lines {
		out.WriteString(sign + line)
		if !strings.HasSuffix(line, "\n") {
			out.WriteString("\n\\ No newline at end of file\n")
		}
	}
}

// colors maps the beginnings of lines to git's colors.
var colors = map[string]string{"---": "\x1b[1m", "+++": "\x1b[1m", "@@ ": "\x1b[36m", "-": "\x1b[31m", "+": "\x1b[32m"}

// Colored returns a diff with colors for a terminal.
func Colored(text []byte) []byte {
	var out bytes.Buffer
	isHead := true
	for _, line := range lines(string(text)) {
		color := colors[line[:1]]
		if isHead = isHead && !strings.HasPrefix(line, "@@ "); isHead || strings.HasPrefix(line, "@@ ") {
			color = colors[line[:3]]
		}
		if color == "" {
			out.WriteString(line)
			continue
		}
		content := strings.TrimRight(line, "\r\n")
		out.WriteString(color + content + "\x1b[0m" + line[len(content):])
	}
	return out.Bytes()
}
