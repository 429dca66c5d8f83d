package helm

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The command line's binary, and the webhook's.
var inject, webhook string

func TestMain(m *testing.M) { os.Exit(withBinaries(m.Run)) }

func withBinaries(run func() int) int {
	dir, err := os.MkdirTemp("", "helm-*")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	inject, webhook = filepath.Join(dir, "inject"), filepath.Join(dir, "webhook")
	build(inject, filepath.Join("..", ".."), "./examples/inject")
	build(webhook, filepath.Join("..", "..", "examples", "webhook"), ".")
	return run()
}

func build(binary, dir, pkg string) {
	command := exec.Command("go", "build", "-o", binary, pkg)
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		panic(string(out))
	}
}
