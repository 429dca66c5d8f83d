package e2e

import (
	"bytes"
	"context"
	"encoding/json"
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
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/secret"
)

var performance = flag.String("performance", "", "the `file` to which BenchmarkCluster writes its table")

// Each round measures all variants in turn, so that other load on the machine
// affects all alike.
const (
	rounds     = 15
	sequential = 60  // Pods per round by one client, for the latency
	concurrent = 240 // Pods per round by several clients, for the rate
	clients    = 8
)

// variant is a row of the comparison: a namespace, the webhook that is called in it,
// and the Pod that is created.
type variant struct {
	name       string
	hook       *admissionregistrationv1.WebhookClientConfig // nil: none
	conditions []admissionregistrationv1.MatchCondition
	pid        int // of the webhook's process
	ns         string
	pod        *corev1.Pod

	latency []time.Duration // of sequential Pods
	rate    []float64       // Pods per second in each round, with several clients
	cpu     time.Duration   // of the webhook's process
	pods    int
}

// The baselines.
const (
	withoutHook = "without a webhook"
	readyMade   = "the same patch, ready made"
)

// BenchmarkCluster measures how much longer the creation of a Pod takes with the
// webhook, and compares it with webhooks that do less.
func BenchmarkCluster(b *testing.B) {
	pod := newPod(b, variable, file, secret.Request{Group: "shared", Key: "token"})
	for i := range 15 { // the patch then adds to an existing list
		c := &pod.Spec.Containers[0]
		c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprintf("SETTING_%d", i), Value: fmt.Sprintf("value-%d", i)})
	}
	variants := newVariants(b, pod)
	for range b.N {
		measureRound(b, variants) // warms up
		for _, v := range variants {
			v.latency, v.rate, v.pods, v.cpu = nil, nil, 0, -v.cpuOf(b)
		}
		for range rounds {
			measureRound(b, variants)
		}
		for _, v := range variants {
			v.cpu += v.cpuOf(b)
		}
	}
	table := tabulate(variants)
	b.Log("\n" + table)
	if *performance != "" {
		require.NoError(b, writeBetweenMarkers(*performance, "bench-cluster", table))
	}
}

func newVariants(b *testing.B, pod *corev1.Pod) []*variant {
	hook.Use(hook.Replicas[0])
	hook.ProbeEvery(10 * time.Second) // the kubelet's default period
	deployed := withdraw(b)
	without, ours := &variant{name: withoutHook}, &variant{name: "podsecrets", hook: &deployed.ClientConfig, pid: hook.Replicas[0].Pid()}
	filtered := &variant{name: "podsecrets, for a Pod without requests", hook: ours.hook, conditions: deployed.MatchConditions}
	nothing, ready, short := &variant{name: "one that does nothing"}, &variant{name: readyMade}, &variant{name: "a patch of fewer operations, ready made"}
	variants := []*variant{without, filtered, nothing, ready, short, ours}
	for _, v := range variants {
		ns, err := server.NewNamespace(context.Background(), restricted)
		require.NoError(b, err)
		v.ns, v.pod = ns, pod
	}
	require.NotEmpty(b, filtered.conditions)
	filtered.pod = pod.DeepCopy()
	filtered.pod.Annotations = nil
	// The API server sees the change with a delay.
	var plain *corev1.Pod
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		var err error
		plain, err = client.CoreV1().Pods(without.ns).Create(context.Background(), pod, metav1.CreateOptions{})
		if err == nil && len(plain.Spec.Containers[0].Env) == len(pod.Spec.Containers[0].Env) {
			break
		}
		require.False(b, time.Now().After(deadline), "called after 20 s: %v", err)
	}
	patch := patchOf(b, plain)
	registerAll(b, "bench-ours", ours, filtered)
	result := injectedIn(b, ours.ns, pod)
	start := readyMadeWebhook(b)
	start(nothing, json.RawMessage("null"))
	start(ready, patch)
	start(short, fewer(b, patch, result))
	registerAll(b, "bench-ready-made", nothing, ready, short)
	for _, v := range []*variant{ready, short} {
		got := injectedIn(b, v.ns, pod)
		require.Equal(b, result.Spec.Containers[0].Env, got.Spec.Containers[0].Env, v.name)
		require.Len(b, got.Spec.Volumes, len(result.Spec.Volumes), v.name)
	}
	return variants
}

func measureRound(b *testing.B, variants []*variant) {
	for range sequential {
		for _, v := range variants {
			start := time.Now()
			v.create(b)
			v.latency = append(v.latency, time.Since(start))
		}
	}
	for _, v := range variants {
		start := time.Now()
		var all sync.WaitGroup
		for range clients {
			all.Go(func() {
				for range concurrent / clients {
					v.create(b)
				}
			})
		}
		all.Wait()
		v.rate = append(v.rate, concurrent/time.Since(start).Seconds())
		v.pods += sequential + concurrent
	}
}

func (v *variant) create(b *testing.B) {
	if _, err := client.CoreV1().Pods(v.ns).Create(context.Background(), v.pod, metav1.CreateOptions{}); err != nil {
		b.Error(err)
	}
}

func tabulate(variants []*variant) string {
	var text bytes.Buffer
	fmt.Fprintf(&text, "API server, etcd, clients and webhooks ran on one machine (%s/%s, %d CPUs, %s). Each Pod has 15 variables and requests three secrets.\n",
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	fmt.Fprintf(&text, "Latency is of %d Pods created one at a time, in turn with the other rows'. The rate is the median of %d rounds with %d clients.\n\n", rounds*sequential, rounds, clients)
	fmt.Fprintln(&text, "| Webhook | p50 | p99 | p50, times without | p50, times ready made | Pods per second | CPU seconds of the webhook per 1,000 Pods |")
	fmt.Fprintln(&text, "|---|---|---|---|---|---|---|")
	base := map[string]time.Duration{}
	for _, v := range variants {
		base[v.name] = quantile(v.latency, 0.5)
	}
	for _, v := range variants {
		p50, cpu := base[v.name], ""
		if v.pid != 0 {
			cpu = fmt.Sprintf("%.2f", v.cpu.Seconds()/float64(v.pods)*1000)
		}
		fmt.Fprintf(&text, "| %s | %.1f ms | %.1f ms | %.2f | %.2f | %.0f | %s |\n", v.name, p50.Seconds()*1e3, quantile(v.latency, 0.99).Seconds()*1e3,
			p50.Seconds()/base[withoutHook].Seconds(), p50.Seconds()/base[readyMade].Seconds(), quantile(v.rate, 0.5), cpu)
	}
	return text.String()
}

// quantile returns the smallest value that at least the share q does not exceed.
func quantile[T time.Duration | float64](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(math.Ceil(q*float64(len(sorted))))-1]
}

// writeBetweenMarkers replaces the text between <!-- name --> and <!-- /name --> in
// a Markdown file.
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
