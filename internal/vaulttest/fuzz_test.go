package vaulttest

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// For every valid request, the agent's renderer reads the requested entry only, and
// writes it to the right file only. All other entries have wrong values.
func FuzzRender(f *testing.F) {
	for _, name := range hostile {
		f.Add("a", name)
		f.Add(name, "key")
		f.Add("a/"+name+"/b", name)
	}
	s := NewServer(f, "flyte")
	f.Fuzz(func(t *testing.T, dir, key string) {
		for engine, mounted := range map[string]string{"kv1": "kv/", "kv2": "secret/data/"} {
			req := kv1(mounted+dir, key)
			req.GroupVersion = engine
			segments := strings.Split(path.Clean("/"+dir), "/")[1:]
			// Vault's paths have no outer blanks, which this test's server ignores. A key
			// is one file, and names are short.
			if req.Validate() != nil || key == "" || segments[0] == "" || strings.TrimSpace(dir) != dir || strings.Contains(key, "/") || len(dir+key) > 100 {
				return
			}
			s.Write(t, path.Clean(mounted+dir), map[string]any{key: "c4nary", key + "x": "wrong", "": "wrong"})
			placements, files, err := setup{}.run(t, s, req)
			require.NoError(t, err)
			setup{}.assertFiles(t, []string{"c4nary"}, placements, files)
		}
	})
}
