// Package fetchtest runs the stock init containers of cloud stores as the kubelet and a
// shell do, with a stub for the vendor's program.
package fetchtest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/fetch"
	"github.com/podsecrets/podsecrets/internal/kubelet"
)

// Result is the outcome of a container's run.
type Result struct {
	// Args are the arguments of each call of the vendor's program.
	Args [][]string
	// Files maps the paths in the volume of fetched files to contents.
	Files map[string]string
	// Err is not nil if the container failed.
	Err    error
	Output string
}

// Run runs the command of an init container with its own variables, env and extra
// ("NAME=value"). The stub of the vendor's program is a script for sh, which receives
// the program's arguments.
func Run(t testing.TB, c *corev1.Container, env []corev1.EnvVar, program, script string, extra ...string) Result {
	t.Helper()
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "bin"), 0o750))
	log := filepath.Join(dir, "log")
	stub := "#!/bin/sh\nprintf '%s\\0' $# \"$@\" >> '" + log + "'\n" + script
	must(t, os.WriteFile(filepath.Join(dir, "bin", program), []byte(stub), 0o755)) // #nosec G306 -- it is run
	files := filepath.Join(dir, "files")
	must(t, os.MkdirAll(files, 0o750))

	cmd := exec.Command(c.Command[0], c.Command[1:]...) // #nosec G204 -- the command under test
	cmd.Dir = files
	cmd.Env = append([]string{"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH")}, extra...)
	for _, v := range append(c.Env, env...) {
		value := kubelet.Expand(v.Value, nil)
		cmd.Env = append(cmd.Env, v.Name+"="+hostPath(value, dir, files))
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return Result{calls(t, log), read(t, files), err, out.String()}
}

// hostPath replaces the container's directories in a value by the test's.
func hostPath(value, dir, files string) string {
	if rest, ok := strings.CutPrefix(value, fetch.FilesDir+"/"); ok {
		return files + "/" + rest
	}
	if value == fetch.ConfigDir {
		return dir
	}
	return value
}

func calls(t testing.TB, log string) (all [][]string) {
	text, err := os.ReadFile(log) // #nosec G304 -- the test's own file
	if os.IsNotExist(err) {
		return nil
	}
	must(t, err)
	words := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	for len(words) > 0 {
		n, err := strconv.Atoi(words[0])
		must(t, err)
		all = append(all, words[1:1+n])
		words = words[1+n:]
	}
	return all
}

func read(t testing.TB, dir string) map[string]string {
	files := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path) // #nosec G304 G122 -- the test's own file
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		files[rel] = string(content)
		return err
	}))
	return files
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(fmt.Errorf("fetchtest: %w", err))
	}
}
