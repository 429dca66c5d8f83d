package injectortest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func called(name string) func() string { return func() string { return name } }

// broke returns the names of the rules that the errors are about.
func broke(t *testing.T, err error) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	if err == nil {
		return names
	}
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		var f *fault
		require.True(t, errors.As(e, &f), "%v", e)
		names[f.rule.name] = true
	}
	return names
}

func TestAGoodManager(t *testing.T) {
	require.NoError(t, TestManager(manager{called("good"), good}, allCases...))
	Run(t, manager{called("good"), good}, allCases...)
	for name, answers := range map[string]mountFunc{
		"volumes": inVolumeNamed(func(dir string, req secret.Request) string {
			return mount.Name("v", req.Group, req.GroupVersion, dir)
		}),
		"a driver": volumes(
			func(_ mount.Target, file string) (string, string) { return path.Dir(file), "" },
			func(dir string, _ secret.Request) string { return mount.Name("v", dir) },
		),
		"another webhook": changed(func(f *mount.Fragment, req secret.Request, t mount.Target) {
			if f.File {
				file := t.Layout().RelPath(req.Group, req.GroupVersion, req.Key)
				f.Fetchers, f.Annotations = nil, map[string]string{"store.example.com/" + mount.Name(file): req.Group + ":" + req.Key}
			}
		}),
	} {
		t.Run(name, func(t *testing.T) { Run(t, manager{called("m"), answers}, allCases...) })
	}
}

func TestEachRuleCatchesItsFaultAndNoOtherDoes(t *testing.T) {
	caught := map[string]bool{}
	check := func(rule, fault string, m injector.SecretManager) {
		t.Run(rule+"/"+fault, func(t *testing.T) {
			err := TestManager(m, allCases...)
			assert.Equal(t, map[string]bool{rule: true}, broke(t, err), "%v", err)
			assert.NotContains(t, fmt.Sprint(err), "c4nary")
			caught[rule] = true
		})
	}
	check("name", "has a blank", manager{called("a manager"), good})
	check("name", "is empty", manager{called(""), good})
	var calls atomic.Int64
	check("name", "changes", manager{func() string { return fmt.Sprint(calls.Add(1)) }, good})
	for _, b := range brokenManagers() {
		check(b.rule, b.fault, manager{called("broken"), b.mount})
	}
	for _, r := range rules {
		assert.True(t, caught[r.name], "no manager breaks %q", r.name)
	}
}

func TestAManagerThatDoesNotReturn(t *testing.T) {
	forever := make(chan struct{})
	defer close(forever)
	k, err := newKit(manager{called("slow"), ended(func(context.Context) error { <-forever; return nil })}, allCases)
	require.NoError(t, err)
	k.patience = 1
	for i := range rules {
		for _, err := range k.test(&rules[i]) {
			assert.Equal(t, "context", rules[i].name, "%v", err)
		}
	}
	assert.NotEmpty(t, k.test(&rules[len(rules)-2]))
}

// A fetcher that gets what it has to write from elsewhere is proven by what its
// documentation says.
func TestWrites(t *testing.T) {
	m := manager{called("configured"), fetching(func(c *corev1.Container, _ secret.Request, _ mount.Target) { c.Env = c.Env[:1] })}
	c := Case{Request: secret.Request{Group: "files/a", Key: "Token"}}
	assert.Equal(t, map[string]bool{"placement": true}, broke(t, TestManager(m, c)), "nothing names the file")

	c.Writes = func(fetcher corev1.Container) string { fetcher.Env[0].Name = "changed"; return "/out/files/a/token" }
	err := TestManager(m, c)
	assert.ErrorContains(t, err, "in a layout of its own", "where the file has a prefix")
	assert.NotContains(t, err.Error(), "in Flyte's layout")
	c.Writes = func(corev1.Container) string { return "/out/files/a/Kit-token" }
	err = TestManager(m, c)
	assert.ErrorContains(t, err, "in Flyte's layout")
	assert.ErrorContains(t, err, "by what Case.Writes says")
	assert.ErrorContains(t, err, `has that file at "/out/files/a/token"`)
}

// The kit does not believe a placement either.
func TestPlacementsAreCompared(t *testing.T) {
	k, err := newKit(manager{called("good"), good}, allCases)
	require.NoError(t, err)
	for _, q := range k.questions {
		if q.first.err != nil {
			continue
		}
		in, err := q.injector(recorded{q})
		require.NoError(t, err)
		plan, err := in.Plan(ctx, q.pod(), q.Request)
		require.NoError(t, err)
		p := plan.Placements[0]
		require.NoError(t, q.found(plan.Pod(), "app", &p))
		if p.Mount == mount.File {
			p.Path += "x"
		} else {
			p.EnvVar += "X"
		}
		assert.ErrorContains(t, q.found(plan.Pod(), "app", &p), "its client looks for")
	}
}

func TestMessages(t *testing.T) {
	err := TestManager(manager{called("m"), failing("none", errors.New("no such secret: "+canary))},
		append([]Case{{Request: secret.Request{Group: "none", Key: "k"}, Want: NotFound}}, allCases...)...)
	assert.ErrorContains(t, err, `outcome: case group="none" key="k", in Flyte's layout: want it not found, but it was a failure (no such secret: (the value)) `+
		`(a manager serves a request, or its error wraps secret.ErrNotFound or secret.ErrUnsupported, or the search ends with its error)`)
}

func TestCasesThatTestNothing(t *testing.T) {
	m := manager{called("good"), good}
	served := allCases[0]
	for _, tc := range []struct {
		name  string
		m     injector.SecretManager
		cases []Case
		want  string
	}{
		{"no manager", nil, allCases, "there is no manager"},
		{"none", m, nil, "there is no case that the manager serves"},
		{"none is served", m, []Case{{Request: served.Request, Want: NotFound}}, "there is no case that the manager serves"},
		{"an invalid request", m, []Case{served, {Request: secret.Request{Key: "../k"}}}, `is invalid: key: has a ".." segment`},
		{"one twice", m, []Case{served, served}, `case "a variable" is there twice`},
		{"an outcome that is none", m, []Case{served, {Request: served.Request, Want: 9}}, "Outcome(9) is not defined"},
	} {
		t.Run(tc.name, func(t *testing.T) { assert.ErrorContains(t, TestManager(tc.m, tc.cases...), tc.want) })
	}
}
