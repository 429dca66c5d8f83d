package main

import (
	"crypto/rand"
	"errors"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// file is an item with the content of its file.
type file struct {
	item
	content []byte
}

// write writes all files or none. They have temporary names until all are complete.
func write(s settings, files []file) []problem {
	volumes := map[bool]*volume{false: {path: s.filesDir}, true: {path: s.envDir}}
	for _, v := range volumes {
		v.uid = uint32(os.Geteuid()) // #nosec G115 -- never negative on Unix
		defer v.close()
	}
	undo := func(f file, err error) []problem {
		for _, v := range volumes {
			v.undo()
		}
		place := "file "
		if f.Env != "" {
			place = "env file "
		}
		return []problem{{f.String(), failure{outcome: cannotWrite, detail: place + shorten(f.path(), 200) + ": " + err.Error()}}}
	}
	for _, f := range files {
		if err := volumes[f.Env != ""].stage(f.path(), f.mode(), f.content); err != nil {
			return undo(f, err)
		}
	}
	for _, f := range files {
		if err := volumes[f.Env != ""].commit(f.path()); err != nil {
			return undo(f, err)
		}
	}
	return nil
}

// volume is a directory that others may write at the same time: a sidecar can mount the volume
// before this program starts. So each step uses one name in an open directory, no link is
// followed, and each directory below the mount point must be ours.
type volume struct {
	path   string
	uid    uint32
	dirs   map[string]int // open directories by their path
	made   []entry        // directories of this run, outer ones first
	staged map[string]*entry
}

// entry is a file or directory of this run, in an open directory.
type entry struct {
	dir   int
	name  string
	node  inode
	final string // the name after commit
}

type inode struct{ dev, ino uint64 }

var (
	errForeign  = errors.New("a directory on its path belongs to another user")
	errWritable = errors.New("others can write to a directory on its path")
	errSwapped  = errors.New("another process replaced it")
	errLink     = errors.New("a directory on its path is a link or a file")
	errIsDir    = errors.New("it is a directory")
)

// stage writes a file under a random name in its directory.
func (v *volume) stage(at string, mode uint32, content []byte) (err error) {
	dir, err := v.directory(path.Dir(at))
	if err != nil {
		return err
	}
	if st, err := lstat(dir, path.Base(at)); err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return errIsDir
	}
	e := &entry{dir: dir, name: ".podsecrets-" + strings.ToLower(rand.Text()), final: path.Base(at)}
	fd, err := unix.Openat(dir, e.name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), e.name) // #nosec G115 -- open file descriptors are positive
	defer func() { err = errors.Join(err, plain(f.Close())) }()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	e.node = nodeOf(&st)
	if v.staged == nil {
		v.staged = map[string]*entry{}
	}
	v.staged[at] = e
	if _, err := f.Write(content); err != nil {
		return plain(err)
	}
	return unix.Fchmod(fd, mode)
}

// commit renames a staged file to its final name, and checks that it is still ours.
func (v *volume) commit(at string) error {
	e := v.staged[at]
	if err := unix.Renameat(e.dir, e.name, e.dir, e.final); err != nil {
		return err
	}
	e.name = e.final
	if !e.unchanged() {
		return errSwapped
	}
	return nil
}

// directory opens a directory below the mount point and creates missing ones.
func (v *volume) directory(at string) (int, error) {
	if fd, ok := v.dirs[at]; ok {
		return fd, nil
	}
	var fd int
	var err error
	if at == "." {
		fd, err = unix.Open(v.path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	} else if fd, err = v.directory(path.Dir(at)); err == nil {
		fd, err = v.enter(fd, path.Base(at))
	}
	if err != nil {
		return -1, err
	}
	if v.dirs == nil {
		v.dirs = map[string]int{}
	}
	v.dirs[at] = fd
	return fd, nil
}

// enter opens one directory, and creates it if it is missing. Whatever others put in
// its place, at any moment, is a link or is not ours.
func (v *volume) enter(parent int, name string) (int, error) {
	made := false
	switch err := unix.Mkdirat(parent, name, 0o755); {
	case err == nil:
		made = true
	case !errors.Is(err, unix.EEXIST):
		return -1, err
	}
	fd, err := unix.Openat(parent, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil && made {
		_ = unix.Unlinkat(parent, name, unix.AT_REMOVEDIR)
	}
	if errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) {
		return -1, errLink
	} else if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	switch err = unix.Fstat(fd, &st); {
	case err != nil:
	case st.Uid != v.uid:
		err = errForeign
	case st.Mode&0o022 != 0:
		err = errWritable
	case made:
		v.made = append(v.made, entry{dir: parent, name: name, node: nodeOf(&st)})
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// undo removes this run's files and directories, unless others have replaced them.
func (v *volume) undo() {
	for _, e := range v.staged {
		if e.unchanged() {
			_ = unix.Unlinkat(e.dir, e.name, 0)
		}
	}
	for i := len(v.made) - 1; i >= 0; i-- {
		if e := &v.made[i]; e.unchanged() {
			_ = unix.Unlinkat(e.dir, e.name, unix.AT_REMOVEDIR) // fails if it is not empty
		}
	}
}

func (v *volume) close() {
	for _, fd := range v.dirs {
		_ = unix.Close(fd)
	}
}

// unchanged reports whether the name still is this run's file or directory.
func (e *entry) unchanged() bool {
	st, err := lstat(e.dir, e.name)
	return err == nil && nodeOf(&st) == e.node
}

func lstat(dir int, name string) (st unix.Stat_t, err error) {
	err = unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	return st, err
}

func nodeOf(st *unix.Stat_t) inode {
	return inode{uint64(st.Dev), st.Ino}
}

// plain returns the system's error without the name that package os adds.
func plain(err error) error {
	var withName *os.PathError
	if errors.As(err, &withName) {
		return withName.Err
	}
	return err
}
