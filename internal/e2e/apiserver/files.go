package apiserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// findBinary returns the path of the server's binary: that in the variable KAPI_BIN,
// else bin/kapi in the root of the repository. Without it tests fail rather than
// skip.
func findBinary() (string, error) {
	binary := os.Getenv("KAPI_BIN")
	if binary == "" {
		root, err := Root()
		if err != nil {
			return "", err
		}
		binary = filepath.Join(root, "bin", "kapi")
	}
	if _, err := os.Stat(binary); err != nil {
		return "", fmt.Errorf("the API server for tests is missing: run \"make kapi\" in the root of the repository, which takes minutes the first time, or set KAPI_BIN: %w", err)
	}
	return binary, nil
}

// Root returns the root of the repository with the working directory. A test's
// working directory is that of its package.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		_, err := os.Stat(filepath.Join(dir, "internal", "kapi", "go.mod"))
		switch {
		case err == nil:
			return dir, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", err
		case dir == filepath.Dir(dir):
			return "", fmt.Errorf("directory %s is not in the repository", start)
		}
	}
}

// shortDir creates a temporary directory, in /tmp if TMPDIR is long: the path of
// etcd's socket in it is limited to 107 bytes.
func shortDir() (string, error) {
	base := os.TempDir()
	if len(base) > 80 {
		base = "/tmp"
	}
	return os.MkdirTemp(base, "kapi")
}

func (s *Server) logFile() string { return filepath.Join(s.dir, "log") }

// logTail returns the end of the server's log.
func (s *Server) logTail() string {
	log, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, len(log)-4096):])
}
