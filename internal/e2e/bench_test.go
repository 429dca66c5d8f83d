package e2e

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/secret"
)

var readme = flag.String("readme", "", "the `file` into which BenchmarkCluster writes its table")

// A run has rounds, and each measures everything, so that what else the machine
// does falls on all alike.
const (
	rounds      = 15
	oneByOne    = 60  // Pods of a round by one client, whose latency is measured
	atOnce      = 240 // Pods of a round by several clients
	clients     = 8
	withoutHook = "without the webhook"
)

// variants are what is compared.
var variants = []struct {
	name     string
	replicas int
}{{withoutHook, 0}, {"one replica", 1}, {"two replicas", 2}}

// measured is what was measured of a variant.
type measured struct {
	latency []time.Duration // of Pods one by one
	rate    []float64       // Pods per second of the rounds, several clients at once
}

// BenchmarkCluster measures what the webhook adds to the creation of a Pod in
// the API server. The Pods are the same, but without the webhook they lack the
// label that it selects.
func BenchmarkCluster(b *testing.B) {
	ns, err := server.NewNamespace(context.Background(), restricted)
	require.NoError(b, err)
	injected := newPod(b, variable, file, secret.Request{Group: "shared", Key: "token"})
	plain := injected.DeepCopy()
	delete(plain.Labels, secret.InjectLabel)
	results := map[string]*measured{}
	for range b.N {
		for round := range rounds + 1 {
			for _, v := range variants {
				pod := injected
				if v.replicas == 0 {
					pod = plain
				}
				hook.Use(hook.Replicas[:max(v.replicas, 1)]...)
				latency, rate := measure(b, ns, pod)
				if round == 0 {
					results[v.name] = &measured{} // the first warms up
					continue
				}
				m := results[v.name]
				m.latency, m.rate = append(m.latency, latency...), append(m.rate, rate)
			}
		}
	}
	hook.Use(hook.Replicas...)
	table := tabulate(results)
	b.Log("\n" + table)
	if *readme != "" {
		require.NoError(b, writeBetweenMarkers(*readme, "bench-cluster", table))
	}
}

func measure(b *testing.B, ns string, pod *corev1.Pod) (latency []time.Duration, rate float64) {
	for range oneByOne {
		start := time.Now()
		createFast(b, ns, pod)
		latency = append(latency, time.Since(start))
	}
	start := time.Now()
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for range atOnce / clients {
				createFast(b, ns, pod)
			}
		})
	}
	all.Wait()
	return latency, atOnce / time.Since(start).Seconds()
}

func createFast(b *testing.B, ns string, pod *corev1.Pod) {
	if _, err := client.CoreV1().Pods(ns).Create(context.Background(), pod, metav1.CreateOptions{}); err != nil {
		b.Error(err)
	}
}

func tabulate(results map[string]*measured) string {
	var text bytes.Buffer
	fmt.Fprintf(&text, "`make bench-cluster`, with API server, etcd, clients, replicas and a balancer before them on one machine (%s/%s, %d CPUs, %s).\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	fmt.Fprintf(&text, "Each Pod asks for three secrets. Latency is that of %d Pods, one after the other; the rate is the median of %d rounds with %d clients.\n\n", rounds*oneByOne, rounds, clients)
	fmt.Fprintln(&text, "| | p50 | p99 | p50, as a ratio | Pods per second | as a ratio |")
	fmt.Fprintln(&text, "|---|---|---|---|---|---|")
	base := results[withoutHook]
	for _, v := range variants {
		m := results[v.name]
		p50, p99, rate := quantile(m.latency, 0.5), quantile(m.latency, 0.99), quantile(m.rate, 0.5)
		fmt.Fprintf(&text, "| %s | %.1f ms | %.1f ms | %.2f | %.0f | %.2f |\n", v.name, p50.Seconds()*1e3, p99.Seconds()*1e3,
			p50.Seconds()/quantile(base.latency, 0.5).Seconds(), rate, rate/quantile(base.rate, 0.5))
	}
	return text.String()
}

// quantile returns the value of which the share q is not greater.
func quantile[T time.Duration | float64](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(math.Ceil(q*float64(len(sorted))))-1]
}

// writeBetweenMarkers replaces what a Markdown file has between <!-- name --> and
// <!-- /name -->.
func writeBetweenMarkers(file, name, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	begin, end := fmt.Sprintf("<!-- %s -->\n", name), fmt.Sprintf("<!-- /%s -->", name)
	before, rest, ok := bytes.Cut(old, []byte(begin))
	_, after, ended := bytes.Cut(rest, []byte(end))
	if !ok || !ended {
		return fmt.Errorf("%s has no markers for %s", file, name)
	}
	return os.WriteFile(file, slices.Concat(before, []byte(begin), []byte(text), []byte(end), after), 0o644)
}
