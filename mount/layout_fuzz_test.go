package mount_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/mount"
)

// FuzzLayoutEnvVar: a variable keeps the prefix and is upper-case after it.
// Kubernetes accepts it if the parts contain only allowed characters, unless it
// starts with "..".
func FuzzLayoutEnvVar(f *testing.F) {
	f.Add("_FSEC_", "group", "v1", "key")
	f.Add("", "..", "", "..")
	f.Add("my.s-", "a=b", "\x00", "$(X)")
	f.Add("1", "", "", "")
	f.Add(".", ".", "", "x")
	f.Add("..", "é", "ß", "ŉ")
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	f.Fuzz(func(t *testing.T, prefix, group, version, key string) {
		layout := mount.Layout{EnvPrefix: prefix}
		if layout.Validate() != nil {
			return
		}
		name := layout.EnvVar(group, version, key)
		rest, ok := strings.CutPrefix(name, layout.WithDefaults().EnvPrefix)
		if !ok || rest != strings.ToUpper(rest) {
			t.Errorf("EnvVar(%q, %q, %q) = %q", group, version, key, name)
		}
		if !strings.HasPrefix(name, "..") && strings.Trim(group+version+key, allowed) == "" && len(validation.IsEnvVarName(name+"X")) > 0 {
			t.Errorf("Kubernetes refuses %q", name)
		}
	})
}
