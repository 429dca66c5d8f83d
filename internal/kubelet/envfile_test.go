package kubelet_test

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/internal/kubelet"
)

// recorded is a result of the kubelet's own parser.
type recorded struct{ Name, Text, Key, Value, Error string }

func readRecorded(t testing.TB) (all []recorded) {
	t.Helper()
	raw, err := os.ReadFile("testdata/env-file.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &all))
	require.NotEmpty(t, all)
	for i := range all {
		r := &all[i]
		if length, ok := strings.CutPrefix(r.Name, "a line of "); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(length, " bytes"))
			require.NoError(t, err)
			r.Text = "V='" + strings.Repeat("a", n-len("V=''")) + "'\n"
		}
		if r.Name == "lines of 40,000 bytes" {
			line := strings.Repeat("a", 40_000)
			r.Text, r.Value = "V='"+line+"\n"+line+"'\n", line+"\n"+line
		}
	}
	return all
}

func TestParseEnvFile_Recorded(t *testing.T) {
	for _, r := range readRecorded(t) {
		t.Run(r.Name, func(t *testing.T) {
			value, err := kubelet.ParseEnvFile([]byte(r.Text), r.Key)
			assert.Equal(t, r.Value, value)
			switch {
			case r.Error == "":
				assert.NoError(t, err)
			case strings.HasSuffix(r.Error, "token too long"):
				assert.EqualError(t, err, "a line has 64 KiB or more")
			default:
				assert.EqualError(t, err, r.Error)
			}
		})
	}
}

func TestParseEnvFile_LineLength(t *testing.T) {
	line := func(n int) string { return "V='" + strings.Repeat("a", n-len("V=''")) + "'" }
	for _, tc := range []struct{ name, text, err string }{
		{"longest", line(65535) + "\n", ""},
		{"longest-no-newline", line(65535), ""},
		{"too-long", line(65536) + "\n", "a line has 64 KiB or more"},
		{"too-long-no-newline", line(65536), "a line has 64 KiB or more"},
		{"longest-crlf", line(65535) + "\r\n", "a line has 64 KiB or more"},
		{"after-key", line(10) + "\n" + line(65536), ""},
		{"inside-value", "V='\n" + line(65536), "invalid environment variable format starting at line 1: unclosed single quote"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := kubelet.ParseEnvFile([]byte(tc.text), "V")
			if tc.err == "" {
				assert.NoError(t, err)
			} else {
				assert.EqualError(t, err, tc.err)
			}
		})
	}
}

// Every representable value is parsed, whatever surrounds it.
func FuzzParseEnvFile(f *testing.F) {
	for _, r := range readRecorded(f) {
		if len(r.Text) < 1000 {
			f.Add(r.Text, r.Value)
		}
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		_, _ = kubelet.ParseEnvFile([]byte(text), "V")
		if strings.ContainsAny(value, "'\r") || len(value) > 60_000 {
			return
		}
		for _, file := range []string{"V='" + value + "'", "\n# c\n V='" + value + "' # c\n" + text} {
			got, err := kubelet.ParseEnvFile([]byte(file), "V")
			if err != nil || got != value {
				t.Errorf("%q: got %q, %v", file, got, err)
			}
		}
	})
}
