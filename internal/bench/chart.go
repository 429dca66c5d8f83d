package main

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// The bars of each group, from the floor up.
var bars = []struct {
	benchmark, label string
	color            color.Color
}{
	{"Valid", "json.Valid, the floor", color.RGBA{0xb0, 0xb8, 0xc4, 0xff}},
	{"Review", "Review", color.RGBA{0x2f, 0x6f, 0xde, 0xff}},
	{"ReviewByDiff", "decode, inject, marshal, diff", color.RGBA{0xe0, 0x7b, 0x39, 0xff}},
}

// fromMin lets bars, which begin at 0, begin at the axis: 0 has no logarithm.
type fromMin struct{ plot.Normalizer }

func (f fromMin) Normalize(least, most, x float64) float64 {
	return f.Normalizer.Normalize(least, most, max(x, least))
}

// draw writes a chart of the times of all workloads, on a logarithmic scale.
func (m measured) draw(file string) error {
	p := plot.New()
	p.Title.Text = "One admission review, in microseconds"
	p.Y.Scale, p.Y.Tick.Marker = fromMin{plot.LogScale{}}, plot.LogTicks{Prec: -1}
	p.Y.Label.Text = "µs (logarithmic)"
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())

	const width = 22
	var titles []string
	for _, w := range workloads {
		titles = append(titles, w.title())
	}
	for i, bar := range bars {
		var times plotter.Values
		for _, w := range workloads {
			seconds, err := m.least(bar.benchmark+w.name(), "sec/op")
			if err != nil {
				return err
			}
			times = append(times, seconds*1e6)
		}
		chart, err := plotter.NewBarChart(times, vg.Points(width))
		if err != nil {
			return err
		}
		chart.Color, chart.LineStyle.Width = bar.color, 0
		chart.Offset = vg.Points(width * float64(i-1))
		p.Add(chart)
		p.Legend.Add(bar.label, chart)
	}
	p.NominalX(titles...)
	p.Y.Min, p.Y.Max = 1, p.Y.Max*4 // room for the legend
	return p.Save(10*vg.Inch, 4*vg.Inch, file)
}
