package textoracle

import (
	"encoding/base32"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/secret"
)

var encoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz123456").WithPadding(base32.NoPadding)

// recordedValues returns values of annotations that Flyte wrote.
func recordedValues(tb testing.TB) (values []string) {
	raw, err := os.ReadFile("../../secret/testdata/flyte-annotations.json")
	require.NoError(tb, err)
	var pairs []struct{ Annotations map[string]string }
	require.NoError(tb, json.Unmarshal(raw, &pairs))
	for _, pair := range pairs {
		for _, value := range pair.Annotations {
			values = append(values, value)
		}
	}
	require.NotEmpty(tb, values)
	return values
}

// compareValue fails if the decoders disagree about an annotation's value. The oracle uses
// the standard library's base32, which ignores line breaks and left-over bits, so a value
// counts as valid only if encoding its bytes yields it again.
func (o oracle) compareValue(t *testing.T, value string) {
	t.Helper()
	text, err := encoding.DecodeString(value)
	if err == nil && encoding.EncodeToString(text) == value {
		o.compare(t, string(text))
		return
	}
	reqs, err := secret.DecodeAnnotations(map[string]string{annotation: value})
	require.Error(t, err, "base32 %q", value)
	require.Nil(t, reqs)
}

func TestAnnotations_Recorded(t *testing.T) {
	o := newOracle(t)
	for _, value := range recordedValues(t) {
		o.compareValue(t, value)
		for _, other := range []string{strings.ToUpper(value), value + "a", value + "=", value + "\n", value[:len(value)/2]} {
			o.compareValue(t, other)
		}
	}
}

func FuzzAnnotation(f *testing.F) {
	for _, value := range recordedValues(f) {
		f.Add(value)
	}
	for _, text := range texts {
		f.Add(encoding.EncodeToString([]byte(text)))
	}
	for _, value := range []string{"", "a", "aa", "ab", "aaa", "aaaa=", "aa\naa", "AA", "0", "7", "é"} {
		f.Add(value)
	}
	o := newOracle(f)
	f.Fuzz(func(t *testing.T, value string) { o.compareValue(t, value) })
}
