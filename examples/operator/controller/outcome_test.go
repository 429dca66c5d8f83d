package controller

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/examples/operator/api"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// The errors come from an injector. Text that must stay private contains "private".
func TestExplain(t *testing.T) {
	private := errors.New("private address")
	store := &injectortest.Fake{
		Values: map[secret.Request]*mount.Value{
			{Group: "g", Key: "k"}:      mount.Literal("v"),
			{Group: "g", Key: "other"}:  mount.Literal("w"),
			{Group: "g", Key: "long"}:   mount.Literal(strings.Repeat("v", 1<<18)),
			{Group: "denied", Key: "k"}: mount.Literal("v"), // by the rules
		},
		Errors: map[secret.Request]error{
			{Group: "g", Key: "down"}:        private,
			{Group: "g", Key: "unsupported"}: fmt.Errorf("%w: %w", secret.ErrUnsupported, private),
			{Group: "g", Key: "taken"}:       fmt.Errorf("%w: %w", private, &mount.ConflictError{Field: "volumes", Name: "v", Reason: "is there"}),
		},
	}
	in, err := injector.New(injector.Config{
		Managers: []injector.SecretManager{store},
		Layout:   Layout,
		Allow:    injector.Rules{{Names: []string{"g"}}}.Allow,
	})
	require.NoError(t, err)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()

	variable := func(group, key string) api.Secret { return api.Secret{Group: group, Key: key, EnvVar: "V"} }
	down, conflict := variable("g", "down"), []api.Secret{variable("g", "k"), variable("g", "other")}
	for _, c := range []struct {
		name    string
		ctx     context.Context
		secrets []api.Secret
		reason  string
		text    string
		again   bool
	}{
		{"invalid", t.Context(), []api.Secret{variable("g", "../k")}, api.ReasonInvalid, "key", false},
		{"too long for a variable", t.Context(), []api.Secret{variable("g", "long")}, api.ReasonInvalid, `key="long"`, false},
		{"too many", t.Context(), make([]api.Secret, injector.MaxRequests+1), api.ReasonInvalid, "10000", false},
		{"conflict", t.Context(), conflict, api.ReasonConflict, `because of secret group="g" key="k"`, false},
		{"a manager's conflict", t.Context(), []api.Secret{variable("g", "taken")}, api.ReasonConflict, "is there", false},
		{"not found", t.Context(), []api.Secret{variable("g", "none")}, api.ReasonNotServed, "no manager serves it", false},
		{"not supported", t.Context(), []api.Secret{variable("g", "unsupported")}, api.ReasonNotServed, "no manager serves it", false},
		{"not allowed", t.Context(), []api.Secret{variable("denied", "k")}, api.ReasonNotServed, "no manager serves it", false},
		{"failed", t.Context(), []api.Secret{down}, api.ReasonManagerFailed, "manager fake failed", true},
		{"time is up", canceled, []api.Secret{variable("g", "k")}, api.ReasonManagerFailed, "cannot be injected at the moment", true},
		{"the first of several", t.Context(), []api.Secret{variable("g", "none"), variable("g", "../k")}, api.ReasonNotServed, "; ", false},
		{"a failure behind others", t.Context(), []api.Secret{variable("g", "none"), down}, api.ReasonManagerFailed, "no manager serves it; ", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			task := &api.Task{Spec: api.TaskSpec{Image: "i", Secrets: c.secrets}}
			_, err := references(c.ctx, in, task)
			require.Error(t, err)
			reason, message, again := explain(err)
			assert.Equal(t, c.reason, reason, message)
			assert.Contains(t, message, c.text)
			assert.Equal(t, c.again, again)
			assert.NotContains(t, message, "private")
			assert.NotContains(t, message, "rule")
		})
	}
}

// The committed files are what controller-gen generates.
func TestGenerated(t *testing.T) {
	dir := t.TempDir()
	out, err := exec.Command("go", "tool", "controller-gen", "object", "crd", "paths=../api",
		"output:crd:dir="+dir, "output:object:dir="+dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	for name, committed := range map[string]string{
		"example.com_tasks.yaml":   "../config/example.com_tasks.yaml",
		"zz_generated.deepcopy.go": "../api/zz_generated.deepcopy.go",
	} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		got, err := os.ReadFile(committed)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "%s: go generate ./...", name)
	}
}
