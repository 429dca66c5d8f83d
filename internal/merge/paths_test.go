package merge

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// A Pod's own mounts and items can have paths of a megabyte. Looking at each
// directory of one would be quadratic, as each is as long as what it is in.
func TestDirectoriesOfLongPathsAreLimited(t *testing.T) {
	total, all := 0, map[string]bool{}
	for dir := range parents("/etc" + strings.Repeat("/a", 1_000_000)) {
		total += len(dir)
		all[dir] = true
	}
	assert.Less(t, total, maxPath*maxPath/4+maxPath)
	assert.True(t, all["/etc"] && all["/etc/a"], "the short ones are there")
	assert.Len(t, all, (maxPath-len("/etc"))/len("/a"))
	assert.NotContains(t, all, "/etc"+strings.Repeat("/a", maxPath/2))
}
