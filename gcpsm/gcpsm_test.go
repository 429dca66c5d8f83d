package gcpsm_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/gcpsm"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/internal/fetch"
	"github.com/podsecrets/podsecrets/internal/fetch/fetchtest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

var (
	ctx      = context.Background()
	fetching = gcpsm.Config{Fetcher: gcpsm.Fetch, Image: "registry.example.com/fetch:v1", EnvFiles: true}
)

func newManager(t testing.TB, cfg gcpsm.Config) *gcpsm.Manager {
	m, err := gcpsm.New(cfg)
	require.NoError(t, err)
	return m
}

func TestNew(t *testing.T) {
	user := int64(0)
	for name, tc := range map[string]struct {
		cfg  gcpsm.Config
		want string
	}{
		"zero":            {gcpsm.Config{}, ""},
		"fetch":           {fetching, ""},
		"fetch-no-image":  {gcpsm.Config{Fetcher: gcpsm.Fetch}, "gcpsm: Image is empty"},
		"undefined":       {gcpsm.Config{Fetcher: 7}, "gcpsm: Fetcher 7 is not defined"},
		"stock-env-files": {gcpsm.Config{EnvFiles: true}, "gcpsm: EnvFiles requires Fetcher Fetch"},
		"project":         {gcpsm.Config{Project: "my-project-1"}, ""},
		"project-number":  {gcpsm.Config{Project: "123456789012"}, ""},
		"domain-project":  {gcpsm.Config{Project: "example.com:my-project"}, ""},
		"project-slash":   {gcpsm.Config{Project: "a/b"}, `gcpsm: Project "a/b" is not a valid project ID or number`},
		"root":            {gcpsm.Config{RunAsUser: &user}, "gcpsm: RunAsUser 0 is not between 1 and 2147483647"},
		"assigned-user":   {gcpsm.Config{AssignedUser: true}, ""},
		"two-users":       {gcpsm.Config{AssignedUser: true, RunAsUser: &user}, "gcpsm: RunAsUser 0 conflicts with AssignedUser, which lets the cluster choose the user"},
	} {
		_, err := gcpsm.New(tc.cfg)
		if tc.want == "" {
			assert.NoError(t, err, name)
		} else {
			assert.EqualError(t, err, tc.want, name)
		}
	}
}

func cases(variables bool) []injectortest.Case {
	variable, form := injectortest.Unsupported, injectortest.File
	if variables {
		variable, form = injectortest.Variable, injectortest.Variable
	}
	return []injectortest.Case{
		{Name: "name", Request: secret.Request{Group: "db-password"}, Want: form},
		{Name: "file", Request: secret.Request{Group: "db-password", Mount: mount.File}, Want: injectortest.File},
		{Name: "full-name", Request: secret.Request{Group: "projects/my-project/secrets/DB_password", Mount: mount.File}, Want: injectortest.File},
		{Name: "regional", Request: secret.Request{Group: "projects/p1/locations/europe-west3/secrets/s", Mount: mount.File}, Want: injectortest.File},
		{Name: "version", Request: secret.Request{Group: "token", GroupVersion: "3", Mount: mount.File}, Want: injectortest.File},
		{Name: "latest", Request: secret.Request{Group: "token2", GroupVersion: "latest", Mount: mount.File}, Want: injectortest.File},
		{Name: "key", Request: secret.Request{Group: "with-key", Key: "Value", Mount: mount.File}, Want: injectortest.File},
		{Name: "variable", Request: secret.Request{Group: "token3", Mount: mount.EnvVar, EnvVar: "TOKEN"}, Want: variable},
		{Name: "hostile-name", Request: secret.Request{Group: "a;rm -rf x"}, Want: injectortest.Unsupported},
		{Name: "hostile-version", Request: secret.Request{Group: "a", GroupVersion: "--help"}, Want: injectortest.Unsupported},
		{Name: "version-with-slash", Request: secret.Request{Group: "a", GroupVersion: "1/2"}, Want: injectortest.Unsupported},
		{Name: "path", Request: secret.Request{Group: "secret/data/x", Key: "k"}, Want: injectortest.Unsupported},
		{Name: "versions-in-name", Request: secret.Request{Group: "projects/p1/secrets/s/versions/1"}, Want: injectortest.Unsupported},
		{Name: "no-group", Request: secret.Request{Key: "k"}, Want: injectortest.Unsupported},
	}
}

func TestConformance(t *testing.T) {
	t.Run("stock", func(t *testing.T) { injectortest.Run(t, newManager(t, gcpsm.Config{}), cases(false)...) })
	t.Run("fetch", func(t *testing.T) { injectortest.Run(t, newManager(t, fetching), cases(true)...) })
}

// Requests that Flyte serves, with a group and a version but no key, have Flyte's path.
func TestMount_FlytePath(t *testing.T) {
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{newManager(t, gcpsm.Config{})}})
	require.NoError(t, err)
	_, err = in.Plan(ctx, injectortest.Pod(), secret.Request{Group: "projects/P1/secrets/S", GroupVersion: "2"}, secret.Request{Group: "My-Secret", GroupVersion: "latest"})
	require.ErrorIs(t, err, secret.ErrUnsupported, "a project has no upper case")
	plan, err := in.Plan(ctx, injectortest.Pod(), secret.Request{Group: "projects/p1/secrets/S", GroupVersion: "2"}, secret.Request{Group: "My-Secret", GroupVersion: "latest"})
	require.NoError(t, err)
	assert.Equal(t, "/etc/flyte/secrets/projects/p1/secrets/s/2", plan.Placements[0].Path)
	assert.Equal(t, "/etc/flyte/secrets/my-secret/latest", plan.Placements[1].Path)
}

func TestMount_Reads(t *testing.T) {
	for _, tc := range []struct {
		project, group, want string
	}{
		{"", "s", ""}, // unknown project
		{"p1", "s", "projects/p1/secrets/s"},
		{"", "projects/p1/secrets/s", "projects/p1/secrets/s"},
		{"p2", "projects/p1/secrets/s", "projects/p1/secrets/s"},
	} {
		f, err := newManager(t, gcpsm.Config{Project: tc.project}).Mount(ctx, secret.Request{Group: tc.group}, mount.Target{})
		require.NoError(t, err)
		assert.Equal(t, mount.Object{Name: tc.want}, f.Reads)
	}
}

const gcloud = `for arg in "$@"; do case "$arg" in --out-file=*) printf 'the value' > "${arg#--out-file=}";; esac; done`

// A shell runs the stock container's command.
func TestStock_Script(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  gcpsm.Config
		req  secret.Request
		args []string
		file string
	}{
		"name":    {gcpsm.Config{}, secret.Request{Group: "token"}, []string{"access", "latest", "--secret=token"}, "token"},
		"version": {gcpsm.Config{}, secret.Request{Group: "token", GroupVersion: "7"}, []string{"access", "7", "--secret=token"}, "token/7"},
		"full":    {gcpsm.Config{}, secret.Request{Group: "projects/p1/secrets/s", GroupVersion: "7"}, []string{"access", "projects/p1/secrets/s/versions/7"}, "projects/p1/secrets/s/7"},
		"project": {gcpsm.Config{Project: "p1"}, secret.Request{Group: "s"}, []string{"access", "projects/p1/secrets/s/versions/latest"}, "s"},
		"odd-file": {gcpsm.Config{}, secret.Request{Group: "token", Path: "a b/$(touch x)/`id`/'\"\\;&|"}, []string{"access", "latest", "--secret=token"},
			"a b/$(touch x)/`id`/'\"\\;&|"},
		"option-like-file": {gcpsm.Config{}, secret.Request{Group: "token", Path: "-rf/--help"}, []string{"access", "latest", "--secret=token"}, "-rf/--help"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := newManager(t, tc.cfg).Mount(ctx, tc.req, mount.Target{})
			require.NoError(t, err)
			ic := f.InitContainers[0]
			r := fetchtest.Run(t, ic.Container, ic.Env, "gcloud", gcloud)
			require.NoError(t, r.Err, r.Output)
			require.Len(t, r.Args, 1)
			args := r.Args[0]
			assert.Equal(t, append([]string{"secrets", "versions"}, tc.args...), args[:len(args)-1])
			assert.True(t, strings.HasPrefix(args[len(args)-1], "--out-file="))
			assert.Equal(t, map[string]string{tc.file: "the value"}, r.Files)
		})
	}
}

// The container fails if the vendor's program does.
func TestStock_Failure(t *testing.T) {
	f, err := newManager(t, gcpsm.Config{}).Mount(ctx, secret.Request{Group: "token"}, mount.Target{})
	require.NoError(t, err)
	ic := f.InitContainers[0]
	r := fetchtest.Run(t, ic.Container, ic.Env, "gcloud", "exit 3")
	assert.Error(t, r.Err)
	assert.Empty(t, r.Files)
}

// No request changes the script or writes another file.
func FuzzStock(f *testing.F) {
	for _, seed := range [][3]string{{"token", "1", "a/b"}, {"$(id)", "`id`", "../x"}, {"a\nb", "", "x;y"}, {"-h", "--help", "-"}} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, group, version, file string) {
		req := secret.Request{Group: group, GroupVersion: version, Path: file}
		if req.Validate() != nil {
			return
		}
		fragment, err := newManager(t, gcpsm.Config{}).Mount(ctx, req, mount.Target{})
		if err != nil {
			return
		}
		ic := fragment.InitContainers[0]
		assert.Equal(t, stockCommand(t), ic.Command, "the script never changes")
		r := fetchtest.Run(t, ic.Container, ic.Env, "gcloud", gcloud)
		require.NoError(t, r.Err, r.Output)
		require.Len(t, r.Args, 1)
		assert.Len(t, r.Files, 1)
		assert.Contains(t, r.Files, req.RelPath(mount.Layout{}, version))
	})
}

func stockCommand(t testing.TB) []string {
	f, err := newManager(t, gcpsm.Config{}).Mount(ctx, secret.Request{Group: "g"}, mount.Target{})
	require.NoError(t, err)
	return f.InitContainers[0].Command
}

// The program receives each secret in a variable.
func TestFetch_Items(t *testing.T) {
	m := newManager(t, fetching)
	for name, tc := range map[string]struct {
		req  secret.Request
		want fetch.Item
	}{
		"file":  {secret.Request{Group: "s", GroupVersion: "2", Mount: mount.File, Mode: 0o400}, fetch.Item{ID: "s", Version: "2", File: "s/2", Mode: 0o400}},
		"field": {secret.Request{Group: "projects/p1/secrets/s", Field: "password", Path: "DB/pw", Mount: mount.File}, fetch.Item{ID: "projects/p1/secrets/s", File: "DB/pw", Field: "password"}},
	} {
		f, err := m.Mount(ctx, tc.req, mount.Target{})
		require.NoError(t, err, name)
		assert.Equal(t, mount.Features{Field: true, Mode: true}, f.Honors)
		var got fetch.Item
		require.NoError(t, json.Unmarshal([]byte(f.InitContainers[0].Env[0].Value), &got))
		assert.Equal(t, tc.want, got, name)
	}
	f, err := m.Mount(ctx, secret.Request{Group: "s", EnvVar: "TOKEN"}, mount.Target{})
	require.NoError(t, err)
	ref := f.Value.EnvVar("TOKEN").ValueFrom.FileKeyRef
	assert.Equal(t, corev1.FileKeySelector{VolumeName: mount.EnvVolume, Path: ref.Path, Key: fetch.EnvKey}, *ref)
	assert.Contains(t, f.InitContainers[0].Env[0].Value, `"env":"`+ref.Path+`"`)
}

func TestMount_Windows(t *testing.T) {
	target := mount.Target{}.WithSpec(mount.TargetSpec{OS: "windows"})
	for _, cfg := range []gcpsm.Config{{}, fetching} {
		_, err := newManager(t, cfg).Mount(ctx, secret.Request{Group: "s"}, target)
		assert.ErrorIs(t, err, secret.ErrUnsupported)
	}
}
