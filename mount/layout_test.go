package mount_test

import (
	"encoding/json"
	"errors"
	"os"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/mount"
)

// announced has the discovery variables of those recorded rows that do not use
// the client's defaults. Empty fields are unset for the client.
var announced = map[string]mount.Layout{
	"A3":  {EnvPrefix: "_UNION_"},
	"A5":  {EnvPrefix: "_UNION_"},
	"A6":  {EnvPrefix: "my_"},
	"A7":  {EnvPrefix: "my_"},
	"A10": {EnvPrefix: "_UNION_"},
	"A11": {EnvPrefix: "_UNION_"},
	"A12": {EnvPrefix: "_UNION_"},
	"A18": {EnvPrefix: "_UNION_"},
	"D2":  {EnvPrefix: "_UNION_"},
	"H1":  {EnvPrefix: "_UNION_"},
	"H2":  {EnvPrefix: "_UNION_"},
	"H3":  {EnvPrefix: "_UNION_"},
	"H5":  {EnvPrefix: "my_"},
	"H11": {EnvPrefix: "_UNION_"},
	"H13": {EnvPrefix: "_UNION_"},
	"L1":  {EnvPrefix: "_UNION_"},
	"L2":  {EnvPrefix: "_UNION_"},
	"C5":  {FilePrefix: "Pre-"},
}

// differs lists the rows in which Layout deviates from the client, and why.
var differs = map[string]string{
	"A9": "an empty prefix: Layout does not support it, because the client treats it as unset",
	"K3": "U+0130 has no single lower-case rune; secret.Request.Validate refuses it",
}

func TestLayout_MatchesFlytekit(t *testing.T) {
	raw, err := os.ReadFile("testdata/flytekit-rules.json")
	require.NoError(t, err)
	var rows []struct {
		ID      string `json:"id"`
		What    string `json:"what"`
		Request struct {
			Group   string `json:"group"`
			Version string `json:"group_version"`
			Key     string `json:"key"`
		} `json:"request"`
		Env  string `json:"looks_up_env"`
		File string `json:"looks_up_file"`
	}
	require.NoError(t, json.Unmarshal(raw, &rows))
	require.NotEmpty(t, rows)
	for _, row := range rows {
		t.Run(row.ID, func(t *testing.T) {
			layout := announced[row.ID]
			layout.Dir = "/etc/flyte/secrets"
			if strings.HasPrefix(row.File, "/etc/secrets/") {
				layout.Dir = "/etc/secrets" // the client's own default
			}
			r := row.Request
			env, file := layout.EnvVar(r.Group, r.Version, r.Key), layout.Path(r.Group, r.Version, r.Key)
			if reason, ok := differs[row.ID]; ok {
				assert.False(t, env == row.Env && file == path.Clean(row.File), "%s: expected a difference (%s)", row.What, reason)
				return
			}
			assert.Equal(t, row.Env, env, row.What)
			assert.Equal(t, path.Clean(row.File), file, row.What)
		})
	}
}

func TestLayout_ZeroValue(t *testing.T) {
	var zero mount.Layout
	require.NoError(t, zero.Validate())
	assert.Equal(t, "_FSEC_GROUP_V1_KEY", zero.EnvVar("group", "v1", "key"))
	assert.Equal(t, "/etc/flyte/secrets/group/v1/key", zero.Path("Group", "V1", "Key"))
	assert.Equal(t, mount.Layout{Dir: "/etc/flyte/secrets", EnvPrefix: "_FSEC_"}, zero.WithDefaults())
}

func TestLayout_PathInDir(t *testing.T) {
	for _, tc := range []struct{ name, group, version, key, want string }{
		{"dots stop at Dir", "../../etc", "", "passwd", "/d/etc/passwd"},
		{"absolute part", "/etc", "", "/passwd", "/d/etc/passwd"},
		{"dots inside a part", "a/../../b", "", "k", "/d/b/k"},
		{"empty part is skipped", ".", "..", "k", "/d/Pre-k"},
		{"no parts", "", "", "", "/d"},
		{"only dots", "..", "..", "..", "/d"},
		{"prefix before the last part", "g", "", "a/b", "/d/g/Pre-a/b"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			layout := mount.Layout{Dir: "/d"}
			if strings.Contains(tc.want, "Pre-") {
				layout.FilePrefix = "Pre-"
			}
			assert.Equal(t, tc.want, layout.Path(tc.group, tc.version, tc.key))
			rel := strings.TrimPrefix(strings.TrimPrefix(tc.want, "/d"), "/")
			assert.Equal(t, rel, layout.RelPath(tc.group, tc.version, tc.key))
		})
	}
}

func TestLayout_Validate(t *testing.T) {
	for _, tc := range []struct {
		name   string
		layout mount.Layout
		field  string // "" means valid
	}{
		{"full", mount.Layout{Dir: "/run/s", FilePrefix: "f-", EnvPrefix: "my.s-"}, ""},
		{"relative", mount.Layout{Dir: "etc"}, "Dir"},
		{"not clean", mount.Layout{Dir: "/etc/"}, "Dir"},
		{"dots", mount.Layout{Dir: "/etc/../x"}, "Dir"},
		{"root", mount.Layout{Dir: "/"}, "Dir"},
		{"colon", mount.Layout{Dir: "/a:b"}, "Dir"},
		{"trailing space", mount.Layout{Dir: "/a "}, "Dir"},
		{"control character", mount.Layout{Dir: "/a\x00"}, "Dir"},
		{"long segment", mount.Layout{Dir: "/" + strings.Repeat("d", 256)}, "Dir"},
		{"file prefix too long", mount.Layout{FilePrefix: strings.Repeat("p", 255)}, "FilePrefix"},
		{"file prefix with slash", mount.Layout{FilePrefix: "a/"}, "FilePrefix"},
		{"file prefix with equals sign", mount.Layout{FilePrefix: "a="}, "FilePrefix"},
		{"file prefix with space", mount.Layout{FilePrefix: " a"}, "FilePrefix"},
		{"file prefix with dots", mount.Layout{FilePrefix: "..a"}, "FilePrefix"},
		{"env prefix with slash", mount.Layout{EnvPrefix: "a/"}, "EnvPrefix"},
		{"env prefix with equals sign", mount.Layout{EnvPrefix: "a="}, "EnvPrefix"},
		{"env prefix with space", mount.Layout{EnvPrefix: " a"}, "EnvPrefix"},
		{"env prefix with digit", mount.Layout{EnvPrefix: "1"}, "EnvPrefix"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := tc.layout.Validate()
			if tc.field == "" {
				assert.NoError(t, err)
				return
			}
			var invalid *mount.LayoutError
			require.True(t, errors.As(err, &invalid), "%v", err)
			assert.Equal(t, tc.field, invalid.Field)
		})
	}
}

func FuzzLayoutPath(f *testing.F) {
	f.Add("/etc/flyte/secrets", "Pre-", "group", "v1", "key")
	f.Add("/d", "", "../..", "..", "../../x")
	f.Add("/d", ".", ".", "/", "a/../../..")
	f.Add("/d", "x", "", "", "\x00")
	f.Fuzz(func(t *testing.T, dir, prefix, group, version, key string) {
		layout := mount.Layout{Dir: dir, FilePrefix: prefix}
		if layout.Validate() != nil {
			return
		}
		dir = layout.WithDefaults().Dir
		got := layout.Path(group, version, key)
		if got != path.Clean(got) || (got != dir && !strings.HasPrefix(got, dir+"/")) {
			t.Errorf("Path(%q, %q, %q) = %q, want a clean path in %q", group, version, key, got, dir)
		}
		if rel := layout.RelPath(group, version, key); path.IsAbs(rel) || path.Join(dir, rel) != got {
			t.Errorf("RelPath(%q, %q, %q) = %q, want %q relative to %q", group, version, key, rel, got, dir)
		}
		if again := layout.Path(group, version, key); again != got {
			t.Errorf("first %q, then %q", got, again)
		}
	})
}

func TestIsDiscoveryVar(t *testing.T) {
	for name, want := range map[string]bool{
		"FLYTE_SECRETS_ENV_PREFIX":  true,
		"FLYTE_SECRETS_DEFAULT_DIR": true,
		"FLYTE_SECRETS_FILE_PREFIX": true,
		"FLYTE_SECRETS_OTHER":       false,
		"flyte_secrets_env_prefix":  false,
		"":                          false,
	} {
		assert.Equal(t, want, mount.IsDiscoveryVar(name), name)
	}
}
