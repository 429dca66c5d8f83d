//go:build unix

package injector_test

import (
	"encoding/json"
	"slices"
	"syscall"
	"testing"
	"time"
)

// A contender does what a review does, or what it is compared with.
type contender struct {
	name string
	call func()
}

func contenders(b *testing.B, w workload) []contender {
	must := func(ok bool) {
		if !ok {
			b.Fatal("failed")
		}
	}
	all := []contender{
		{"review", func() { must(w.in.Review(ctx, w.ask).Allowed) }},
		{"valid", func() { must(json.Valid(w.ask.Object.Raw)) }},
	}
	if len(w.reqs) == 0 {
		return all
	}
	again := creation(patched(b, w))
	return append(all,
		contender{"again", func() { must(w.in.Review(ctx, again).Patch == nil) }},
		contender{"by-diff", func() { _, err := reviewByDiff(w.in, w.ask); must(err == nil) }},
		contender{"usual", func() { _, err := w.usual(); must(err == nil) }},
	)
}

// BenchmarkCompare measures reviews beside what they are compared with, in turns
// of some milliseconds: what else the machine does concerns all of them. An
// iteration is one turn of each. It reports the median of each turn's CPU time
// divided by that of the review's turn: "valid" 0.5 is a review that takes twice
// as long as json.Valid.
func BenchmarkCompare(b *testing.B) {
	const turn = 2 * time.Millisecond
	for _, r := range reviewBudgets {
		b.Run(r.String(), func(b *testing.B) {
			w := namedWorkload(b, r.pod, r.store, r.secrets)
			all := contenders(b, w)
			calls, ratios := make([]int, len(all)), make([][]float64, len(all))
			for i, c := range all {
				c.call()
				calls[i] = 1 + int(turn/max(1, timeOf(c.call, 5)))
			}
			for b.Loop() {
				review := timeOf(all[0].call, calls[0])
				for i, c := range all {
					ratios[i] = append(ratios[i], float64(timeOf(c.call, calls[i]))/float64(review))
				}
			}
			for i, c := range all[1:] {
				b.ReportMetric(median(ratios[i+1]), c.name)
			}
			b.ReportMetric(testing.AllocsPerRun(100, all[0].call), "allocs")
		})
	}
}

// timeOf returns the CPU time of one call, in the mean of n.
func timeOf(call func(), n int) time.Duration {
	start := cpuTime()
	for range n {
		call()
	}
	return (cpuTime() - start) / time.Duration(n)
}

// cpuTime is what the process has used, the garbage collector with it.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
