package vaulttest

import (
	"encoding/json"
	"os"
	"path"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/secret"
)

// A request without a key gets the whole secret as JSON.
func TestRender_WholeSecret(t *testing.T) {
	s := NewServer(t, "flyte")
	all := map[string]any{"user": "it's <me>", "port": 5432.0, "nested": map[string]any{"a": []any{"'"}}, "null": nil, "empty": ""}
	s.Write(t, "kv/x", all)
	s.Write(t, "secret/data/x", all)
	for engine, dir := range map[string]string{"kv1": "kv/x", "kv2": "secret/x"} {
		req := secret.Request{Group: dir, GroupVersion: engine, Path: "whole.json"}
		_, files, err := setup{}.run(t, s, req)
		require.NoError(t, err)
		require.Len(t, files, 1)
		var got map[string]any
		require.NoError(t, json.Unmarshal([]byte(files["/etc/flyte/secrets/whole.json"]), &got))
		assert.Equal(t, all, got)
		_, _, err = setup{}.run(t, s, secret.Request{Group: dir + "/none", GroupVersion: engine, Path: "whole.json"})
		assert.ErrorContains(t, err, "no secret exists at")
	}
}

func TestRender_Mode(t *testing.T) {
	s := NewServer(t, "flyte")
	s.Write(t, "kv/x", map[string]any{"k": "v"})
	req := kv1("kv/x", "k")
	req.Mode = 0o440
	_, placements, root, err := setup{}.render(t, s, req)
	require.NoError(t, err)
	for _, file := range []string{placements[0].Path, "/etc/flyte/secrets/kv/x/kv1/k"} {
		info, err := os.Stat(path.Join(root, file))
		require.NoError(t, err)
		assert.EqualValues(t, 0o440, info.Mode(), file)
	}
}
