package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A text in which YAML readers see different documents is refused, never partly read.
func TestRun_DisagreeingReaders(t *testing.T) {
	const account = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: a\n"
	for name, odd := range map[string]string{"CR": "\r", "NEL": "\u0085", "LS": "\u2028", "PS": "\u2029"} {
		for place, text := range map[string]string{
			"behind-separator":  blockPod + "---" + odd + account,
			"comment-separator": blockPod + "--- # a" + odd + account,
			"before-separator":  strings.TrimSuffix(blockPod, "\n") + odd + "---" + odd + account,
			"in-comment":        "# a comment" + odd + account,
			"in-comment-end":    blockPod + "# a" + odd + "---" + odd + account,
			"pod-in-comment":    account + "---\n# a" + odd + blockPod,
		} {
			t.Run(name+"-"+place, func(t *testing.T) {
				got := runOn(text, "-o=json", "-skip-unknown", askVariable)
				if got.exit == 0 {
					want := strings.Count(text, "kind:")
					assert.Equal(t, want, strings.Count(got.stdout, `"kind":`), "no object is lost")
					assert.Equal(t, strings.Count(text, "Pod"), strings.Count(got.stdout, `"_FSEC_G_K"`), "no Pod is left out")
					edited := runOn(text, "-skip-unknown", askVariable)
					assert.Equal(t, strings.Count(text, "# a"), strings.Count(edited.stdout, "# a"), "no comment is written twice")
					return
				}
				assert.Equal(t, outcome{1, "", got.stderr}, got)
				assert.Regexp(t, `standard input:\d+: `, got.stderr)
			})
		}
	}
}

func TestRun_HugeExponents(t *testing.T) {
	for _, number := range []string{"1e-999999", "1e999999", "-1E+999999999", "1e-99999999999999999999"} {
		t.Run(number, func(t *testing.T) {
			numbers := strings.Repeat(number+", ", 2000)
			for _, text := range []string{
				blockPod + "  x: [" + numbers + "]\n",
				fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"c"}],"x":[%s 1]}}`, numbers),
			} {
				start := time.Now()
				runOn(text, askVariable)
				assert.Less(t, time.Since(start), 20*time.Second)
			}
		})
	}
}

func TestRun_DuplicateKeys(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"comment", "# <<: x\napiVersion: v1\nkind: A\na: 1\na: 2\n", `:5: duplicate key "a"`},
		{"text", "apiVersion: v1\nkind: A\na: '<<:'\na: 2\n", `:4: duplicate key "a"`},
		{"beside-merge", "apiVersion: v1\nkind: A\nx: &x {b: 1}\ny: {<<: *x, b: 2, b: 3}\n", `:4: duplicate key "b"`},
		{"second-document", "apiVersion: v1\nkind: A\n---\nkind: A\napiVersion: v1\nkind: B\n", `:6: duplicate key "kind"`},
		{"json", `{"apiVersion":"v1","kind":"A","a":{"b":1,` + "\n" + `"b":2}}`, `:2: duplicate key "b"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := runOn(tc.text)
			assert.Equal(t, outcome{1, "", "inject: standard input" + tc.want + "\n"}, got)
		})
	}
	overridden := "apiVersion: v1\nkind: A\nx: &x {b: 1}\ny: {<<: *x, b: 2}\n"
	assert.Equal(t, outcome{0, overridden, ""}, runOn(overridden), "what is merged in may be overridden")
}

func TestRun_OddStrings(t *testing.T) {
	for _, text := range []string{"a: =\n", "a: <<\n", "a: ~x\n", "a: 0o7\n", "a: 12:30:45\n", "a: !!binary aGk=\n"} {
		text = "apiVersion: v1\nkind: A\n" + text
		assert.Equal(t, outcome{0, text, ""}, runOn(text))
	}
	for _, value := range []string{"=", "<<", "yes", "1e3", "0o7", "12:30:45", "~", "null", "- a", "a: b", "a #b", "\"", "'", "%a", "@a", "`a", "|", ">-", "*a", "&a", "!a", "{a", "[a", "]a", "2001-01-01", ".5", "0x1", "-"} {
		request := fmt.Sprintf(`request=group=g,key=k,"env=%s"`, strings.ReplaceAll(value, `"`, `""`))
		got := runOn(blockPod, "-"+request)
		if got.exit != 0 {
			continue // not a valid variable name
		}
		assert.Equal(t, outcome{0, got.stdout, ""}, runOn(got.stdout, "-"+request), "a second time")
		assert.Equal(t, outcome{0, blockPod, ""}, runOn(got.stdout, "remove", "-"+request), "removed")
	}
}
