package secret_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// readable are requests and what Text writes of them.
var readable = []struct {
	name, why string
	req       secret.Request
	text      string
}{
	{"part", "what is empty is left out", secret.Request{Key: "k"}, "key=k"},
	{"common", "the order is fixed", secret.Request{Container: "web", EnvVar: "DB_PASSWORD", Key: "password", Group: "db"},
		"group=db,key=password,env=DB_PASSWORD,container=web"},
	{"full", "every field has a name",
		secret.Request{Group: "g", Key: "k", GroupVersion: "v", Mount: mount.File, EnvVar: "X", Path: "a/b", Field: "f", Mode: 0o400, Container: "web"},
		"group=g,key=k,version=v,mount=FILE,env=X,path=a/b,field=f,mode=0400,container=web"},
	{"variable", "the names of Flyte's enum", secret.Request{Key: "k", Mount: mount.EnvVar}, "key=k,mount=ENV_VAR"},
	{"comma", "CSV quotes the whole field", secret.Request{Group: "g", Key: "a,b"}, `group=g,"key=a,b"`},
	{"quotation", "CSV doubles it", secret.Request{Key: `a"b`}, `"key=a""b"`},
	{"equals", "only the first one separates", secret.Request{Key: "a=b=c"}, "key=a=b=c"},
	{"blanks", "they are part of the value", secret.Request{Group: " g ", Key: " "}, "group= g ,key= "},
	{"unicode", "text is text", secret.Request{Group: "Ünï-世界", Key: "🔑"}, "group=Ünï-世界,key=🔑"},
	{"mode", "octal, with the zero that says so", secret.Request{Key: "k", Mode: 0o777}, "key=k,mode=0777"},
	{"small mode", "no fixed width", secret.Request{Key: "k", Mode: 4}, "key=k,mode=04"},
}

func TestText(t *testing.T) {
	for _, tc := range readable {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.text, tc.req.Text(), tc.why)
			got, err := secret.Parse(tc.text)
			require.NoError(t, err)
			assert.Equal(t, tc.req, got, tc.why)
		})
	}
	assert.Empty(t, secret.Request{}.Text(), "there is nothing to write")
}

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		name, why, text string
		want            secret.Request
	}{
		{"any order", "names decide", "container=web,key=k,group=g", secret.Request{Group: "g", Key: "k", Container: "web"}},
		{"line feed", "a block of YAML ends in one", "key=k\n", secret.Request{Key: "k"}},
		{"empty value", "it is the same as leaving it out", "group=,key=k,env=", secret.Request{Key: "k"}},
		{"any", "the default may be written", "key=k,mount=ANY", secret.Request{Key: "k"}},
		{"mode without zero", "mode is octal", "key=k,mode=400", secret.Request{Key: "k", Mode: 0o400}},
		{"long mode", "zeros in front do not matter", "key=k,mode=00644", secret.Request{Key: "k", Mode: 0o644}},
		{"no mode", "0 is the manager's default", "key=k,mode=0", secret.Request{Key: "k"}},
		{"quoted", "every field may be quoted", `"group=g","key=k"`, secret.Request{Group: "g", Key: "k"}},
		{"invalid request", "Validate judges, not Parse", "path=/etc/passwd,mode=7777,env=1", secret.Request{Path: "/etc/passwd", Mode: 0o7777, EnvVar: "1"}},
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
		{"empty", "it asks for nothing", "", "is empty"},
		{"line feed only", "it asks for nothing", "\n", "is empty"},
		{"no equals", "a name has a value", "key=k,web", `field 2 has no "="`},
		{"empty field", "a comma too many", "key=k,", `field 2 has no "="`},
		{"unknown", "a typo would lose a field", "key=k,envvar=X", `the name of field 2 is not one of ` + names},
		{"upper case", "names have one spelling", "Key=k", `the name of field 1 is not one of ` + names},
		{"outer blank", "a blank is part of the name", "group=g, key=k", `the name of field 2 is not one of ` + names},
		{"no name", "nothing has the empty name", "=k", `the name of field 1 is not one of ` + names},
		{"twice", "which of them would count?", "key=a,key=b", `key is set twice`},
		{"twice the same", "no difference to the rule", "key=a,key=a", `key is set twice`},
		{"two lines", "an annotation holds one request", "key=a\nkey=b", "has more than one line"},
		{"leading line feed", "the first of two lines is empty", "\nkey=b", "has more than one line"},
		{"a secret", "somebody pasted it; base64 ends in =", "aHVudGVyMg==", "the name of field 1 is not one of " + names},
		{"open quotation", "CSV", `"key=a`, `column 7: extraneous or missing " in quoted-field`},
		{"bare quotation", "CSV", `key="a"`, `column 5: bare " in non-quoted-field`},
		{"text behind quotation", "CSV", `"key=a"b`, `column 7: extraneous or missing " in quoted-field`},
		{"undefined mount", "the enum has no such name", "key=k,mount=file", `mount is not one of ANY, ENV_VAR, FILE`},
		{"decimal mode", "8 is no octal digit", "key=k,mode=0480", `mode is not an octal number, such as 0400`},
		{"prefixed mode", "mode is octal without saying so", "key=k,mode=0o400", `mode is not an octal number, such as 0400`},
		{"empty mode", "it is no number", "key=k,mode=", `mode is not an octal number, such as 0400`},
		{"huge mode", "it must not wrap around", "key=k,mode=40000000400", `mode is not an octal number, such as 0400`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := secret.Parse(tc.text)
			require.EqualError(t, err, tc.want, tc.why)
			assert.Zero(t, got)
		})
	}
}

// FuzzParse: Parse never panics, and a text that it accepts is one request,
// however it is spelled: what Text writes of that is read as the same. So is
// every valid request.
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
		_ = req.Text() // must not panic, whatever the request is
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
	// A carriage return before a line feed is lost in CSV, but Validate
	// refuses both.
	if !strings.Contains(text, "\r") {
		require.Equal(t, req, got, "%q", text)
	}
}
