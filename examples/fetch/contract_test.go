package main

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	contract "github.com/podsecrets/podsecrets/internal/fetch"
)

// The managers' side of the contract agrees with this program's.
func TestContract(t *testing.T) {
	assert.Equal(t, []any{
		contract.StoreVar, contract.ItemPrefix, contract.AWS, contract.GCP, contract.Azure, contract.FilesDir, contract.EnvDir, contract.EnvKey, contract.DefaultMode,
	}, []any{
		storeVar, itemPrefix, aws, gcp, azure, defaultFilesDir, defaultEnvDir, envKey, defaultFileMode,
	})
	theirs, ours := reflect.TypeFor[contract.Item](), reflect.TypeFor[item]()
	require.Equal(t, len(itemKeys), theirs.NumField())
	for i := range theirs.NumField() {
		field := theirs.Field(i)
		mine, ok := ours.FieldByName(field.Name)
		require.True(t, ok, field.Name)
		assert.Equal(t, field.Type, mine.Type, field.Name)
		assert.Equal(t, field.Tag, mine.Tag, field.Name)
	}
	for _, it := range []contract.Item{
		{ID: "a<b>&\u2028", Version: "v", Field: "f$(X)", File: "a/b", Mode: 0o400},
		{ID: "a", Env: "env", NameLen: 10},
	} {
		text, err := json.Marshal(it)
		require.NoError(t, err)
		got, err := decodeItem(string(text))
		require.NoError(t, err)
		assert.Equal(t, item{it.ID, it.Version, it.Field, it.File, it.Env, it.Mode, it.NameLen, ""}, got)
	}
}
