package secret_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func TestRequest_String(t *testing.T) {
	for _, tc := range []struct {
		name, why string
		req       secret.Request
		want      string
	}{
		{"all fields", "the order is fixed", secret.Request{Group: "g", Key: "k", GroupVersion: "v", Mount: mount.File, EnvVar: "X", Path: "a/b", Field: "f", Mode: 0o400, Container: "web"},
			`group="g" key="k" version="v" mount=FILE env="X" path="a/b" field="f" mode=0400 container="web"`},
		{"group and key", "empty fields are omitted", secret.Request{Group: "user-info", Key: "password"}, `group="user-info" key="password"`},
		{"key only", "an empty group is no group", secret.Request{Key: "k", Mount: mount.EnvVar}, `key="k" mount=ENV_VAR`},
		{"version only", "one part is enough", secret.Request{GroupVersion: "v"}, `version="v"`},
		{"nothing", "the text is never empty", secret.Request{}, `key=""`},
		{"variable only", "the secret comes first", secret.Request{EnvVar: "X"}, `key="" env="X"`},
		{"looks like two fields", "different requests print differently", secret.Request{Group: `g" key="k`}, `group="g\" key=\"k"`},
		{"control characters", "logs must not be forged", secret.Request{Group: "g\r\n\x1b[31m", Key: "\u202e\u0085\xff"}, `group="g\r\n\x1b[31m" key="\u202e\u0085\xff"`},
		{"forged fields", "all texts are quoted", secret.Request{Key: "k", Path: "a\n", Field: `"`, Container: "\x00"}, `key="k" path="a\n" field="\"" container="\x00"`},
		{"odd mode", "any value can be printed", secret.Request{Key: "k", Mode: -8}, `key="k" mode=-010`},
		{"undefined mount", "any value can be printed", secret.Request{Key: "k", Mount: 7}, `key="k" mount=Type(7)`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, tc.req.String(), tc.why)
			assert.Equal(t, tc.want, fmt.Sprint(tc.req), "fmt calls String")
		})
	}
}

func TestRequest_Form(t *testing.T) {
	exact := mount.Layout{Exact: true}
	for _, tc := range []struct {
		name, why    string
		req          secret.Request
		flyte, exact mount.Type
	}{
		{"undecided", "only a file has an exact name then", secret.Request{Key: "k"}, mount.Any, mount.File},
		{"env", "with derived names, EnvVar does not decide", secret.Request{Key: "k", EnvVar: "X"}, mount.Any, mount.EnvVar},
		{"path", "a path means a file", secret.Request{Key: "k", Path: "p"}, mount.File, mount.File},
		{"mode", "a mode means a file", secret.Request{Key: "k", Mode: 0o400}, mount.File, mount.File},
		{"path and env", "the variable has the path", secret.Request{Key: "k", Path: "p", EnvVar: "X"}, mount.File, mount.File},
		{"variable", "Mount decides", secret.Request{Key: "k", Mount: mount.EnvVar}, mount.EnvVar, mount.EnvVar},
		{"file", "Mount decides", secret.Request{Key: "k", Mount: mount.File, EnvVar: "X"}, mount.File, mount.File},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.flyte, tc.req.Form(mount.Layout{}), tc.why)
			assert.Equal(t, tc.exact, tc.req.Form(exact), tc.why)
		})
	}
}

func TestRequest_EnvName(t *testing.T) {
	for _, tc := range []struct {
		name, why string
		layout    mount.Layout
		req       secret.Request
		version   string
		want      string
	}{
		{"derived", "Flyte's", mount.Layout{}, secret.Request{Group: "g", Key: "k"}, "", "_FSEC_G_K"},
		{"version", "the caller passes the version", mount.Layout{}, secret.Request{Group: "g", Key: "k", GroupVersion: "v"}, "v", "_FSEC_G_V_K"},
		{"no version", "the request's version is ignored", mount.Layout{}, secret.Request{Group: "g", Key: "k", GroupVersion: "v"}, "", "_FSEC_G_K"},
		{"prefix", "from the layout", mount.Layout{EnvPrefix: "p"}, secret.Request{Key: "k"}, "", "pK"},
		{"additional", "the derived name is primary", mount.Layout{}, secret.Request{Key: "k", EnvVar: "X"}, "", "_FSEC_K"},
		{"instead", "the derived name is invalid", mount.Layout{}, secret.Request{Group: "a/b", Key: "k", EnvVar: "X"}, "", "X"},
		{"invalid", "there is no other name", mount.Layout{}, secret.Request{Group: "a/b", Key: "k"}, "", "_FSEC_A/B_K"},
		{"invalid by version", "the version counts", mount.Layout{}, secret.Request{Key: "k", EnvVar: "X"}, "a/b", "X"},
		{"invalid by prefix", "the prefix counts", mount.Layout{EnvPrefix: "1"}, secret.Request{Key: "k", EnvVar: "X"}, "", "X"},
		{"exact", "no derived names", mount.Layout{Exact: true}, secret.Request{Key: "k", EnvVar: "X"}, "v", "X"},
		{"exact without", "the injector refuses it", mount.Layout{Exact: true}, secret.Request{Key: "k"}, "v", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, tc.req.EnvName(tc.layout, tc.version), tc.why)
		})
	}
}

func TestRequest_FilePath(t *testing.T) {
	exact := mount.Layout{Exact: true, Dir: "/s", FilePrefix: "Pre-"}
	for _, tc := range []struct {
		name, why string
		layout    mount.Layout
		req       secret.Request
		version   string
		want, rel string
	}{
		{"derived", "Flyte's, in lower case", mount.Layout{}, secret.Request{Group: "G", Key: "K"}, "", "/etc/flyte/secrets/g/k", "g/k"},
		{"version", "the caller passes the version", mount.Layout{}, secret.Request{Group: "g", Key: "k", GroupVersion: "v"}, "V", "/etc/flyte/secrets/g/v/k", "g/v/k"},
		{"no version", "the request's version is ignored", mount.Layout{}, secret.Request{Group: "g", Key: "k", GroupVersion: "v"}, "", "/etc/flyte/secrets/g/k", "g/k"},
		{"prefix", "case kept, before the last part", mount.Layout{Dir: "/s", FilePrefix: "Pre-"}, secret.Request{Group: "g", Key: "K"}, "", "/s/g/Pre-k", "g/Pre-k"},
		{"path", "case kept, no prefix, no version", mount.Layout{Dir: "/s", FilePrefix: "Pre-"}, secret.Request{Group: "g", Key: "k", Path: "Conf.d/App"}, "v", "/s/Conf.d/App", "Conf.d/App"},
		{"path leaves", "not even an invalid path leaves Dir", mount.Layout{Dir: "/s"}, secret.Request{Path: "../../etc/passwd"}, "", "/s/etc/passwd", "etc/passwd"},
		{"absolute path", "not even an invalid path leaves Dir", mount.Layout{Dir: "/s"}, secret.Request{Path: "/etc/passwd"}, "", "/s/etc/passwd", "etc/passwd"},
		{"exact", "case kept, no prefix, no version", exact, secret.Request{Group: "G", Key: "K", GroupVersion: "v"}, "v", "/s/G/K", "G/K"},
		{"exact key", "no group, no directory", exact, secret.Request{Key: "K"}, "", "/s/K", "K"},
		{"exact group", "no key", exact, secret.Request{Group: "a/B"}, "", "/s/a/B", "a/B"},
		{"exact path", "Path comes first", exact, secret.Request{Group: "g", Key: "k", Path: "P"}, "", "/s/P", "P"},
		{"exact, dots in key", "they stop at the group", exact, secret.Request{Group: "g", Key: "../../k"}, "", "/s/g/k", "g/k"},
		{"exact, dots in group", "they stop at the directory", exact, secret.Request{Group: "../../g", Key: "k"}, "", "/s/g/k", "g/k"},
		{"exact version only", "there is no name", exact, secret.Request{GroupVersion: "v"}, "v", "/s", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			assert.Equal(t, tc.want, tc.req.FilePath(tc.layout, tc.version), tc.why)
			assert.Equal(t, tc.rel, tc.req.RelPath(tc.layout, tc.version), tc.why)
		})
	}
}
