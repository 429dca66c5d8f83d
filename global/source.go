package global

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Source provides global secrets.
type Source interface {
	// Lookup returns the value of the secret with the request's Group and Key; other
	// fields do not matter. An error that wraps secret.ErrNotFound means that the
	// source does not have the secret; any other error means that it exists but
	// cannot be read. Errors must not contain the value. Lookup must be safe for
	// concurrent use and return when the context ends.
	Lookup(ctx context.Context, req secret.Request) (string, error)
}

// processSource reads this process's environment and files.
type processSource struct {
	names mount.Layout
	dir   string
}

// lookup returns the value, and the name of the variable or the path of the file
// that holds it.
func (p *processSource) lookup(_ context.Context, req secret.Request) (value string, reads mount.Object, err error) {
	name := p.names.EnvVar(req.Group, "", req.Key)
	if value, ok := os.LookupEnv(name); ok {
		return value, mount.Object{Name: name}, nil
	}
	file := fileName(req)
	value, err = p.read(file)
	// A directory and a path below a file also count as not found.
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG) {
		err = secret.ErrNotFound
	}
	return value, mount.Object{Name: path.Join(filepath.ToSlash(p.dir), file)}, err
}

// read reads a file below dir. It never leaves dir, not even through symbolic links,
// never waits for the other end of a FIFO, and never reads more than a variable can
// hold.
func (p *processSource) read(name string) (string, error) {
	// Request.Validate refuses ".." too. An os.Root accepts it, but Go 1.24.0 panics
	// where it leads back to the root. The kubelet uses names like "..data" for
	// aliases of the files in a volume.
	if strings.HasPrefix(name, "..") || strings.Contains(name, "/..") {
		return "", fs.ErrNotExist
	}
	root, err := os.OpenRoot(p.dir)
	if err != nil {
		return "", err
	}
	defer root.Close()
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return "", err
	case info.IsDir():
		return "", fs.ErrNotExist
	case !info.Mode().IsRegular():
		return "", errors.New("not a regular file")
	}
	value, err := io.ReadAll(io.LimitReader(f, mount.MaxEnvVar+1))
	if err == nil && len(value) > mount.MaxEnvVar {
		err = fmt.Errorf("more than %d bytes", mount.MaxEnvVar)
	}
	return string(value), err
}

// fileName returns the file's name relative to the directory, case kept as in Flyte.
func fileName(req secret.Request) string {
	if req.Group == "" || req.Key == "" {
		return req.Group + req.Key
	}
	return req.Group + "/" + req.Key
}
