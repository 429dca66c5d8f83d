package deployed

import (
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// balancer models kube-proxy and the endpoints of a Service. It assigns each new
// connection to a ready replica, in turn.
type balancer struct {
	listener net.Listener
	replicas atomic.Pointer[[]*Replica]
	ready    atomic.Pointer[[]*Replica]
	period   atomic.Int64 // nanoseconds between probes
	done     chan struct{}
	polls    sync.WaitGroup

	mu       sync.Mutex
	assigned map[net.Conn]*Replica // open connections of clients
}

// probePeriod is the time between readiness probes, unless ProbeEvery changes it.
const probePeriod = 50 * time.Millisecond

func newBalancer() (*balancer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	b := &balancer{listener: listener, done: make(chan struct{}), assigned: map[net.Conn]*Replica{}}
	b.replicas.Store(new([]*Replica))
	b.ready.Store(new([]*Replica))
	b.period.Store(int64(probePeriod))
	b.polls.Go(b.poll)
	go b.accept()
	return b, nil
}

func (b *balancer) port() int { return b.listener.Addr().(*net.TCPAddr).Port }

// use sets the replicas, and closes the connections to others.
func (b *balancer) use(replicas []*Replica) {
	b.replicas.Store(&replicas)
	b.probe()
	b.mu.Lock()
	defer b.mu.Unlock()
	for conn, r := range b.assigned {
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

// probe runs the readiness probes.
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
		go b.forward(client, ready[turn%len(ready)])
	}
}

func (b *balancer) forward(client net.Conn, r *Replica) {
	b.assign(client, r)
	defer b.assign(client, nil)
	forward(client, r.addressOf("webhook"))
}

// Forward listens on a free port and forwards connections to address, as the balancer
// does. Close the listener to stop it.
func Forward(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed
			}
			go forward(client, address)
		}
	}()
	return listener, nil
}

// forward copies in both directions until one side closes.
func forward(client net.Conn, address string) {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	closed := make(chan struct{}, 2)
	for _, ends := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			_, _ = io.Copy(ends[0], ends[1])
			closed <- struct{}{}
		}()
	}
	<-closed
}

// assign records the replica of a connection, or removes the record if it is nil.
func (b *balancer) assign(client net.Conn, r *Replica) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r == nil {
		delete(b.assigned, client)
		return
	}
	b.assigned[client] = r
}
