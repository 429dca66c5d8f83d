package main

import (
	"fmt"
	"html"
	"strings"
	"unicode/utf8"
)

// Measures in pixels. A row is a tag and a text in a monospaced font.
const (
	margin, gap           = 16, 38
	leftWidth, rightWidth = 408, 552
	width                 = 2*margin + leftWidth + gap + rightWidth
	top, cardGap          = 52, 14
	titleHeight           = 28
	rowHeight, fontSize   = 22, 12
	tagWidth, inset       = 54, 12
	cardPadding           = 8
)

const style = `<style>
text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328 }
.title, .head, .tag { font-family: -apple-system, "Segoe UI", Helvetica, Arial, sans-serif }
.head { font-size: 15px; font-weight: 600 } .title { font-size: 13px; font-weight: 600 } .tag { font-size: 11px; fill: #59636e }
.new { fill: #116329 } .newtag { fill: #1a7f37 }
.page { fill: #ffffff } .card { fill: #f6f8fa; stroke: #d1d9e0 } .added { fill: #d2f4da } .bar { fill: #1a7f37 }
.arrow { stroke: #1f6feb; stroke-width: 2.5; fill: none }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .tag { fill: #9198a1 } .new { fill: #aff5b4 } .newtag { fill: #56d364 }
.page { fill: #0d1117 } .card { fill: #151b23; stroke: #3d444d } .added { fill: #12361f } .bar { fill: #3fb950 }
.arrow { stroke: #4493f8 }
}
</style>
`

// A label is a text of the picture, and how much room it has.
type label struct {
	x, y, room  int
	class, text string
}

// layOut draws the Pod before on the left and the Pod after on the right, the cards
// of one part beside each other.
func layOut(before, after []card) ([]label, string) {
	var shapes strings.Builder
	right := margin + leftWidth + gap
	labels := []label{
		{margin, 32, leftWidth, "head", "The Pod before"},
		{right, 32, 150, "head", "The Pod after"},
		{right + 174, 32, rightWidth - 174, "tag newtag", "added by podsecrets"},
	}
	fmt.Fprintf(&shapes, "<rect class=\"added\" x=\"%d\" y=\"20\" width=\"18\" height=\"16\" rx=\"3\"/>\n<rect class=\"bar\" x=\"%d\" y=\"20\" width=\"3\" height=\"16\"/>\n", right+150, right+150)
	y := top
	for i, c := range after {
		labels = append(labels, before[i].draw(&shapes, margin, y, leftWidth)...)
		labels = append(labels, c.draw(&shapes, right, y, rightWidth)...)
		if len(c.rows) > len(before[i].rows) {
			at, from := y+before[i].height()/2, margin+leftWidth+9
			fmt.Fprintf(&shapes, "<path class=\"arrow\" d=\"M%d %dh%dm-8 -6l8 6l-8 6\"/>\n", from, at, gap-18)
		}
		y += c.height() + cardGap
	}
	return labels, shapes.String()
}

func (c card) height() int { return titleHeight + len(c.rows)*rowHeight + cardPadding }

func (c card) draw(shapes *strings.Builder, x, y, room int) []label {
	fmt.Fprintf(shapes, "<rect class=\"card\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n", x, y, room, c.height())
	labels := []label{{x + inset, y + 19, room - 2*inset, "title", c.title}}
	at := y + titleHeight
	for _, r := range c.rows {
		tag, class := "tag", ""
		if r.added {
			tag, class = "tag newtag", "new"
			fmt.Fprintf(shapes, "<rect class=\"added\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n<rect class=\"bar\" x=\"%d\" y=\"%d\" width=\"3\" height=\"%d\"/>\n",
				x+1, at, room-2, rowHeight-2, x+1, at, rowHeight-2)
		}
		textRoom := room - 2*inset - tagWidth
		labels = append(labels, label{x + inset, at + 14, tagWidth, tag, r.tag},
			label{x + inset + tagWidth, at + 14, textRoom, class, cut(r.text, textRoom*100/(fontSize*62))})
		at += rowHeight
	}
	return labels
}

func page(labels []label, shapes string) string {
	height := 0
	for _, l := range labels {
		height = max(height, l.y+rowHeight-14+cardPadding+margin)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n<title>A Pod before and after injection</title>\n%s", width, height, width, height, style)
	fmt.Fprintf(&b, "<rect class=\"page\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n%s", width, height, shapes)
	for _, l := range labels {
		fmt.Fprintf(&b, "<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>\n", l.class, l.x, l.y, html.EscapeString(l.text))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// textWidth returns about how wide a text is, in a font that is wider than most.
func textWidth(l label) int {
	size, share := fontSize, 62 // monospaced
	switch {
	case strings.HasPrefix(l.class, "tag"):
		size, share = 11, 58
	case l.class == "head":
		size, share = 15, 60
	}
	return utf8.RuneCountInString(l.text) * size * share / 100
}
