package injectortest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
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

// brokenRules returns the names of the rules in the errors.
func brokenRules(t *testing.T, err error) map[string]bool {
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

func TestKit_Good(t *testing.T) {
	require.NoError(t, TestManager(manager{called("good"), good}, allCases...))
	Run(t, manager{called("good"), good}, allCases...)
}

// Each rule detects its broken managers, and no other rule does. A rule that
// runs alone finds the same as in the whole run.
func TestKit_Broken(t *testing.T) {
	type entry struct {
		rule, name string
		make       func() injector.SecretManager
	}
	var calls atomic.Int64
	all := []entry{
		{"name", "blank", func() injector.SecretManager { return manager{called("a manager"), good} }},
		{"name", "empty", func() injector.SecretManager { return manager{called(""), good} }},
		{"name", "random", func() injector.SecretManager {
			return manager{func() string { return fmt.Sprint(calls.Add(1)) }, good}
		}},
	}
	for i, b := range brokenManagers() {
		all = append(all, entry{b.rule, b.name, func() injector.SecretManager { return manager{called("broken"), brokenManagers()[i].mount} }})
	}
	for _, r := range rules {
		assert.True(t, slices.ContainsFunc(all, func(e entry) bool { return e.rule == r.name }), "no manager breaks %q", r.name)
	}
	for _, e := range all {
		t.Run(e.rule+"/"+e.name, func(t *testing.T) {
			t.Parallel()
			breaksOnly(t, e.rule, e.make, !strings.HasPrefix(e.name, "random"))
		})
	}
}

// breaksOnly checks what the rules find in a broken manager. If the result is
// deterministic, a rule also finds it alone.
func breaksOnly(t *testing.T, rule string, make func() injector.SecretManager, same bool) {
	e := effort{times: 10, goroutines: 8, timeout: usualEffort.timeout}
	if rule == "same answer" || rule == "concurrent" {
		e = usualEffort
	}
	whole := makeKit(make(), allCases, rules, e)
	for i := range rules {
		r := &rules[i]
		if r.name == "no leak" && rule != r.name && rule != "outcome" && rule != "context" {
			continue // it asks everything again, and the others have no errors of their own
		}
		found := texts(whole.test(r))
		if r.name != rule {
			assert.Empty(t, found)
			continue
		}
		assert.NotEmpty(t, found)
		assert.NotContains(t, fmt.Sprint(found), "c4nary")
		again := texts(makeKit(make(), allCases, rules, e).test(r))
		if same {
			assert.Equal(t, found, again)
		} else {
			assert.NotEmpty(t, again)
		}
	}
}

func texts(errs []error) (all []string) {
	for _, err := range errs {
		all = append(all, err.Error())
	}
	return all
}

func TestKit_NoReturn(t *testing.T) {
	forever := make(chan struct{})
	defer close(forever)
	k, err := newKit(manager{called("slow"), ended(func(context.Context) error { <-forever; return nil })}, allCases)
	require.NoError(t, err)
	k.timeout = 1
	for i := range rules {
		for _, err := range k.test(&rules[i]) {
			assert.Equal(t, "context", rules[i].name, "%v", err)
		}
	}
	assert.NotEmpty(t, k.test(&rules[len(rules)-2]))
}

// A fetcher without file names is checked by its documentation.
func TestKit_Writes(t *testing.T) {
	m := manager{called("configured"), fetching(func(c *mount.InitContainer, _ secret.Request, _ mount.Target) { c.Env[1] = corev1.EnvVar{Name: "X"} })}
	c := Case{Request: secret.Request{Group: "files/a", Key: "Token"}}
	assert.Equal(t, map[string]bool{"placement": true}, brokenRules(t, TestManager(m, c)), "nothing names the file")

	c.Writes = func(fetcher corev1.Container) string { fetcher.Env[0].Name = "changed"; return "/out/files/a/token" }
	k, err := newKit(m, []Case{c})
	require.NoError(t, err)
	runs := k.basis().runs
	assert.NoError(t, checkPlacement(k, runs[0]))
	assert.ErrorContains(t, checkPlacement(k, runs[1]), `according to Case.Writes, no earlier init container with the emptyDir "podsecrets-fetched" writes "files/a/Kit-token"`)
	assert.ErrorContains(t, checkPlacement(k, runs[2]), `has that file at "/out/files/a/Token"`)
}

func TestKit_WritesEnv(t *testing.T) {
	m := manager{called("configured"), sharing(func(_ *mount.Fragment, c *mount.InitContainer, _ secret.Request) { c.Env[0].Value = "{}" })}
	c := Case{Request: secret.Request{Group: "shared", Key: "token", Mount: mount.EnvVar}}
	assert.Equal(t, map[string]bool{"env file": true}, brokenRules(t, TestManager(m, c)), "nothing names the file")
	c.WritesEnv = func(fetcher corev1.Container) string { return "/elsewhere" }
	assert.ErrorContains(t, TestManager(m, c), "according to Case.WritesEnv")
	c.WritesEnv = func(fetcher corev1.Container) string {
		assert.Len(t, fetcher.Env, 2, "also its own")
		return "/env/" + mount.Name("shared::token:") + "/env"
	}
	assert.NotContains(t, brokenRules(t, TestManager(m, c)), "placement")
}

func TestKit_NoFilePrefix(t *testing.T) {
	m := manager{called("good"), good}
	c := Case{Request: secret.Request{Group: "driver/a", Key: "token"}}
	assert.ErrorContains(t, TestManager(m, c), "in another layout: want served, got not supported")
	c.NoFilePrefix = true
	assert.NoError(t, TestManager(m, c))
}

// The kit does not trust a placement.
func TestKit_Placement(t *testing.T) {
	k, err := newKit(manager{called("good"), good}, allCases)
	require.NoError(t, err)
	for _, run := range k.basis().runs {
		if run.first.err != nil {
			continue
		}
		in, err := run.injector(recorded{run})
		require.NoError(t, err)
		plan, err := in.Plan(ctx, run.pod(), run.req)
		require.NoError(t, err)
		p := plan.Placements[0]
		require.NoError(t, run.found(plan.Pod(), "app", &p))
		if p.Mount == mount.File {
			p.Path += "x"
		} else {
			p.EnvVar += "X"
		}
		assert.ErrorContains(t, run.found(plan.Pod(), "app", &p), "its client looks for")
	}
}

func TestKit_Message(t *testing.T) {
	err := TestManager(manager{called("m"), failing("none", errors.New("no such secret: "+canary))},
		append([]Case{{Request: secret.Request{Group: "none", Key: "k"}, Want: NotFound}}, allCases...)...)
	assert.ErrorContains(t, err, `outcome: case group="none" key="k", in Flyte's layout: want not found, got a failure (no such secret: (the value)) `+
		`(the manager serves the request, or returns the expected kind of error: secret.ErrNotFound, secret.ErrUnsupported, or one that stops the search)`)
}

func TestKit_Cases(t *testing.T) {
	m := manager{called("good"), good}
	served := allCases[0]
	for _, tc := range []struct {
		name  string
		m     injector.SecretManager
		cases []Case
		want  string
	}{
		{"no manager", nil, allCases, "the manager is nil"},
		{"none", m, nil, "no case wants the manager to serve it"},
		{"none served", m, []Case{{Request: served.Request, Want: NotFound}}, "no case wants the manager to serve it"},
		{"invalid", m, []Case{served, {Request: secret.Request{Key: "../k"}}}, `invalid request: key: has a ".." segment`},
		{"twice", m, []Case{served, served}, `case "a variable" is listed twice`},
		{"outcome", m, []Case{served, {Request: served.Request, Want: 9}}, "Outcome(9) is not defined"},
	} {
		t.Run(tc.name, func(t *testing.T) { assert.ErrorContains(t, TestManager(tc.m, tc.cases...), tc.want) })
	}
}
