package injectortest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

const canary = `c4nary"$(X)`

// manager is a manager made of functions.
type manager struct {
	name  func() string
	mount mountFunc
}

type mountFunc func(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error)

func (m manager) Name() string { return m.name() }

func (m manager) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	return m.mount(ctx, req, target)
}

// kinds are the stores of good, by the first segment of the group.
var kinds = map[string]func(req secret.Request, target mount.Target) (mount.Fragment, error){
	"none":   failsWith(fmt.Errorf("%w in the store", secret.ErrNotFound)),
	"odd":    failsWith(secret.ErrUnsupported),
	"broken": failsWith(errors.New("the store is down")),
	"held":   held,
	"vars":   vars,
	"files":  fetchedFile,
	"volume": volumeFile,
	"shared": sharedFetcher,
	"agent":  vaultsFile,
	"hook":   hooksFile,
	"driver": driversFile,
}

func failsWith(err error) func(secret.Request, mount.Target) (mount.Fragment, error) {
	return func(secret.Request, mount.Target) (mount.Fragment, error) { return mount.Fragment{}, err }
}

// good is a correct manager for all kinds of secrets.
func good(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	if err := ctx.Err(); err != nil {
		return mount.Fragment{}, fmt.Errorf("store: %w", err)
	}
	kind, _, _ := strings.Cut(req.Group, "/")
	return kinds[kind](req, target)
}

// allCases has a good case of each kind and shape.
var allCases = []Case{
	{Name: "a variable", Request: secret.Request{Group: "vars", Key: "token"}, Want: Variable, Value: reference("vars", "token")},
	{Name: "another", Request: secret.Request{Group: "vars", Key: "user", Mount: mount.EnvVar}, Value: mount.Literal("c4nary of the referred one")},
	{Name: "with a version", Request: secret.Request{Group: "vars", Key: "old", GroupVersion: "v1"}},
	{Name: "a literal", Request: secret.Request{Group: "held", Key: "token"}, Want: Variable, Value: mount.Literal(canary)},
	{Name: "a file", Request: secret.Request{Group: "files/A", Key: "Token"}, Want: File},
	{Name: "the same with a variable", Request: secret.Request{Group: "files/A", Key: "Token", EnvVar: "TOKEN_FILE"}},
	{Name: "one of the same key", Request: secret.Request{Group: "files/b", Key: "Token", Mount: mount.File}},
	{Name: "one with a version", Request: secret.Request{Group: "files/b", Key: "Token", GroupVersion: "v1"}, Want: File,
		Writes: func(c corev1.Container) string { return environment(&c)["FILE"].text }},
	{Name: "for a team", Request: secret.Request{Group: "files/c", Key: "Token"},
		Meta: &metav1.ObjectMeta{Namespace: "n", Annotations: map[string]string{"team": "blue"}}},
	{Name: "in a volume", Request: secret.Request{Group: "volume/a", Key: "Token"}, Want: File},
	{Name: "in a volume with a version", Request: secret.Request{Group: "volume/a", Key: "old", GroupVersion: "v1", EnvVar: "OLD"}},
	{Name: "in a volume with a mode", Request: secret.Request{Group: "volume/b", Key: "token", Mode: 0o444}},
	{Name: "an env file", Request: secret.Request{Group: "shared", Key: "token", Mount: mount.EnvVar}},
	{Name: "an env file with a relaxed name", Request: secret.Request{Group: "shared/b", Key: "Token", GroupVersion: "v1", EnvVar: "B_TOKEN", Mount: mount.EnvVar}},
	{Name: "a shared fetcher's file", Request: secret.Request{Group: "shared", Key: "file", Mount: mount.File}},
	{Name: "a shared fetcher's field", Request: secret.Request{Group: "shared", Key: "json", Mount: mount.File, Field: "pass", Path: "Pass.txt"}},
	{Name: "Vault's file", Request: secret.Request{Group: "agent/a", Key: "Token"}, Want: File},
	{Name: "Vault's file with a version", Request: secret.Request{Group: "agent/b", Key: "token", GroupVersion: "kv2", EnvVar: "B_FILE"}},
	{Name: "Vault's env file", Request: secret.Request{Group: "agent", Key: "user", Mount: mount.EnvVar}},
	{Name: "Vault's file in a directory of the Pod's own", Request: secret.Request{Group: "agent/a", Key: "Token"},
		Meta: &metav1.ObjectMeta{Annotations: map[string]string{"vault.hashicorp.com/" + agentVolume: "/own"}}},
	{Name: "another webhook's", Request: secret.Request{Group: "hook/a", Key: "token"}},
	{Name: "another webhook's, with a list of the Pod's own", Request: secret.Request{Group: "hook/a", Key: "token"},
		Meta: &metav1.ObjectMeta{Annotations: map[string]string{"hook.example.com/containers": "app,other"}}},
	{Name: "a driver's file", Request: secret.Request{Group: "driver/a", Key: "token"}, NoFilePrefix: true},
	{Name: "a driver's other file", Request: secret.Request{Group: "driver/a", Key: "user"}, NoFilePrefix: true},
	{Name: "not there", Request: secret.Request{Group: "none", Key: "token"}, Want: NotFound},
	{Name: "not of its kind", Request: secret.Request{Group: "odd", Key: "token"}, Want: Unsupported},
	{Name: "unreadable", Request: secret.Request{Group: "broken", Key: "token"}, Want: Fails, Value: mount.Literal(canary)},
}

// changed is good with its fragments modified by the function.
func changed(change func(f *mount.Fragment, req secret.Request, target mount.Target)) mountFunc {
	return func(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
		f, err := good(ctx, req, target)
		if err == nil {
			f = clone(&f)
			change(&f, req, target)
		}
		return f, err
	}
}

// fetching is changed for fragments with a separate fetcher.
func fetching(change func(c *mount.InitContainer, req secret.Request, target mount.Target)) mountFunc {
	return changed(func(f *mount.Fragment, req secret.Request, target mount.Target) {
		if strings.HasPrefix(req.Group, "files/") {
			change(&f.InitContainers[0], req, target)
		}
	})
}

// sharing is changed for fragments with the shared fetcher.
func sharing(change func(f *mount.Fragment, c *mount.InitContainer, req secret.Request)) mountFunc {
	return changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
		if len(f.InitContainers) > 0 && f.InitContainers[0].Name == sharedContainer.Name {
			change(f, &f.InitContainers[0], req)
		}
	})
}

// instead is good, except for requests that the function handles.
func instead(answer func(ctx context.Context, req secret.Request) (mount.Fragment, error, bool)) mountFunc {
	return func(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
		if f, err, ok := answer(ctx, req); ok {
			return f, err
		}
		return good(ctx, req, target)
	}
}

func failing(group string, err error) mountFunc {
	return instead(func(_ context.Context, req secret.Request) (mount.Fragment, error, bool) {
		return mount.Fragment{}, err, req.Group == group
	})
}

func ended(err func(context.Context) error) mountFunc {
	return instead(func(ctx context.Context, _ secret.Request) (mount.Fragment, error, bool) {
		if ctx.Err() == nil {
			return mount.Fragment{}, nil, false
		}
		return mount.Fragment{}, err(ctx), true
	})
}
