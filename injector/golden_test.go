package injector_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

var update = flag.Bool("update", false, "write the wanted files of the golden cases")

// golden is the case.yaml of a folder of testdata/golden. Beside it are
// pod.yaml, and the wanted files: want-pod.yaml and want-patch.json, or
// want-error.txt.
type golden struct {
	Why      string   `json:"why"`
	Requests []string `json:"requests"` // as secret.Parse reads them
	Config   struct {
		InitOrder  mount.InitOrder      `json:"initOrder"`
		OnConflict mount.ConflictPolicy `json:"onConflict"`
		Containers []string             `json:"containers"` // by name; none: all
		Exact      bool                 `json:"exact"`
	} `json:"config"`
}

func TestGolden(t *testing.T) {
	folders, err := filepath.Glob("testdata/golden/*")
	require.NoError(t, err)
	require.NotEmpty(t, folders)
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			var c golden
			readYAML(t, filepath.Join(folder, "case.yaml"), &c)
			require.NotEmpty(t, c.Why)
			pod := new(corev1.Pod)
			readYAML(t, filepath.Join(folder, "pod.yaml"), pod)
			in := newInjector(t, func(cfg *injector.Config) {
				cfg.InitOrder, cfg.OnConflict, cfg.Layout.Exact = c.Config.InitOrder, c.Config.OnConflict, c.Config.Exact
				if len(c.Config.Containers) > 0 {
					cfg.Containers = func(m mount.Container) bool { return slices.Contains(c.Config.Containers, m.Name) }
				}
			})
			var reqs []secret.Request
			for _, r := range c.Requests {
				req, err := secret.Parse(r)
				require.NoError(t, err)
				reqs = append(reqs, req)
			}
			got := map[string][]byte{}
			if plan, err := in.Plan(ctx, pod, reqs...); err != nil {
				got["want-error.txt"] = []byte(err.Error() + "\n")
			} else {
				got["want-pod.yaml"], err = yaml.Marshal(plan.Pod())
				require.NoError(t, err)
				var patch bytes.Buffer
				require.NoError(t, json.Indent(&patch, toJSON(t, plan.Patch()), "", " "))
				got["want-patch.json"] = append(patch.Bytes(), '\n')
			}
			compare(t, folder, got)
		})
	}
}

// compare also finds wanted files that are missing or stale.
func compare(t *testing.T, folder string, got map[string][]byte) {
	for _, name := range []string{"want-pod.yaml", "want-patch.json", "want-error.txt"} {
		file := filepath.Join(folder, name)
		if content, ok := got[name]; *update && ok {
			require.NoError(t, os.WriteFile(file, content, 0o644))
		} else if *update {
			_ = os.Remove(file)
		}
		want, err := os.ReadFile(file)
		if _, ok := got[name]; !ok {
			assert.ErrorIs(t, err, os.ErrNotExist, "%s is stale", name)
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got[name]), name)
	}
}

func readYAML(t *testing.T, file string, into any) {
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, yaml.UnmarshalStrict(raw, into))
}
