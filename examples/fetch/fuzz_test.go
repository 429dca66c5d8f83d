package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/internal/kubelet"
)

// An accepted item encodes to the same item, and an error is one short line.
func FuzzDecodeItem(f *testing.F) {
	for _, text := range []string{
		`{"id":"a","file":"a/b","mode":256}`, `{"id":"a","version":"1","field":"f","env":"e","nameLen":3}`,
		`{"id":"a","file":"../a"}`, `{"id":"a","ID":"b","file":"a"}`, `{"id":"a","file":"a"}{}`, `[]`, "{\"id\":\"\xff\"}", `{"id":"\ud800","file":"a"}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		it, err := decodeItem(text)
		if err != nil {
			assert.NotContains(t, err.Error(), "\n")
			assert.Less(t, len(err.Error()), 200)
			return
		}
		assert.NotEmpty(t, it.ID)
		assert.NotEqual(t, it.File == "", it.Env == "")
		again, err := json.Marshal(it)
		require.NoError(t, err)
		same, err := decodeItem(string(again))
		require.NoError(t, err)
		assert.Equal(t, it, same)
	})
}

// An accepted path is written below the directory and nowhere else.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"a", "a/b", "../a", "/a", "a/../../b", ".", "a/./b", "a//b", "a\x00b", "..a", "...", "link/a", "link", "a/" + strings.Repeat("b", 255)} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		base := t.TempDir()
		v := volumes{files: filepath.Join(base, "files"), envFiles: filepath.Join(base, "env")}
		for _, dir := range []string{v.files, v.envFiles, filepath.Join(base, "outside")} {
			require.NoError(t, os.Mkdir(dir, 0o700))
		}
		require.NoError(t, os.Symlink("../outside", v.inVolume("link")))
		if checkPath("file", path) != nil {
			return
		}
		problems := write(v.settings(), one(path))
		found := 0
		require.NoError(t, filepath.WalkDir(base, func(at string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				found++
				assert.Equal(t, v.files+"/"+path, at)
			}
			return err
		}))
		assert.Equal(t, 1-len(problems), found, "%v", problems)
	})
}

// The kubelet reads exactly the value from an env file, or there is no file.
func FuzzEnvFile(f *testing.F) {
	for _, value := range []string{"a", "a\nb", "a\r\nb", "'", "\x00", "#", "V='x'", " ", "\r", "\xff"} {
		f.Add([]byte(value), 3)
	}
	f.Fuzz(func(t *testing.T, value []byte, nameLen int) {
		file, err := envFile(value, max(nameLen, 0))
		if err != nil {
			return
		}
		got, err := kubelet.ParseEnvFile(file, envKey)
		require.NoError(t, err)
		assert.Equal(t, string(value), got)
	})
}

// A field equals encoding/json's, where that is lossless.
func FuzzField(f *testing.F) {
	for _, value := range []string{`{"a":"b"}`, `{"a":1,"a":2}`, `{"a":"\ud800"}`, `{"a":"\ud83d\ude00"}`, `{"a":{}}x`, `{"b":1}`, `{"a":"\\ud800\u0000"}`} {
		f.Add(value, "a")
	}
	f.Fuzz(func(t *testing.T, value, name string) {
		got, err := field([]byte(value), name)
		var object map[string]json.RawMessage
		if json.Unmarshal([]byte(value), &object) != nil {
			require.Error(t, err)
			return
		}
		if err != nil {
			return
		}
		raw := string(object[name])
		var text string
		if json.Unmarshal(object[name], &text) != nil || raw == "null" {
			assert.Equal(t, raw, string(got))
			return
		}
		assert.Equal(t, text, string(got))
		assert.True(t, utf8.Valid(got))
	})
}
