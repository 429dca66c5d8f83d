package injectortest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var ctx = context.Background()

// checkSame repeats all requests, forwards and backwards.
func checkSame(k *kit, b *basis, report func(*caseRun, error)) {
	all := b.sound()
	for i := range k.times {
		for j := range all {
			run := all[j]
			if i%2 == 1 {
				run = all[len(all)-1-j]
			}
			again := k.ask(ctx, run, run.req)
			if diff := differs(&again, &run.first); diff != "" {
				report(run, errors.New(diff))
			}
		}
	}
}

// checkKeeps changes the metadata that the manager has seen, repeats the
// requests for equal Pods, and then for Pods that change right after. Only
// metadata can be changed. Afterwards each run has fresh metadata.
func checkKeeps(k *kit, b *basis, report func(*caseRun, error)) {
	all := b.sound()
	for _, run := range all {
		change(run.meta)
	}
	for _, run := range all {
		for range 2 {
			run.meta = run.Case.meta()
			again := k.ask(ctx, run, run.req)
			change(run.meta)
			if diff := differs(&again, &run.first); diff != "" {
				report(run, fmt.Errorf("after the metadata of other Pods changed: %s", diff))
			}
		}
		run.meta = run.Case.meta()
	}
}

func change(meta *metav1.ObjectMeta) {
	for _, m := range []map[string]string{meta.Labels, meta.Annotations} {
		for name := range m {
			m[name] = "changed"
		}
	}
	meta.Name, meta.GenerateName, meta.Namespace = "changed", "changed-", "changed"
}

// checkStays compares the first result again, after many other calls.
func checkStays(_ *kit, run *caseRun) error {
	if diff := differs(&run.raw, &run.first); diff != "" {
		return fmt.Errorf("the first result has changed: %s", diff)
	}
	return nil
}

// checkConcurrent repeats all requests from many goroutines, each starting with
// another case.
func checkConcurrent(k *kit, b *basis, report func(*caseRun, error)) {
	all := b.sound()
	var start, done sync.WaitGroup
	start.Add(1)
	diffs := make([][]string, k.goroutines)
	for g := range diffs {
		diffs[g] = make([]string, len(all))
		done.Add(1)
		go func() {
			defer done.Done()
			start.Wait()
			for i := range all {
				at := (i + g) % len(all)
				again := k.ask(ctx, all[at], all[at].req)
				diffs[g][at] = differs(&again, &all[at].first)
			}
		}()
	}
	start.Done()
	done.Wait()
	for _, ofOne := range diffs {
		for i, diff := range ofOne {
			if diff != "" {
				report(all[i], errors.New("in concurrent calls: "+diff))
			}
		}
	}
}

// checkContext calls the manager with a context that has ended, in both ways.
func checkContext(k *kit, run *caseRun) error {
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	late, cancel := context.WithDeadline(ctx, time.Unix(0, 0))
	defer cancel()
	for _, ended := range []context.Context{cancelled, late} {
		if err := k.askEnded(ended, run); err != nil {
			return err
		}
	}
	return nil
}

func (k *kit) askEnded(ended context.Context, run *caseRun) error {
	got := make(chan answer, 1)
	go func() { got <- k.ask(ended, run, run.req) }()
	timer := time.NewTimer(k.timeout)
	defer timer.Stop()
	select {
	case a := <-got:
		if errors.Is(a.err, ended.Err()) {
			return nil
		}
		if diff := differs(&a, &run.first); diff != "" {
			return fmt.Errorf("with a context whose error is %q: %s", ended.Err(), diff)
		}
	case <-timer.C:
		return fmt.Errorf("with a context whose error is %q, it did not return within %v", ended.Err(), k.timeout)
	}
	return nil
}

// shows reports whether any format of the error contains the value.
func shows(err error, value string) bool {
	text := fmt.Sprintf("%v %+v %#v", err, err, err)
	for _, form := range forms(value) {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}
