package injector_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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

// publicValues returns a value of every public type, made from a secret if
// possible.
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
	globalManager := managerWith(t, canary, nil)
	source := global.Source(lookup(func() (string, error) { return canary, nil }))
	all := publicManagers(t)
	maps.Copy(all, map[string]any{
		"global.Config": global.Config{Source: source}, "global.Manager": globalManager, "global.Source": source,
		"injector.Access": access, "injector.Reference": injector.Reference{}, "injector.Rule": injector.Rule{}, "injector.Rules": injector.Rules{},
		"mount.MissingError": &mount.MissingError{},
		"injector.Config":    injector.Config{Managers: []injector.SecretManager{globalManager}},
		"injector.Injector":  in, "injector.LimitError": &injector.LimitError{}, "injector.Placement": plan.Placements[0],
		"injector.Plan": plan, "injector.RequestError": failed, "injector.SecretManager": injector.SecretManager(globalManager),
		"mount.ConflictError": conflict, "mount.ConflictPolicy": mount.ConflictKeepPod, "mount.Container": mount.Container{},
		"mount.Features": mount.Features{}, "mount.FileAnnotations": mount.FileAnnotations{}, "mount.InitContainer": mount.InitContainer{},
		"mount.Object": mount.Object{}, "mount.TargetSpec": mount.TargetSpec{}, "mount.Webhook": mount.Webhook{},
		"mount.Fragment": fragment, "mount.FragmentError": invalidFragment, "mount.InitOrder": mount.InitAfterSidecars,
		"mount.Layout": mount.Layout{}, "mount.LayoutError": invalidLayout,
		"mount.Target": mount.NewTarget(mount.Layout{}, mount.InitFirst, &metav1.ObjectMeta{}),
		"mount.Type":   mount.EnvVar, "mount.Value": value, "mount.ValueError": invalidValue,
		"secret.AnnotationError": annotation, "secret.InvalidError": invalid, "secret.Request": req,
	})
	return all
}

// publicManagers are the values of managers' packages.
func publicManagers(t *testing.T) map[string]any {
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
		"k8ssecret.Config": k8ssecret.Config{}, "k8ssecret.Manager": kubernetes, "k8ssecret.Ref": k8ssecret.Ref{},
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

// dereferenced returns the value of a pointer, or v itself.
func dereferenced(v any) any {
	if r := reflect.ValueOf(v); r.Kind() == reflect.Pointer {
		return r.Elem().Interface()
	}
	return v
}

// publicValues has all public types of all public packages, with the right
// names.
func TestLeaks_AllPublicTypes(t *testing.T) {
	const self = "github.com/podsecrets/podsecrets/"
	var want []string
	for _, line := range goList(t, "{{.ImportPath}}={{.Name}}={{.Dir}}", self+"...") {
		parts := strings.Split(line, "=")
		path, name, dir := strings.TrimPrefix(parts[0], self), parts[1], parts[2]
		// The test kit contains only what a test passes to it.
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
			assert.Equal(t, name, of.String(), "wrong type")
		}
	}
	slices.Sort(want)
	slices.Sort(have)
	assert.Equal(t, want, have, "publicValues must have each public type once")
}
