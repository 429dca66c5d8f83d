package deployed

import (
	"io"
	"net"
	"slices"
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
	period   atomic.Int64 // nanoseconds between probes
	done     chan struct{}
	polls    sync.WaitGroup

	mu    sync.Mutex
	joins map[net.Conn]*Replica
}

// probePeriod is the time between readiness probes, unless ProbeEvery changes it.
const probePeriod = 50 * time.Millisecond

func newBalancer() (*balancer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &balancer{listener: listener, done: make(chan struct{}), joins: map[net.Conn]*Replica{}}
	b.replicas.Store(new([]*Replica))
	b.ready.Store(new([]*Replica))
	b.period.Store(int64(probePeriod))
	b.polls.Go(b.poll)
	go b.accept()
	return b, nil
}

func (b *balancer) port() int { return b.listener.Addr().(*net.TCPAddr).Port }

// use chooses among these replicas from now on, and closes the connections to
// others.
func (b *balancer) use(replicas []*Replica) {
	b.replicas.Store(&replicas)
	b.probe()
	b.mu.Lock()
	defer b.mu.Unlock()
	for conn, r := range b.joins {
		if !slices.Contains(replicas, r) {
			conn.Close()
		}
	}
}

func (b *balancer) close() {
	close(b.done)
	b.listener.Close()
	b.polls.Wait()
}

// probe asks the readiness probes.
func (b *balancer) probe() {
	var ready []*Replica
	for _, r := range *b.replicas.Load() {
		if r.Ready() {
			ready = append(ready, r)
		}
	}
	b.ready.Store(&ready)
}

func (b *balancer) poll() {
	for {
		b.probe()
		select {
		case <-b.done:
			return
		case <-time.After(time.Duration(b.period.Load())):
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
		go b.join(client, ready[turn%len(ready)])
	}
}

// join copies both ways until one side has ended.
func (b *balancer) join(client net.Conn, r *Replica) {
	b.note(client, r)
	defer b.note(client, nil)
	defer client.Close()
	server, err := net.Dial("tcp", r.listens("webhook"))
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

// note remembers to which replica a connection leads, or forgets it.
func (b *balancer) note(client net.Conn, r *Replica) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r == nil {
		delete(b.joins, client)
		return
	}
	b.joins[client] = r
}
