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

// Isolate removes the process's variables that the renderer would read as settings,
// and silences its log. Call it in TestMain.
func Isolate() {
	log.SetOutput(io.Discard)
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "VAULT_") || strings.HasPrefix(name, "CONSUL_") || strings.HasPrefix(name, "NOMAD_") {
			os.Unsetenv(name)
		}
	}
}

// Render runs an agent once, with all destinations below root. It returns the agent's
// first error, at which it stops.
func Render(t testing.TB, c *AgentConfig, s *Server, root string) error {
	t.Helper()
	rooted := *c
	rooted.Vault = map[string]string{"address": s.url}
	rooted.Template = append([]stanza(nil), c.Template...)
	for i := range rooted.Template {
		rooted.Template[i].Destination = root + rooted.Template[i].Destination
	}
	return rooted.Run(jwt)
}

// Run runs an agent once, which logs in with a service account's token. It returns
// the agent's first error, at which it stops.
func (c *AgentConfig) Run(serviceAccountToken string) error {
	raw, err := json.Marshal(map[string]any{
		"vault": map[string]any{
			"address":                   c.Vault["address"],
			"token":                     "", // ignore the user's token file
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

// FilesBelow returns the contents of all files by their paths below root.
func FilesBelow(t testing.TB, root string) map[string]string {
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path) // #nosec G304 G122 -- a test's scratch directory
		files[strings.TrimPrefix(path, root)] = string(content)
		return err
	}))
	return files
}
