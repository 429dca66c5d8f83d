package injector_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// recorder is a testing.T that prints its failures to w.
type recorder struct{ w *bytes.Buffer }

func (r recorder) Errorf(format string, args ...any) { fmt.Fprintf(r.w, format, args...) }

// printed returns v in every form in which values reach logs: formatted, as
// JSON, and in the output of a failing test. It also wraps v in an unexported
// field, where fmt calls no methods.
func printed(v any) string {
	var out bytes.Buffer
	in := struct{ v any }{v}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, format+"\n"+format+"\n", v, in)
	}
	text, err := json.Marshal(v)
	out.Write(text)
	fmt.Fprintln(&out, err)
	assert.Equal(recorder{&out}, nil, v)
	assert.Equal(recorder{&out}, v, in)
	return out.String()
}

func assertNoValue(t *testing.T, text, of string) {
	t.Helper()
	for _, form := range []string{"c4nary", fmt.Sprintf("%x", "c4nary"), strings.Trim(fmt.Sprint([]byte("c4nary")), "[]")} {
		// Not assert.NotContains, which would show the value.
		assert.False(t, strings.Contains(text, form), "%s shows the value", of)
	}
}

func TestLeaks_Helpers(t *testing.T) {
	for name, v := range map[string]any{
		"text": canary, "bytes": []byte(canary), "field": corev1.EnvVar{Value: canary}, "pointer": &corev1.EnvVar{Value: canary},
		"map": map[string]string{"a": canary}, "error": fmt.Errorf("x: %w", errors.New(canary)),
		"nested pointer": struct{ p *corev1.EnvVar }{&corev1.EnvVar{Value: canary}},
	} {
		text := printed(v)
		assert.True(t, strings.Contains(text, "c4nary") || strings.Contains(text, fmt.Sprintf("%x", "c4nary")), name)
	}
}

// lookup is a global.Source that does not show its value.
type lookup func() (string, error)

func (l lookup) Lookup(context.Context, secret.Request) (string, error) { return l() }

func managerWith(t testing.TB, value string, err error) *global.Manager {
	m, newErr := global.New(global.Config{Source: lookup(func() (string, error) { return value, err })})
	require.NoError(t, newErr)
	return m
}

// All ways in which a request for a global secret can fail.
func TestLeaks_Errors(t *testing.T) {
	req := secret.Request{Group: "g", Key: "k", EnvVar: "X"}
	withVariable := func(value string) *corev1.Pod {
		pod := userStoryPod()
		pod.Spec.Containers[0].Env[0] = corev1.EnvVar{Name: "_FSEC_G_K", Value: value}
		return pod
	}
	many := &corev1.Pod{}
	for i := range 20 {
		many.Spec.Containers = append(many.Spec.Containers, corev1.Container{Name: fmt.Sprint("c", i)})
	}
	other := always{"other", func(req secret.Request, _ mount.Target) (mount.Fragment, error) {
		if req.Key != "other" {
			return mount.Fragment{}, secret.ErrNotFound
		}
		return mount.Fragment{Value: mount.Literal("another " + canary)}, nil
	}}
	file := always{"file", func(secret.Request, mount.Target) (mount.Fragment, error) {
		return mount.Fragment{Value: mount.Literal(canary), File: true}, nil
	}}
	for _, tc := range []struct {
		name    string
		manager injector.SecretManager
		pod     *corev1.Pod
		reqs    []secret.Request
		want    string // what the error says
	}{
		{"not UTF-8", managerWith(t, canary+"\xff", nil), userStoryPod(), []secret.Request{req}, "not valid UTF-8"},
		{"NUL", managerWith(t, canary+"\x00", nil), userStoryPod(), []secret.Request{req}, "NUL"},
		{"too long", managerWith(t, strings.Repeat(canary, 1<<14), nil), userStoryPod(), []secret.Request{req}, "131070 bytes"},
		{"too much for one pod", managerWith(t, strings.Repeat(canary, 1<<12), nil), many, []secret.Request{req}, "524288 bytes"},
		{"requested as file", managerWith(t, canary, nil), userStoryPod(), []secret.Request{{Group: "g", Key: "k", Mount: mount.File}}, "not files"},
		{"source fails", managerWith(t, canary, errors.New("broken")), userStoryPod(), []secret.Request{req}, "broken"},
		{"variable with another value", managerWith(t, canary, nil), withVariable("mine"), []secret.Request{req}, "set to something else"},
		{"variable with the value", managerWith(t, canary, nil), withVariable(canary), []secret.Request{req}, "set to something else"},
		{"variable of another secret", other, userStoryPod(), []secret.Request{{Group: "g", Key: "other", EnvVar: "X"}, {Group: "h", Key: "other", EnvVar: "X"}}, "two different meanings"},
		{"no container", managerWith(t, canary, nil), &corev1.Pod{}, []secret.Request{req}, "no container"},
		{"second request invalid", other, userStoryPod(), []secret.Request{{Group: "g", Key: "other"}, {Key: "../x"}}, "segment"},
		{"second request not served", other, userStoryPod(), []secret.Request{{Group: "g", Key: "other"}, req}, "no manager serves it"},
		{"invalid fragment", file, userStoryPod(), []secret.Request{req}, "exactly one"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in, err := injector.New(injector.Config{Managers: []injector.SecretManager{tc.manager}})
			require.NoError(t, err)
			_, err = in.Plan(ctx, tc.pod, tc.reqs...)
			require.Error(t, err)
			require.True(t, strings.Contains(err.Error(), tc.want), "unexpected error")
			everyError(err, func(err error) { assertNoValue(t, printed(err), fmt.Sprintf("%T", err)) })

			// The Pod's author may have written the value there, so use a Pod
			// without it.
			asking := stamped(t, tc.pod, tc.reqs...)
			response := in.Review(ctx, creation(toJSON(t, asking)))
			require.False(t, response.Allowed)
			assertNoValue(t, printed(response), "the response")
		})
	}
}

// everyError visits an error and all errors that it wraps.
func everyError(err error, visit func(error)) {
	if err == nil {
		return
	}
	visit(err)
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		everyError(e.Unwrap(), visit)
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			everyError(err, visit)
		}
	}
}

// Only the patch of a review contains the value.
func TestLeaks_Review(t *testing.T) {
	forAll(t, func(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) {
		plan, err := in.Plan(ctx, pod, reqs...)
		require.NoError(t, err)
		assertNoValue(t, printed(plan)+printed(plan.Placements), "the plan")
		response := in.Review(ctx, creation(toJSON(t, stamped(t, pod, reqs...))))
		require.True(t, response.Allowed)
		isGlobal := slices.ContainsFunc(plan.Placements, func(p injector.Placement) bool { return p.Manager == "global" })
		assert.Equal(t, isGlobal, bytes.Contains(response.Patch, []byte("c4nary")))
		assert.Equal(t, isGlobal, bytes.Contains(toJSON(t, plan.Pod()), []byte("c4nary")))
		response.Patch = nil
		assertNoValue(t, printed(response), "the rest of the response")
	})
}

// The library imports no package for logging.
func TestLeaks_NoLogging(t *testing.T) {
	library := slices.DeleteFunc(goList(t, "{{.ImportPath}}", "github.com/podsecrets/podsecrets/..."), func(path string) bool {
		return strings.Contains(path, "/examples/") || strings.HasSuffix(path, "/injectortest")
	})
	for _, imported := range goList(t, `{{join .Imports "\n"}}`, library...) {
		assert.False(t, imported == "log" || imported == "log/slog" || strings.HasPrefix(imported, "k8s.io/klog"), imported)
	}
}
