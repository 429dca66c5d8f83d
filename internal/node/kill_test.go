package node

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

// asVictim is a variable that is set in the processes that TestNode_Cleanup kills.
const asVictim = "PODSECRETS_NODE_VICTIM"

// traces identify what a node may leave.
type traces struct {
	Dir, Server string // directories
	Supervisor  int    // process ID
}

// A node leaves nothing behind, however it ends.
func TestNode_Cleanup(t *testing.T) {
	if os.Getenv(asVictim) != "" {
		beVictim(t)
		return
	}
	kill := func(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }
	for slug, end := range map[string]func(test *os.Process, stdin io.Closer, left traces) error{
		"test-ends":   func(_ *os.Process, stdin io.Closer, _ traces) error { return stdin.Close() },
		"test-killed": func(test *os.Process, _ io.Closer, _ traces) error { return test.Kill() },
		"supervisor-killed": func(_ *os.Process, stdin io.Closer, left traces) error {
			defer stdin.Close()
			return kill(left.Supervisor)
		},
		"group-killed": func(test *os.Process, _ io.Closer, _ traces) error { return kill(-test.Pid) },
	} {
		t.Run(slug, func(t *testing.T) {
			t.Parallel()
			victim := exec.Command(os.Args[0], "-test.run=^TestNode_Cleanup$", "-test.count=1")
			victim.Env = append(os.Environ(), asVictim+"=1")
			victim.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			stdin, err := victim.StdinPipe()
			require.NoError(t, err)
			out, err := victim.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, victim.Start())
			left := readTraces(t, out)
			require.NotEmpty(t, left.remaining(t), "while the node runs")
			require.NoError(t, end(victim.Process, stdin, left))
			rest, err := io.ReadAll(out)
			require.NoError(t, err)
			err = victim.Wait()
			assert.Equal(t, slug == "test-ends", err == nil, "%v\n%s", err, rest)
			var remaining []string
			for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
				if remaining = left.remaining(t); len(remaining) == 0 {
					return
				}
			}
			t.Errorf("the node left:\n%s", strings.Join(remaining, "\n"))
		})
	}
}

// beVictim runs a Pod, prints the node's traces, and waits.
func beVictim(t *testing.T) {
	pod := newPod(container("app"))
	pod.Spec.Containers[0].Args = []string{"-sleep=1h"}
	withMount(pod, "data", "/data", emptyDir)
	until(t, create(t, server.Namespace(t, nil), pod), "the Pod runs", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodRunning })
	raw, err := json.Marshal(traces{node.Dir, filepath.Dir(server.Kubeconfig), node.cmd.Process.Pid})
	require.NoError(t, err)
	fmt.Printf("%s\n", raw)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func readTraces(t *testing.T, out io.Reader) (left traces) {
	lines := bufio.NewReader(out)
	var all strings.Builder
	for {
		line, err := lines.ReadString('\n')
		all.WriteString(line)
		require.NoError(t, err, "%s", all.String())
		if json.Unmarshal([]byte(line), &left) == nil {
			return left
		}
	}
}

// remaining returns the existing directories, mounts, control groups and processes of
// the node.
func (left traces) remaining(t *testing.T) (all []string) {
	for _, dir := range []string{left.Dir, left.Server} {
		if _, err := os.Lstat(dir); err == nil {
			all = append(all, dir)
		}
	}
	name := filepath.Base(left.Dir)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	for line := range strings.Lines(string(mounts)) {
		if strings.Contains(line, name) {
			all = append(all, strings.TrimSpace(line))
		}
	}
	err = filepath.WalkDir("/sys/fs/cgroup", func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == name {
			all = append(all, p)
		}
		return nil // others may disappear meanwhile
	})
	require.NoError(t, err)
	processes, err := filepath.Glob("/proc/[0-9]*")
	require.NoError(t, err)
	for _, p := range processes {
		command, _ := os.ReadFile(filepath.Join(p, "cmdline")) // it may be gone
		groups, _ := os.ReadFile(filepath.Join(p, "cgroup"))
		line := strings.ReplaceAll(string(command), "\x00", " ")
		if strings.Contains(line, name) || strings.Contains(line, left.Server) || strings.Contains(string(groups), name) {
			all = append(all, filepath.Base(p)+" "+line)
		}
	}
	return all
}
