//go:build !race && go1.26

// The race detector makes sync.Pool forget, and so encoding/json allocate; older
// compilers put more on the heap.
// `make test` runs this file by itself.

package injector_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Allocations of one review. They do not depend on the machine, so a regression
// fails here.
func TestBudget(t *testing.T) {
	for _, r := range reviewBudgets {
		t.Run(r.String(), func(t *testing.T) {
			w := namedWorkload(t, r.pod, r.store, r.secrets)
			assert.LessOrEqual(t, allocs(func() { w.in.Review(ctx, w.ask) }), r.allocs)
		})
	}
}

// allocs counts the allocations of a call, in the mean of many.
func allocs(call func()) float64 { return testing.AllocsPerRun(100, call) }

// meanAllocated counts the bytes that a call allocates, in the mean of some.
func meanAllocated(call func()) float64 {
	const runs = 10
	call() // fills pools and caches
	return float64(allocated(func() {
		for range runs {
			call()
		}
	})) / runs
}

func TestBudget_LargePod(t *testing.T) {
	w := namedWorkload(t, "10x50", "k8s", 3)
	review := meanAllocated(func() { w.in.Review(ctx, w.ask) })
	byDiff := meanAllocated(func() { _, err := reviewByDiff(w.in, w.ask); require.NoError(t, err) })
	assert.Less(t, review*20, byDiff)
}

// Reviewing an injected Pod allocates about as much as the first review: there
// is no patch to write, but more of the Pod to read.
func TestBudget_Reinjection(t *testing.T) {
	for _, s := range stores(t) {
		for _, size := range sizes {
			t.Run(s.name+"/"+size.name, func(t *testing.T) {
				w := newWorkload(t, benchPod(size), s, 10)
				first := meanAllocated(func() { w.in.Review(ctx, w.ask) })
				w.ask = creation(patched(t, w))
				again := meanAllocated(func() { w.in.Review(ctx, w.ask) })
				assert.LessOrEqual(t, again, first*1.25)
			})
		}
	}
}

// The patch of a typed Pod costs the same, whatever the Pod has apart from
// volumes and containers' variables and mounts.
func TestBudget_Patch(t *testing.T) {
	small := namedWorkload(t, "4x30", "k8s", 3)
	large := small
	large.pod = small.pod.DeepCopy()
	for i := range large.pod.Spec.Containers {
		c := &large.pod.Spec.Containers[i]
		c.Args = append(c.Args, strings.Split(strings.Repeat("an argument,", 1000), ",")...)
	}
	for i := range 1000 {
		large.pod.Labels[fmt.Sprint("label-", i)] = "value"
		large.pod.Annotations[fmt.Sprint("annotation-", i)] = "value"
	}
	patch := func(w workload) func() {
		return func() { _, err := w.in.Patch(ctx, w.pod, w.reqs...); require.NoError(t, err) }
	}
	assert.InDelta(t, allocs(patch(small)), allocs(patch(large)), 0)
}

// Ten times as much input takes about ten times as much memory, far from a
// hundred times. (BenchmarkGrowth measures time.)
func TestBudget_Linear(t *testing.T) {
	for _, g := range growths {
		t.Run(g.of, func(t *testing.T) {
			few, many := g.make(t, 100), g.make(t, 1000)
			check := func(call string, bytes func(w workload) float64) {
				assert.Less(t, bytes(many), 14*bytes(few), call)
			}
			check("review", func(w workload) float64 {
				return meanAllocated(func() { require.True(t, w.in.Review(ctx, w.ask).Allowed) })
			})
			check("patch", patchBytes(t))
			few.pod, many.pod = inject(t, few.in, few.pod, few.reqs...), inject(t, many.in, many.pod, many.reqs...)
			check("patch again", patchBytes(t))
		})
	}
}

func patchBytes(t *testing.T) func(w workload) float64 {
	return func(w workload) float64 {
		return meanAllocated(func() { _, err := w.in.Patch(ctx, w.pod, w.reqs...); require.NoError(t, err) })
	}
}
