package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// files writes files to a new directory.
func files(t *testing.T, texts map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range texts {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o640))
	}
	return dir
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	require.NoError(t, err)
	return string(text)
}

const blockPod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n  - name: c # here\n"

func TestRun_InPlace(t *testing.T) {
	dir := files(t, map[string]string{"a.yaml": blockPod, "b/c.yml": blockPod, "b/d.json": `{"apiVersion":"v1","kind":"Secret"}`, "notes.txt": "-"})
	require.NoError(t, os.Symlink("a.yaml", filepath.Join(dir, "link.yaml")))
	before, err := os.Stat(filepath.Join(dir, "b/d.json"))
	require.NoError(t, err)

	require.Equal(t, outcome{0, "", ""}, runOn("", "-w", "-R", askVariable, filepath.Join(dir, "b"), filepath.Join(dir, "link.yaml")))
	want := runOn(blockPod, askVariable).stdout
	assert.Contains(t, want, "name: c # here\n    env:\n")
	assert.Equal(t, want, read(t, dir, "a.yaml"))
	assert.Equal(t, want, read(t, dir, "b/c.yml"))
	after, err := os.Stat(filepath.Join(dir, "b/d.json"))
	require.NoError(t, err)
	assert.True(t, os.SameFile(before, after), "what does not change is not written")
	stat, err := os.Lstat(filepath.Join(dir, "link.yaml"))
	require.NoError(t, err)
	assert.NotZero(t, stat.Mode()&os.ModeSymlink, "a link stays one")
	stat, err = os.Stat(filepath.Join(dir, "a.yaml"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o640), stat.Mode().Perm())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 4, "no temporary files")

	require.Equal(t, outcome{0, "", ""}, runOn("", "remove", "-w", "-R", dir))
	assert.Equal(t, blockPod, read(t, dir, "a.yaml"))
}

func TestRun_InPlaceOneFails(t *testing.T) {
	dir := files(t, map[string]string{"a.yaml": blockPod, "b.yaml": "a: [\n"})
	got := runOn("", "-w", askVariable, dir)
	assert.Equal(t, 1, got.exit)
	assert.Contains(t, got.stderr, filepath.Join(dir, "b.yaml")+":")
	assert.Equal(t, blockPod, read(t, dir, "a.yaml"), "all or nothing")
}

func TestCheck(t *testing.T) {
	dir := files(t, map[string]string{"a.yaml": "# a comment\n" + blockPod, "b.yaml": "apiVersion: v1\nkind: Secret\n"})
	a := filepath.Join(dir, "a.yaml")
	assert.Equal(t, outcome{1, a + ":2: Pod p\n", ""}, runOn("", "-check", askVariable, dir))
	require.Zero(t, runOn("", "-w", askVariable, dir).exit)
	assert.Equal(t, outcome{0, "", ""}, runOn("", "-check", askVariable, dir))
	assert.Equal(t, outcome{1, a + ":2: Pod p\n", ""}, runOn("", "remove", "-check", dir))
	assert.Equal(t, outcome{1, a + ":2: Pod p\n", ""}, runOn("", "stamp", "-check", askVariable, dir))

	for _, args := range [][]string{
		{"-check", "-request=group=G_,key=k", dir}, {"-check", filepath.Join(dir, "none.yaml")}, {"-check", "-x"},
	} {
		got := runOn("", args...)
		assert.Equal(t, outcome{2, "", got.stderr}, got, "%v", args)
	}
}

func TestRun_Directories(t *testing.T) {
	dir := files(t, map[string]string{"b.yaml": "apiVersion: v1\nkind: B\n", "a.json": `{"apiVersion":"v1","kind":"A"}`, "c/c.yaml": "apiVersion: v1\nkind: C\n", "d.md": "#"})
	assert.Equal(t, outcome{0, "{\"apiVersion\":\"v1\",\"kind\":\"A\"}\n---\napiVersion: v1\nkind: B\n", ""}, runOn("", dir))
	assert.Contains(t, runOn("", "-R", dir).stdout, "kind: C")
	got := runOn("", t.TempDir())
	assert.Equal(t, 1, got.exit)
	assert.Contains(t, got.stderr, "has no .yaml, .yml or .json files")
}

// The shell's part of "inject f > f".
func TestRun_OutputIsInput(t *testing.T) {
	file := filepath.Join(files(t, map[string]string{"a.yaml": blockPod}), "a.yaml")
	out, err := os.Create(file)
	require.NoError(t, err)
	var stderr bytes.Buffer
	assert.Equal(t, 1, run([]string{askVariable, file}, strings.NewReader(""), out, &stderr))
	require.NoError(t, out.Close())
	assert.Contains(t, stderr.String(), "-w writes files in place")
}

func TestVersion(t *testing.T) {
	got := runOn("", "-version")
	assert.Zero(t, got.exit)
	assert.Regexp(t, `^inject .*\n$`, got.stdout)
}

func TestCompletion(t *testing.T) {
	script := runOn("", "completion", "bash").stdout
	for _, tc := range []struct {
		name  string
		words []string
		want  []string
	}{
		{"commands", []string{"st"}, []string{"stamp"}},
		{"flags", []string{"-vault-k"}, []string{"-vault-kv-version"}},
		{"flags-of-command", []string{"decode", "-s"}, []string{"-skip-unknown"}},
		{"values", []string{"-o", "p"}, []string{"patch", "plan"}},
		{"managers", []string{"stamp", "-manager", "a"}, []string{"aws", "azure"}},
		{"files", []string{"decode", "main"}, []string{"main.go"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			last := len(tc.words) - 1
			previous := "inject"
			if last > 0 {
				previous = tc.words[last-1]
			}
			line := script + "COMP_WORDS=(inject " + strings.Join(tc.words, " ") + "); COMP_CWORD=" + string(rune('1'+last)) +
				"; _inject inject " + tc.words[last] + " " + previous + "; printf '%s\\n' \"${COMPREPLY[@]}\""
			out, err := exec.Command("bash", "-c", line).CombinedOutput()
			require.NoError(t, err, "%s", out)
			got := strings.Fields(string(out)) // files of this directory come last
			require.GreaterOrEqual(t, len(got), len(tc.want))
			assert.Equal(t, tc.want, got[:len(tc.want)])
		})
	}
	for _, shell := range []string{"zsh", "fish"} {
		got := runOn("", "completion", shell)
		assert.Zero(t, got.exit)
		assert.Contains(t, got.stdout, "-init-order"[1:])
		if path, err := exec.LookPath(shell); err == nil {
			out, err := exec.Command(path, "-n", "-c", got.stdout).CombinedOutput()
			require.NoError(t, err, "%s", out)
		}
	}
}

func TestProgress(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out)
	assert.Nil(t, p.out, "nobody looks at a buffer")
	p.out, p.started = &out, p.started.Add(-2e9)
	for range 64 {
		p.step("a\nb")
	}
	p.end()
	assert.Equal(t, "\r\x1b[Kinject: 64 documents, a; b\r\x1b[K", out.String())
}
