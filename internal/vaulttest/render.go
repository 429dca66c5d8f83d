package vaulttest

import (
	"encoding/json"
	"io"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/consul-template/config"
	"github.com/hashicorp/consul-template/manager"
	"github.com/stretchr/testify/require"
)

// Isolate keeps the renderer from the environment of this process, of which
// some variables would be its settings, and silences its log. Call it in
// TestMain.
func Isolate() {
	log.SetOutput(io.Discard)
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "VAULT_") || strings.HasPrefix(name, "CONSUL_") || strings.HasPrefix(name, "NOMAD_") {
			os.Unsetenv(name)
		}
	}
}

// Render does what an agent with that configuration does, once, with each
// destination below root. It returns the first error, with which an agent ends.
func Render(t testing.TB, c *AgentConfig, s *Server, root string) error {
	t.Helper()
	below := *c
	below.Vault = map[string]string{"address": s.url}
	below.Template = append([]stanza(nil), c.Template...)
	for i := range below.Template {
		below.Template[i].Destination = root + below.Template[i].Destination
	}
	return below.Run(jwt)
}

// Run does what an agent with this configuration does, once, which logs in with the
// token of a service account. It returns the first error, with which an agent ends.
func (c *AgentConfig) Run(serviceAccountToken string) error {
	raw, err := json.Marshal(map[string]any{
		"vault": map[string]any{
			"address":                   c.Vault["address"],
			"token":                     "", // not one from a file of the user
			"k8s_auth_role_name":        c.AutoAuth.Method.Config["role"],
			"k8s_service_account_token": serviceAccountToken,
			"k8s_service_mount_path":    strings.TrimPrefix(c.AutoAuth.Method.MountPath, "auth/"),
			"retry":                     map[string]any{"attempts": 1, "backoff": "1ms"},
		},
		"template": c.Template,
	})
	if err != nil {
		return err
	}
	settings, err := config.Parse(string(raw))
	if err != nil {
		return err
	}
	settings.Once = true
	settings.Finalize()
	runner, err := manager.NewRunner(settings, false)
	if err != nil {
		return err
	}
	defer runner.Stop()
	go runner.Start()
	select {
	case err := <-runner.ErrCh:
		return err
	case <-runner.DoneCh:
		return nil
	}
}

// FilesBelow returns the contents of all files, by their paths below root.
func FilesBelow(t testing.TB, root string) map[string]string {
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path) // #nosec G304 G122 -- a scratch folder of the test
		files[strings.TrimPrefix(path, root)] = string(content)
		return err
	}))
	return files
}
