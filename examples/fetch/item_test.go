package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDecodeItem(t *testing.T) {
	for _, tt := range []struct{ slug, text, err string }{
		{"file", `{"id": "a", "file": "a/b", "mode": 256}`, ""},
		{"env", `{"id": "a", "version": "1", "field": "", "env": "a", "nameLen": 3}`, ""},
		{"dots", `{"id": "a", "file": "..a/b..c/...d/.e"}`, ""},
		{"odd-names", `{"id": "a", "file": "a b/$(X)'\"\\/é"}`, ""},
		{"longest", `{"id": "a", "file": "` + strings.Repeat("a", 255) + `/b"}`, ""},
		{"empty", ``, "the text is not a JSON object"},
		{"array", `[]`, "the text is not a JSON object"},
		{"null", `null`, "the text is not a JSON object"},
		{"rest", `{"id": "a", "file": "a"} {}`, "the text is not a JSON object"},
		{"cut", `{"id": "a", "file": "a"`, "the text is not a JSON object"},
		{"not-utf-8", "{\"id\": \"\xff\", \"file\": \"a\"}", "the text is not a JSON object"},
		{"unknown", `{"id": "a", "file": "a", "` + canary + `": 1}`, `unknown key "C4N4RY"`},
		{"case", `{"ID": "a", "file": "a"}`, `unknown key "ID"`},
		{"twice", `{"id": "a", "id": "b", "file": "a"}`, "the object has a duplicate key"},
		{"null-value", `{"id": null, "file": "a"}`, "id is null"},
		{"type", `{"id": 1, "file": "a"}`, "id has the wrong type"},
		{"fraction", `{"id": "a", "file": "a", "mode": 0.5}`, "mode has the wrong type"},
		{"no-id", `{"file": "a"}`, "id is missing"},
		{"no-path", `{"id": "a"}`, "neither file nor env is set"},
		{"both", `{"id": "a", "file": "a", "env": "a"}`, "file and env are both set"},
		{"mode", `{"id": "a", "file": "a", "mode": 512}`, "mode is not between 0 and 0777"},
		{"negative-mode", `{"id": "a", "file": "a", "mode": -1}`, "mode is not between 0 and 0777"},
		{"env-mode", `{"id": "a", "env": "a", "mode": 256}`, "mode is for files only"},
		{"file-name-len", `{"id": "a", "file": "a", "nameLen": 1}`, "nameLen is for env files only"},
		{"name-len", `{"id": "a", "env": "a", "nameLen": -1}`, "nameLen is negative"},
		{"absolute", `{"id": "a", "file": "/etc/passwd"}`, "file is an absolute path"},
		{"up", `{"id": "a", "file": "a/../../b"}`, `file has an empty, "." or ".." segment`},
		{"dot", `{"id": "a", "env": "."}`, `env has an empty, "." or ".." segment`},
		{"slash", `{"id": "a", "file": "a/"}`, `file has an empty, "." or ".." segment`},
		{"slashes", `{"id": "a", "file": "a//b"}`, `file has an empty, "." or ".." segment`},
		{"nul", `{"id": "a", "file": "a\u0000b"}`, "file has control characters or is not UTF-8"},
		{"newline", `{"id": "a", "file": "a\nb"}`, "file has control characters or is not UTF-8"},
		{"segment", `{"id": "a", "file": "` + strings.Repeat("a", 256) + `"}`, "file has a segment of more than 255 bytes"},
		{"path", `{"id": "a", "file": "` + strings.Repeat("a/", 2048) + `b"}`, "file is longer than 4096 bytes"},
	} {
		t.Run(tt.slug, func(t *testing.T) {
			_, err := decodeItem(tt.text)
			if tt.err == "" {
				require.NoError(t, err)
				return
			}
			assert.EqualError(t, err, tt.err)
		})
	}
}

// Invalid settings are reported together, before any request.
func TestSettings(t *testing.T) {
	t.Parallel()
	one := `{"id": "x", "file": "a"}`
	for _, tt := range []struct {
		slug    string
		env     map[string]string
		message string
	}{
		{"nothing", nil, "bad request: is not set: PODSECRETS_STORE"},
		{"no-item", map[string]string{storeVar: aws}, "bad request: no secret is requested: PODSECRETS_GET_*"},
		{"store", map[string]string{storeVar: "vault", "PODSECRETS_GET_A": one}, "bad request: must be one of aws, gcp, azure: PODSECRETS_STORE"},
		{"deadline", map[string]string{storeVar: aws, "PODSECRETS_GET_A": one, deadlineVar: "60"}, "bad request: must be a duration from 1s to 1h: PODSECRETS_DEADLINE"},
		{"short", map[string]string{storeVar: aws, "PODSECRETS_GET_A": one, deadlineVar: "1ms"}, "bad request: must be a duration from 1s to 1h: PODSECRETS_DEADLINE"},
		{"concurrency", map[string]string{storeVar: aws, "PODSECRETS_GET_A": one, concurrencyVar: "0"}, "bad request: must be a number from 1 to 100: PODSECRETS_CONCURRENCY"},
		{"hosts", map[string]string{storeVar: aws, "PODSECRETS_GET_A": one, hostsVar: "a,*.b"}, `bad request: "*.b" is not host[:port]: PODSECRETS_HOSTS`},
		{"endpoint", map[string]string{storeVar: gcp, "PODSECRETS_GET_A": one, gcpEndpointVar: "https://x"}, "bad request: must be a host, or host:port: PODSECRETS_GCP_ENDPOINT"},
		{"items", map[string]string{storeVar: aws, "PODSECRETS_GET_A": `{}`, "PODSECRETS_GET_B": `{"id": "x", "file": "../x"}`, "PODSECRETS_GET_C": canary},
			`bad request: id is missing: PODSECRETS_GET_A; bad request: file has an empty, "." or ".." segment: PODSECRETS_GET_B; bad request: the text is not a JSON object: PODSECRETS_GET_C`},
		{"same-path", map[string]string{storeVar: aws, "PODSECRETS_GET_A": one, "PODSECRETS_GET_B": `{"id": "y", "file": "a"}`}, "bad request: has the same path as PODSECRETS_GET_A: PODSECRETS_GET_B"},
		{"directory", map[string]string{storeVar: aws, "PODSECRETS_GET_A": `{"id": "x", "file": "a/b/c"}`, "PODSECRETS_GET_B": one}, "bad request: needs a directory where PODSECRETS_GET_B has its file: PODSECRETS_GET_A"},
		{"ids", map[string]string{storeVar: aws, "PODSECRETS_GET_A": `{"id": "x y", "file": "a"}`, "PODSECRETS_GET_B": `{"id": "x", "version": "1", "file": "b"}`},
			"bad request: version is not a version ID: PODSECRETS_GET_B; bad request: id is neither the ARN nor the name of a secret: PODSECRETS_GET_A"},
	} {
		t.Run(tt.slug, func(t *testing.T) {
			t.Parallel()
			r := newVolumes(t).runEnv(tt.env)
			assert.Equal(t, badRequest, outcome(r.code))
			assert.Equal(t, tt.message, r.message)
		})
	}
	for slug, args := range map[string][]string{"flag": {"-x"}, "argument": {"x"}} {
		t.Run(slug, func(t *testing.T) {
			r := newVolumes(t).runEnv(map[string]string{storeVar: aws, "PODSECRETS_GET_A": one}, args...)
			assert.Equal(t, badRequest, outcome(r.code))
			assert.True(t, strings.HasPrefix(r.message, "bad request: "), r.message)
		})
	}
}

// A file and an env file with the same name are in different volumes.
func TestSettings_TwoVolumes(t *testing.T) {
	s, problems := readSettings([]string{storeVar + "=aws", `PODSECRETS_GET_A={"id": "x", "file": "a"}`, `PODSECRETS_GET_B={"id": "x", "env": "a"}`})
	assert.Empty(t, problems)
	assert.Len(t, s.items, 2)
	assert.Len(t, refs(s.items), 1)
}

func TestCheckID(t *testing.T) {
	stores := map[string]store{
		aws: newAWS(settings{}, nil), gcp: newGCP(settings{}, nil),
		azure: newAzure(settings{hosts: hostList{"vault.corp.example:8443"}}, nil),
	}
	for _, tt := range []struct {
		store, id, version string
		ok                 bool
	}{
		{aws, "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a/b_+=.@-c-AbCdEf", "", true},
		{aws, "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:a", "", true},
		{aws, "arn:aws-iso-b:secretsmanager:us-isob-east-1:123456789012:secret:a", "", true},
		{aws, "a/b", "01234567-0123-0123-0123-0123456789ab", true},
		{aws, "a", "AWSPREVIOUS", false},
		{aws, "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a:key::", "", false},
		{aws, "arn:aws:ssm:eu-west-1:123456789012:parameter/a", "", false},
		{aws, "arn:aws:secretsmanager:evil.example:123456789012:secret:a", "", false},
		{aws, "arn:aws:secretsmanager:eu-west-1/:123456789012:secret:a", "", false},
		{aws, "a\nb", "", false},
		{gcp, "projects/p/secrets/S_1", "latest", true},
		{gcp, "projects/example.com:p/secrets/s", "1", true},
		{gcp, "projects/123/locations/europe-west3/secrets/s", "", true},
		{gcp, "s", "", true},
		{gcp, "projects/p/secrets/s/versions/1", "", false},
		{gcp, "projects/p/locations/evil.example/secrets/s", "", false},
		{gcp, "projects/p/secrets/s", "1/x", false},
		{gcp, "../s", "", false},
		{azure, "https://vault-1.vault.azure.net/secrets/a-1", "", true},
		{azure, "https://VAULT.vault.azure.cn:443/secrets/a", "0123456789abcdef0123456789abcdef", true},
		{azure, "https://vault.corp.example:8443/secrets/a", "", true},
		{azure, "https://vault.corp.example/secrets/a", "", false},
		{azure, "https://vault-1.vault.azure.net:8443/secrets/a", "", false},
		{azure, "http://vault-1.vault.azure.net/secrets/a", "", false},
		{azure, "https://vault-1.vault.azure.net/secrets/a/0123", "", false},
		{azure, "https://vault-1.vault.azure.net/keys/a", "", false},
		{azure, "https://vault-1.vault.azure.net@evil.example/secrets/a", "", false},
		{azure, "https://evil.example/.vault.azure.net/secrets/a", "", false},
		{azure, "https://a.managedhsm.azure.net/secrets/a", "", false},
		{azure, "a", "", false},
	} {
		t.Run(tt.store+"-"+tt.id+"-"+tt.version, func(t *testing.T) {
			err := stores[tt.store].check(ref{tt.id, tt.version})
			assert.Equal(t, tt.ok, err == nil, "%v", err)
		})
	}
}
