package secret_test

import (
	"encoding/base32"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

const prefix = "flyte.secrets/s"

// toBase32 encodes text as Flyte does in annotations.
func toBase32(text string) string {
	return base32.NewEncoding("abcdefghijklmnopqrstuvwxyz123456").WithPadding(base32.NoPadding).EncodeToString([]byte(text))
}

type recording struct {
	Name        string
	Requests    []secret.Request
	Annotations map[string]string
}

// recorded returns requests and the annotations that Flyte itself made for
// them.
func recorded(tb testing.TB) []recording {
	tb.Helper()
	data, err := os.ReadFile("testdata/flyte-annotations.json")
	require.NoError(tb, err)
	var pairs []recording
	require.NoError(tb, json.Unmarshal(data, &pairs))
	require.Len(tb, pairs, 52)
	return pairs
}

func TestAnnotations_Recorded(t *testing.T) {
	for _, pair := range recorded(t) {
		t.Run(pair.Name, func(t *testing.T) {
			encoded, err := secret.EncodeAnnotations(pair.Requests)
			require.NoError(t, err)
			assert.Equal(t, pair.Annotations, encoded, "the bytes must be Flyte's")

			decoded, err := secret.DecodeAnnotations(pair.Annotations)
			require.NoError(t, err)
			if len(pair.Requests) == 0 {
				assert.Nil(t, decoded, "no requests: nil")
			} else {
				assert.Equal(t, pair.Requests, decoded)
			}
		})
	}
}

// The limits of what Flyte's encoder escapes, which the recorded pairs lack.
func TestEncode_Characters(t *testing.T) {
	annotations, err := secret.EncodeAnnotations([]secret.Request{{Key: "\x00\x1f !'?~\x7f\u0080\r\v"}})
	require.NoError(t, err)
	assert.Equal(t, toBase32(`key: "\000\037 !'?~\177\302\200\r\013"`+"\n"), annotations[prefix+"0"])
}

func TestEncode_Errors(t *testing.T) {
	for _, tc := range []struct {
		name, why string
		reqs      []secret.Request
		want      string
	}{
		{"group", "protobuf's strings are UTF-8", []secret.Request{{Group: "\xff"}}, `annotation "flyte.secrets/s0": group: is not valid UTF-8`},
		{"version", "protobuf's strings are UTF-8", []secret.Request{{GroupVersion: "\xff"}}, `annotation "flyte.secrets/s0": groupVersion: is not valid UTF-8`},
		{"key", "the index is that of the request", []secret.Request{{}, {Key: "\xff"}}, `annotation "flyte.secrets/s1": key: is not valid UTF-8`},
		{"mount", "the enum has no such name", []secret.Request{{Mount: 3}}, `annotation "flyte.secrets/s0": mount: is not one of ANY, ENV_VAR, FILE`},
		{"variable", "protobuf's strings are UTF-8", []secret.Request{{EnvVar: "\xff"}}, `annotation "flyte.secrets/s0": envVar: is not valid UTF-8`},
		{"two requests", "all errors are reported", []secret.Request{{Key: "\xff"}, {}, {Mount: 255}},
			"annotation \"flyte.secrets/s0\": key: is not valid UTF-8\nannotation \"flyte.secrets/s2\": mount: is not one of ANY, ENV_VAR, FILE"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			annotations, err := secret.EncodeAnnotations(tc.reqs)
			require.EqualError(t, err, tc.want, tc.why)
			assert.Nil(t, annotations)
			var annotation *secret.AnnotationError
			require.ErrorAs(t, err, &annotation)
			var invalid *secret.InvalidError
			require.ErrorAs(t, annotation, &invalid, "the cause is typed")

			labels, annotations, err := secret.Stamp(nil, nil, tc.reqs)
			require.EqualError(t, err, tc.want, "Stamp's error is the same")
			assert.Nil(t, labels)
			assert.Nil(t, annotations)
		})
	}
}

func TestDecode_Names(t *testing.T) {
	huge := strings.Repeat("9", 40)
	for _, tc := range []struct {
		name, why string
		names     []string // in the expected order
		failing   []string // likewise
	}{
		{name: "none", why: "no requests: nil"},
		{"gap", "numbers may have gaps", []string{prefix + "0", prefix + "2"}, nil},
		{"ten after nine", "numeric order", []string{prefix + "9", prefix + "10", prefix + "100"}, nil},
		{"huge number", "numbers have no limit", []string{prefix + "5", prefix + "1" + huge, prefix + "2" + huge}, nil},
		{"leading zero", "one number has one name", nil, []string{prefix + "00"}},
		{"leading zero of one", "one number has one name", nil, []string{prefix + "01"}},
		{"minus", "not a decimal", nil, []string{prefix + "-1"}},
		{"plus", "not a decimal", nil, []string{prefix + "+1"}},
		{"letter after", "not a decimal", nil, []string{prefix + "1x"}},
		{"letter before", "not a decimal", nil, []string{prefix + "x1"}},
		{"hex", "not a decimal", nil, []string{prefix + "0x1"}},
		{"blank", "not a decimal", nil, []string{prefix + " 1"}},
		{"other digits", "only ASCII has a fixed order", nil, []string{prefix + "١"}},
		{"word", "not a decimal", nil, []string{"flyte.secrets/secret"}},
		{"no number", "the number is required", nil, []string{prefix}},
		{"all errors", "fixed order, no requests", nil, []string{prefix + "00", prefix + "1x", prefix + "x1", prefix + "100x"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			annotations := map[string]string{"flyte.secrets/x": "!", "flyte.secrets": "!", "s0": "!", "Flyte.secrets/s0": "!"}
			var want []secret.Request
			for _, name := range tc.names {
				annotations[name] = toBase32(fmt.Sprintf("key: %q", name))
				want = append(want, secret.Request{Key: name})
			}
			var wantErr []string
			for _, name := range tc.failing {
				annotations[name] = ""
				wantErr = append(wantErr, fmt.Sprintf("annotation %q: the name must end in a number without leading zeros", name))
			}
			if wantErr != nil {
				annotations[prefix+"0"] = ""
			}
			got, err := secret.DecodeAnnotations(annotations)
			assert.Equal(t, want, got, tc.why)
			if wantErr == nil {
				require.NoError(t, err, tc.why)
				return
			}
			require.EqualError(t, err, strings.Join(wantErr, "\n"), tc.why)
			var annotation *secret.AnnotationError
			require.ErrorAs(t, err, &annotation)
			assert.Equal(t, tc.failing[0], annotation.Annotation)
		})
	}
}

func TestDecode_Many(t *testing.T) {
	const n = 5_000
	reqs := make([]secret.Request, n)
	for i := range reqs {
		reqs[i] = secret.Request{Group: "g", Key: fmt.Sprint(i)}
	}
	annotations, err := secret.EncodeAnnotations(reqs)
	require.NoError(t, err)
	require.Len(t, annotations, n)
	decoded, err := secret.DecodeAnnotations(annotations)
	require.NoError(t, err)
	assert.Equal(t, reqs, decoded)

	for name := range annotations {
		annotations[name] = "!"
	}
	decoded, err = secret.DecodeAnnotations(annotations)
	assert.Nil(t, decoded)
	assert.Equal(t, n, strings.Count(err.Error(), "base32 at byte 0"), "all of them are reported")
}

func TestDecode_Base32(t *testing.T) {
	for _, tc := range []struct{ name, why, value, want string }{
		{"line feed", "encoding/base32 skips it", "nnsxsoraejwx\nsx2lmv3secq", "base32 at byte 12: unexpected character '\\n'"},
		{"carriage return", "encoding/base32 skips it", "\rnnsxsoraejwxsx2lmv3secq", "base32 at byte 0: unexpected character '\\r'"},
		{"padding", "Flyte writes none", "nnsxsoraejwxsx2lmv3secq=", "base32 at byte 23: unexpected character '='"},
		{"upper case", "not in the alphabet", "NNSXSORAEJWXSX2LMV3SECQ", "base32 at byte 0: unexpected character 'N'"},
		{"seven", "not in the alphabet", "7nsxsoraejwxsx2lmv3secq", "base32 at byte 0: unexpected character '7'"},
		{"not ASCII", "not in the alphabet", "nn\u00e9", "base32 at byte 2: unexpected character 'é'"},
		{"not UTF-8", "not in the alphabet", "nn\xff", "base32 at byte 2: unexpected character '\ufffd'"},
		{"one letter", "five bits are less than a byte", "n", "base32 at byte 1: ends in the middle of a byte"},
		{"three letters", "the third adds no byte", "nnn", "base32 at byte 3: ends in the middle of a byte"},
		{"six letters", "the sixth adds no byte", "nnsxsa", "base32 at byte 6: ends in the middle of a byte"},
		{"left-over bits", "a second spelling of the same bytes", "nnsxsoraejwxsx2lmv3secr", "base32 at byte 23: ends in the middle of a byte"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := secret.DecodeAnnotations(map[string]string{prefix + "0": tc.value})
			require.EqualError(t, err, `annotation "flyte.secrets/s0": `+tc.want, tc.why)
		})
	}
	reqs, err := secret.DecodeAnnotations(map[string]string{prefix + "0": "nnsxsoraejwxsx2lmv3secq", prefix + "1": ""})
	require.NoError(t, err)
	assert.Equal(t, []secret.Request{{Key: "my_key"}, {}}, reqs, "the unchanged text is valid, and so is the empty one")
}

func TestStamp(t *testing.T) {
	one := []secret.Request{{Key: "my_key"}}
	const encoded = "nnsxsoraejwxsx2lmv3secq"
	type texts = map[string]string
	for _, tc := range []struct {
		name, why                   string
		labels, annotations         texts
		reqs                        []secret.Request
		wantLabels, wantAnnotations texts
	}{
		{"nil maps", "a new Pod has none", nil, nil, one, texts{secret.InjectLabel: "true"}, texts{prefix + "0": encoded}},
		{"others stay", "other annotations are kept", texts{"a": "b"}, texts{"c": "d", "flyte.secrets/x": "e"}, one,
			texts{"a": "b", secret.InjectLabel: "true"}, texts{"c": "d", "flyte.secrets/x": "e", prefix + "0": encoded}},
		{"label is set", "with false, the webhook would not see the Pod", texts{secret.InjectLabel: "false"}, nil, one,
			texts{secret.InjectLabel: "true"}, texts{prefix + "0": encoded}},
		{"stale requests go", "they would be injected too", nil, texts{prefix + "0": "x", prefix + "1": "y", prefix + "10": "z"}, one,
			texts{secret.InjectLabel: "true"}, texts{prefix + "0": encoded}},
		{"malformed names go", "decoding would fail", nil, texts{prefix: "", prefix + "00": "", "flyte.secrets/secret": ""}, one,
			texts{secret.InjectLabel: "true"}, texts{prefix + "0": encoded}},
		{"no requests", "nothing to inject", texts{"a": "b", secret.InjectLabel: "true"}, texts{"c": "d", prefix + "0": encoded}, nil,
			texts{"a": "b"}, texts{"c": "d"}},
		{"empty", "maps are never nil", nil, nil, nil, texts{}, texts{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			labelsBefore, annotationsBefore := maps.Clone(tc.labels), maps.Clone(tc.annotations)
			labels, annotations, err := secret.Stamp(tc.labels, tc.annotations, tc.reqs)
			require.NoError(t, err)
			assert.Equal(t, tc.wantLabels, labels, tc.why)
			assert.Equal(t, tc.wantAnnotations, annotations, tc.why)

			again, annotationsAgain, err := secret.Stamp(labels, annotations, tc.reqs)
			require.NoError(t, err)
			assert.Equal(t, labels, again, "Stamp is idempotent")
			assert.Equal(t, annotations, annotationsAgain, "Stamp is idempotent")

			labels["new"], annotations["new"] = "", ""
			assert.Equal(t, labelsBefore, tc.labels, "inputs must not be changed or shared")
			assert.Equal(t, annotationsBefore, tc.annotations, "inputs must not be changed or shared")
		})
	}
}

func TestStamp_RoundTrip(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		var b strings.Builder
		for range random.IntN(12) {
			// Invalid code points become U+FFFD, which is valid.
			b.WriteRune(rune(random.Uint32N([]uint32{0x80, 0x800, 0x110000}[random.IntN(3)])))
		}
		// CSV may lose a carriage return, which Validate refuses.
		return strings.ReplaceAll(b.String(), "\r", "")
	}
	for range 2_000 {
		reqs := make([]secret.Request, 1+random.IntN(9))
		var flyte, readable []secret.Request
		for i := range reqs {
			r := secret.Request{Group: text(), Key: text(), GroupVersion: text(), Mount: mount.Type(random.UintN(3)), EnvVar: text()}
			if random.IntN(2) == 0 {
				flyte = append(flyte, r)
			} else {
				r.Path, r.Field, r.Mode, r.Container = text(), text(), 1+random.Int32N(0o777), text()
				readable = append(readable, r)
			}
			reqs[i] = r
		}
		_, annotations, err := secret.Stamp(nil, nil, reqs)
		require.NoError(t, err)
		decoded, err := secret.DecodeAnnotations(annotations)
		require.NoError(t, err)
		require.Equal(t, append(flyte, readable...), decoded, "Flyte's form comes first")
	}
}
