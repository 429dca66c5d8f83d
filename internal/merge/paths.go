package merge

import (
	"iter"
	"path"
	"strings"
)

// absolute returns the path of a mount as the kubelet reads it.
func absolute(p string) string {
	if !path.IsAbs(p) {
		p = "/" + p
	}
	return path.Clean(p)
}

// fromWindows returns a path of drive C, on which Linux' paths are too, with
// slashes.
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

// relative returns the path p, which is below base, without base.
func relative(base, p string) string { return strings.TrimPrefix(p[len(base):], "/") }

// maxPath is Linux's limit on a path in bytes (PATH_MAX): nothing at a longer
// one can be mounted or read. Kubernetes has no limit on the paths of the Pod's
// own mounts and items.
const maxPath = 4096

// parents yields the directories above a clean path, the nearest first, without
// the root and without copying. Those longer than maxPath are left out: to look
// up all the directories of a path of a million segments takes minutes.
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

// tree is a set of files, each with something known of it, and of the
// directories above them.
type tree[T any] struct {
	files map[string]T
	dirs  map[string]T // what is known of the first file below
}

func (t *tree[T]) add(file string, known T) {
	if t.files == nil {
		t.files, t.dirs = make(map[string]T), make(map[string]T)
	}
	t.files[file] = known
	for dir := range parents(file) {
		if _, ok := t.dirs[dir]; ok {
			return
		}
		t.dirs[dir] = known
	}
}

const isDirectory = "would be a file, and the directory of another one"

func isBelow(file string) string { return "would be below another file, " + quote(file) }

// blocked reports whether there cannot be such a file because it is a directory
// of the tree or would have to be below one of its files, says which, and what is
// known of a file there.
func (t *tree[T]) blocked(file string) (reason string, by T, blocked bool) {
	if by, ok := t.dirs[file]; ok {
		return isDirectory, by, true
	}
	for dir := range parents(file) {
		if by, ok := t.files[dir]; ok {
			return isBelow(dir), by, true
		}
	}
	return "", by, false
}
