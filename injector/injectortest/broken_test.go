package injectortest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// broken is a manager that breaks one rule.
type broken struct {
	rule, name string
	mount      mountFunc
}

// brokenManagers returns managers that each break one rule, some in different
// ways. Each call returns new ones, because some retain state.
func brokenManagers() (all []broken) {
	all = append(all, brokenAnswers()...)
	all = append(all, brokenCalls()...)
	all = append(all, brokenPlacements()...)
	all = append(all, brokenPods()...)
	all = append(all, brokenFetchers()...)
	return append(all, brokenRequests()...)
}

// brokenAnswers break rules about single results.
func brokenAnswers() []broken {
	return []broken{
		{"outcome", "unwrapped", failing("none", errors.New("secret not found"))},
		{"outcome", "failure as not found", failing("broken", fmt.Errorf("%w: the store is down", secret.ErrNotFound))},
		{"outcome", "unsupported as not found", failing("odd", secret.ErrNotFound)},
		{"outcome", "declines its own", failing("vars", secret.ErrUnsupported)},
		{"outcome", "serves others", instead(func(_ context.Context, req secret.Request) (mount.Fragment, error, bool) {
			return mount.Fragment{Value: reference("s", "k")}, nil, req.Group == "none"
		})},

		{"fragment", "name of its own", fetching(func(c *mount.InitContainer, _ secret.Request, _ mount.Target) { c.Name = "fetch-" + c.Name })},
		{"fragment", "neither form", changed(func(f *mount.Fragment, _ secret.Request, _ mount.Target) { f.Value, f.File = nil, false })},
		{"fragment", "both forms", changed(func(f *mount.Fragment, _ secret.Request, _ mount.Target) { f.Value, f.File = mount.Literal("x"), true })},
		{"fragment", "NUL", changed(func(f *mount.Fragment, _ secret.Request, _ mount.Target) {
			if f.Value != nil && f.Value.IsLiteral() {
				f.Value = mount.Literal("\x00")
			}
		})},
		{"fragment", "mount without volume", fetching(func(c *mount.InitContainer, _ secret.Request, _ mount.Target) {
			c.VolumeMounts[0].Name = mount.Name("x")
		})},
		{"fragment", "env file without volume", sharing(func(_ *mount.Fragment, c *mount.InitContainer, req secret.Request) {
			if req.Key == "token" {
				c.VolumeMounts = c.VolumeMounts[:1]
			}
		})},

		{"form", "file for a variable", func(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
			if strings.HasPrefix(req.Group, "files/") {
				req.Mount = mount.Any
			}
			return good(ctx, req, target)
		}},
		{"form", "variable for a file", func(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
			if req.Group == "held" {
				req.Mount = mount.Any
			}
			return good(ctx, req, target)
		}},
		{"form", "variable for a file's case", instead(func(_ context.Context, req secret.Request) (mount.Fragment, error, bool) {
			return mount.Fragment{Value: reference("s", "k")}, nil, req.Group == "files/b" && req.Mount == mount.File
		})},
		{"form", "prefers files", func(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
			if req.Group == "held" && req.Mount != mount.EnvVar {
				return volumeFile(req, target)
			}
			return good(ctx, req, target)
		}},
		{"form", "prefers variables", instead(func(_ context.Context, req secret.Request) (mount.Fragment, error, bool) {
			f := mount.Fragment{Value: reference("s", "k")}
			return f, nil, strings.HasPrefix(req.Group, "files/") && req.GroupVersion == "v1" && req.Mount != mount.File
		})},
	}
}

// brokenCalls break rules about repeated calls and errors.
func brokenCalls() []broken {
	return []broken{
		{"same answer", "random order of a map", changed(func(f *mount.Fragment, _ secret.Request, _ mount.Target) {
			for i := range f.InitContainers {
				f.InitContainers[i].Args = nil
				for word := range map[string]int{"a": 1, "b": 2} {
					f.InitContainers[i].Args = append(f.InitContainers[i].Args, word)
				}
			}
		})},
		{"same answer", "counts", counting()},
		{"same answer", "remembers all", remembering()},
		{"same answer", "remembers the last", following()},

		{"retains nothing", "Target", keeping()},

		{"immutable", "recycles", recycling()},

		{"version", "reads by it", changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
			if req.Group == "vars" {
				f.Value = reference("vars"+req.GroupVersion, req.Key)
			}
		})},

		{"concurrent", "random request", mixingUp()},

		{"context", "not found", ended(func(context.Context) error { return secret.ErrNotFound })},
		{"context", "unwrapped", ended(func(ctx context.Context) error { return errors.New(ctx.Err().Error()) })},
		{"context", "always canceled", ended(func(context.Context) error { return context.Canceled })},
		{"context", "answers otherwise", func(ctx context.Context, req secret.Request, t mount.Target) (mount.Fragment, error) {
			f, err := good(context.Background(), req, t)
			if ctx.Err() != nil {
				f.Reads.Name += "late"
			}
			return f, err
		}},

		{"no leak", "plain", failing("broken", errors.New("cannot parse "+canary))},
		{"no leak", "quoted", failing("broken", fmt.Errorf("cannot parse %q", canary))},
		{"no leak", "deep inside", failing("broken", &deepError{cause: errors.New(canary)})},
		{"no leak", "asked for a file", instead(func(_ context.Context, req secret.Request) (mount.Fragment, error, bool) {
			return mount.Fragment{}, fmt.Errorf("%w: %s cannot be a file", secret.ErrUnsupported, canary), req.Group == "held" && req.Mount == mount.File
		})},
		{"no leak", "context", ended(func(ctx context.Context) error { return fmt.Errorf("%w: %s", ctx.Err(), canary) })},
	}
}

type deepError struct{ cause error }

func (e *deepError) Error() string { return "deep" }
func (e *deepError) Format(s fmt.State, verb rune) {
	fmt.Fprint(s, "deep")
	if s.Flag('+') {
		fmt.Fprint(s, e.cause)
	}
}

func counting() mountFunc {
	var calls atomic.Int64
	return fetching(func(c *mount.InitContainer, _ secret.Request, _ mount.Target) {
		c.Name = mount.Name(c.Name, fmt.Sprint(calls.Add(1)))
	})
}

func remembering() mountFunc {
	var mu sync.Mutex
	all := map[string]string{}
	return changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
		mu.Lock()
		defer mu.Unlock()
		all[mount.Name(req.Group)] = "asked"
		if f.Webhook != nil {
			f.Webhook.DefaultAnnotations = maps.Clone(all)
		}
	})
}

func following() mountFunc {
	var last atomic.Pointer[secret.Request]
	last.Store(&secret.Request{})
	return changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
		f.Reads.Name = last.Swap(&req).String()
	})
}

func keeping() mountFunc {
	type key struct {
		req    secret.Request
		layout mount.Layout
	}
	var kept sync.Map
	return func(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
		first, _ := kept.LoadOrStore(key{req, target.Layout()}, target)
		return good(ctx, req, first.(mount.Target))
	}
}

func recycling() mountFunc {
	var mu sync.Mutex
	var last []mount.InitContainer
	return changed(func(f *mount.Fragment, _ secret.Request, _ mount.Target) {
		mu.Lock()
		defer mu.Unlock()
		for i := range last {
			*last[i].Container = corev1.Container{}
		}
		last = f.InitContainers
	})
}

// mixingUp has no data race, but confuses its callers. A call waits a while for
// another.
func mixingUp() mountFunc {
	var inside atomic.Int64
	var asked atomic.Pointer[secret.Request]
	return func(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
		inside.Add(1)
		defer inside.Add(-1)
		asked.Store(&req)
		for i := 0; i < 100 && inside.Load() < 2; i++ {
			runtime.Gosched()
		}
		if inside.Load() < 2 {
			time.Sleep(200 * time.Microsecond) // the others may wait for a processor
		}
		return good(ctx, *asked.Load(), target)
	}
}
