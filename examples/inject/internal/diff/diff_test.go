package diff_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/examples/inject/internal/diff"
)

const ten = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"

func apply(text string, edits []diff.Edit) string {
	var out strings.Builder
	at := 0
	for _, e := range edits {
		out.WriteString(text[at:e.Start] + e.Text)
		at = e.End
	}
	return out.String() + text[at:]
}

func TestUnified(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		edits      []diff.Edit
		want       string
	}{
		{"nothing", ten, nil, ""},
		{"insertion", ten, []diff.Edit{{8, 8, "x\n"}}, "@@ -2,6 +2,7 @@\n 2\n 3\n 4\n+x\n 5\n 6\n 7\n"},
		{"removal", ten, []diff.Edit{{8, 10, ""}}, "@@ -2,7 +2,6 @@\n 2\n 3\n 4\n-5\n 6\n 7\n 8\n"},
		{"in-line", ten, []diff.Edit{{9, 9, "x"}}, "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+5x\n 6\n 7\n 8\n"},
		{"twice-in-line", ten, []diff.Edit{{8, 8, "x"}, {9, 9, "x"}}, "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x5x\n 6\n 7\n 8\n"},
		{"start", ten, []diff.Edit{{0, 0, "x\n"}}, "@@ -1,3 +1,4 @@\n+x\n 1\n 2\n 3\n"},
		{"end", ten, []diff.Edit{{21, 21, "x\n"}}, "@@ -8,3 +8,4 @@\n 8\n 9\n 10\n+x\n"},
		{"one-hunk", ten, []diff.Edit{{2, 2, "x\n"}, {14, 14, "y\n"}}, "@@ -1,10 +1,12 @@\n 1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n+y\n 8\n 9\n 10\n"},
		{"two-hunks", ten, []diff.Edit{{2, 2, "x\n"}, {18, 18, "y\n"}}, "@@ -1,4 +1,5 @@\n 1\n+x\n 2\n 3\n 4\n@@ -7,4 +8,5 @@\n 7\n 8\n 9\n+y\n 10\n"},
		{"no-line-end", "1\n2", []diff.Edit{{3, 3, "\nx"}}, "@@ -1,2 +1,3 @@\n 1\n-2\n\\ No newline at end of file\n+2\n+x\n\\ No newline at end of file\n"},
		{"crlf", "1\r\n2\r\n", []diff.Edit{{3, 3, "x\r\n"}}, "@@ -1,2 +1,3 @@\n 1\r\n+x\r\n 2\r\n"},
		{"empty", "", []diff.Edit{{0, 0, "x\n"}}, "@@ -0,0 +1 @@\n+x\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := diff.Unified("f.yaml", []byte(tc.text), tc.edits)
			if tc.want == "" {
				assert.Empty(t, got)
				return
			}
			assert.Equal(t, "--- a/f.yaml\n+++ b/f.yaml\n"+tc.want, string(got))

			// What others make of it.
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "f.yaml"), []byte(tc.text), 0o600))
			git := exec.Command("git", "apply", "-p1", "--unidiff-zero", "--whitespace=nowarn", "-")
			git.Dir, git.Stdin = dir, bytes.NewReader(got)
			git.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
			out, err := git.CombinedOutput()
			require.NoError(t, err, "%s", out)
			after, err := os.ReadFile(filepath.Join(dir, "f.yaml"))
			require.NoError(t, err)
			assert.Equal(t, apply(tc.text, tc.edits), string(after))
		})
	}
}

func TestColored(t *testing.T) {
	got := diff.Colored(diff.Unified("f", []byte("- a\n"), []diff.Edit{{0, 4, "b\r\n"}}))
	assert.Equal(t, "\x1b[1m--- a/f\x1b[0m\n\x1b[1m+++ b/f\x1b[0m\n\x1b[36m@@ -1 +1 @@\x1b[0m\n\x1b[31m-- a\x1b[0m\n\x1b[32m+b\x1b[0m\r\n", string(got))
}
