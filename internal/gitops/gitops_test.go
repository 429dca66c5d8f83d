package gitops

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/kustomize/kyaml/runfn"
)

// inject is the command line's binary.
var inject string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "gitops-*")
	if err != nil {
		panic(err)
	}
	inject = filepath.Join(dir, "inject")
	build := exec.Command("go", "build", "-o", inject, "./examples/inject")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		panic(err)
	}
	os.Exit(code)
}

// copyTestdata copies a folder of testdata and replaces INJECT by the binary's path.
func copyTestdata(t *testing.T, folder string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		text = bytes.ReplaceAll(text, []byte("INJECT"), []byte(inject))
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(path)), text, 0o600))
	}
	return dir
}

// kustomize does what "kustomize build --enable-alpha-plugins --enable-exec" does.
func kustomize(dir string) (string, error) {
	options := krusty.MakeDefaultOptions()
	options.PluginConfig = types.EnabledPluginConfig(types.BploUseStaticallyLinked)
	options.PluginConfig.FnpLoadingOptions.EnableExec = true
	resources, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		return "", err
	}
	text, err := resources.AsYaml()
	return string(text), err
}

// breakRequest changes the function's request so that no manager serves it.
func breakRequest(t *testing.T, dir string) {
	t.Helper()
	function := filepath.Join(dir, "secrets.yaml")
	text, err := os.ReadFile(function)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(function, bytes.Replace(text, []byte("group=db"), []byte("group=DB_"), 1), 0o600))
}

func TestKustomize(t *testing.T) {
	text, err := kustomize(copyTestdata(t, "kustomize"))
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(text, "name: _FSEC_DB_PASSWORD"), "%s", text)
	assert.Contains(t, text, "name: prod-web", "kustomize's own changes stay")
	assert.NotContains(t, text, "results:")
}

func TestKustomize_Error(t *testing.T) {
	dir := copyTestdata(t, "kustomize")
	breakRequest(t, dir)
	_, err := kustomize(dir)
	assert.Error(t, err)
}

// kyaml's runner writes the function's changes back to the files, once.
func TestRunner(t *testing.T) {
	dir := copyTestdata(t, "functions")
	run := runfn.RunFns{Path: dir, EnableExec: true, DisableContainers: true, WorkingDir: dir}
	require.NoError(t, run.Execute())
	text, err := os.ReadFile(filepath.Join(dir, "deployment.yaml"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "# the server")
	assert.Equal(t, 1, strings.Count(string(text), "name: _FSEC_DB_PASSWORD"), "%s", text)
	require.NoError(t, run.Execute())
	again, err := os.ReadFile(filepath.Join(dir, "deployment.yaml"))
	require.NoError(t, err)
	assert.Equal(t, string(text), string(again), "idempotent")
}

func TestRunner_Results(t *testing.T) {
	dir := copyTestdata(t, "functions")
	breakRequest(t, dir)
	results := t.TempDir()
	before, err := os.ReadFile(filepath.Join(dir, "deployment.yaml"))
	require.NoError(t, err)
	run := runfn.RunFns{Path: dir, EnableExec: true, DisableContainers: true, WorkingDir: dir, ResultsDir: results}
	require.Error(t, run.Execute())
	after, err := os.ReadFile(filepath.Join(dir, "deployment.yaml"))
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
	files, err := filepath.Glob(filepath.Join(results, "*"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	text, err := os.ReadFile(files[0])
	require.NoError(t, err)
	assert.Contains(t, string(text), "path: deployment.yaml")
	assert.Contains(t, string(text), "severity: error")
	assert.Contains(t, string(text), "kind: Deployment")
}
