package injector_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// A reviewBudget is a row of docs/performance.md: a workload, and how many
// allocations a review of it may make.
type reviewBudget struct {
	pod, store string
	secrets    int // 0: the Pod asks for nothing
	allocs     float64
}

var reviewBudgets = []reviewBudget{
	{"1x15", "k8s", 3, 90},
	{"1x15", "k8s-file", 3, 135},
	{"1x15", "vault", 3, 150},
	{"1x15", "aws", 3, 165},
	{"10x50", "k8s", 3, 175},
	{"10x50", "k8s-file", 3, 245},
	{"10x50", "vault", 3, 245},
	{"10x50", "aws", 3, 245},
	{"1x15", "k8s", 100, 1050},
	{"1x15", "k8s-file", 100, 1950},
	{"1x15", "vault", 100, 2200},
	{"1x15", "fetched", 100, 1300},
	{"1x15", "k8s", 0, 20},
	{"10x50", "k8s", 0, 20},
}

func (r reviewBudget) String() string {
	return fmt.Sprintf("pod=%s/store=%s/secrets=%d", r.pod, r.store, r.secrets)
}

func patched(t testing.TB, w workload) []byte {
	return applyPatch(t, w.in.Review(ctx, w.ask).Patch, w.ask.Object.Raw)
}

// A growth makes a workload of n of something.
var growths = []struct {
	of   string
	make func(t testing.TB, n int) workload
}{
	{"secrets", func(t testing.TB, n int) workload { return newWorkload(t, benchPod(sizes[0]), stores(t)[0], n) }},
	{"files", func(t testing.TB, n int) workload { return newWorkload(t, benchPod(sizes[0]), stores(t)[1], n) }},
	// Annotations have room for no more than some hundred secrets.
	{"vault", func(t testing.TB, n int) workload {
		return newWorkload(t, benchPod(sizes[0]), stores(t)[2], max(1, n/10))
	}},
	{"fetchers", func(t testing.TB, n int) workload { return newWorkload(t, benchPod(sizes[0]), stores(t)[3], n) }},
	{"keys", func(t testing.TB, n int) workload {
		s := store{manager: k8s(t), request: func(i int) secret.Request {
			return secret.Request{Group: "group", Key: fmt.Sprintf("key-%d", i), Mount: mount.File}
		}}
		return newWorkload(t, benchPod(sizes[0]), s, n)
	}},
	{"named containers", func(t testing.TB, n int) workload {
		s := store{manager: k8s(t), request: func(i int) secret.Request {
			return secret.Request{Group: "group", Key: "token", Mount: mount.File, Container: fmt.Sprintf("task-%d", i)}
		}}
		return newWorkload(t, benchPod(size{containers: n, variables: 1}), s, n)
	}},
	{"variables of a fetcher", func(t testing.TB, n int) workload {
		s := store{manager: sharing, request: func(i int) secret.Request {
			return secret.Request{Group: "store", Key: fmt.Sprintf("key-%d", i), Mount: mount.EnvVar}
		}}
		return newWorkload(t, benchPod(sizes[0]), s, n)
	}},
	{"Secrets in one directory", func(t testing.TB, n int) workload {
		s := store{manager: k8s(t), request: func(i int) secret.Request {
			return secret.Request{Group: fmt.Sprintf("group-%d", i), Key: "token", Path: fmt.Sprintf("all/%d", i)}
		}}
		return newWorkload(t, benchPod(sizes[0]), s, n)
	}},
	{"containers", func(t testing.TB, n int) workload {
		return newWorkload(t, benchPod(size{containers: n, variables: 1}), stores(t)[0], 3)
	}},
	{"variables", func(t testing.TB, n int) workload {
		return newWorkload(t, benchPod(size{containers: 1, variables: n}), stores(t)[0], 3)
	}},
}

// BenchmarkGrowth reports what one more of something costs, which must not
// depend on how many there are: to patch a Pod, and one that is injected already.
// Annotations have no room for thousands of requests, so the Pod is typed.
func BenchmarkGrowth(b *testing.B) {
	for _, g := range growths {
		for _, n := range []int{10, 100, 1000, 4000} {
			w := g.make(b, n)
			injected, err := w.in.Inject(ctx, w.pod, w.reqs...)
			require.NoError(b, err)
			for _, call := range []struct {
				name string
				pod  *corev1.Pod
			}{{"first", w.pod}, {"again", injected}} {
				b.Run(fmt.Sprintf("of=%s/call=%s/n=%d", g.of, call.name, n), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						if _, err := w.in.Patch(ctx, call.pod, w.reqs...); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/element")
				})
			}
		}
	}
}
