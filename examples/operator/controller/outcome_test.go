package controller

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/examples/operator/api"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func TestExplain(t *testing.T) {
	of := func(err error) error {
		return &injector.RequestError{Request: secret.Request{Group: "g", Key: "k"}, Manager: "m", Err: err}
	}
	unserved := of(fmt.Errorf("m: %w", secret.ErrNotFound))
	conflict := of(&mount.ConflictError{Field: "env", Name: "A", Reason: "is there"})
	failed := of(errors.New("password rejected"))
	for _, c := range []struct {
		name   string
		err    error
		reason string
	}{
		{"invalid", of(&secret.InvalidError{Field: "key", Reason: "is bad"}), api.ReasonInvalid},
		{"too long for a variable", of(&mount.ValueError{Name: "A", Reason: "is long"}), api.ReasonInvalid},
		{"too much for a Pod", mount.ErrTooLarge, api.ReasonInvalid},
		{"conflict", conflict, api.ReasonConflict},
		{"not found", unserved, api.ReasonNotServed},
		{"not supported", of(secret.ErrUnsupported), api.ReasonNotServed},
		{"failed", failed, api.ReasonManagerFailed},
		{"time is up", errors.New("context canceled"), api.ReasonManagerFailed},
		{"the first of several", errors.Join(conflict, unserved), api.ReasonConflict},
		{"a failure before others", errors.Join(conflict, failed, unserved), api.ReasonManagerFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			reason, message := explain(c.err)
			assert.Equal(t, c.reason, reason)
			assert.NotEmpty(t, message)
			assert.NotContains(t, message, "password rejected")
		})
	}
	_, message := explain(errors.Join(conflict, failed))
	assert.Contains(t, message, "is there")
	assert.Contains(t, message, "manager m failed")
}

// What controller-gen makes of the Go types is what is committed.
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
