package injector_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/azurekv"
	"github.com/podsecrets/podsecrets/csi"
	"github.com/podsecrets/podsecrets/gcpsm"
	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

// recorder is a test whose failures are printed.
type recorder struct{ w *bytes.Buffer }

func (r recorder) Errorf(format string, args ...any) { fmt.Fprintf(r.w, format, args...) }

// printed is v in every form in which values get into logs: printed, as JSON, and
// as a failing test shows it, also within another value, on whose fields fmt calls
// no methods.
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
		"a text": canary, "bytes": []byte(canary), "a field": corev1.EnvVar{Value: canary}, "a pointer": &corev1.EnvVar{Value: canary},
		"a map": map[string]string{"a": canary}, "an error": fmt.Errorf("x: %w", errors.New(canary)),
		"behind a pointer that only a failing test follows": struct{ p *corev1.EnvVar }{&corev1.EnvVar{Value: canary}},
	} {
		text := printed(v)
		assert.True(t, strings.Contains(text, "c4nary") || strings.Contains(text, fmt.Sprintf("%x", "c4nary")), name)
	}
}

// lookup is a global.Source that does not show what it holds.
type lookup func() (string, error)

func (l lookup) Lookup(context.Context, secret.Request) (string, error) { return l() }

func holding(t testing.TB, value string, err error) *global.Manager {
	m, newErr := global.New(global.Config{Source: lookup(func() (string, error) { return value, err })})
	require.NoError(t, newErr)
	return m
}

// publicValues has a value of every public type, made by way of a secret where
// there is a way.
func publicValues(t *testing.T) map[string]any {
	req := secret.Request{Group: "global", Key: "token", EnvVar: "TOKEN"}
	var access injector.Access
	in := newInjector(t, func(cfg *injector.Config) {
		cfg.Allow = func(a injector.Access) error { access = a; return nil }
	})
	plan, err := in.Plan(ctx, userStoryPod(), req)
	require.NoError(t, err)
	require.Equal(t, req, access.Request)
	require.Contains(t, string(toJSON(t, plan.Pod())), "c4nary", "the value is in the Pod")
	pod := userStoryPod()
	pod.Spec.Containers[0].Env[0].Name = "TOKEN"
	_, err = in.Plan(ctx, pod, req)
	var failed *injector.RequestError
	require.True(t, errors.As(err, &failed))
	var conflict *mount.ConflictError
	require.True(t, errors.As(err, &conflict))
	value := mount.Literal(canary)
	fragment := mount.Fragment{Value: value, File: true}
	var invalidFragment *mount.FragmentError
	require.True(t, errors.As(fragment.Validate(), &invalidFragment))
	var invalidValue *mount.ValueError
	require.True(t, errors.As(mount.Literal(canary+"\x00").Validate("X"), &invalidValue))
	var invalidLayout *mount.LayoutError
	require.True(t, errors.As(mount.Layout{Dir: "x"}.Validate(), &invalidLayout))
	var invalid *secret.InvalidError
	require.True(t, errors.As(secret.Request{}.Validate(), &invalid))
	_, err = secret.DecodeAnnotations(map[string]string{"flyte.secrets/s0": canary})
	var annotation *secret.AnnotationError
	require.True(t, errors.As(err, &annotation))
	held := holding(t, canary, nil)
	source := global.Source(lookup(func() (string, error) { return canary, nil }))
	kubernetes, err := k8ssecret.New(k8ssecret.Config{})
	require.NoError(t, err)
	fetching, err := awssm.New(awssm.Config{})
	require.NoError(t, err)
	annotating, err := vault.New(vault.Config{})
	require.NoError(t, err)
	google, err := gcpsm.New(gcpsm.Config{})
	require.NoError(t, err)
	azure, err := azurekv.New(azurekv.Config{Vault: "https://team.vault.azure.net"})
	require.NoError(t, err)
	driven, err := csi.New(csi.Config{})
	require.NoError(t, err)
	return map[string]any{
		"awssm.Config": awssm.Config{}, "awssm.Fetcher": awssm.Fetch, "awssm.Manager": fetching,
		"azurekv.Config": azurekv.Config{}, "azurekv.Fetcher": azurekv.Fetch, "azurekv.Manager": azure,
		"csi.Config": csi.Config{}, "csi.Manager": driven,
		"gcpsm.Config": gcpsm.Config{}, "gcpsm.Fetcher": gcpsm.Fetch, "gcpsm.Manager": google,
		"global.Config": global.Config{Source: source}, "global.Manager": held, "global.Source": source,
		"injector.Access": access, "injector.Reference": injector.Reference{}, "injector.Rule": injector.Rule{}, "injector.Rules": injector.Rules{},
		"mount.MissingError": &mount.MissingError{},
		"injector.Config":    injector.Config{Managers: []injector.SecretManager{held}},
		"injector.Injector":  in, "injector.LimitError": &injector.LimitError{}, "injector.Placement": plan.Placements[0],
		"injector.Plan": plan, "injector.RequestError": failed, "injector.SecretManager": injector.SecretManager(held),
		"k8ssecret.Config": k8ssecret.Config{}, "k8ssecret.Manager": kubernetes, "k8ssecret.Ref": k8ssecret.Ref{},
		"mount.ConflictError": conflict, "mount.ConflictPolicy": mount.ConflictKeepPod, "mount.Container": mount.Container{},
		"mount.Features": mount.Features{}, "mount.FileAnnotations": mount.FileAnnotations{}, "mount.InitContainer": mount.InitContainer{},
		"mount.Object": mount.Object{}, "mount.TargetSpec": mount.TargetSpec{}, "mount.Webhook": mount.Webhook{},
		"mount.Fragment": fragment, "mount.FragmentError": invalidFragment, "mount.InitOrder": mount.InitAfterSidecars,
		"mount.Layout": mount.Layout{}, "mount.LayoutError": invalidLayout,
		"mount.Target": mount.NewTarget(mount.Layout{}, mount.InitFirst, &metav1.ObjectMeta{}),
		"mount.Type":   mount.EnvVar, "mount.Value": value, "mount.ValueError": invalidValue,
		"secret.AnnotationError": annotation, "secret.InvalidError": invalid, "secret.Request": req,
		"vault.Config": vault.Config{}, "vault.Flavor": vault.OpenBao, "vault.Manager": annotating,
	}
}

func TestLeaks_PublicTypes(t *testing.T) {
	for name, v := range publicValues(t) {
		for _, each := range []any{v, []any{v}, dereferenced(v)} {
			assertNoValue(t, printed(each), name)
		}
	}
}

// dereferenced returns what v points to, if it is a pointer.
func dereferenced(v any) any {
	if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer {
		return r.Elem().Interface()
	}
	return v
}

// The list above has all public types of all public packages, and each under its
// own name.
func TestLeaks_AllPublicTypes(t *testing.T) {
	const self = "github.com/podsecrets/podsecrets/"
	var want []string
	for _, line := range goList(t, "{{.ImportPath}}={{.Name}}={{.Dir}}", self+"...") {
		parts := strings.Split(line, "=")
		path, name, dir := strings.TrimPrefix(parts[0], self), parts[1], parts[2]
		// What a kit for tests holds, a test wrote.
		if strings.HasPrefix(path, "internal/") || strings.HasPrefix(path, "examples/") || path == "injector/injectortest" {
			continue
		}
		packages, err := parser.ParseDir(token.NewFileSet(), dir, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		require.Contains(t, packages, name)
		for file, f := range packages[name].Files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.IsExported() {
					want = append(want, name+"."+spec.Name.Name)
				}
				_, inside := n.(*ast.FuncDecl)
				return !inside
			})
		}
	}
	values := publicValues(t)
	var have []string
	for name, v := range values {
		have = append(have, name)
		if of := reflect.TypeOf(dereferenced(v)); of.Kind() != reflect.Func && name != "injector.SecretManager" {
			assert.Equal(t, name, of.String(), "the value is of another type")
		}
	}
	slices.Sort(want)
	slices.Sort(have)
	assert.Equal(t, want, have, "publicValues has one value of each public type")
}

// Every way in which a request for a global secret can fail.
func TestLeaks_Errors(t *testing.T) {
	req := secret.Request{Group: "g", Key: "k", EnvVar: "X"}
	inTheWay := func(value string) *corev1.Pod {
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
		{"not UTF-8", holding(t, canary+"\xff", nil), userStoryPod(), []secret.Request{req}, "not valid UTF-8"},
		{"NUL", holding(t, canary+"\x00", nil), userStoryPod(), []secret.Request{req}, "NUL"},
		{"too long", holding(t, strings.Repeat(canary, 1<<14), nil), userStoryPod(), []secret.Request{req}, "131070 bytes"},
		{"too much for one pod", holding(t, strings.Repeat(canary, 1<<12), nil), many, []secret.Request{req}, "524288 bytes"},
		{"asked for as a file", holding(t, canary, nil), userStoryPod(), []secret.Request{{Group: "g", Key: "k", Mount: mount.File}}, "not files"},
		{"a source that fails with the value beside", holding(t, canary, errors.New("broken")), userStoryPod(), []secret.Request{req}, "broken"},
		{"another value in the way", holding(t, canary, nil), inTheWay("mine"), []secret.Request{req}, "set to something else"},
		{"the value in the way, not doubled", holding(t, canary, nil), inTheWay(canary), []secret.Request{req}, "set to something else"},
		{"another secret in the way", other, userStoryPod(), []secret.Request{{Group: "g", Key: "other", EnvVar: "X"}, {Group: "h", Key: "other", EnvVar: "X"}}, "two different things"},
		{"no container", holding(t, canary, nil), &corev1.Pod{}, []secret.Request{req}, "no container"},
		{"beside a request that fails", other, userStoryPod(), []secret.Request{{Group: "g", Key: "other"}, {Key: "../x"}}, "segment"},
		{"beside a request that nobody serves", other, userStoryPod(), []secret.Request{{Group: "g", Key: "other"}, req}, "no manager serves it"},
		{"a fragment that breaks the rules", file, userStoryPod(), []secret.Request{req}, "exactly one"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in, err := injector.New(injector.Config{Managers: []injector.SecretManager{tc.manager}})
			require.NoError(t, err)
			_, err = in.Plan(ctx, tc.pod, tc.reqs...)
			require.Error(t, err)
			require.True(t, strings.Contains(err.Error(), tc.want), "another error than meant")
			everyError(err, func(err error) { assertNoValue(t, printed(err), fmt.Sprintf("%T", err)) })

			// The Pod's author may have written the value there; so without it.
			asking := stamped(t, tc.pod, tc.reqs...)
			response := in.Review(ctx, creation(toJSON(t, asking)))
			require.False(t, response.Allowed)
			assertNoValue(t, printed(response), "the response")
		})
	}
}

// everyError visits an error and all that it wraps.
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

// Of what a review returns, only the patch has the value.
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

// The library has nothing to log with.
func TestLeaks_NoLogging(t *testing.T) {
	library := slices.DeleteFunc(goList(t, "{{.ImportPath}}", "github.com/podsecrets/podsecrets/..."), func(path string) bool {
		return strings.Contains(path, "/examples/") || strings.HasSuffix(path, "/injectortest")
	})
	for _, imported := range goList(t, `{{join .Imports "\n"}}`, library...) {
		assert.False(t, imported == "log" || imported == "log/slog" || strings.HasPrefix(imported, "k8s.io/klog"), imported)
	}
}
