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
	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
)

const ten = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"

func apply(text string, edits []yamledit.Edit) string {
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
		edits      []yamledit.Edit
		want       string
	}{
		{"nothing", ten, nil, ""},
		{"insertion", ten, []yamledit.Edit{{Start: 8, End: 8, Text: "x\n"}}, "@@ -2,6 +2,7 @@\n 2\n 3\n 4\n+x\n 5\n 6\n 7\n"},
		{"removal", ten, []yamledit.Edit{{Start: 8, End: 10, Text: ""}}, "@@ -2,7 +2,6 @@\n 2\n 3\n 4\n-5\n 6\n 7\n 8\n"},
		{"in-line", ten, []yamledit.Edit{{Start: 9, End: 9, Text: "x"}}, "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+5x\n 6\n 7\n 8\n"},
		{"twice-in-line", ten, []yamledit.Edit{{Start: 8, End: 8, Text: "x"}, {Start: 9, End: 9, Text: "x"}}, "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x5x\n 6\n 7\n 8\n"},
		{"start", ten, []yamledit.Edit{{Start: 0, End: 0, Text: "x\n"}}, "@@ -1,3 +1,4 @@\n+x\n 1\n 2\n 3\n"},
		{"end", ten, []yamledit.Edit{{Start: 21, End: 21, Text: "x\n"}}, "@@ -8,3 +8,4 @@\n 8\n 9\n 10\n+x\n"},
		{"one-hunk", ten, []yamledit.Edit{{Start: 2, End: 2, Text: "x\n"}, {Start: 14, End: 14, Text: "y\n"}}, "@@ -1,10 +1,12 @@\n 1\n+x\n 2\n 3\n 4\n 5\n 6\n 7\n+y\n 8\n 9\n 10\n"},
		{"two-hunks", ten, []yamledit.Edit{{Start: 2, End: 2, Text: "x\n"}, {Start: 18, End: 18, Text: "y\n"}}, "@@ -1,4 +1,5 @@\n 1\n+x\n 2\n 3\n 4\n@@ -7,4 +8,5 @@\n 7\n 8\n 9\n+y\n 10\n"},
		{"no-line-end", "1\n2", []yamledit.Edit{{Start: 3, End: 3, Text: "\nx"}}, "@@ -1,2 +1,3 @@\n 1\n-2\n\\ No newline at end of file\n+2\n+x\n\\ No newline at end of file\n"},
		{"crlf", "1\r\n2\r\n", []yamledit.Edit{{Start: 3, End: 3, Text: "x\r\n"}}, "@@ -1,2 +1,3 @@\n 1\r\n+x\r\n 2\r\n"},
		{"empty", "", []yamledit.Edit{{Start: 0, End: 0, Text: "x\n"}}, "@@ -0,0 +1 @@\n+x\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := diff.Unified("f.yaml", []byte(tc.text), tc.edits)
			if tc.want == "" {
				assert.Empty(t, got)
				return
			}
			assert.Equal(t, "--- a/f.yaml\n+++ b/f.yaml\n"+tc.want, string(got))

			// git agrees.
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
	got := diff.Colored(diff.Unified("f", []byte("- a\n"), []yamledit.Edit{{Start: 0, End: 4, Text: "b\r\n"}}))
	assert.Equal(t, "\x1b[1m--- a/f\x1b[0m\n\x1b[1m+++ b/f\x1b[0m\n\x1b[36m@@ -1 +1 @@\x1b[0m\n\x1b[31m-- a\x1b[0m\n\x1b[32m+b\x1b[0m\r\n", string(got))
}
