package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// settings returns the settings of a run in this process.
func (v *volumes) settings() settings {
	return settings{filesDir: v.files, envDir: v.envFiles}
}

// inVolume returns a path in the volume of files.
func (v *volumes) inVolume(path string) string { return filepath.Join(v.files, path) }

func one(path string) []file { return []file{{item{ID: "x", File: path}, []byte(canary)}} }

func TestWrite(t *testing.T) {
	v := newVolumes(t)
	files := []file{
		{item{File: "a", Mode: 0o400}, []byte("1")},
		{item{File: "b/c/d"}, nil},
		{item{File: "b/e", Mode: 0o777}, []byte("3")},
		{item{Env: "env"}, []byte("4")},
	}
	require.Empty(t, write(v.settings(), files))
	want := map[string]string{
		"files/a": "-r-------- 1", "files/b": "drwxr-xr-x", "files/b/c": "drwxr-xr-x", "files/b/c/d": "-rw-r--r-- ", "files/b/e": "-rwxrwxrwx 3",
		"env/env": "-r-------- 4",
	}
	assert.Equal(t, want, v.tree())

	files[0].content, files[1].Mode = []byte("new"), 0o600
	require.Empty(t, write(v.settings(), files), "a container that starts again")
	want["files/a"], want["files/b/c/d"] = "-r-------- new", "-rw------- "
	assert.Equal(t, want, v.tree())
}

// A process with earlier access to the volume can put anything there. Still nothing is written
// outside of the volume, or through anything that others can change.
func TestWrite_Hostile(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.Mkdir(secret, 0o700))
	target := filepath.Join(secret, "target")
	for _, tt := range []struct {
		slug, path string
		set        func(v *volumes) error
		err        string
	}{
		{"linked-directory", "a/b", func(v *volumes) error { return os.Symlink(secret, v.inVolume("a")) }, "a directory on its path is a link or a file"},
		{"linked-inside", "a/b", func(v *volumes) error {
			return errors.Join(os.Mkdir(v.inVolume("c"), 0o700), os.Symlink("c", v.inVolume("a")))
		}, "a directory on its path is a link or a file"},
		{"linked-deeper", "a/b/c", func(v *volumes) error {
			return errors.Join(os.Mkdir(v.inVolume("a"), 0o700), os.Symlink(secret, v.inVolume("a/b")))
		}, "a directory on its path is a link or a file"},
		{"dangling-directory", "a/b", func(v *volumes) error { return os.Symlink(filepath.Join(secret, "new"), v.inVolume("a")) }, "a directory on its path is a link or a file"},
		{"linked-file", "a", func(v *volumes) error { return os.Symlink(target, v.inVolume("a")) }, ""},
		{"dangling-file", "a", func(v *volumes) error { return os.Symlink(target+"-none", v.inVolume("a")) }, ""},
		{"hard-link", "a", func(v *volumes) error { return os.Link(target, v.inVolume("a")) }, ""},
		{"pipe", "a", func(v *volumes) error { return unix.Mkfifo(v.inVolume("a"), 0o666) }, ""},
		{"pipe-directory", "a/b", func(v *volumes) error { return unix.Mkfifo(v.inVolume("a"), 0o666) }, "a directory on its path is a link or a file"},
		{"file-directory", "a/b", func(v *volumes) error { return os.WriteFile(v.inVolume("a"), nil, 0o600) }, "a directory on its path is a link or a file"},
		{"directory-file", "a", func(v *volumes) error { return os.Mkdir(v.inVolume("a"), 0o700) }, "it is a directory"},
		{"group-writes", "a/b", func(v *volumes) error {
			return errors.Join(os.Mkdir(v.inVolume("a"), 0o700), os.Chmod(v.inVolume("a"), 0o770))
		}, "others can write to a directory on its path"},
		{"others-write", "a/b", func(v *volumes) error {
			return errors.Join(os.Mkdir(v.inVolume("a"), 0o700), os.Chmod(v.inVolume("a"), 0o702))
		}, "others can write to a directory on its path"},
		{"no-volume", "a", func(v *volumes) error { return os.Remove(v.files) }, "no such file or directory"},
		{"volume-is-a-file", "a", func(v *volumes) error {
			return errors.Join(os.Remove(v.files), os.WriteFile(v.files, nil, 0o600))
		}, "not a directory"},
	} {
		t.Run(tt.slug, func(t *testing.T) {
			require.NoError(t, os.WriteFile(target, []byte("old"), 0o600))
			v := newVolumes(t)
			require.NoError(t, tt.set(v))
			before := v.treeIfAny()
			problems := write(v.settings(), one(tt.path))
			if tt.err == "" {
				assert.Empty(t, problems)
				assert.Equal(t, map[string]string{"files/a": "-rw-r--r-- " + canary}, v.tree())
			} else {
				require.Len(t, problems, 1)
				assert.Equal(t, problem{"x", failure{outcome: cannotWrite, detail: "file " + tt.path + ": " + tt.err}}, problems[0])
				assert.Equal(t, before, v.treeIfAny(), "nothing is left")
			}
			outside, err := os.ReadDir(secret)
			require.NoError(t, err)
			assert.Len(t, outside, 1)
			text, err := os.ReadFile(target) // #nosec G304 -- a file of this test
			require.NoError(t, err)
			assert.Equal(t, "old", string(text))
		})
	}
}

func (v *volumes) treeIfAny() map[string]string {
	if info, err := os.Stat(v.files); err != nil || !info.IsDir() {
		return nil
	}
	return v.tree()
}

// A directory of another user is refused. Only root can create one; otherwise the test gives the
// volume another user.
func TestWrite_Foreign(t *testing.T) {
	v := newVolumes(t)
	require.NoError(t, os.Mkdir(v.inVolume("a"), 0o700))
	other := &volume{path: v.files, uid: uint32(os.Geteuid()) + 1} // #nosec G115 -- small
	defer other.close()
	assert.ErrorIs(t, other.stage("a/b", 0o600, nil), errForeign)
	assert.ErrorIs(t, other.stage("new/b", 0o600, nil), errForeign, "a directory that was swapped after it was made")

	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(v.inVolume("a"), 65532, 65532))
		problems := write(v.settings(), one("a/b"))
		require.Len(t, problems, 1)
		assert.Equal(t, "file a/b: a directory on its path belongs to another user", problems[0].detail)
	}
}

// An error removes this run's files and directories, and nothing else.
func TestWrite_Undo(t *testing.T) {
	v := newVolumes(t)
	require.NoError(t, os.Mkdir(v.inVolume("ours"), 0o755)) // #nosec G301 -- as the program makes them
	require.NoError(t, os.WriteFile(v.inVolume("ours/old"), []byte("old"), 0o600))
	require.NoError(t, os.Mkdir(v.inVolume("blocked"), 0o700))
	before := v.tree()
	files := []file{{item{File: "a"}, nil}, {item{File: "new/deep/b"}, nil}, {item{File: "ours/c"}, nil}, {item{Env: "e"}, nil}, {item{File: "blocked"}, nil}}
	assert.Len(t, write(v.settings(), files), 1)
	assert.Equal(t, before, v.tree())

	// An error during commit, after other files have their names.
	vol := &volume{path: v.files, uid: uint32(os.Geteuid())} // #nosec G115 -- small
	defer vol.close()
	for _, f := range files[:3] {
		require.NoError(t, vol.stage(f.path(), 0o600, nil))
	}
	require.NoError(t, vol.commit("a"))
	require.NoError(t, vol.commit("new/deep/b"))
	require.NoError(t, os.Mkdir(v.inVolume("ours/c"), 0o700))
	assert.Error(t, vol.commit("ours/c"))
	require.NoError(t, os.Remove(v.inVolume("ours/c")))
	vol.undo()
	assert.Equal(t, before, v.tree())
}

// A file that is swapped between two steps is detected, and not removed.
func TestWrite_Swapped(t *testing.T) {
	v := newVolumes(t)
	vol := &volume{path: v.files, uid: uint32(os.Geteuid())} // #nosec G115 -- small
	defer vol.close()
	require.NoError(t, vol.stage("a", 0o600, []byte(canary)))
	staged := v.inVolume(vol.staged["a"].name)
	require.NoError(t, os.WriteFile(staged+"-theirs", []byte("theirs"), 0o600))
	require.NoError(t, os.Rename(staged+"-theirs", staged))
	assert.ErrorIs(t, vol.commit("a"), errSwapped)
	vol.undo()
	assert.Equal(t, map[string]string{"files/a": "-rw------- theirs"}, v.tree())

	// A directory that is moved takes its files along, inside the volume.
	require.NoError(t, vol.stage("dir/b", 0o600, []byte(canary)))
	outside := t.TempDir()
	require.NoError(t, os.Rename(v.inVolume("dir"), v.inVolume("moved")))
	require.NoError(t, os.Symlink(outside, v.inVolume("dir")))
	require.NoError(t, vol.commit("dir/b"))
	entries, err := os.ReadDir(outside)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

// A sidecar constantly swaps directories and links.
func TestWrite_Race(t *testing.T) {
	v := newVolumes(t)
	outside := t.TempDir()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Rename(v.inVolume("a"), v.inVolume("a-away"))
			_ = os.Symlink(outside, v.inVolume("a"))
			_ = os.Remove(v.inVolume("a"))
			_ = os.Rename(v.inVolume("a-away"), v.inVolume("a"))
			_ = os.Rename(v.inVolume("a/b"), v.inVolume("a/b-away"))
			_ = os.Symlink(outside, v.inVolume("a/b"))
			_ = os.Remove(v.inVolume("a/b"))
			_ = os.RemoveAll(v.inVolume("a/b-away"))
		}
	})
	results := map[string]int{}
	for range 500 {
		detail := ""
		if problems := write(v.settings(), one("a/b/c")); len(problems) > 0 {
			detail = problems[0].detail
		}
		results[detail]++
	}
	close(stop)
	wg.Wait()
	entries, err := os.ReadDir(outside)
	require.NoError(t, err)
	assert.Empty(t, entries, "%v", results)
}

// The program runs as another user, if the test runs as root, and with any umask.
func TestWrite_Program(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.put("x", answer{value: canary})
	v := newVolumes(t)
	require.NoError(t, os.Chmod(v.files, 0o777|os.ModeSetgid)) // #nosec G302 -- a Pod with fsGroup
	cmd := exec.CommandContext(t.Context(), copyOfProgram(t))  // #nosec G204 -- this binary
	uid := os.Geteuid()
	if uid == 0 {
		uid = 65532
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		require.NoError(t, os.Chmod(c.tokenFile("reader"), 0o644)) // #nosec G302 -- the other user reads it
	}
	env := c.awsEnv("reader")
	env[umaskVar] = "777"
	env["PODSECRETS_GET_A"], env["PODSECRETS_GET_B"] = `{"id": "x", "file": "a/b/c"}`, `{"id": "x", "env": "d"}`
	r := v.start(cmd, env)
	require.Zero(t, r.code, r.stderr)
	for path, mode := range map[string]os.FileMode{"files/a": 0o755, "files/a/b": 0o755, "files/a/b/c": 0o644, "env/d": 0o400} {
		info, err := os.Stat(filepath.Join(v.base, path))
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().Perm(), path)
		assert.Equal(t, info.IsDir(), info.Mode()&os.ModeSetgid != 0, "directories have the volume's group: %s", path)
		assert.Equal(t, uid, owner(t, filepath.Join(v.base, path)), path)
	}
}

// With a full volume the program fails, and removes its files.
func TestWrite_Full(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.put("small", answer{value: canary})
	c.put("zlarge", answer{value: strings.Repeat("a", 10_000)})
	env := c.gcpEnv("reader")
	env[sizeVar] = "5000"
	r := newVolumes(t).run(env, item{ID: "small", File: "a/small"}, item{ID: "zlarge", File: "a/large"})
	assert.Equal(t, cannotWrite, outcome(r.code))
	assert.Equal(t, "cannot write: file a/large: file too large: zlarge", r.message)
}

// copyOfProgram copies this binary to a place where other users can run it.
func copyOfProgram(t *testing.T) string {
	dir := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(dir), 0o755)) // #nosec G302 -- as said
	text, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	path := filepath.Join(dir, "fetch")
	require.NoError(t, os.WriteFile(path, text, 0o755)) // #nosec G306 -- as said
	return path
}
