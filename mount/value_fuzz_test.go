package mount_test

import (
	"strings"
	"testing"

	"github.com/podsecrets/podsecrets/internal/kubelet"
	"github.com/podsecrets/podsecrets/mount"
)

// FuzzLiteral: the kubelet expands a literal to exactly its text, whatever
// variables exist, and formatting it never shows the text.
func FuzzLiteral(f *testing.F) {
	for _, s := range []string{"", "$", "$$", "$$$", "$(A)", "$$(A)", "$($(A))", "a$", "$(", "$()", ")$(", "$(A", "\x00$(A)", "$\xff", "é$(é)", "$(A)$(A)$$(A)"} {
		f.Add(s, "A", "expanded")
	}
	f.Fuzz(func(t *testing.T, s, name, value string) {
		literal := mount.Literal(s)
		got := kubelet.Expand(literal.EnvVar("X").Value, map[string]string{name: value, "A": value})
		if got != s {
			t.Errorf("the container would see %q instead of %q", got, s)
		}
		if len(s) > len("literal (not shown)") && strings.Contains(literal.String(), s) {
			t.Error("String shows the value")
		}
		if err := literal.Validate("X"); err != nil && len(s) > 60 && strings.Contains(err.Error(), s) {
			t.Error("the error shows the value")
		}
	})
}
