package injector_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func TestNew_Validates(t *testing.T) {
	nothing := func(secret.Request, mount.Target) (mount.Fragment, error) { return mount.Fragment{}, nil }
	for _, tc := range []struct {
		name string
		cfg  injector.Config
		want string // "" means valid
	}{
		{"the zero value", injector.Config{}, ""},
		{"no manager", injector.Config{Managers: []injector.SecretManager{nil}}, "injector: Managers[0] is nil"},
		{"empty manager name", injector.Config{Managers: []injector.SecretManager{fake{"", nothing}}},
			`injector: Managers[0]: name "" must not be empty, and must contain only letters, digits and "-_./"`},
		{"invalid manager name", injector.Config{Managers: []injector.SecretManager{fake{"a=b", nothing}}},
			`injector: Managers[0]: name "a=b" must not be empty, and must contain only letters, digits and "-_./"`},
		{"a relative directory", injector.Config{Layout: mount.Layout{Dir: "x"}}, `injector: layout: Dir "x" is not an absolute, clean path`},
		{"undefined order", injector.Config{InitOrder: 2}, "injector: InitOrder 2 is not defined"},
		{"undefined policy", injector.Config{OnConflict: 2}, "injector: OnConflict 2 is not defined"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in, err := injector.New(tc.cfg)
			if tc.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.EqualError(t, err, tc.want)
			assert.Nil(t, in)
		})
	}
}

// What a manager answers decides who is asked next.
func TestPrecedence(t *testing.T) {
	var asked []string
	manager := func(name string, err error) injector.SecretManager {
		return fake{name, func(secret.Request, mount.Target) (mount.Fragment, error) {
			asked = append(asked, name)
			return mount.Fragment{Value: mount.Literal(name)}, err
		}}
	}
	broken := errors.New("broken")
	for _, tc := range []struct {
		name    string
		answers []error
		asked   string
		server  string // "" means an error
		cause   error
	}{
		{"first serves", []error{nil, nil}, "a0", "a0", nil},
		{"not found", []error{fmt.Errorf("x: %w", secret.ErrNotFound), nil}, "a0 a1", "a1", nil},
		{"not supported", []error{secret.ErrUnsupported, nil}, "a0 a1", "a1", nil},
		{"other error", []error{broken, nil}, "a0", "", broken},
		{"not served", []error{secret.ErrUnsupported, secret.ErrNotFound}, "a0 a1", "", secret.ErrNotFound},
	} {
		t.Run(tc.name, func(t *testing.T) {
			asked = nil
			cfg := injector.Config{}
			for i, err := range tc.answers {
				m := manager(fmt.Sprintf("a%d", i), err).(fake)
				inner := m.mount
				cfg.Managers = append(cfg.Managers, always{m.name, inner})
			}
			in, err := injector.New(cfg)
			require.NoError(t, err)
			req := secret.Request{Group: "g", Key: "k"}
			plan, err := in.Plan(ctx, userStoryPod(), req, req)
			assert.Equal(t, tc.asked, strings.Join(asked, " "), "each request is asked for once")
			if tc.server != "" {
				require.NoError(t, err)
				require.Len(t, plan.Placements, 2)
				assert.Equal(t, injector.Placement{Request: req, Manager: tc.server, Mount: mount.EnvVar, EnvVar: "_FSEC_G_K", Containers: []string{"setup", "task"}}, plan.Placements[1])
				return
			}
			assert.Nil(t, plan)
			assert.ErrorIs(t, err, tc.cause)
			var failed *injector.RequestError
			require.True(t, errors.As(err, &failed))
			assert.Equal(t, req, failed.Request)
		})
	}
}

// always is a manager that serves every group.
type always struct {
	name  string
	mount func(secret.Request, mount.Target) (mount.Fragment, error)
}

func (a always) Name() string { return a.name }
func (a always) Mount(_ context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	return a.mount(req, target)
}

func TestInject_InvalidFragments(t *testing.T) {
	for _, tc := range []struct {
		name     string
		req      secret.Request
		fragment mount.Fragment
		want     string
	}{
		{"nothing", secret.Request{Key: "k"}, mount.Fragment{}, `secret key="k": manager m: fragment: Value and File: exactly one must be set`},
		{"file for a variable", secret.Request{Key: "k", Mount: mount.EnvVar}, mount.Fragment{File: true}, `secret key="k" mount=ENV_VAR: manager m: fragment: File is set, but the request is for ENV_VAR`},
		{"variable for a file", secret.Request{Key: "k", Mount: mount.File}, mount.Fragment{Value: mount.Literal("")}, `secret key="k" mount=FILE: manager m: fragment: Value is set, but the request is for FILE`},
		{"invalid name", secret.Request{Key: "a b"}, mount.Fragment{Value: mount.Literal("")}, `secret key="a b": no manager serves it (m: request not supported: "_FSEC_A B" is not a valid environment variable name)`},
		{"version only", secret.Request{GroupVersion: "v"}, mount.Fragment{File: true}, `secret version="v": no manager serves it (m: request not supported: without the version, nothing names it)`},
		{"name too long with prefix", secret.Request{Key: strings.Repeat("k", 253)}, mount.Fragment{File: true}, `secret key="` + strings.Repeat("k", 253) + `": no manager serves it (m: request not supported: its path would have a segment longer than 255 bytes)`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := always{"m", func(secret.Request, mount.Target) (mount.Fragment, error) { return tc.fragment, nil }}
			in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}, Layout: mount.Layout{FilePrefix: "pre-"}})
			require.NoError(t, err)
			pod, err := in.Inject(ctx, userStoryPod(), tc.req)
			assert.EqualError(t, err, tc.want)
			assert.Nil(t, pod)
		})
	}
}

func TestInject_NoPartialResult(t *testing.T) {
	in := newInjector(t, nil)
	bad := secret.Request{Group: "g", Key: "../k"}
	for name, pod := range pods(t) {
		out, err := in.Inject(ctx, pod, bad)
		assert.Nil(t, out, name)
		assert.Error(t, err, name)
		patch, err := in.Patch(ctx, pod, bad)
		assert.Nil(t, patch, name)
		assert.Error(t, err, name)
		plan, err := in.Plan(ctx, pod, bad)
		assert.Nil(t, plan, name)
		assert.Error(t, err, name)
		template, err := in.InjectTemplate(ctx, &corev1.PodTemplateSpec{ObjectMeta: pod.ObjectMeta, Spec: pod.Spec}, bad)
		assert.Nil(t, template, name)
		assert.Error(t, err, name)
	}
}

func TestInject_Nil(t *testing.T) {
	in := newInjector(t, nil)
	_, err := in.Inject(ctx, nil)
	assert.Error(t, err)
	_, err = in.Patch(ctx, nil)
	assert.Error(t, err)
	_, err = in.Plan(ctx, nil)
	assert.Error(t, err)
	_, err = in.InjectTemplate(ctx, nil)
	assert.EqualError(t, err, "injector: pod template is nil")
}

func TestInjectTemplate_IsInject(t *testing.T) {
	forAll(t, func(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) {
		template, err := in.InjectTemplate(ctx, &corev1.PodTemplateSpec{ObjectMeta: pod.ObjectMeta, Spec: pod.Spec}, reqs...)
		if onlyInPods(reqs) {
			require.ErrorContains(t, err, "variables from another webhook work in Pods only, not in templates")
			return
		}
		require.NoError(t, err)
		want := inject(t, in, pod, reqs...)
		assert.Equal(t, &corev1.PodTemplateSpec{ObjectMeta: want.ObjectMeta, Spec: want.Spec}, template)
	})
}

// onlyInPods reports whether one of the requests is for a variable of another
// webhook, to whose volume no template can refer.
func onlyInPods(reqs []secret.Request) bool {
	return slices.ContainsFunc(reqs, func(r secret.Request) bool {
		return (strings.HasPrefix(r.Group, annotator.name) || strings.HasPrefix(r.Group, "bao/")) && r.Mount == mount.EnvVar
	})
}

func TestInject_ContextEnds(t *testing.T) {
	ended, cancel := context.WithCancel(ctx)
	asked := 0
	m := always{"m", func(secret.Request, mount.Target) (mount.Fragment, error) {
		asked++
		cancel()
		return mount.Fragment{Value: mount.Literal("")}, nil
	}}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	require.NoError(t, err)
	_, err = in.Plan(ended, userStoryPod(), secret.Request{Key: "a"}, secret.Request{Key: "b"}, secret.Request{Key: "c"})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 1, asked)
}

func TestInject_Concurrent(t *testing.T) {
	in := newInjector(t, nil)
	pod := userStoryPod()
	reqs := slices.Concat(requestSets["variables"], requestSets["fetched"])
	want := string(toJSON(t, inject(t, in, pod, reqs...)))
	raw := toJSON(t, stamped(t, pod, reqs...))
	var all sync.WaitGroup
	for range 16 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 10 {
				out, err := in.Inject(ctx, pod, reqs...)
				assert.NoError(t, err)
				assert.True(t, want == string(toJSON(t, out)))
				assert.True(t, in.Review(ctx, creation(raw)).Allowed)
			}
		}()
	}
	all.Wait()
}
