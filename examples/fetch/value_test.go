package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/internal/kubelet"
)

func TestField(t *testing.T) {
	const invalid = "not a JSON object: the text is not a JSON object"
	for _, tt := range []struct{ slug, value, field, want, err string }{
		{"text", `{"a": "b\n\u00e9\ud83d\ude00\\ud800"}`, "a", "b\né😀\\ud800", ""},
		{"empty", `{"a": ""}`, "a", "", ""},
		{"number", `{"a": 12345678901234567890.10}`, "a", "12345678901234567890.10", ""},
		{"exponent", `{"a": 1E+2 }`, "a", "1E+2", ""},
		{"true", `{"a": true}`, "a", "true", ""},
		{"null", `{"a": null}`, "a", "null", ""},
		{"object", `{"a": {"b" : [1, 2]}}`, "a", `{"b" : [1, 2]}`, ""},
		{"escaped-key", `{"\u0061": 1}`, "a", "1", ""},
		{"odd-key", `{"a.b/$[0]": 1}`, "a.b/$[0]", "1", ""},
		{"replacement", `{"a": "\ufffd"}`, "a", "\ufffd", ""},
		{"missing", `{"A": 1}`, "a", "", "no such field"},
		{"nested", `{"b": {"a": 1}}`, "a", "", "no such field"},
		{"array", `["a"]`, "a", "", invalid},
		{"string", `"a"`, "a", "", invalid},
		{"nothing", ``, "a", "", invalid},
		{"plain", canary, "a", "", invalid},
		{"rest", `{"a": 1} x`, "a", "", invalid},
		{"cut", `{"a": "` + canary, "a", "", invalid},
		{"bad-after", `{"a": 1, "b": ` + canary + `}`, "a", "", invalid},
		{"not-utf-8", "{\"a\": \"\xff\"}", "a", "", invalid},
		{"twice", `{"a": 1, "b": 2, "a": 1}`, "b", "", "not a JSON object: the object has a duplicate key"},
		{"twice-escaped", `{"a": 1, "\u0061": 1}`, "a", "", "not a JSON object: the object has a duplicate key"},
		{"half-first", `{"a": "x\ud800y"}`, "a", "", "not a JSON object: the field is not Unicode text"},
		{"half-second", `{"a": "\udc00"}`, "a", "", "not a JSON object: the field is not Unicode text"},
		{"half-at-end", `{"a": "\ud83d\ude00\ud83d"}`, "a", "", "not a JSON object: the field is not Unicode text"},
	} {
		t.Run(tt.slug, func(t *testing.T) {
			got, err := field([]byte(tt.value), tt.field)
			if tt.err == "" {
				require.NoError(t, err)
				assert.Equal(t, tt.want, string(got))
				return
			}
			assert.EqualError(t, err, tt.err)
		})
	}
}

// The kubelet reads the store's value from an env file, or there is no file.
func TestEnvFile(t *testing.T) {
	long := strings.Repeat("0123456789\n", 20_000)
	for _, tt := range []struct {
		slug, value string
		nameLen     int
		code        outcome
	}{
		{"text", "a", 1, 0},
		{"lines", "\n\na\n\n", 1, 0},
		{"blanks", " \ta \t", 1, 0},
		{"comment", "#a\n#b", 1, 0},
		{"assignment", "V=x\nV=\"y\"", 1, 0},
		{"quotes", "\"`$(V)\\n\\", 1, 0},
		{"carriage-return", "a\rb\r", 1, 0},
		{"unicode", "é😀\ufeff\u2028", 1, 0},
		{"control", "\x01\x7f\x1b[31m", 1, 0},
		{"longest-line", strings.Repeat("a", 64<<10-5), 1, 0},
		{"longest-last-line", "a\n" + strings.Repeat("a", 64<<10-2), 1, 0},
		{"longest", long[:131_060], 10, 0},
		{"empty", "", 1, notEnv},
		{"quote", "it's", 1, notEnv},
		{"nul", "a\x00", 1, notEnv},
		{"not-utf-8", "a\xff", 1, notEnv},
		{"half-rune", "a\xed\xa0\x80", 1, notEnv},
		{"crlf", "a\r\nb", 1, notEnv},
		{"line", strings.Repeat("a", 64<<10-4), 1, tooLong},
		{"last-line", "a\n" + strings.Repeat("a", 64<<10-1), 1, tooLong},
		{"inner-line", "a\n" + strings.Repeat("a", 64<<10) + "\na", 1, tooLong},
		{"long", long[:131_061], 10, tooLong},
		{"long-name", "a", 131_070, tooLong},
	} {
		t.Run(tt.slug, func(t *testing.T) {
			file, err := envFile([]byte(tt.value), tt.nameLen)
			if tt.code != 0 {
				require.Error(t, err)
				assert.Equal(t, tt.code, asFailure(err).outcome)
				return
			}
			require.NoError(t, err)
			got, err := kubelet.ParseEnvFile(file, envKey)
			require.NoError(t, err)
			assert.Equal(t, tt.value, got)
		})
	}
}

func TestMessage(t *testing.T) {
	of := func(o outcome, detail string, subjects ...string) (problems []problem) {
		for _, s := range subjects {
			problems = append(problems, problem{s, failure{outcome: o, detail: detail}})
		}
		return problems
	}
	var many []string
	for i := range 5000 {
		many = append(many, fmt.Sprint(i))
	}
	for _, tt := range []struct {
		slug     string
		problems []problem
		want     string
	}{
		{"one", of(notFound, "", "a"), "not found: a"},
		{"detail", of(denied, "h answers 403", "a"), "denied: h answers 403: a"},
		{"grouped", append(append(of(notFound, "", "a"), of(denied, "", "b")...), of(notFound, "", "c")...), "not found: a, c; denied: b"},
		{"long", of(notFound, "", strings.Repeat("a", 4000), strings.Repeat("b", 4000)), "not found: " + strings.Repeat("a", 4000) + "; and 1 more"},
	} {
		t.Run(tt.slug, func(t *testing.T) {
			assert.Equal(t, tt.want, message(tt.problems))
		})
	}
	line := message(of(notFound, "", many...))
	assert.LessOrEqual(t, len(line), maxMessage)
	assert.Regexp(t, `^not found: 0, 1, .*, [0-9]+; and [0-9]+ more$`, line)

	long := item{ID: strings.Repeat("é\n", 1000), Version: strings.Repeat("v", 1000), Field: "\"'\x1b[31m" + strings.Repeat("f", 1000)}
	assert.Less(t, len(long.String()), 600)
	assert.NotContains(t, long.String(), "\n")
	assert.NotContains(t, long.String(), "\x1b")
}
