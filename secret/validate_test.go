package secret_test

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// longSegment is the longest name that a file can have.
var longSegment = strings.Repeat("a", 255)

var validateCases = []struct {
	name, why string
	req       secret.Request
	want      string // the error, empty if valid
}{
	{"group and key", "the ordinary request", secret.Request{Group: "g", Key: "k"}, ""},
	{"all fields", "all fields go together", secret.Request{Group: "g", Key: "k", GroupVersion: "v", Mount: mount.File, EnvVar: "X", Path: "a/b", Field: "f", Mode: 0o777, Container: "web"}, ""},
	{"group only", "some stores have secrets without keys", secret.Request{Group: "g"}, ""},
	{"key only", "some stores have keys without groups", secret.Request{Key: "k"}, ""},
	{"version only", "the manager decides whether it can be read", secret.Request{GroupVersion: "v"}, ""},
	{"unicode", "case maps one to one", secret.Request{Group: "Ünï-世界", Key: "🔑"}, ""},
	{"arn", "paths may contain colons", secret.Request{Group: "arn:aws:secretsmanager:us-east-2:123456789012:secret", Key: ":k"}, ""},
	{"url as group", "the kernel ignores empty segments", secret.Request{Group: "https://vault/secrets", Key: "k"}, ""},
	{"dots in a name", "only a whole segment is special", secret.Request{Group: "..data", Key: "a..b/...", GroupVersion: ".v."}, ""},

	{"nothing", "no name to look up", secret.Request{}, "key: is empty, and so are group and groupVersion"},
	{"only the rest", "mount and variable do not name a secret", secret.Request{Mount: mount.EnvVar, EnvVar: "X"}, "key: is empty, and so are group and groupVersion"},
	{"first field first", "errors are deterministic", secret.Request{Group: "/", Key: "/", Mount: 9, EnvVar: "="}, `group: begins with "/"`},
	{"key before version", "the order is the struct's", secret.Request{Key: "/k", GroupVersion: "/v"}, `key: begins with "/"`},
	{"version before mount", "the order is the struct's", secret.Request{Key: "k", GroupVersion: "/v", Mount: 9}, `groupVersion: begins with "/"`},
	{"mount before variable", "the order is the struct's", secret.Request{Key: "k", Mount: 9, EnvVar: "="}, "mount: is not one of ANY, ENV_VAR, FILE"},
	{"variable before path", "the order is the struct's", secret.Request{Key: "k", EnvVar: "=", Path: "/"}, "envVar: is not a valid environment variable name"},
	{"path before field", "the order is the struct's", secret.Request{Key: "k", Path: "/", Field: "\n"}, "path: must be relative to the directory of secrets"},
	{"field before mode", "the order is the struct's", secret.Request{Key: "k", Field: "\n", Mode: -1}, "field: contains the control character U+000A"},
	{"mode before container", "the order is the struct's", secret.Request{Key: "k", Mode: -1, Container: "/"}, "mode: is not between 0 and 0777"},

	{"not UTF-8", "Python's strings have no such bytes", secret.Request{Group: "g", Key: "k\xff"}, "key: is not valid UTF-8"},
	{"surrogate", "it is not valid UTF-8 either", secret.Request{Group: "\xed\xa0\x80", Key: "k"}, "group: is not valid UTF-8"},
	{"NUL", "variables and file names cannot contain it", secret.Request{Group: "g\x00", Key: "k"}, "group: contains the control character U+0000"},
	{"line break", "it would reach logs and annotations", secret.Request{Key: "k\n"}, "key: contains the control character U+000A"},
	{"delete", "a control character above the letters", secret.Request{Key: "\x7f"}, "key: contains the control character U+007F"},
	{"C1", "control characters beyond ASCII", secret.Request{Key: "\u0085"}, "key: contains the control character U+0085"},
	{"sharp s", "Python upper-cases it to two letters", secret.Request{Key: "Straße"}, `key: contains 'ß' (U+00DF), whose case differs between Python and Go`},
	{"dotted I", "Python lower-cases it to two characters", secret.Request{Key: "İ"}, `key: contains 'İ' (U+0130), whose case differs between Python and Go`},
	{"capital sigma", "Python lower-cases it by its place in the word", secret.Request{GroupVersion: "Σ"}, `groupVersion: contains 'Σ' (U+03A3), whose case differs between Python and Go`},

	{"absolute group", "the client would drop its directory", secret.Request{Group: "/g", Key: "k"}, `group: begins with "/"`},
	{"absolute key", "the client would drop directory and group", secret.Request{Group: "g", Key: "/etc/passwd"}, `key: begins with "/"`},
	{"dot-dot", "it leaves the group", secret.Request{Group: "g", Key: ".."}, `key: has a ".." segment`},
	{"dot-dot first", "it leaves the directory", secret.Request{Group: "../g", Key: "k"}, `group: has a ".." segment`},
	{"dot-dot inside", "harmless, but not needed", secret.Request{Group: "a/../b", Key: "k"}, `group: has a ".." segment`},
	{"dot-dot last", "it leaves the segment before", secret.Request{GroupVersion: "v/..", Key: "k"}, `groupVersion: has a ".." segment`},

	{"longest segment", "NAME_MAX is 255 bytes", secret.Request{Group: longSegment + "/" + longSegment, Key: longSegment}, ""},
	{"segment too long", "no file can have this name", secret.Request{Group: "a/" + longSegment + "b", Key: "k"}, "group: has a segment longer than 255 bytes"},
	{"segment grows", "127 times 2 bytes, lower-cased 3", secret.Request{Key: strings.Repeat("\u023a", 127)}, "key: has a segment longer than 255 bytes"},
	{"longest request", "PATH_MAX is 4096 bytes", secret.Request{Group: strings.Repeat("g/", 2046), Key: "kk", GroupVersion: "vv"}, ""},
	{"request too long", "PATH_MAX is 4096 bytes", secret.Request{Group: strings.Repeat("g/", 2046), Key: "kk", GroupVersion: "vvv"}, "groupVersion: makes the request longer than 4096 bytes"},
	{"group too long", "the part that exceeds is named", secret.Request{Group: strings.Repeat("g/", 2049), Key: "k"}, "group: makes the request longer than 4096 bytes"},
	{"flaw and too long", "the flaw of the part itself comes first", secret.Request{Key: strings.Repeat("/k", 3000)}, `key: begins with "/"`},
	{"request grows", "2738 bytes, lower-cased 4098", secret.Request{Key: strings.Repeat(strings.Repeat("\u023a", 80)+"/", 17) + "k"}, "key: makes the request longer than 4096 bytes"},

	{"key with slash", "a file in a directory", secret.Request{Group: "g", Key: "a/b"}, ""},
	{"key with inner dot", "the kernel skips it", secret.Request{Group: "g", Key: "a/./b"}, ""},
	{"key is a directory", "a directory cannot be read", secret.Request{Group: "g", Key: "k/"}, "key: names a directory, not a file"},
	{"key is a dot", "it is the group's directory", secret.Request{Group: "g", Key: "."}, "key: names a directory, not a file"},
	{"key ends in a dot", "it is a directory", secret.Request{Group: "g", Key: "k/."}, "key: names a directory, not a file"},
	{"key is dots only", "it vanishes when cleaned", secret.Request{Group: "g", Key: "./."}, "key: names a directory, not a file"},
	{"key begins with a dot", "the file prefix goes before the dot", secret.Request{Group: "g", Key: "./k"}, `key: begins with a "." segment`},
	{"group is a dot", "the client reads ./k", secret.Request{Group: ".", Key: "k"}, ""},
	{"group ends in slash", "the client reads g//k", secret.Request{Group: "g/", Key: "k"}, ""},
	{"version begins with a dot", "the client reads g/./v/k", secret.Request{Group: "g", GroupVersion: "./v/.", Key: "k"}, ""},
	{"last group is a directory", "without a key the group is last", secret.Request{Group: "g/"}, "group: names a directory, not a file"},
	{"last version is a directory", "without a key the version is last", secret.Request{Group: "g", GroupVersion: "."}, "groupVersion: names a directory, not a file"},
	{"group before version", "stores without versions leave it out", secret.Request{Group: "g/.", GroupVersion: "v"}, "group: names a directory, not a file"},

	{"undefined mount", "no manager knows it", secret.Request{Key: "k", Mount: mount.File + 1}, "mount: is not one of ANY, ENV_VAR, FILE"},
	{"variable with dots", "Kubernetes accepts dots and dashes", secret.Request{Key: "k", EnvVar: "my.VAR-1"}, ""},
	{"variable with equals", "the name would end there", secret.Request{Key: "k", EnvVar: "A=B"}, "envVar: is not a valid environment variable name"},
	{"variable begins with digit", "Kubernetes refuses it", secret.Request{Key: "k", EnvVar: "1A"}, "envVar: is not a valid environment variable name"},
	{"variable is dot-dot", "Kubernetes refuses it", secret.Request{Key: "k", EnvVar: ".."}, "envVar: is not a valid environment variable name"},
	{"prefix variable", "the client reads it", secret.Request{Key: "k", EnvVar: mount.EnvPrefixVar}, "envVar: must not be FLYTE_SECRETS_ENV_PREFIX, which tells Flyte's client where to look for secrets"},
	{"directory variable", "the client reads it", secret.Request{Key: "k", EnvVar: mount.DefaultDirVar}, "envVar: must not be FLYTE_SECRETS_DEFAULT_DIR, which tells Flyte's client where to look for secrets"},
	{"file prefix variable", "the client reads it", secret.Request{Key: "k", EnvVar: mount.FilePrefixVar}, "envVar: must not be FLYTE_SECRETS_FILE_PREFIX, which tells Flyte's client where to look for secrets"},
	{"path", "case and dots are kept", secret.Request{Key: "k", Path: "Conf.d/.../.a/b..c/App.yaml"}, ""},
	{"path of any form", "a path means a file", secret.Request{Key: "k", Path: "a", Mount: mount.File}, ""},
	{"longest path", "PATH_MAX is 4096 bytes", secret.Request{Key: "k", Path: strings.Repeat("a/", 2047) + "bb"}, ""},
	{"absolute path", "a separate message, because people try it", secret.Request{Key: "k", Path: "/etc/app/conf"}, "path: must be relative to the directory of secrets"},
	{"path leaves", "it would leave the directory", secret.Request{Key: "k", Path: "../a"}, `path: begins with "..", which leaves the directory or is not allowed in a volume`},
	{"path is dot-dot", "it would leave the directory", secret.Request{Key: "k", Path: ".."}, `path: begins with "..", which leaves the directory or is not allowed in a volume`},
	{"path begins with dots", "Kubernetes refuses it in volume items", secret.Request{Key: "k", Path: "..data"}, `path: begins with "..", which leaves the directory or is not allowed in a volume`},
	{"path with inner dot-dot", "one file has one path", secret.Request{Key: "k", Path: "a/../b"}, `path: is not clean: it has an empty, "." or ".." segment, or ends in "/"`},
	{"path with inner dot", "one file has one path", secret.Request{Key: "k", Path: "a/./b"}, `path: is not clean: it has an empty, "." or ".." segment, or ends in "/"`},
	{"path with empty segment", "one file has one path", secret.Request{Key: "k", Path: "a//b"}, `path: is not clean: it has an empty, "." or ".." segment, or ends in "/"`},
	{"path ends in slash", "it names a directory", secret.Request{Key: "k", Path: "a/"}, `path: is not clean: it has an empty, "." or ".." segment, or ends in "/"`},
	{"path is a dot", "it names the directory", secret.Request{Key: "k", Path: "."}, `path: is not clean: it has an empty, "." or ".." segment, or ends in "/"`},
	{"path with NUL", "no file can have this name", secret.Request{Key: "k", Path: "a\x00"}, "path: contains the control character U+0000"},
	{"path not UTF-8", "annotations are UTF-8", secret.Request{Key: "k", Path: "a\xff"}, "path: is not valid UTF-8"},
	{"path segment too long", "no file can have this name", secret.Request{Key: "k", Path: "a/" + longSegment + "b"}, "path: has a segment longer than 255 bytes"},
	{"path too long", "PATH_MAX is 4096 bytes", secret.Request{Key: "k", Path: strings.Repeat("a/", 2048) + "b"}, "path: is longer than 4096 bytes"},
	{"path of a variable", "a variable has no file", secret.Request{Key: "k", Path: "a", Mount: mount.EnvVar}, "path: is only for files, and mount is ENV_VAR"},

	{"field", "any text can be a name in JSON", secret.Request{Key: "k", Field: "a.b/c d\"é"}, ""},
	{"field of a variable", "both forms can have a field", secret.Request{Key: "k", Field: "f", Mount: mount.EnvVar}, ""},
	{"longest field", "a limit for annotations", secret.Request{Key: "k", Field: strings.Repeat("f", 4096)}, ""},
	{"field too long", "a limit for annotations", secret.Request{Key: "k", Field: strings.Repeat("f", 4097)}, "field: is longer than 4096 bytes"},
	{"field with line break", "it would reach logs and annotations", secret.Request{Key: "k", Field: "a\nb"}, "field: contains the control character U+000A"},
	{"field not UTF-8", "JSON is UTF-8", secret.Request{Key: "k", Field: "\xff"}, "field: is not valid UTF-8"},

	{"mode", "permission bits", secret.Request{Key: "k", Mode: 0o777}, ""},
	{"negative mode", "not a mode", secret.Request{Key: "k", Mode: -1}, "mode: is not between 0 and 0777"},
	{"setuid", "Kubernetes takes permission bits only", secret.Request{Key: "k", Mode: 0o1000}, "mode: is not between 0 and 0777"},
	{"mode of a variable", "a variable has no mode", secret.Request{Key: "k", Mode: 0o400, Mount: mount.EnvVar}, "mode: is only for files, and mount is ENV_VAR"},

	{"container", "a DNS label", secret.Request{Key: "k", Container: "web-1"}, ""},
	{"container in capitals", "no container can have it", secret.Request{Key: "k", Container: "Web"}, "container: is not a valid container name"},
	{"container with dot", "no container can have it", secret.Request{Key: "k", Container: "a.b"}, "container: is not a valid container name"},
	{"long container", "63 characters", secret.Request{Key: "k", Container: strings.Repeat("c", 64)}, "container: is not a valid container name"},

	{"discovery variable, other case", "variables are case sensitive", secret.Request{Key: "k", EnvVar: "flyte_secrets_env_prefix"}, ""},
}

func TestValidate(t *testing.T) {
	for _, tc := range validateCases {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.req.Validate()
			if tc.want == "" {
				require.NoError(t, err, tc.why)
				return
			}
			var invalid *secret.InvalidError
			require.ErrorAs(t, err, &invalid, tc.why)
			assert.EqualError(t, err, tc.want, tc.why)
			assert.Equal(t, tc.want, invalid.Field+": "+invalid.Reason)
		})
	}
}

// The refused characters are those that Python maps differently; see
// testdata/README.md.
func TestValidate_Python(t *testing.T) {
	data, err := os.ReadFile("testdata/python-case.json")
	require.NoError(t, err)
	var python struct{ Upper, Lower, Sigma map[string]string }
	require.NoError(t, json.Unmarshal(data, &python))
	require.Greater(t, len(python.Upper), 1400)
	require.Greater(t, len(python.Lower), 1400)

	special := map[rune]bool{}
	for word, lower := range python.Sigma {
		special['Σ'] = special['Σ'] || strings.ToLower(word) != lower
	}
	for _, mapping := range []struct {
		python map[string]string
		golang func(string) string
	}{{python.Upper, strings.ToUpper}, {python.Lower, strings.ToLower}} {
		for code, want := range mapping.python {
			n, err := strconv.ParseUint(code, 16, 32)
			require.NoError(t, err)
			c := rune(n)
			if utf8.RuneCountInString(want) > 1 {
				special[c] = true
				continue
			}
			require.Equal(t, want, mapping.golang(string(c)), "Go must map %U as Python does", c)
		}
	}
	require.True(t, special['Σ'])

	for c := rune(0); c <= unicode.MaxRune; c++ {
		if !utf8.ValidRune(c) {
			continue
		}
		err := secret.Request{Key: "a" + string(c) + "b"}.Validate()
		refused := err != nil && strings.HasSuffix(err.Error(), "whose case differs between Python and Go")
		if refused != special[c] {
			t.Errorf("%U: refused %t, different in Python %t", c, refused, special[c])
		}
	}
}
