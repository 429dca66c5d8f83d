package secret_test

import (
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func decodeText(text string) ([]secret.Request, error) {
	return secret.DecodeAnnotations(map[string]string{prefix + "0": toBase32(text)})
}

// validTexts has spellings that Flyte's encoder does not write. The nested
// module internal/textoracle compares many more with protobuf's decoder.
var validTexts = []struct {
	name, text string
	want       secret.Request
}{
	{"empty", "", secret.Request{}},
	{"spaces and comments only", " \t\r\n# group: \"g\"\n#", secret.Request{}},
	{"comments everywhere", "group # a\n : # b\n \"g\" # c\n 'h' # \xff", secret.Request{Group: "gh"}},
	{"no spaces", `group:"g"key:'k'`, secret.Request{Group: "g", Key: "k"}},
	{"commas", `group: "g", key: "k",`, secret.Request{Group: "g", Key: "k"}},
	{"semicolons", `group: "g"; key: "k";`, secret.Request{Group: "g", Key: "k"}},
	{"any order", `env_var: "X" key: "k" group: "g"`, secret.Request{Group: "g", Key: "k", EnvVar: "X"}},
	{"empty text", `group: "" key: "k"`, secret.Request{Key: "k"}},
	{"adjacent strings", `key: "a" 'b'"c"`, secret.Request{Key: "abc"}},
	{"other quote", `group: "it's" key: '"'`, secret.Request{Group: "it's", Key: `"`}},
	{"one-letter escapes", `key: "\a\b\f\n\r\t\v\?\\\'\""`, secret.Request{Key: "\a\b\f\n\r\t\v?\\'\""}},
	{"octal", `key: "\1\12\1013\303\251"`, secret.Request{Key: "\x01\nA3é"}},
	{"hex", `key: "\x1\x41f\xC3\xa9"`, secret.Request{Key: "\x01Afé"}},
	{"code points", `key: "\u00e9\U0001F511"`, secret.Request{Key: "é🔑"}},
	{"last code point", `key: "\U0010ffff"`, secret.Request{Key: "\U0010ffff"}},
	{"surrogates", `key: "\ud83d\udd11\U0000d83d\udd11"`, secret.Request{Key: "🔑🔑"}},
	{"byte in two literals", `key: "\303" "\251"`, secret.Request{Key: "é"}},
	{"raw control characters", "key: \"\x01\r\t\x7f\"", secret.Request{Key: "\x01\r\t\x7f"}},
	{"enum name", `mount_requirement: ENV_VAR`, secret.Request{Mount: mount.EnvVar}},
	{"enum default", `mount_requirement: ANY`, secret.Request{}},
	{"enum decimal", `mount_requirement: 1`, secret.Request{Mount: mount.EnvVar}},
	{"enum hex", `mount_requirement: 0X02`, secret.Request{Mount: mount.File}},
	{"enum octal", `mount_requirement: 002`, secret.Request{Mount: mount.File}},
	{"enum minus zero", "mount_requirement: - # zero\n 0", secret.Request{}},
	{"unknown scalars", `a: 1 b: -2.5e+3f c: 0x1F d: "\xff" e: TRUE f: -inf g 99999999999999999999 h: . key: "k"`, secret.Request{Key: "k"}},
	{"unknown messages", `a { group: "g" group: 1 } b: < c { }; d: 1, > key: "k"`, secret.Request{Key: "k"}},
	{"nested lists", `a { b: [1, {c [2]}] d: [{}] } key: "k"`, secret.Request{Key: "k"}},
	{"float suffixes", `a: 1F b: .5f c: 1e d: 0.F key: "k"`, secret.Request{Key: "k"}},
	{"replacement character", "key: \"\ufffd\"", secret.Request{Key: "\ufffd"}},
	{"unknown lists", `a: [] b: [1, "x" 'y', z, {c: 1}, <>] key: "k"`, secret.Request{Key: "k"}},
	{"unknown numbers", `6: 1 536870911 { 0: 1 } key: "k"`, secret.Request{Key: "k"}},
	{"extensions", `[a.b-c]: 1 [ x.y/z ] {} [/a]: 2 [%41/a]: 3 key: "k"`, secret.Request{Key: "k"}},
	{"lenient unknown values", `a: 1b b: [[1 2;]] c { , } d: + [a..b]: 08 key: "k"`, secret.Request{Key: "k"}},
	{"JSON names are unknown", `groupVersion: 1 groupVersion: 2 envVar: "X" key: "k"`, secret.Request{Key: "k"}},
}

func TestDecode_Text(t *testing.T) {
	for _, tc := range validTexts {
		t.Run(tc.name, func(t *testing.T) {
			reqs, err := decodeText(tc.text)
			require.NoError(t, err)
			assert.Equal(t, []secret.Request{tc.want}, reqs)
		})
	}
}

func TestDecode_TextErrors(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"repeated field", `key: "a" key: "b"`, "text at byte 14: key is set twice"},
		{"repeated enum", `mount_requirement: ANY mount_requirement: ANY`, "text at byte 42: mount_requirement is set twice"},
		{"known number", `1: "g"`, "text at byte 3: field number instead of a name"},
		{"last known number", `5: 1`, "text at byte 3: field number instead of a name"},
		{"number zero", `0: 1`, "text at byte 3: field number instead of a name"},
		{"number over 29 bits", `536870912: 1`, "text at byte 11: field number instead of a name"},
		{"inner number over 31 bits", `a { 2147483648: 1 }`, "text at byte 4: field number is out of range"},
		{"hex number", `0x6: 1`, "text at byte 0: unexpected character '0'"},
		{"no colon", `key "k"`, "text at byte 4: unexpected character '\"'"},
		{"no value", `key:`, "text at byte 4: unexpected end"},
		{"number for text", `key: 1`, "text at byte 5: unexpected character '1'"},
		{"list for text", `key: ["k"]`, "text at byte 5: unexpected character '['"},
		{"text for enum", `mount_requirement: "FILE"`, "text at byte 19: unexpected character '\"'"},
		{"unknown enum name", `mount_requirement: file`, "text at byte 19: mount_requirement is not one of ANY, ENV_VAR, FILE"},
		{"unknown enum number", `mount_requirement: 3`, "text at byte 19: mount_requirement is not one of ANY, ENV_VAR, FILE"},
		{"negative enum number", `mount_requirement: -1`, "text at byte 19: mount_requirement is not one of ANY, ENV_VAR, FILE"},
		{"float for enum", `mount_requirement: 1.0`, "text at byte 19: mount_requirement is not one of ANY, ENV_VAR, FILE"},
		{"great enum number", `mount_requirement: 0x10000000000000001`, "text at byte 19: mount_requirement is not one of ANY, ENV_VAR, FILE"},
		{"escaped invalid UTF-8", `key: "\xff"`, "text at byte 5: string is not valid UTF-8"},
		{"raw invalid UTF-8", "a: \"\xff\"", "text at byte 4: unexpected character '\ufffd'"},
		{"raw line break", "a: \"\n\"", "text at byte 4: unexpected character '\\n'"},
		{"raw NUL", "a: \"\x00\"", "text at byte 4: unexpected character '\\x00'"},
		{"open string", `a: "b`, "text at byte 5: unexpected end"},
		{"unknown escape", `a: "\q"`, "text at byte 4: invalid escape"},
		{"escape at the end", `a: "\`, "text at byte 4: invalid escape"},
		{"octal over a byte", `a: "\400"`, "text at byte 4: invalid escape"},
		{"hex without digits", `a: "\xg"`, "text at byte 4: invalid escape"},
		{"short code point", `a: "\u123"`, "text at byte 4: invalid escape"},
		{"text ends in code point", `a: "\u12`, "text at byte 4: invalid escape"},
		{"text ends in pair", `a: "\ud83d\ud`, "text at byte 4: invalid escape"},
		{"code point too great", `a: "\U00110000"`, "text at byte 4: invalid escape"},
		{"half a pair", `a: "\ud83d"`, "text at byte 4: invalid escape"},
		{"second half first", `a: "\udd11\ud83d"`, "text at byte 4: invalid escape"},
		{"second half in \\U", `a: "\ud83d\U0000dd11"`, "text at byte 4: invalid escape"},
		{"separator first", `, key: "k"`, "text at byte 0: unexpected character ','"},
		{"two separators", `key: "k",;`, "text at byte 9: unexpected character ';'"},
		{"close without open", `a: 1 }`, "text at byte 5: unexpected character '}'"},
		{"wrong close", `a { >`, "text at byte 4: unexpected character '>'"},
		{"open message", `a { b: 1`, "text at byte 8: unexpected end"},
		{"name with dot", `a.b: 1`, "text at byte 0: unexpected character 'a'"},
		{"name not ASCII", "é: 1", "text at byte 0: unexpected character 'é'"},
		{"brace in brackets", `[a{b/c]: 1`, "text at byte 2: unexpected character '{'"},
		{"percent cut short", `[%4`, "text at byte 3: unexpected end"},
		{"open brackets", `[a`, "text at byte 2: unexpected end"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			reqs, err := decodeText(tc.text)
			require.EqualError(t, err, `annotation "flyte.secrets/s0": `+tc.want)
			assert.Nil(t, reqs)
		})
	}
}

// Authors may put the secret itself into a text, so errors show at most one
// character of it.
func TestDecode_HidesContent(t *testing.T) {
	const canary = "hunter2"
	for _, text := range []string{
		`key: "` + canary + `" key: "` + canary + `"`,
		`key: ` + canary,
		canary + `-: 1`,
		`mount_requirement: ` + canary,
		`mount_requirement: "` + canary + `"`,
		`key: "` + canary + `\xff"`,
		`key: "` + canary,
		`[` + canary + `{]: 1`,
		`a { ` + canary + ` }`,
	} {
		_, err := decodeText(text)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), canary)
	}
	_, err := secret.DecodeAnnotations(map[string]string{prefix + "0": canary + "!"})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), canary)
}

// Each text takes milliseconds. Quadratic time would take minutes and time out.
func TestDecode_LinearTime(t *testing.T) {
	const size = 1 << 20
	defer debug.SetMaxStack(debug.SetMaxStack(256 << 10)) // the program dies above it
	for _, text := range map[string]string{
		"open messages":       strings.Repeat("a{", size/2),
		"nested messages":     strings.Repeat("a{", size/4) + strings.Repeat("}", size/4),
		"messages in lists":   strings.Repeat("a:[<", size/4),
		"list":                "a:[" + strings.Repeat("1,", size/2) + "1]",
		"open list":           "a:[" + strings.Repeat("1,", size/2),
		"fields":              strings.Repeat("a:1 ", size/4),
		"comments":            strings.Repeat("#\n", size/2),
		"comments after sign": strings.Repeat("a:-#\n1 ", size/7),
		"literals":            "key:" + strings.Repeat(`""`, size/2),
		"open literals":       "key:" + strings.Repeat(`""`, size/2) + `"`,
		"escapes":             `key:"` + strings.Repeat(`\1`, size/2) + `"`,
		"long text":           `key:"` + strings.Repeat("é", size/2) + `"`,
		"long identifier":     strings.Repeat("a", size) + ":1",
		"long number":         "a:" + strings.Repeat("1", size),
		"long enum number":    "mount_requirement:0x" + strings.Repeat("0", size) + "1",
		"long float":          "a:1." + strings.Repeat("1", size) + "x",
		"brackets":            "[" + strings.Repeat("a.", size/2) + "a]:1",
		"bracketed names":     strings.Repeat("[a]:1 ", size/6),
		"blanks":              strings.Repeat(" ", size),
		"not a text":          strings.Repeat("\xff", size),
	} {
		_, _ = decodeText(text)
	}
}
