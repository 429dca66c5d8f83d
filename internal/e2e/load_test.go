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

// load is several clients that create Pods in a loop, and remember what they
// were told.
type load struct {
	ns   string
	stop context.CancelFunc
	done sync.WaitGroup

	mu    sync.Mutex
	phase string
	told  []told
}

// told is what the client of a Pod was told of its creation.
type told struct {
	began, ended string // the phases in which it began and ended
	pod          string
	err          error
}

// startLoad starts clients, each with connections of its own, that create Pods
// like this one.
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
	// Not ended with the load: what is told of the last Pods counts too.
	_, err := c.CoreV1().Pods(l.ns).Create(context.WithoutCancel(ctx), pod, metav1.CreateOptions{})
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = append(l.told, told{began, l.phase, name, err})
}

// begin begins a phase: a name for what happens meanwhile.
func (l *load) begin(phase string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phase = phase
}

// count returns how many Pods have been created in the phase so far, and how
// many creations have failed.
func (l *load) count(phase string) (created, failed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, t := range l.told {
		switch {
		case t.began != phase:
		case t.err == nil:
			created++
		default:
			failed++
		}
	}
	return created, failed
}

// end ends the load and returns what the clients were told.
func (l *load) end() []told {
	l.stop()
	l.done.Wait()
	return l.told
}
