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
	answer     = reader.Answer
)

// modeText is how a report writes permission bits.
func modeText(mode int32) string { return fmt.Sprint(fs.FileMode(mode)) } // #nosec G115 -- permission bits

// assertSame compares bytes, of which a failure shows only the beginnings.
func assertSame(t testing.TB, want, got []byte, what string) {
	t.Helper()
	if !bytes.Equal(want, got) {
		t.Errorf("%s: got %d bytes, %.80q; want %d bytes, %.80q", what, len(got), got, len(want), want)
	}
}

// assertPlaced checks that a secret is where the library says.
func assertPlaced(t testing.TB, report *seenReport, p injector.Placement, w want, at string) {
	t.Helper()
	if p.Mount == mount.EnvVar {
		for _, name := range []string{p.EnvVar, w.EnvVar} {
			if name == "" {
				continue
			}
			value, found := report.Env[name]
			assert.True(t, found, "%s: no variable %s", at, name)
			assertSame(t, w.value, value, at+": "+name)
		}
		return
	}
	content, found := report.Files[p.Path]
	assert.True(t, found, "%s: no file %s", at, p.Path)
	assertSame(t, w.value, content, at+": "+p.Path)
	if w.EnvVar != "" {
		assert.Equal(t, p.Path, string(report.Env[w.EnvVar]), "%s: %s", at, w.EnvVar)
	}
	if w.Mode != 0 {
		mode, _, _ := strings.Cut(report.Modes[p.Path], " ")
		assert.Equal(t, modeText(w.Mode), mode, at)
	}
}
