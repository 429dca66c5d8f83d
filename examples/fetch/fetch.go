package main

import (
	"context"
	"fmt"
	"sync"
)

// ref identifies a value in a store. Version "" means the current one.
type ref struct{ id, version string }

// store is a client of one store. Its errors are failures.
type store interface {
	// check returns why a reference is invalid, without asking the store.
	check(r ref) error
	// login gets credentials, and settings that the references lack.
	login(ctx context.Context) error
	get(ctx context.Context, r ref) ([]byte, error)
}

func newStore(s settings, dial dialer) store {
	switch s.store {
	case aws:
		return newAWS(s, dial)
	case gcp:
		return newGCP(s, dial)
	default:
		return newAzure(s, dial)
	}
}

// fetch fetches and writes all items or none. It returns the problems in the items' order.
func fetch(ctx context.Context, s settings, dial dialer) []problem {
	st := newStore(s, dial)
	var problems []problem
	for _, it := range s.items {
		if err := st.check(it.ref()); err != nil {
			problems = append(problems, problem{it.variable, failure{outcome: badRequest, detail: err.Error()}})
		}
	}
	if problems != nil {
		return problems
	}
	values, failures := fetchValues(ctx, s, st)
	var files []file
	for _, it := range s.items {
		f := failures[it.ref()]
		if f == nil {
			var content []byte
			var err error
			content, err = it.content(values[it.ref()])
			f = asFailure(err)
			files = append(files, file{it, content})
		}
		if f != nil {
			problems = append(problems, problem{it.String(), *f})
		}
	}
	if problems != nil {
		return problems
	}
	return write(s, files)
}

// fetchValues fetches each value once.
func fetchValues(ctx context.Context, s settings, st store) (map[ref][]byte, map[ref]*failure) {
	stopped := ctx
	ctx, cancel := context.WithTimeout(ctx, s.deadline)
	defer cancel()
	limit := attemptLimit(s.deadline)
	values, failures := map[ref][]byte{}, map[ref]*failure{}
	failed := retry(ctx, limit, st.login)

	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, s.concurrency)
	for _, r := range refs(s.items) {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			var value []byte
			f := failed
			if f == nil {
				f = retry(ctx, limit, func(ctx context.Context) (err error) {
					value, err = st.get(ctx, r)
					return err
				})
			}
			switch {
			case f != nil && stopped.Err() != nil:
				f = &failure{outcome: unavailable, detail: "stopped by a signal"}
			case f != nil && f.temporary:
				f = &failure{outcome: f.outcome, detail: fmt.Sprintf("%s (tried for %v)", f.detail, s.deadline)}
			}
			mu.Lock()
			defer mu.Unlock()
			values[r], failures[r] = value, f
		})
	}
	wg.Wait()
	return values, failures
}

// refs returns the distinct references in order.
func refs(items []item) []ref {
	var all []ref
	for _, it := range items { // sorted
		if r := it.ref(); len(all) == 0 || all[len(all)-1] != r {
			all = append(all, r)
		}
	}
	return all
}

// clients holds a client per host, created on first use.
type clients[T any] struct {
	mu  sync.Mutex
	all map[string]T
}

func (c *clients[T]) get(name string, make func() (T, error)) (T, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.all[name]; ok {
		return client, nil
	}
	client, err := make()
	if err != nil {
		return client, err
	}
	if c.all == nil {
		c.all = map[string]T{}
	}
	c.all[name] = client
	return client, nil
}
