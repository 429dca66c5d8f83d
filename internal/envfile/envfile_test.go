package envfile

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/kubernetes/pkg/kubelet/util/env"

	"github.com/podsecrets/podsecrets/internal/kubelet"
)

// compare fails if the model differs from the kubelet's parser, which needs a file.
func compare(t *testing.T, file, text, key string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	want, wantErr := env.ParseEnv(file, key)
	got, err := kubelet.ParseEnvFile([]byte(text), key)
	if got != want || message(err) != message(wantErr) {
		t.Errorf("key %q of %q: got %q, %v; the kubelet has %q, %v", key, text, got, err, want, wantErr)
	}
}

// message returns an error's text. The kubelet's error about a long line names the file.
func message(err error) string {
	switch {
	case err == nil:
		return ""
	case strings.HasSuffix(err.Error(), "token too long"):
		return "a line has 64 KiB or more"
	}
	return err.Error()
}

func TestParseEnvFile_Recorded(t *testing.T) {
	raw, err := os.ReadFile("../kubelet/testdata/env-file.json")
	require.NoError(t, err)
	var all []struct{ Name, Text, Key string }
	require.NoError(t, json.Unmarshal(raw, &all))
	require.NotEmpty(t, all)
	file := filepath.Join(t.TempDir(), "env")
	for _, r := range all {
		t.Run(r.Name, func(t *testing.T) { compare(t, file, r.Text, r.Key) })
	}
}

func TestParseEnvFile_LineLength(t *testing.T) {
	file := filepath.Join(t.TempDir(), "env")
	for n := 65530; n < 65545; n++ {
		line := "V='" + strings.Repeat("a", n-len("V=''")) + "'"
		for _, text := range []string{line, line + "\n", line + "\r\n", "W='a'\n" + line, "V='a\n" + line, "# " + line + "\nV='a'", "V='a'\n" + line} {
			compare(t, file, text, "V")
		}
	}
}

// Random texts consist of parts that matter to the parser.
func TestParseEnvFile_Random(t *testing.T) {
	parts := []string{"V", "W", "=", "'", "'", "V='a'", "\n", "\n", "\r\n", "\r", " ", "\t", "#", "a", "\x00", "\xff", "ä", "=''", "V=", "\\"}
	random := rand.New(rand.NewPCG(1, 2))
	file := filepath.Join(t.TempDir(), "env")
	for range 3_000 {
		var text strings.Builder
		for range random.IntN(12) {
			text.WriteString(parts[random.IntN(len(parts))])
		}
		compare(t, file, text.String(), []string{"V", "W", "", "V "}[random.IntN(4)])
	}
}

func FuzzParseEnvFile(f *testing.F) {
	for _, text := range []string{"V='a'\n", "W='a\nV='\nV='b' # c\r\n", " V= 'a'", "='a'", "V='a", "V ='a'"} {
		f.Add(text, "V")
	}
	file := filepath.Join(f.TempDir(), "env")
	f.Fuzz(func(t *testing.T, text, key string) { compare(t, file, text, key) })
}
