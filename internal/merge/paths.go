package merge

import (
	"iter"
	"path"
	"strings"
)

// absolute returns a mount's path as the kubelet reads it.
func absolute(p string) string {
	if !path.IsAbs(p) {
		p = "/" + p
	}
	return path.Clean(p)
}

// fromWindows returns a Windows path with slashes and without the drive letter C. Paths
// without a drive letter are on drive C too.
func fromWindows(p string) string {
	if len(p) >= 2 && (p[0] == 'c' || p[0] == 'C') && p[1] == ':' {
		p = p[2:]
	}
	return strings.ReplaceAll(p, `\`, "/")
}

// isUnder reports whether the clean path p is dir or below it.
func isUnder(dir, p string) bool {
	rest, ok := strings.CutPrefix(p, dir)
	return ok && (rest == "" || rest[0] == '/')
}

// relative returns p, which must be below base, relative to base.
func relative(base, p string) string { return strings.TrimPrefix(p[len(base):], "/") }

// maxPath is Linux's limit on a path in bytes (PATH_MAX): nothing at a longer path can be
// mounted or read. Kubernetes does not limit the paths of mounts and items.
const maxPath = 4096

// parents yields the directories above a clean path, nearest first, without the root and
// without copying. It leaves out those longer than maxPath: looking up all directories of
// a path with a million segments takes minutes.
func parents(file string) iter.Seq[string] {
	return func(yield func(string) bool) {
		file := file[:min(len(file), maxPath)]
		for {
			i := strings.LastIndexByte(file, '/')
			if i <= 0 {
				return
			}
			file = file[:i]
			if !yield(file) {
				return
			}
		}
	}
}

// tree is a set of files with values, and the directories above them.
type tree[T any] struct {
	files map[string]T
	dirs  map[string]T // the value of the first file below
}

func (t *tree[T]) add(file string, value T) {
	if t.files == nil {
		t.files, t.dirs = make(map[string]T), make(map[string]T)
	}
	t.files[file] = value
	for dir := range parents(file) {
		if _, ok := t.dirs[dir]; ok {
			return
		}
		t.dirs[dir] = value
	}
}

const reasonDirectory = "would be both a file and a directory"

func reasonBelow(file string) string { return "would be below another file, " + quote(file) }

// blocked reports whether a file cannot exist because it is a directory of the tree or would
// be below one of its files. It returns the reason, and the value of the file that blocks it.
func (t *tree[T]) blocked(file string) (reason string, by T, blocked bool) {
	if by, ok := t.dirs[file]; ok {
		return reasonDirectory, by, true
	}
	for dir := range parents(file) {
		if by, ok := t.files[dir]; ok {
			return reasonBelow(dir), by, true
		}
	}
	return "", by, false
}
