package main

import (
	"errors"
	"fmt"
	"html"
	"strings"
)

// chartWorkloads are the workloads in the chart, each a group of bars.
var chartWorkloads = []workload{
	{"1x15", "k8s", 3}, {"1x15", "aws", 3}, {"10x50", "k8s", 3}, {"1x15", "k8s-file", 100},
}

// A bar shows one way to review. unit is its unit in BenchmarkCompare, "" for podsecrets'
// own review.
type bar struct{ unit, label, class string }

var bars = []bar{
	{"usual", "the usual way: decode, append, marshal, diff", "usual"},
	{"", "podsecrets", "ours"},
	{"valid", "json.Valid of the same bytes", "floor"},
}

// The chart's dimensions in pixels. Labels are left of the bars, figures right of them.
const (
	width, left, right = 760, 312, 60
	top, barHeight     = 92, 14
	groupGap           = 18
	groupHeight        = 3*(barHeight+2) + groupGap
	fontSize           = 13
)

const style = `<style>
text { font: 13px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.page { fill: #ffffff } .title { font-weight: 600 } .small { fill: #59636e }
.usual { fill: #9a6b4f } .ours { fill: #1f6feb } .floor { fill: #8c959f }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .page { fill: #0d1117 } .small { fill: #9198a1 }
.usual { fill: #b98a6e } .ours { fill: #4493f8 } .floor { fill: #6e7681 }
}
</style>
`

// A label is a text in the chart, with the width available to it.
type label struct {
	x, y, space int
	class, text string
}

// chart returns an SVG with horizontal bars. In each group the usual way has full length,
// and the others are in proportion.
func (m measurements) chart() (string, error) {
	labels, shapes, err := m.layOut()
	return svg(labels, shapes), err
}

func (m measurements) layOut() ([]label, string, error) {
	labels := []label{{16, 28, width - 32, "title", "CPU time of one admission review; the usual way is 100 %"}}
	x := 16
	var shapes strings.Builder
	for _, b := range bars {
		fmt.Fprintf(&shapes, "<rect class=\"%s\" x=\"%d\" y=\"46\" width=\"12\" height=\"12\"/>\n", b.class, x)
		space := textWidth(b.label)
		labels = append(labels, label{x + 18, 57, space, "small", b.label})
		x += 18 + space + 14
	}
	var errs []error
	for i, w := range chartWorkloads {
		y := top + i*groupHeight
		labels = append(labels, label{16, y + 16, left - 24, "", w.requests()}, label{16, y + 34, left - 24, "small", w.size()})
		usual, err := m.median(w, "usual")
		errs = append(errs, err)
		for j, b := range bars {
			value := 1.0
			if b.unit != "" {
				value, err = m.median(w, b.unit)
				errs = append(errs, err)
			}
			barY, length := y+j*(barHeight+2), value/usual*(width-left-right)
			fmt.Fprintf(&shapes, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>\n", b.class, left, barY, length, barHeight)
			labels = append(labels, label{left + int(length) + 6, barY + 12, right - 12, "small", figure(100*value/usual) + " %"})
		}
	}
	return labels, shapes.String(), errors.Join(errs...)
}

func svg(labels []label, shapes string) string {
	height := top + len(chartWorkloads)*groupHeight
	var b strings.Builder
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n%s", width, height, width, height, style)
	fmt.Fprintf(&b, "<rect class=\"page\" width=\"%d\" height=\"%d\" rx=\"6\"/>\n%s", width, height, shapes)
	for _, l := range labels {
		fmt.Fprintf(&b, "<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>\n", l.class, l.x, l.y, html.EscapeString(l.text))
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// textWidth returns a text's approximate width in a wide font.
func textWidth(text string) int { return len(text) * fontSize * 56 / 100 }
