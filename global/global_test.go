package global_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

var ctx = context.Background()

// value returns the literal that serves the request, in which "$" is doubled, or the
// error.
func value(t *testing.T, cfg global.Config, req secret.Request) (string, error) {
	t.Helper()
	m, err := global.New(cfg)
	require.NoError(t, err)
	f, err := m.Mount(ctx, req, mount.Target{})
	if err != nil {
		f.Reads = mount.Object{} // may be set with an error
		assert.Equal(t, mount.Fragment{}, f)
		return "", err
	}
	require.NoError(t, f.Validate())
	return f.Value.EnvVar("X").Value, nil
}

func TestNew(t *testing.T) {
	_, err := global.New(global.Config{})
	assert.NoError(t, err)
	_, err = global.New(global.Config{EnvPrefix: "A="})
	assert.EqualError(t, err, `global: EnvPrefix "A=" contains "=" or NUL`)
	_, err = global.New(global.Config{Dir: "etc"})
	assert.EqualError(t, err, `global: Dir "etc" is not an absolute path`)
	_, err = global.New(global.Config{Source: source{}, Dir: "/etc"})
	assert.EqualError(t, err, "global: Source replaces EnvPrefix and Dir, which must be empty")
}

func TestLookup_VariableBeforeFile(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "group"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "group", "key"), []byte("file\n"), 0o600))
	req := secret.Request{Group: "group", Key: "key"}

	got, err := value(t, global.Config{Dir: dir}, req)
	require.NoError(t, err)
	assert.Equal(t, "file\n", got, "byte for byte")

	t.Setenv("FLYTE_SECRET_GROUP_KEY", "a$(b)")
	got, err = value(t, global.Config{Dir: dir}, req)
	require.NoError(t, err)
	assert.Equal(t, "a$$(b)", got)

	t.Setenv("MINE_GROUP_KEY", "")
	got, err = value(t, global.Config{Dir: dir, EnvPrefix: "MINE_"}, req)
	require.NoError(t, err)
	assert.Equal(t, "", got, "an empty variable is a secret")
}

// writeFiles fills a directory with files of all kinds, and with links to a file outside.
func writeFiles(t *testing.T, dir, outside string) {
	t.Helper()
	write := func(name, content string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	}
	write(filepath.Join(outside, "passwd"), "outside")
	write(filepath.Join(dir, "g", "..data", "linked"), "linked")
	write(filepath.Join(dir, "g", "Case"), "case")
	write(filepath.Join(dir, "top"), "top")
	write(filepath.Join(dir, "g", "huge"), strings.Repeat("v", mount.MaxEnvVar+1))
	write(filepath.Join(dir, "g", "long"), strings.Repeat("v", mount.MaxEnvVar-1))
	write(filepath.Join(dir, "g", "binary"), "\xff\xfe")
	write(filepath.Join(dir, "g", "nul"), "a\x00b")
	require.NoError(t, os.Symlink("..data/linked", filepath.Join(dir, "g", "link")))
	require.NoError(t, os.Symlink(filepath.Join(outside, "passwd"), filepath.Join(dir, "g", "absolute")))
	require.NoError(t, os.Symlink("../../"+filepath.Base(outside)+"/passwd", filepath.Join(dir, "g", "escaping")))
	require.NoError(t, os.Symlink(outside, filepath.Join(dir, "out")))
	require.NoError(t, os.Symlink("loop", filepath.Join(dir, "g", "loop")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "g", "fifo"), 0o600))
}

// A file that is not in the directory is not found. A file that exists but cannot be
// read is an error that ends the search.
func TestFiles(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	writeFiles(t, dir, outside)

	const failed, absent = "error", "absent"
	for _, tc := range []struct {
		name, group, key string
		want             string // the value, failed, absent or "unsupported"
	}{
		{"link", "g", "link", "linked"},
		{"key only", "", "top", "top"},
		{"other case", "g", "case", absent},
		{"case", "g", "Case", "case"},
		{"nothing", "g", "none", absent},
		{"no group", "h", "k", absent},
		{"directory", "g", "..data", absent},
		{"group only", "g", "", absent},
		{"below file", "top", "k", absent},
		{"long name", "g", strings.Repeat("k", 300), absent},
		{"absolute link", "g", "absolute", failed},
		{"relative link", "g", "escaping", failed},
		{"linked directory", "out", "passwd", failed},
		{"loop", "g", "loop", failed},
		{"fifo", "g", "fifo", failed},
		{"huge", "g", "huge", failed},
		{"long", "g", "long", failed},
		{"binary", "g", "binary", failed},
		{"nul", "g", "nul", failed},
		// Requests that Validate refuses, passed to Mount directly.
		{"dot-dot", "g", "../../" + filepath.Base(outside) + "/passwd", "unsupported"},
		{"absolute path", "", filepath.Join(outside, "passwd"), "unsupported"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := value(t, global.Config{Dir: dir}, secret.Request{Group: tc.group, Key: tc.key})
			switch tc.want {
			case absent:
				assert.ErrorIs(t, err, secret.ErrNotFound)
			case "unsupported":
				assert.ErrorIs(t, err, secret.ErrUnsupported)
			case failed:
				require.Error(t, err)
				assert.NotErrorIs(t, err, secret.ErrNotFound)
				assert.NotErrorIs(t, err, secret.ErrUnsupported)
				assert.NotContains(t, err.Error(), "\xff")
				assert.Less(t, len(err.Error()), 300, "shows the value")
			default:
				require.NoError(t, err)
				assert.Equal(t, tc.want, got)
			}
		})
	}
	for _, key := range []string{"../../" + filepath.Base(outside) + "/passwd", filepath.Join(outside, "passwd")} {
		_, err := value(t, global.Config{Dir: dir}, secret.Request{Group: "g", Key: key, Mount: mount.File})
		assert.Error(t, err, "a file outside is read")
		assert.NotContains(t, err.Error(), "global secrets are variables", "a file outside is found")
	}
}

// source returns its fields from each Lookup.
type source struct {
	value string
	err   error
}

func (s source) Lookup(context.Context, secret.Request) (string, error) { return s.value, s.err }

func TestOutcomes(t *testing.T) {
	broken := errors.New("broken")
	for _, tc := range []struct {
		name   string
		source source
		req    secret.Request
		want   error  // the error wraps it
		text   string // the whole text of another error; "" means no error
	}{
		{"not found", source{err: secret.ErrNotFound}, secret.Request{Key: "k"}, secret.ErrNotFound, ""},
		{"file not found", source{err: secret.ErrNotFound}, secret.Request{Key: "k", Mount: mount.File}, secret.ErrNotFound, ""},
		{"file", source{value: "v"}, secret.Request{Key: "k", Mount: mount.File}, nil, "mount: global secrets are variables, not files"},
		{"unreadable", source{err: broken}, secret.Request{Key: "k"}, broken, ""},
		{"unreadable file", source{err: broken}, secret.Request{Key: "k", Mount: mount.File}, broken, ""},
		{"version only", source{value: "v"}, secret.Request{GroupVersion: "v"}, secret.ErrNotFound, ""},
		{"version and env", source{value: "v"}, secret.Request{GroupVersion: "v", EnvVar: "X"}, secret.ErrNotFound, ""},
		{"invalid name", source{value: "v"}, secret.Request{Group: "a/b", Key: "k"}, secret.ErrUnsupported, ""},
		{"invalid name, env", source{value: "v"}, secret.Request{Group: "a/b", Key: "k", EnvVar: "X"}, nil, ""},
		{"too long", source{value: strings.Repeat("v", mount.MaxEnvVar)}, secret.Request{Key: "k"}, nil, `variable "_FSEC_K": name and value together are longer than 131070 bytes`},
		{"too long, env", source{value: strings.Repeat("v", mount.MaxEnvVar)}, secret.Request{Group: "a/b", Key: "k", EnvVar: "X"}, nil, `variable "X": name and value together are longer than 131070 bytes`},
		{"served", source{value: "v"}, secret.Request{Key: "k", Mount: mount.EnvVar}, nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := value(t, global.Config{Source: tc.source}, tc.req)
			switch {
			case tc.want != nil:
				assert.ErrorIs(t, err, tc.want)
			case tc.text != "":
				assert.EqualError(t, err, tc.text)
			default:
				assert.NoError(t, err)
			}
		})
	}
}

func TestPrint(t *testing.T) {
	m, err := global.New(global.Config{Source: source{value: "c4nary"}})
	require.NoError(t, err)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		assert.NotContains(t, fmt.Sprintf(format, m), "c4nary")
		assert.NotContains(t, fmt.Sprintf(format, *m), "c4nary")
	}
}

func TestAllow(t *testing.T) {
	m, err := global.New(global.Config{
		Source: source{value: "v"},
		Allow: func(req secret.Request, target mount.Target) bool {
			return req.Group == "shared" && target.Namespace() == "trusted"
		},
	})
	require.NoError(t, err)
	absent, err := global.New(global.Config{Source: source{err: secret.ErrNotFound}})
	require.NoError(t, err)
	in := func(namespace string) mount.Target {
		return mount.NewTarget(mount.Layout{}, mount.InitFirst, &metav1.ObjectMeta{Namespace: namespace})
	}
	_, err = m.Mount(ctx, secret.Request{Group: "shared", Key: "k"}, in("trusted"))
	assert.NoError(t, err)
	for _, as := range []mount.Type{mount.Any, mount.EnvVar, mount.File} {
		_, refused := m.Mount(ctx, secret.Request{Group: "shared", Key: "k", Mount: as}, in("other"))
		_, missing := absent.Mount(ctx, secret.Request{Group: "shared", Key: "k", Mount: as}, in("other"))
		assert.Equal(t, missing, refused, "a refusal differs from a missing secret")
	}
}

func TestContext(t *testing.T) {
	ended, cancel := context.WithCancel(ctx)
	cancel()
	m, err := global.New(global.Config{Source: source{value: "v"}})
	require.NoError(t, err)
	_, err = m.Mount(ended, secret.Request{Key: "k"}, mount.Target{})
	assert.ErrorIs(t, err, context.Canceled)
}

// The names of the variables that hold a value.
func TestNames(t *testing.T) {
	exact := mount.Layout{Exact: true}
	for _, tc := range []struct {
		name, why string
		layout    mount.Layout
		req       secret.Request
		want      []string // nil means ErrUnsupported
	}{
		{"derived", "Flyte's", mount.Layout{}, secret.Request{Group: "g", Key: "k"}, []string{"_FSEC_G_K"}},
		{"alias", "a client that asks with the version", mount.Layout{}, secret.Request{Group: "g", Key: "k", GroupVersion: "v1"}, []string{"_FSEC_G_K", "_FSEC_G_V1_K"}},
		{"env", "besides the derived one", mount.Layout{}, secret.Request{Group: "g", Key: "k", EnvVar: "X"}, []string{"_FSEC_G_K", "X"}},
		{"all three", "one value", mount.Layout{}, secret.Request{Group: "g", Key: "k", GroupVersion: "v1", EnvVar: "X"}, []string{"_FSEC_G_K", "X", "_FSEC_G_V1_K"}},
		{"invalid derived", "then EnvVar is the primary one", mount.Layout{}, secret.Request{Group: "a/b", Key: "k", EnvVar: "X"}, []string{"X"}},
		{"invalid derived, version", "no alias either", mount.Layout{}, secret.Request{Group: "a/b", Key: "k", GroupVersion: "v1", EnvVar: "X"}, []string{"X"}},
		{"invalid alias", "it is left out", mount.Layout{}, secret.Request{Group: "g", Key: "k", GroupVersion: "v/1"}, []string{"_FSEC_G_K"}},
		{"invalid", "no name at all", mount.Layout{}, secret.Request{Group: "a/b", Key: "k"}, nil},
		{"exact", "no derived one", exact, secret.Request{Group: "g", Key: "k", GroupVersion: "v1", EnvVar: "X"}, []string{"X"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := global.New(global.Config{Source: source{value: "v$"}})
			require.NoError(t, err)
			in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}, Layout: tc.layout})
			require.NoError(t, err)
			plan, err := in.Plan(ctx, podOf("any"), tc.req)
			if tc.want == nil {
				assert.ErrorIs(t, err, secret.ErrUnsupported, tc.why)
				return
			}
			require.NoError(t, err)
			var names []string
			for _, v := range plan.Pod().Spec.Containers[0].Env {
				if mount.IsDiscoveryVar(v.Name) {
					assert.False(t, tc.layout.Exact, "exact names need no discovery")
					continue
				}
				names = append(names, v.Name)
				assert.Equal(t, "v$$", v.Value)
			}
			assert.Equal(t, tc.want, names, tc.why)
			assert.Equal(t, tc.want[0], plan.Placements[0].EnvVar)
		})
	}
}

// With Layout.Exact, a request without EnvVar means a file, which this manager cannot
// provide.
func TestNames_ExactWithoutEnvVar(t *testing.T) {
	m, err := global.New(global.Config{Source: source{value: "v"}})
	require.NoError(t, err)
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}, Layout: mount.Layout{Exact: true}})
	require.NoError(t, err)
	_, err = in.Plan(ctx, podOf("any"), secret.Request{Group: "g", Key: "k"})
	assert.ErrorContains(t, err, "mount: global secrets are variables, not files")
	_, err = in.Plan(ctx, podOf("any"), secret.Request{Group: "g", Key: "k", Mount: mount.EnvVar})
	assert.ErrorContains(t, err, "envVar: is empty, but variables here have only exact names")
}
