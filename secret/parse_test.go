package secret_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// readable has requests and their texts.
var readable = []struct {
	name, why string
	req       secret.Request
	text      string
}{
	{"part", "empty fields are omitted", secret.Request{Key: "k"}, "key=k"},
	{"common", "the order is fixed", secret.Request{Container: "web", EnvVar: "DB_PASSWORD", Key: "password", Group: "db"},
		"group=db,key=password,env=DB_PASSWORD,container=web"},
	{"full", "every field has a name",
		secret.Request{Group: "g", Key: "k", GroupVersion: "v", Mount: mount.File, EnvVar: "X", Path: "a/b", Field: "f", Mode: 0o400, Container: "web"},
		"group=g,key=k,version=v,mount=FILE,env=X,path=a/b,field=f,mode=0400,container=web"},
	{"variable", "the names of Flyte's enum", secret.Request{Key: "k", Mount: mount.EnvVar}, "key=k,mount=ENV_VAR"},
	{"comma", "CSV quotes the whole field", secret.Request{Group: "g", Key: "a,b"}, `group=g,"key=a,b"`},
	{"quotation", "CSV doubles it", secret.Request{Key: `a"b`}, `"key=a""b"`},
	{"equals", "only the first separates", secret.Request{Key: "a=b=c"}, "key=a=b=c"},
	{"spaces", "spaces are part of the value", secret.Request{Group: " g ", Key: " "}, "group= g ,key= "},
	{"unicode", "any UTF-8 is allowed", secret.Request{Group: "Ünï-世界", Key: "🔑"}, "group=Ünï-世界,key=🔑"},
	{"mode", "octal with a leading zero", secret.Request{Key: "k", Mode: 0o777}, "key=k,mode=0777"},
	{"small mode", "no fixed width", secret.Request{Key: "k", Mode: 4}, "key=k,mode=04"},
}

func TestRequest_Text(t *testing.T) {
	for _, tc := range readable {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.text, tc.req.Text(), tc.why)
			got, err := secret.Parse(tc.text)
			require.NoError(t, err)
			assert.Equal(t, tc.req, got, tc.why)
		})
	}
	assert.Empty(t, secret.Request{}.Text(), "nothing to write")
}

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		name, why, text string
		want            secret.Request
	}{
		{"any order", "fields have names", "container=web,key=k,group=g", secret.Request{Group: "g", Key: "k", Container: "web"}},
		{"line feed", "a YAML block ends in one", "key=k\n", secret.Request{Key: "k"}},
		{"empty value", "the same as omitting it", "group=,key=k,env=", secret.Request{Key: "k"}},
		{"any", "the default may be explicit", "key=k,mount=ANY", secret.Request{Key: "k"}},
		{"mode without zero", "mode is octal", "key=k,mode=400", secret.Request{Key: "k", Mode: 0o400}},
		{"long mode", "leading zeros do not matter", "key=k,mode=00644", secret.Request{Key: "k", Mode: 0o644}},
		{"no mode", "0 is the manager's default", "key=k,mode=0", secret.Request{Key: "k"}},
		{"quoted", "every field may be quoted", `"group=g","key=k"`, secret.Request{Group: "g", Key: "k"}},
		{"invalid request", "Parse does not validate", "path=/etc/passwd,mode=7777,env=1", secret.Request{Path: "/etc/passwd", Mode: 0o7777, EnvVar: "1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := secret.Parse(tc.text)
			require.NoError(t, err, tc.why)
			assert.Equal(t, tc.want, got, tc.why)
		})
	}
}

func TestParse_Errors(t *testing.T) {
	const names = "group, key, version, mount, env, path, field, mode, container"
	for _, tc := range []struct{ name, why, text, want string }{
		{"empty", "no request", "", "is empty"},
		{"line feed only", "no request", "\n", "is empty"},
		{"no equals", "a name needs a value", "key=k,web", `field 2 has no "="`},
		{"empty field", "an extra comma", "key=k,", `field 2 has no "="`},
		{"unknown", "a typo would lose a field", "key=k,envvar=X", `the name of field 2 is not one of ` + names},
		{"upper case", "names have one spelling", "Key=k", `the name of field 1 is not one of ` + names},
		{"outer space", "a space is part of the name", "group=g, key=k", `the name of field 2 is not one of ` + names},
		{"no name", "no parameter has an empty name", "=k", `the name of field 1 is not one of ` + names},
		{"twice", "the values contradict each other", "key=a,key=b", `key is set twice`},
		{"twice the same", "equal values are refused too", "key=a,key=a", `key is set twice`},
		{"two lines", "an annotation has one request", "key=a\nkey=b", "has more than one line"},
		{"leading line feed", "the first of two lines is empty", "\nkey=b", "has more than one line"},
		{"pasted secret", "base64 ends in =", "aHVudGVyMg==", "the name of field 1 is not one of " + names},
		{"open quotation", "CSV", `"key=a`, `column 7: extraneous or missing " in quoted-field`},
		{"bare quotation", "CSV", `key="a"`, `column 5: bare " in non-quoted-field`},
		{"text after quotation", "CSV", `"key=a"b`, `column 7: extraneous or missing " in quoted-field`},
		{"undefined mount", "the enum has no such name", "key=k,mount=file", `mount is not one of ANY, ENV_VAR, FILE`},
		{"decimal mode", "8 is not an octal digit", "key=k,mode=0480", `mode is not an octal number, such as 0400`},
		{"prefixed mode", "mode has no prefix", "key=k,mode=0o400", `mode is not an octal number, such as 0400`},
		{"empty mode", "not a number", "key=k,mode=", `mode is not an octal number, such as 0400`},
		{"huge mode", "it must not wrap around", "key=k,mode=40000000400", `mode is not an octal number, such as 0400`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := secret.Parse(tc.text)
			require.EqualError(t, err, tc.want, tc.why)
			assert.Zero(t, got)
		})
	}
}

// FuzzParse: Parse never panics. For accepted texts and valid requests, Text
// writes what Parse reads as the same request.
func FuzzParse(f *testing.F) {
	for _, tc := range readable {
		r := tc.req
		f.Add(tc.text, r.Group, r.Key, r.GroupVersion, uint8(r.Mount), r.EnvVar, r.Path, r.Field, r.Mode, r.Container)
	}
	for _, text := range []string{"", "\n", ",", "=", `"`, "key", "key=a,key=a", "mode=-1", "\nkey=k\r\n", "key=\"\"", "\ufeffkey=k"} {
		f.Add(text, `",=`, `\.`, " ", uint8(3), "", "..", "\r\n", int32(-1), "#")
	}
	f.Fuzz(func(t *testing.T, text, group, key, version string, form uint8, env, path, field string, mode int32, container string) {
		if req, err := secret.Parse(text); err == nil && req != (secret.Request{}) {
			requireSameText(t, req)
		}
		req := secret.Request{
			Group: group, Key: key, GroupVersion: version, Mount: mount.Type(form),
			EnvVar: env, Path: path, Field: field, Mode: mode, Container: container,
		}
		_ = req.Text() // must not panic, even if invalid
		if req.Validate() == nil {
			requireSameText(t, req)
		}
	})
}

func requireSameText(t *testing.T, req secret.Request) {
	t.Helper()
	text := req.Text()
	got, err := secret.Parse(text)
	require.NoError(t, err, "%q", text)
	// CSV loses a carriage return before a line feed, but Validate refuses
	// both.
	if !strings.Contains(text, "\r") {
		require.Equal(t, req, got, "%q", text)
	}
}
