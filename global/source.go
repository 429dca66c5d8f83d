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

// Source is where global secrets come from.
type Source interface {
	// Lookup returns the value of the secret that the request's Group and Key
	// name; the store has no versions. An error that wraps secret.ErrNotFound
	// says that the source does not have it; any other, that it is there but
	// cannot be had. Errors never hold the value. Lookup may be called from
	// many goroutines at once, and ends with the context.
	Lookup(ctx context.Context, req secret.Request) (string, error)
}

// process reads the environment and the files of this process, where there is no
// Source.
type process struct {
	names mount.Layout
	dir   string
}

// lookup returns the value, and the name of the variable or the path of the file
// that holds it.
func (p *process) lookup(_ context.Context, req secret.Request) (value string, reads mount.Object, err error) {
	name := p.names.EnvVar(req.Group, "", req.Key)
	if value, ok := os.LookupEnv(name); ok {
		return value, mount.Object{Name: name}, nil
	}
	file := fileName(req)
	value, err = p.read(file)
	// What is no file at all is absent too: a group's directory, or a path
	// below a file.
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ENAMETOOLONG) {
		err = secret.ErrNotFound
	}
	return value, mount.Object{Name: path.Join(filepath.ToSlash(p.dir), file)}, err
}

// read reads the file in a way that neither leaves dir, not through symbolic
// links either, nor waits for the other end of a FIFO, nor reads more than a
// variable could hold.
func (p *process) read(name string) (string, error) {
	// Request.Validate refuses ".." too. An os.Root takes it, but that of Go 1.24.0
	// panics where it leads back to the root. Names like "..data" are the kubelet's,
	// second names of the files in a volume.
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
		return "", errors.New("it is not a regular file")
	}
	value, err := io.ReadAll(io.LimitReader(f, mount.MaxEnvVar+1))
	if err == nil && len(value) > mount.MaxEnvVar {
		err = fmt.Errorf("it has more than %d bytes", mount.MaxEnvVar)
	}
	return string(value), err
}

// fileName is relative to the directory. Its case is kept, as Flyte's is.
func fileName(req secret.Request) string {
	if req.Group == "" || req.Key == "" {
		return req.Group + req.Key
	}
	return req.Group + "/" + req.Key
}
