package merge

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A Pod's own mounts and items can have paths of a megabyte. Looking up each of their
// directories would take quadratic time.
func TestParents_LongPath(t *testing.T) {
	total, all := 0, map[string]bool{}
	for dir := range parents("/etc" + strings.Repeat("/a", 1_000_000)) {
		total += len(dir)
		all[dir] = true
	}
	assert.Less(t, total, maxPath*maxPath/4+maxPath)
	assert.True(t, all["/etc"] && all["/etc/a"], "short ones are included")
	assert.Len(t, all, (maxPath-len("/etc"))/len("/a"))
	assert.NotContains(t, all, "/etc"+strings.Repeat("/a", maxPath/2))
}
