package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// With childVar set, the test binary is the program. dialVar redirects addresses:
// "169.254.169.254:80=127.0.0.1:1234,...". umaskVar is an octal umask. sizeVar is the maximum size
// of a file.
const (
	childVar = "PODSECRETS_TEST_CHILD"
	dialVar  = "PODSECRETS_TEST_DIAL"
	umaskVar = "PODSECRETS_TEST_UMASK"
	sizeVar  = "PODSECRETS_TEST_SIZE"
)

func TestMain(m *testing.M) {
	if os.Getenv(childVar) == "" {
		flag.Parse()
		if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
			_ = f.Value.Set("12") // tests mostly wait
		}
		os.Exit(m.Run())
	}
	if mask, err := strconv.ParseInt(os.Getenv(umaskVar), 8, 0); err == nil {
		syscall.Umask(int(mask))
	}
	if size, err := strconv.ParseUint(os.Getenv(sizeVar), 10, 64); err == nil {
		signal.Ignore(syscall.SIGXFSZ)
		_ = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: size, Max: size})
	}
	if os.Getenv(dialVar) == "" {
		main()
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		for rule := range strings.SplitSeq(os.Getenv(dialVar), ",") {
			if from, to, _ := strings.Cut(rule, "="); from == address {
				address = to
			}
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	os.Exit(run(os.Args[1:], os.Environ(), os.Stdout, os.Stderr, dial))
}

// canary is in each value, token and error of the fake stores. The program must never print it.
const canary = "C4N4RY"

// volumes has a run's two directories and termination log.
type volumes struct {
	t                          testing.TB
	files, envFiles, log, base string
}

func newVolumes(t testing.TB) *volumes {
	base := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(base), 0o755)) // #nosec G302 -- other users run the program, too
	v := &volumes{t: t, base: base, log: filepath.Join(base, "log")}
	v.files, v.envFiles = v.mkdir("files"), v.mkdir("env")
	require.NoError(t, os.WriteFile(v.log, nil, 0o600))
	require.NoError(t, os.Chmod(v.log, 0o666)) // #nosec G302 -- as the kubelet has it
	return v
}

// mkdir creates a directory like the kubelet's emptyDir.
func (v *volumes) mkdir(name string) string {
	dir := filepath.Join(v.base, name)
	require.NoError(v.t, os.Mkdir(dir, 0o700))
	require.NoError(v.t, os.Chmod(dir, 0o777)) // #nosec G302 -- as the kubelet has it
	return dir
}

// result is the visible result of a run.
type result struct {
	code                    int
	message, stdout, stderr string
}

// run runs the program for items.
func (v *volumes) run(env map[string]string, items ...item) result {
	v.t.Helper()
	return v.startItems(exec.CommandContext(v.t.Context(), os.Args[0]), env, items...) // #nosec G204 G702 -- this binary
}

func (v *volumes) startItems(cmd *exec.Cmd, env map[string]string, items ...item) result {
	v.t.Helper()
	all := map[string]string{}
	for i, it := range items {
		text, err := json.Marshal(it)
		require.NoError(v.t, err)
		all[fmt.Sprintf("%s%04X", itemPrefix, i)] = string(text)
	}
	for name, value := range env {
		all[name] = value
	}
	return v.start(cmd, all)
}

func (v *volumes) runEnv(env map[string]string, args ...string) result {
	v.t.Helper()
	return v.start(exec.CommandContext(v.t.Context(), os.Args[0], args...), env) // #nosec G204 G702 -- this binary
}

func (v *volumes) start(cmd *exec.Cmd, env map[string]string) result {
	v.t.Helper()
	cmd.Env = []string{childVar + "=1", filesDirVar + "=" + v.files, envDirVar + "=" + v.envFiles, terminationLogVar + "=" + v.log,
		"PATH=/nonexistent", "HOME=/nonexistent", "TMPDIR=/nonexistent", "GORACE=atexit_sleep_ms=0"}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(v.t, err)
	}
	message, err := os.ReadFile(v.log)
	require.NoError(v.t, err)
	r := result{cmd.ProcessState.ExitCode(), string(message), stdout.String(), stderr.String()}
	for name, text := range map[string]string{"stdout": r.stdout, "stderr": r.stderr, "message": r.message} {
		assert.False(v.t, strings.Contains(text, canary), "%s shows a value or a token", name)
	}
	assert.LessOrEqual(v.t, len(message), maxMessage)
	assert.NotContains(v.t, r.message, "\n", "one line")
	if r.code == 0 {
		assert.Empty(v.t, r.message)
	} else {
		assert.Contains(v.t, r.stderr, r.message, "the log has the line, too")
		assert.Empty(v.t, v.tree(), "nothing is written")
	}
	return r
}

// tree returns the mode and content of each path in the volumes.
func (v *volumes) tree() map[string]string {
	tree := map[string]string{}
	for _, dir := range []string{v.files, v.envFiles} {
		require.NoError(v.t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || path == dir {
				return err
			}
			name, err := filepath.Rel(v.base, path)
			require.NoError(v.t, err)
			info, err := d.Info()
			require.NoError(v.t, err)
			tree[name] = info.Mode().String()
			if info.Mode().IsRegular() {
				text, err := os.ReadFile(path) // #nosec G304 G122 -- a file of this test
				require.NoError(v.t, err)
				tree[name] += " " + string(text)
			}
			return nil
		}))
	}
	return tree
}

// read returns a file's content.
func (v *volumes) read(path string) string {
	v.t.Helper()
	text, err := os.ReadFile(filepath.Join(v.base, path)) // #nosec G304 -- a file of this test
	require.NoError(v.t, err)
	return string(text)
}

// owner returns a file's owner.
func owner(t *testing.T, path string) int {
	info, err := os.Stat(path)
	require.NoError(t, err)
	return int(info.Sys().(*syscall.Stat_t).Uid)
}
