package apiserver

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// find returns the name of the server's binary: the variable KAPI_BIN, or else
// bin/kapi in the root of the repository. There is no third way, and no test is
// skipped without it.
func find() (string, error) {
	binary := os.Getenv("KAPI_BIN")
	if binary == "" {
		root, err := Root()
		if err != nil {
			return "", err
		}
		binary = filepath.Join(root, "bin", "kapi")
	}
	if _, err := os.Stat(binary); err != nil {
		return "", fmt.Errorf("the API server for tests is missing: run \"make kapi\" in the root of the repository, which takes minutes the first time, or name the binary in KAPI_BIN: %w", err)
	}
	return binary, nil
}

// Root returns the root of the repository that the working directory is in,
// which for a test is its package's folder.
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
			return "", fmt.Errorf("%s is not in the repository", start)
		}
	}
}

// shortDir makes a temporary folder. In it will be etcd's socket, whose path may
// not be longer than 107 bytes; so where TMPDIR is long, it is below /tmp.
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
	const most = 4096
	return string(log[max(0, len(log)-most):])
}
