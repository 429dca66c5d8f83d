package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// load is several clients that create Pods in a loop and record the results.
type load struct {
	ns   string
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	phase   string
	results []creation
}

// creation is the result of creating a Pod, as its client got it.
type creation struct {
	began, ended string // the phases in which it began and ended
	pod          string
	err          error
}

// startLoad starts clients that create copies of the Pod, each with its own
// connections.
func startLoad(t *testing.T, ns string, clients int, pod *corev1.Pod) *load {
	ctx, stop := context.WithCancel(context.Background())
	l := &load{ns: ns, stop: stop}
	t.Cleanup(func() { stop(); l.done.Wait() })
	for i := range clients {
		c, err := kubernetes.NewForConfig(rest.CopyConfig(server.Config))
		require.NoError(t, err)
		l.done.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				l.create(ctx, c, fmt.Sprintf("load-%d-%d", i, n), pod)
			}
		})
	}
	return l
}

func (l *load) create(ctx context.Context, c *kubernetes.Clientset, name string, pod *corev1.Pod) {
	pod = pod.DeepCopy()
	pod.Name, pod.GenerateName = name, ""
	l.mu.Lock()
	began := l.phase
	l.mu.Unlock()
	// Not canceled with the load: the last creations count too.
	_, err := c.CoreV1().Pods(l.ns).Create(context.WithoutCancel(ctx), pod, metav1.CreateOptions{})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.results = append(l.results, creation{began, l.phase, name, err})
}

// begin begins a phase.
func (l *load) begin(phase string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phase = phase
}

// count returns how many creations that began in the phase succeeded and failed.
func (l *load) count(phase string) (created, failed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, r := range l.results {
		switch {
		case r.began != phase:
		case r.err == nil:
			created++
		default:
			failed++
		}
	}
	return created, failed
}

// end ends the load and returns the results.
func (l *load) end() []creation {
	l.stop()
	l.done.Wait()
	return l.results
}
