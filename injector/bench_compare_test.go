//go:build unix

package injector_test

import (
	"encoding/json"
	"runtime"
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

// BenchmarkCompare measures reviews beside what they are compared with, in
// alternating turns, so that other load on the machine affects all alike. It reports
// the median of each contender's CPU time divided by the review's: "valid" 0.5 is a
// review that takes twice as long as json.Valid.
//
// Turns are long, so that each pays for the collection of its own garbage.
// "valid-alone" comes from turns that are too short for a collection.
func BenchmarkCompare(b *testing.B) {
	const long, short, shortTurns = 50 * time.Millisecond, time.Millisecond, 5
	for _, r := range reviewBudgets {
		b.Run(r.String(), func(b *testing.B) {
			w := namedWorkload(b, r.pod, r.store, r.secrets)
			all := contenders(b, w)
			each := make([]time.Duration, len(all))
			for i, c := range all {
				c.call()
				each[i] = max(1, timeOf(c.call, 5))
			}
			ratios := make(map[string][]float64)
			compare := func(unit string, turn, review time.Duration, i int) {
				took := timeOf(all[i].call, 1+int(turn/each[i]))
				ratios[unit] = append(ratios[unit], float64(took)/float64(review))
			}
			for b.Loop() {
				review := timeOf(all[0].call, 1+int(long/each[0]))
				for i := range all[1:] {
					compare(all[i+1].name, long, review, i+1)
				}
				for range shortTurns {
					review := timeOf(all[0].call, 1+int(short/each[0]))
					compare("valid-alone", short, review, 1)
				}
			}
			for unit, values := range ratios {
				b.ReportMetric(median(values), unit)
			}
			b.ReportMetric(testing.AllocsPerRun(100, all[0].call), "allocs")
		})
	}
}

// timeOf returns the mean CPU time of n calls. It collects older garbage first.
func timeOf(call func(), n int) time.Duration {
	runtime.GC()
	start := cpuTime()
	for range n {
		call()
	}
	return (cpuTime() - start) / time.Duration(n)
}

// cpuTime returns the process's CPU time, including the garbage collector's.
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
