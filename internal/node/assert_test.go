package node

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/internal/node/reader"
	"github.com/podsecrets/podsecrets/mount"
)

type (
	seenReport = reader.Report
	callResult = reader.Result
)

// modeText returns permission bits as in a report.
func modeText(mode int32) string { return fmt.Sprint(fs.FileMode(mode)) } // #nosec G115 -- permission bits

// assertSame compares bytes. A failure shows only their beginnings.
func assertSame(t testing.TB, want, got []byte, what string) {
	t.Helper()
	if !bytes.Equal(want, got) {
		t.Errorf("%s: got %d bytes, %.80q; want %d bytes, %.80q", what, len(got), got, len(want), want)
	}
}

// assertPlaced asserts that a secret is at its Placement.
func assertPlaced(t testing.TB, report *seenReport, p injector.Placement, w want, what string) {
	t.Helper()
	if p.Mount == mount.EnvVar {
		for _, name := range []string{p.EnvVar, w.EnvVar} {
			if name == "" {
				continue
			}
			value, found := report.Env[name]
			assert.True(t, found, "%s: no variable %s", what, name)
			assertSame(t, w.value, value, what+": "+name)
		}
		return
	}
	content, found := report.Files[p.Path]
	assert.True(t, found, "%s: no file %s", what, p.Path)
	assertSame(t, w.value, content, what+": "+p.Path)
	if w.EnvVar != "" {
		assert.Equal(t, p.Path, string(report.Env[w.EnvVar]), "%s: %s", what, w.EnvVar)
	}
	if w.Mode != 0 {
		mode, _, _ := strings.Cut(report.Modes[p.Path], " ")
		assert.Equal(t, modeText(w.Mode), mode, what)
	}
}
