package injectortest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// brokenManagers break one rule each, several of them one in different ways.
// Each call returns new ones, as some keep what they should not.
func brokenManagers() []brokenManager {
	return []brokenManager{
		{"outcome", "does not wrap ErrNotFound", failing("none", errors.New("secret not found"))},
		{"outcome", "takes a failure for ErrNotFound", failing("broken", fmt.Errorf("%w: the store is down", secret.ErrNotFound))},
		{"outcome", "mixes up the two", failing("odd", secret.ErrNotFound)},
		{"outcome", "does not serve what it has", failing("vars", secret.ErrUnsupported)},
		{"outcome", "serves what it does not have", instead(func(_ context.Context, req secret.Request) (mount.Fragment, error, bool) {
			return mount.Fragment{Value: reference("s", "k")}, nil, req.Group == "none"
		})},

		{"fragment", "names a fetcher itself", fetching(func(c *corev1.Container, _ secret.Request, _ mount.Target) { c.Name = "fetch-" + c.Name })},
		{"fragment", "is neither a variable nor a file", changed(func(f *mount.Fragment, _ secret.Request, _ mount.Target) { f.Value, f.File = nil, false })},
		{"fragment", "is both", changed(func(f *mount.Fragment, _ secret.Request, _ mount.Target) { f.Value, f.File = mount.Literal("x"), true })},
		{"fragment", "is a text that no variable can hold", changed(func(f *mount.Fragment, _ secret.Request, _ mount.Target) {
			if f.Value != nil && f.Value.IsLiteral() {
				f.Value = mount.Literal("\x00")
			}
		})},
		{"fragment", "mounts a volume that it does not bring", fetching(func(c *corev1.Container, _ secret.Request, _ mount.Target) { c.VolumeMounts[0].Name = mount.Name("x") })},

		{"form", "takes no notice of a request for a variable", func(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
			if strings.HasPrefix(req.Group, "files/") {
				req.Mount = mount.Any
			}
			return good(ctx, req, target)
		}},
		{"form", "takes no notice of a request for a file", func(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
			if req.Group == "held" {
				req.Mount = mount.Any
			}
			return good(ctx, req, target)
		}},
		{"form", "prefers the other form", instead(func(_ context.Context, req secret.Request) (mount.Fragment, error, bool) {
			f := mount.Fragment{Value: reference("s", "k")}
			return f, nil, strings.HasPrefix(req.Group, "files/") && req.GroupVersion == "v1" && req.Mount != mount.File
		})},

		{"same answer", "has the order of a map", changed(func(f *mount.Fragment, _ secret.Request, _ mount.Target) {
			for i := range f.Fetchers {
				f.Fetchers[i].Args = nil
				for word := range map[string]int{"a": 1, "b": 2} {
					f.Fetchers[i].Args = append(f.Fetchers[i].Args, word)
				}
			}
		})},
		{"same answer", "counts", counting()},
		{"same answer", "knows all that was asked before", remembering()},
		{"same answer", "knows what was asked last", following()},

		{"keeps nothing", "keeps a Target", keeping()},

		{"stays as it is", "uses its answers again", recycling()},

		{"version", "reads by the version and does not say so", changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
			if req.Group == "vars" {
				f.Value = reference("vars"+req.GroupVersion, req.Key)
			}
		})},

		{"placement", "does not lower-case the file's name", toFile(func(_ mount.Target, req secret.Request) string {
			return path.Join("/out", req.Group, req.GroupVersion, req.Key)
		})},
		{"placement", "knows only Flyte's layout", toFile(func(_ mount.Target, req secret.Request) string {
			return "/out/" + mount.Layout{}.RelPath(req.Group, req.GroupVersion, req.Key)
		})},
		{"placement", "leaves out the version", toFile(func(t mount.Target, req secret.Request) string {
			return "/out/" + t.Layout().RelPath(req.Group, "", req.Key)
		})},
		{"placement", "writes beside the volume", fetching(func(c *corev1.Container, _ secret.Request, _ mount.Target) {
			c.VolumeMounts[0].MountPath = "/elsewhere"
		})},
		{"placement", "cannot write", fetching(func(c *corev1.Container, _ secret.Request, _ mount.Target) { c.VolumeMounts[0].ReadOnly = true })},
		{"placement", "has no volume", fetching(func(c *corev1.Container, _ secret.Request, _ mount.Target) { c.VolumeMounts = nil })},
		{"placement", "brings nothing", changed(func(f *mount.Fragment, _ secret.Request, _ mount.Target) {
			f.Annotations, f.Fetchers = nil, nil
		})},
		{"placement", "escapes a value that the library escapes", changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
			if req.Group == "held" {
				f.Value = mount.Literal(strings.ReplaceAll(canary, "$", "$$"))
			}
		})},
		{"placement", "refers to another key", changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
			if req.Group == "vars" && req.Key == "token" {
				f.Value = reference("vars", "user")
			}
		})},
		{"placement", "mounts its volume elsewhere", inVolume(func(_ mount.Target, file string) (string, string) { return "/secrets", path.Base(file) })},
		{"placement", "gives an item another name", inVolume(func(_ mount.Target, file string) (string, string) { return path.Dir(file), "item" })},

		{"apart", "names a fetcher by the key alone", fetching(func(c *corev1.Container, req secret.Request, t mount.Target) {
			c.Name = mount.Name("good", req.Key, t.Layout().Dir)
		})},
		{"apart", "has two names for one fetcher", fetching(func(c *corev1.Container, req secret.Request, t mount.Target) {
			c.Name = mount.Name("good", req.String(), t.Layout().Dir)
		})},
		{"apart", "annotates all secrets under one name", changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
			if f.File {
				f.Annotations = map[string]string{"store.example.com/asked": req.Group}
			}
		})},
		{"apart", "names a volume by the key alone", inVolumeNamed(func(_ string, req secret.Request) string { return mount.Name("v", req.Key) })},

		{"once is enough", "looks at what it has added", fetching(func(c *corev1.Container, _ secret.Request, t mount.Target) {
			if _, asked := t.Annotation("store.example.com/asked"); asked {
				c.Name = mount.Name(c.Name, "again")
			}
		})},
		{"once is enough", "goes by a name that Pods get later", fetching(func(c *corev1.Container, _ secret.Request, t mount.Target) {
			c.Name = mount.Name(c.Name, t.Name())
		})},
		{"once is enough", "is disturbed by what it has added", func(ctx context.Context, req secret.Request, t mount.Target) (mount.Fragment, error) {
			if _, asked := t.Annotation("store.example.com/asked"); asked {
				return mount.Fragment{}, secret.ErrNotFound
			}
			return good(ctx, req, t)
		}},

		{"concurrent", "has one request for all calls", sharing()},

		{"context", "takes the end of the context for ErrNotFound", ended(func(context.Context) error { return secret.ErrNotFound })},
		{"context", "does not wrap the context's error", ended(func(ctx context.Context) error { return errors.New(ctx.Err().Error()) })},
		{"context", "has one error for both ways to end", ended(func(context.Context) error { return context.Canceled })},
		{"context", "answers otherwise", func(ctx context.Context, req secret.Request, t mount.Target) (mount.Fragment, error) {
			f, err := good(context.Background(), req, t)
			if ctx.Err() != nil {
				f.DefaultAnnotations = map[string]string{"late": "true"}
			}
			return f, err
		}},

		{"no value", "tells the value", failing("broken", errors.New("cannot parse "+canary))},
		{"no value", "tells it in quotes", failing("broken", fmt.Errorf("cannot parse %q", canary))},
		{"no value", "tells it deep inside", failing("broken", &deepError{cause: errors.New(canary)})},
		{"no value", "tells it when asked for a file", instead(func(_ context.Context, req secret.Request) (mount.Fragment, error, bool) {
			return mount.Fragment{}, fmt.Errorf("%s cannot be a file", canary), req.Group == "held" && req.Mount == mount.File
		})},
		{"no value", "tells it when the time is up", ended(func(ctx context.Context) error { return fmt.Errorf("%w: %s", ctx.Err(), canary) })},
	}
}

type brokenManager struct {
	rule, fault string
	mount       mountFunc
}

type deepError struct{ cause error }

func (e *deepError) Error() string { return "deep" }
func (e *deepError) Format(s fmt.State, verb rune) {
	fmt.Fprint(s, "deep")
	if s.Flag('+') {
		fmt.Fprint(s, e.cause)
	}
}

func toFile(file func(mount.Target, secret.Request) string) mountFunc {
	return fetching(func(c *corev1.Container, req secret.Request, t mount.Target) {
		c.Env[1] = mount.Literal(file(t, req)).EnvVar("FILE")
	})
}

// inVolume is good with a Secret's volume in place of the fetcher.
func inVolume(place func(t mount.Target, file string) (dir, item string)) mountFunc {
	return volumes(place, func(dir string, req secret.Request) string { return mount.Name("v", req.Group, req.GroupVersion, dir) })
}

func inVolumeNamed(name func(dir string, req secret.Request) string) mountFunc {
	return volumes(func(_ mount.Target, file string) (string, string) { return path.Dir(file), path.Base(file) }, name)
}

func volumes(place func(t mount.Target, file string) (dir, item string), name func(dir string, req secret.Request) string) mountFunc {
	return changed(func(f *mount.Fragment, req secret.Request, t mount.Target) {
		if !f.File {
			return
		}
		dir, item := place(t, t.Layout().Path(req.Group, req.GroupVersion, req.Key))
		volume := name(dir, req)
		f.Fetchers = nil
		f.VolumeMounts = []corev1.VolumeMount{{Name: volume, MountPath: dir}}
		if item == "" { // a driver's volume, of which nothing more is known
			f.Volumes = []corev1.Volume{{Name: volume, VolumeSource: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{Driver: dir}}}}
			return
		}
		f.Volumes = []corev1.Volume{{Name: volume, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: strings.ReplaceAll(req.Group+req.GroupVersion, "/", "."), Items: []corev1.KeyToPath{{Key: req.Key, Path: item}},
		}}}}
	})
}

func counting() mountFunc {
	var calls atomic.Int64
	return fetching(func(c *corev1.Container, _ secret.Request, _ mount.Target) {
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
		f.DefaultAnnotations = maps.Clone(all)
	})
}

func following() mountFunc {
	var last atomic.Pointer[secret.Request]
	last.Store(&secret.Request{})
	return changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
		f.DefaultAnnotations = map[string]string{"store.example.com/last": last.Swap(&req).String()}
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
	var last []corev1.Container
	return changed(func(f *mount.Fragment, _ secret.Request, _ mount.Target) {
		mu.Lock()
		defer mu.Unlock()
		for i := range last {
			last[i] = corev1.Container{}
		}
		last = f.Fetchers
	})
}

// sharing has no data race, only a wrong idea of who calls. A call waits a while
// for another one.
func sharing() mountFunc {
	var inside atomic.Int64
	var asked atomic.Pointer[secret.Request]
	return func(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
		inside.Add(1)
		defer inside.Add(-1)
		asked.Store(&req)
		for i := 0; i < 100 && inside.Load() < 2; i++ {
			runtime.Gosched()
		}
		return good(ctx, *asked.Load(), target)
	}
}
