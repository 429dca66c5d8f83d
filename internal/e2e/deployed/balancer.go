package deployed

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// balancer stands for kube-proxy and the endpoints of a Service: it gives each
// new connection to one of the replicas that were ready when last asked, in
// turn. A connection stays where it is.
type balancer struct {
	listener net.Listener
	replicas atomic.Pointer[[]*Replica]
	ready    atomic.Pointer[[]*Replica]
	done     chan struct{}
	polls    sync.WaitGroup
}

// probePeriod is how often the readiness probes are asked.
const probePeriod = 50 * time.Millisecond

func newBalancer() (*balancer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &balancer{listener: listener, done: make(chan struct{})}
	b.replicas.Store(new([]*Replica))
	b.ready.Store(new([]*Replica))
	b.polls.Go(b.poll)
	go b.accept()
	return b, nil
}

func (b *balancer) port() int { return b.listener.Addr().(*net.TCPAddr).Port }

func (b *balancer) use(replicas []*Replica) { b.replicas.Store(&replicas) }

func (b *balancer) close() {
	close(b.done)
	b.listener.Close()
	b.polls.Wait()
}

func (b *balancer) poll() {
	for {
		var ready []*Replica
		for _, r := range *b.replicas.Load() {
			if r.Ready() {
				ready = append(ready, r)
			}
		}
		b.ready.Store(&ready)
		select {
		case <-b.done:
			return
		case <-time.After(probePeriod):
		}
	}
}

func (b *balancer) accept() {
	for turn := 0; ; turn++ {
		client, err := b.listener.Accept()
		if err != nil {
			return // closed
		}
		ready := *b.ready.Load()
		if len(ready) == 0 {
			client.Close()
			continue
		}
		go join(client, ready[turn%len(ready)].listens("webhook"))
	}
}

// join copies both ways until one side has ended.
func join(client net.Conn, address string) {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	ended := make(chan struct{}, 2)
	for _, ends := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			_, _ = io.Copy(ends[0], ends[1])
			ended <- struct{}{}
		}()
	}
	<-ended
}
