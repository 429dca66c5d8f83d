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

// manager is one made of functions.
type manager struct {
	name  func() string
	mount mountFunc
}

type mountFunc func(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error)

func (m manager) Name() string { return m.name() }

func (m manager) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	return m.mount(ctx, req, target)
}

// good is a manager without fault, of all kinds of secrets.
func good(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	if err := ctx.Err(); err != nil {
		return mount.Fragment{}, fmt.Errorf("store: %w", err)
	}
	kind, _, _ := strings.Cut(req.Group, "/")
	switch {
	case kind == "none":
		return mount.Fragment{}, fmt.Errorf("%w in the store", secret.ErrNotFound)
	case kind == "odd", kind == "files" && req.Mount == mount.EnvVar, kind != "files" && req.Mount == mount.File:
		return mount.Fragment{}, secret.ErrUnsupported
	case kind == "broken":
		return mount.Fragment{}, errors.New("the store is down")
	case kind == "held":
		return mount.Fragment{Value: mount.Literal(canary)}, nil
	case kind != "files":
		return mount.Fragment{Value: reference(req.Group, req.Key)}, nil
	}
	team, _ := target.Annotation("team")
	file := "/out/" + target.Layout().RelPath(req.Group, req.GroupVersion, req.Key)
	return mount.Fragment{
		File:        true,
		Versioned:   true,
		Annotations: map[string]string{"store.example.com/asked": "true"},
		Fetchers: []corev1.Container{{
			Name: mount.Name("good", req.Group, req.GroupVersion, req.Key, team, file),
			Env: []corev1.EnvVar{
				mount.Literal(req.Group + ":" + req.GroupVersion + ":" + req.Key + ":" + team).EnvVar("WHAT"),
				mount.Literal(file).EnvVar("FILE"),
			},
			VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/out"}},
		}},
	}, nil
}

func reference(name, key string) *mount.Value {
	return mount.FromSource(&corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: name}, Key: key,
	}})
}

var allCases = []Case{
	{Name: "a variable", Request: secret.Request{Group: "vars", Key: "token"}, Want: Variable, Value: reference("vars", "token")},
	{Name: "another", Request: secret.Request{Group: "vars", Key: "user", Mount: mount.EnvVar}, Value: mount.Literal("c4nary of the referred one")},
	{Name: "with a version", Request: secret.Request{Group: "vars", Key: "old", GroupVersion: "v1"}},
	{Name: "a literal", Request: secret.Request{Group: "held", Key: "token"}, Want: Variable, Value: mount.Literal(canary)},
	{Name: "a file", Request: secret.Request{Group: "files/A", Key: "Token"}, Want: File},
	{Name: "the same with a variable", Request: secret.Request{Group: "files/A", Key: "Token", EnvVar: "TOKEN_FILE"}},
	{Name: "one of the same key", Request: secret.Request{Group: "files/b", Key: "Token", Mount: mount.File}},
	{Name: "one with a version", Request: secret.Request{Group: "files/b", Key: "Token", GroupVersion: "v1"}, Want: File,
		Writes: func(c corev1.Container) string { return c.Env[1].Value }},
	{Name: "for a team", Request: secret.Request{Group: "files/c", Key: "token"},
		Meta: &metav1.ObjectMeta{Namespace: "n", Annotations: map[string]string{"team": "blue"}}},
	{Name: "not there", Request: secret.Request{Group: "none", Key: "token"}, Want: NotFound},
	{Name: "not of its kind", Request: secret.Request{Group: "odd", Key: "token"}, Want: Unsupported},
	{Name: "unreadable", Request: secret.Request{Group: "broken", Key: "token"}, Want: Fails, Value: mount.Literal(canary)},
}

// changed is good, but for what the function does to its fragments.
func changed(change func(f *mount.Fragment, req secret.Request, target mount.Target)) mountFunc {
	return func(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
		f, err := good(ctx, req, target)
		if err == nil {
			change(&f, req, target)
		}
		return f, err
	}
}

// fetching is changed for the fragments that have a fetcher.
func fetching(change func(c *corev1.Container, req secret.Request, target mount.Target)) mountFunc {
	return changed(func(f *mount.Fragment, req secret.Request, target mount.Target) {
		if len(f.Fetchers) > 0 {
			change(&f.Fetchers[0], req, target)
		}
	})
}

// instead is good, but for requests to which the function returns something.
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
