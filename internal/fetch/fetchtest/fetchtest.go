// Package fetchtest runs the stock init containers of cloud stores as a kubelet
// and a shell would, with a stand-in for the vendor's program.
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

// Result is what a container did.
type Result struct {
	// Args are the arguments of each call of the vendor's program.
	Args [][]string
	// Files are the files in the volume of fetched files, by their paths in it.
	Files map[string]string
	// Err is not nil if the container failed.
	Err    error
	Output string
}

// Run runs the command of an init container with the variables that it has, and
// further ones. The vendor's program is a stand-in: a script for sh, which gets the
// arguments of the program.
func Run(t testing.TB, c *corev1.Container, env []corev1.EnvVar, program, script string, further ...string) Result {
	t.Helper()
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "bin"), 0o750))
	log := filepath.Join(dir, "log")
	standIn := "#!/bin/sh\nprintf '%s\\0' $# \"$@\" >> '" + log + "'\n" + script
	must(t, os.WriteFile(filepath.Join(dir, "bin", program), []byte(standIn), 0o755)) // #nosec G306 -- it is run
	files := filepath.Join(dir, "files")
	must(t, os.MkdirAll(files, 0o750))

	cmd := exec.Command(c.Command[0], c.Command[1:]...) // #nosec G204 -- that is what is tested
	cmd.Dir = files
	cmd.Env = append([]string{"PATH=" + filepath.Join(dir, "bin") + ":" + os.Getenv("PATH")}, further...)
	for _, v := range append(c.Env, env...) {
		value := kubelet.Expand(v.Value, nil)
		cmd.Env = append(cmd.Env, v.Name+"="+inside(value, dir, files))
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return Result{calls(t, log), read(t, files), err, out.String()}
}

// inside returns a value with the container's directories in the place of which
// the test has others.
func inside(value, dir, files string) string {
	if rest, ok := strings.CutPrefix(value, fetch.FilesDir+"/"); ok {
		return filepath.Join(files) + "/" + rest
	}
	if value == "/podsecrets/config" {
		return dir
	}
	return value
}

func calls(t testing.TB, log string) (all [][]string) {
	text, err := os.ReadFile(log) // #nosec G304 -- the test's own
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
		content, err := os.ReadFile(path) // #nosec G304 G122 -- the test's own
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
