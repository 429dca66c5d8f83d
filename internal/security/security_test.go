package security

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

const root = "../.."

// testsOf returns the tests of all modules, as package.Name.
func testsOf(t *testing.T) map[string]bool {
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(\w+ \*testing\.[TF]\)`)
	clause := regexp.MustCompile(`(?m)^package (\w+?)(?:_test)?$`)
	all := map[string]bool{}
	require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		pkg := clause.FindSubmatch(text)
		require.NotNil(t, pkg, path)
		for _, name := range declared.FindAllSubmatch(text, -1) {
			all[string(pkg[1])+"."+string(name[1])] = true
		}
		return nil
	}))
	return all
}

func TestPromises_NameTests(t *testing.T) {
	text, err := os.ReadFile(root + "/SECURITY.md")
	require.NoError(t, err)
	tests := testsOf(t)
	require.True(t, tests["security.TestPromises_NameTests"], "this test is found")
	names := regexp.MustCompile("`([a-z0-9]+\\.(?:Test|Fuzz)\\w+)`").FindAllSubmatch(text, -1)
	require.Greater(t, len(names), 30)
	for _, name := range names {
		assert.True(t, tests[string(name[1])], "test %s does not exist", name[1])
	}
	// Each row of the table of promises names at least one test.
	_, promises, _ := strings.Cut(string(text), "| Promise | Tests |\n|---|---|\n")
	promises, _, _ = strings.Cut(promises, "\n\n")
	rows := strings.Split(promises, "\n")
	require.Greater(t, len(rows), 15)
	for _, row := range rows {
		cells := strings.Split(row, "|")
		require.Len(t, cells, 4, row)
		assert.Regexp(t, "`[a-z]+\\.(Test|Fuzz)", cells[2], "no test for: %s", cells[1])
	}
}

type workflow struct {
	Permissions map[string]string `json:"permissions"`
	Jobs        map[string]struct {
		Permissions map[string]string `json:"permissions"`
		Steps       []struct {
			Uses string         `json:"uses"`
			Dir  string         `json:"working-directory"`
			With map[string]any `json:"with"`
			Run  string         `json:"run"`
		} `json:"steps"`
	} `json:"jobs"`
}

// The tests that other documents name, without their package, exist too.
func TestDocs_NameTests(t *testing.T) {
	tests := map[string]bool{}
	for name := range testsOf(t) {
		tests[name[strings.IndexByte(name, '.')+1:]] = true
	}
	pages, err := filepath.Glob(root + "/docs/*.md")
	require.NoError(t, err)
	found := 0
	for _, page := range append(pages, root+"/CONTRIBUTING.md", root+"/README.md") {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, name := range regexp.MustCompile(`\b(?:Test|Fuzz)[A-Z]\w+`).FindAllString(string(text), -1) {
			assert.True(t, tests[name], "%s: test %s does not exist", page, name)
			found++
		}
	}
	require.NotZero(t, found)
}

func TestWorkflows_PinnedReadOnly(t *testing.T) {
	// Only a release may write.
	rights := map[string]map[string]string{
		"release.yml binaries": {"contents": "write", "id-token": "write", "attestations": "write"},
		"release.yml images":   {"contents": "read", "packages": "write"},
	}
	files, err := filepath.Glob(root + "/.github/workflows/*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	pinned := regexp.MustCompile(`^[\w-]+/[\w./-]+@[0-9a-f]{40}$`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		var w workflow
		require.NoError(t, yaml.Unmarshal(text, &w), file)
		require.NotEmpty(t, w.Jobs, file)
		assert.Equal(t, map[string]string{"contents": "read"}, w.Permissions, file)
		assert.NotContains(t, string(text), "pull_request_target", "%s runs untrusted code with the repository's rights", file)
		assert.NotContains(t, string(text), "secrets.", "%s uses a secret", file)
		for name, job := range w.Jobs {
			assert.Equal(t, rights[filepath.Base(file)+" "+name], job.Permissions, "%s: %s has other permissions", file, name)
			for _, step := range job.Steps {
				assert.NotContains(t, step.Run, "${{", "%s: %s pastes an expression into a shell", file, name)
				if step.Uses == "" {
					continue
				}
				assert.Regexp(t, pinned, step.Uses, "%s: %s", file, name)
				if strings.HasPrefix(step.Uses, "actions/checkout@") {
					assert.Equal(t, false, step.With["persist-credentials"], "%s: %s persists its token", file, name)
				}
			}
		}
	}
}

// The workflow checks the library and each image for known vulnerabilities, because the
// images have further dependencies.
func TestWorkflows_Govulncheck(t *testing.T) {
	text, err := os.ReadFile(root + "/.github/workflows/ci.yml")
	require.NoError(t, err)
	var w workflow
	require.NoError(t, yaml.Unmarshal(text, &w))
	checked := map[string]bool{}
	for _, step := range w.Jobs["vulnerabilities"].Steps {
		if strings.Contains(step.Run, "govulncheck@v") {
			checked[filepath.Join(root, step.Dir)] = true
		}
	}
	want := map[string]bool{filepath.Clean(root): true}
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "Dockerfile" {
			want[filepath.Dir(path)] = true
		}
		return err
	}))
	require.Greater(t, len(want), 1)
	assert.Equal(t, want, checked)
}

// Each suppression of a linter gives a reason.
func TestSuppressions_Reasons(t *testing.T) {
	reasoned := regexp.MustCompile(`#nosec (G\d+ )+-- \w+|lint:ignore \S+ \w+`)
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || slices.Contains(strings.Split(path, "/"), "security") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, line := range strings.Split(string(text), "\n") {
			if strings.Contains(line, "#nosec") || strings.Contains(line, "lint:ignore") {
				assert.Regexp(t, reasoned, line, path)
			}
		}
		return err
	}))
}
