package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// all has all 256 bytes, which Azure's JSON cannot carry.
var all = func() string {
	var text []byte
	for b := range 256 {
		text = append(text, byte(b))
	}
	return canary + string(text)
}()

// outcomes are the same for all stores. The secret's name is the slug. %s in a message is the
// secret's id.
var outcomes = []struct {
	slug string
	why  string
	once bool // independent of the store, so run with one only
	answer
	item
	code    outcome
	message string // the beginning; "HOST" is the store's host
	file    string // the content, "" for no file
}{
	{slug: "text", answer: answer{value: canary}, item: item{File: "a/b"}, file: canary},
	{slug: "mode", once: true, answer: answer{value: canary}, item: item{File: "B", Mode: 0o440}, file: canary},
	{slug: "empty", answer: answer{value: ""}, item: item{File: "a"}, file: "", why: "a file may be empty"},
	{slug: "bytes", answer: answer{value: all}, item: item{File: "a"}, file: all},
	{slug: "64-kib", answer: answer{value: strings.Repeat(canary+"\r\n", 8<<10)}, item: item{File: "a"}, file: strings.Repeat(canary+"\r\n", 8<<10)},
	{slug: "field", answer: answer{value: `{"a": "` + canary + `\n", "b": 1}`}, item: item{File: "a", Field: "a"}, file: canary + "\n"},
	{slug: "field-number", once: true, answer: answer{value: `{"a": 1.50e2}`}, item: item{File: "a", Field: "a"}, file: "1.50e2"},
	{slug: "env", answer: answer{value: canary + "\n\"$(X)\\"}, item: item{Env: "a"}, file: "V='" + canary + "\n\"$(X)\\'\n"},

	{slug: "absent", item: item{File: "a"}, answer: answer{fault: "not-found"}, code: notFound, message: "not found: HOST answers "},
	{slug: "denied", item: item{File: "a"}, answer: answer{fault: "denied"}, code: denied, message: "denied: HOST answers "},
	{slug: "refused", item: item{File: "a"}, answer: answer{fault: "refused"}, code: refused, message: "refused: HOST answers "},
	{slug: "no-field", item: item{File: "a", Field: "x\ny"}, answer: answer{value: `{"b": "` + canary + `"}`}, code: noField, message: `no such field: ID field "x\ny"`},
	{slug: "no-object", once: true, item: item{File: "a", Field: "b"}, answer: answer{value: canary}, code: notObject, message: "not a JSON object: the text is not a JSON object: ID"},
	{slug: "twice", once: true, item: item{File: "a", Field: "b"}, answer: answer{value: `{"b": "` + canary + `", "b": 1}`}, code: notObject, message: "not a JSON object: the object has a duplicate key: ID"},
	{slug: "env-empty", once: true, item: item{Env: "a"}, answer: answer{value: ""}, code: notEnv, message: "cannot be an env file: the value is empty: ID"},
	{slug: "env-quote", once: true, item: item{Env: "a"}, answer: answer{value: canary + "'"}, code: notEnv, message: "cannot be an env file: the value has a single quote: ID"},
	{slug: "env-nul", once: true, item: item{Env: "a"}, answer: answer{value: canary + "\x00"}, code: notEnv, message: "cannot be an env file: the value has a NUL byte: ID"},
	{slug: "env-crlf", once: true, item: item{Env: "a"}, answer: answer{value: canary + "\r\n"}, code: notEnv, message: "cannot be an env file: the value has a carriage return"},
	{slug: "env-bytes", once: true, item: item{Env: "a"}, answer: answer{value: canary + "\xff"}, code: notEnv, message: "cannot be an env file: the value is not UTF-8: ID"},
	{slug: "env-line", once: true, item: item{Env: "a"}, answer: answer{value: strings.Repeat("a", 64<<10)}, code: tooLong, message: "too long for an env file: a line has 64 KiB or more: ID"},
	{slug: "env-long", once: true, item: item{Env: "a", NameLen: 10}, answer: answer{value: strings.Repeat("0123456789\n", 11916)}, code: tooLong, message: "too long for an env file: name and value have more than 131070 bytes: ID"},

	{slug: "throttled-once", answer: answer{value: canary, fault: "throttled", times: 1}, item: item{File: "a"}, file: canary},
	{slug: "429-twice", answer: answer{value: canary, fault: "429", times: 2}, item: item{File: "a"}, file: canary},
	{slug: "down-once", answer: answer{value: canary, fault: "down", times: 1}, item: item{File: "a"}, file: canary},
	{slug: "dropped-once", answer: answer{value: canary, fault: "drop", times: 1}, item: item{File: "a"}, file: canary},
	{slug: "slow-once", answer: answer{value: canary, fault: "slow", times: 1}, item: item{File: "a"}, file: canary, why: "an attempt has a quarter of the deadline"},
	{slug: "throttled", item: item{File: "a"}, answer: answer{fault: "throttled"}, code: unavailable, message: "store unreachable: HOST answers "},
	{slug: "down", item: item{File: "a"}, answer: answer{fault: "down"}, code: unavailable, message: "store unreachable: HOST "},
	{slug: "dropped", item: item{File: "a"}, answer: answer{fault: "drop"}, code: unavailable, message: "store unreachable: HOST closes the connection (tried for 4s): ID"},
	{slug: "slow", item: item{File: "a"}, answer: answer{fault: "slow"}, code: unavailable, message: "store unreachable: HOST does not answer in time (tried for 4s): ID"},
	{slug: "garbage", item: item{File: "a"}, answer: answer{fault: "garbage"}, code: unavailable, message: "store unreachable: HOST gives no usable answer (tried for 4s): ID"},
	{slug: "redirected", item: item{File: "a"}, answer: answer{fault: "redirect"}, code: unavailable, message: "store unreachable: HOST redirects, which is not allowed: ID"},
}

// fakeStores describes requests to the fake stores.
var fakeStores = []struct {
	store, prefix, host string
	env                 func(c *cloud, subject string) map[string]string
	version             string
}{
	{aws, awsPrefix, "secretsmanager.eu-west-1.amazonaws.com", (*cloud).awsEnv, "00000000-0000-0000-0000-000000000001"},
	{gcp, "projects/project-1/secrets/", "secretmanager.googleapis.com", (*cloud).gcpEnv, "7"},
	{azure, azurePrefix, "vault-1.vault.azure.net", (*cloud).azureEnv, "0123456789abcdef0123456789abcdef"},
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	for _, s := range fakeStores {
		t.Run(s.store, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			t.Run("cases", func(t *testing.T) {
				for _, tt := range outcomes {
					if s.store != gcp && tt.once || s.store == azure && tt.slug == "bytes" {
						continue // Azure's values are Unicode texts
					}
					t.Run(tt.slug, func(t *testing.T) {
						t.Parallel()
						c.put(tt.slug, tt.answer)
						env := s.env(c, "reader")
						switch {
						case tt.times > 0:
							env[deadlineVar] = "12s"
						case tt.code == unavailable:
							env[deadlineVar] = "4s"
						}
						tt.ID = s.prefix + tt.slug
						v := newVolumes(t)
						r := v.run(env, tt.item)
						assert.Equal(t, tt.code, outcome(r.code), "%s %s", tt.why, r.stderr)
						expected := strings.NewReplacer("HOST", s.host, "ID", tt.ID).Replace(tt.message)
						assert.True(t, strings.HasPrefix(r.message, expected), "%q is not %q...", r.message, expected)
						if tt.code != 0 {
							assert.Contains(t, r.message, tt.ID)
							return
						}
						path := "files/" + tt.File
						if tt.Env != "" {
							path = "env/" + tt.Env
						}
						assert.Equal(t, tt.file, v.read(path))
					})
				}
			})
			assert.NotContains(t, c.connected(), "CONNECT evil.example")
		})
	}
}
