package vaulttest

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzRender: of a valid request, the agent's own renderer reads the one secret
// that was asked for, and writes its one entry to the one file. What it must not
// read is everywhere else.
func FuzzRender(f *testing.F) {
	for _, name := range hostile {
		f.Add("a", name)
		f.Add(name, "key")
		f.Add("a/"+name+"/b", name)
	}
	s := NewServer(f, "flyte")
	f.Fuzz(func(t *testing.T, at, key string) {
		for engine, mounted := range map[string]string{"kv1": "kv/", "kv2": "secret/data/"} {
			req := kv1(mounted+at, key)
			req.GroupVersion = engine
			segments := strings.Split(path.Clean("/"+at), "/")[1:]
			// Blanks at the ends of a path are not Vault's: the server of this test
			// would have to tell them apart. A key is one file, and all are short.
			if req.Validate() != nil || key == "" || segments[0] == "" || strings.TrimSpace(at) != at || strings.Contains(key, "/") || len(at+key) > 100 {
				return
			}
			s.Write(t, path.Clean(mounted+at), map[string]any{key: "c4nary", key + "x": "wrong", "": "wrong"})
			placements, files, err := proof{}.run(t, s, req)
			require.NoError(t, err)
			proof{}.assertFiles(t, []string{"c4nary"}, placements, files)
		}
	})
}
