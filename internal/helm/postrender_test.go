package helm

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	postrender3 "helm.sh/helm/v3/pkg/postrender"
	"helm.sh/helm/v4/pkg/cli"
	postrender4 "helm.sh/helm/v4/pkg/postrenderer"
)

// postRenderers render with the command line as post-renderer.
var postRenderers = map[string]func(t *testing.T, chart string, args ...string) (rendering, error){
	"helm-3": func(t *testing.T, chart string, args ...string) (rendering, error) {
		post, err := postrender3.NewExec(inject, args...)
		require.NoError(t, err)
		return render3(chart, "default", nil, post)
	},
	"helm-4": func(t *testing.T, chart string, args ...string) (rendering, error) {
		post, err := postrender4.NewPostRendererPlugin(&cli.EnvSettings{PluginsDirectory: plugins(t)}, "inject", args...)
		require.NoError(t, err)
		return render4(chart, "default", nil, post)
	},
}

// plugins returns a directory with the plugin that docs/gitops.md shows, whose
// command is the binary.
func plugins(t *testing.T) string {
	text, err := os.ReadFile(filepath.Join("testdata", "plugins", "inject", "plugin.yaml"))
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "inject"), 0o700))
	text = bytes.Replace(text, []byte("INJECT"), []byte(inject), 1)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "inject", "plugin.yaml"), text, 0o600))
	return dir
}

var testChart = filepath.Join("testdata", "chart")

// What is added is the same with both; Helm 3 keeps hooks from post-renderers.
func TestPostRender(t *testing.T) {
	const variable = "name: _FSEC_DB_PASSWORD"
	for name, render := range postRenderers {
		t.Run(name, func(t *testing.T) {
			rendered, err := render(t, testChart, "-request=group=db,key=password")
			require.NoError(t, err)
			assert.Contains(t, rendered.manifest, variable)
			assert.Contains(t, rendered.hooks, "name: secrets-migrate")
			if name == "helm-3" {
				assert.NotContains(t, rendered.hooks, variable)
			} else {
				assert.Contains(t, rendered.hooks, variable)
			}

			before, err := helms[name](testChart, "default", nil)
			require.NoError(t, err)
			want, got := parse(t, before.manifest), parse(t, rendered.manifest)
			const deployment = "Deployment secrets-web"
			assert.NotEqual(t, want[deployment]["spec"], got[deployment]["spec"])
			delete(want[deployment], "spec")
			delete(got[deployment], "spec")
			requireSame(t, want, got)
		})
	}
}

// A failure leaves no manifests. Helm 4 passes the message to standard error.
func TestPostRender_Error(t *testing.T) {
	for name, render := range postRenderers {
		t.Run(name, func(t *testing.T) {
			rendered, err := render(t, testChart, "-request=group=DB_,key=password")
			require.Error(t, err)
			assert.Empty(t, rendered)
			if name == "helm-3" {
				assert.ErrorContains(t, err, "group is not a valid name of a Secret")
			}
		})
	}
}

// The documentation shows the plugin that the test runs.
func TestPostRender_Documented(t *testing.T) {
	plugin, err := os.ReadFile(filepath.Join("testdata", "plugins", "inject", "plugin.yaml"))
	require.NoError(t, err)
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "gitops.md"))
	require.NoError(t, err)
	assert.Contains(t, string(page), string(bytes.Replace(plugin, []byte("INJECT"), []byte("inject"), 1)))
}
