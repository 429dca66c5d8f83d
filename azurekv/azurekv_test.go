package azurekv_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/azurekv"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/internal/fetch"
	"github.com/podsecrets/podsecrets/internal/fetch/fetchtest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

const vault = "https://team.vault.azure.net"

var (
	ctx      = context.Background()
	stock    = azurekv.Config{Vault: vault, Vaults: []string{"https://other.vault.azure.net/"}}
	fetching = azurekv.Config{Vault: vault, Vaults: stock.Vaults, Fetcher: azurekv.Fetch, Image: "registry.example.com/fetch:v1", EnvFiles: true}
)

func newManager(t testing.TB, cfg azurekv.Config) *azurekv.Manager {
	m, err := azurekv.New(cfg)
	require.NoError(t, err)
	return m
}

func TestNew(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  azurekv.Config
		want string
	}{
		"no-vault":        {azurekv.Config{}, "azurekv: neither Vault nor Vaults is set"},
		"vault":           {azurekv.Config{Vault: vault}, ""},
		"vaults":          {azurekv.Config{Vaults: []string{vault + "/"}}, ""},
		"upper-case":      {azurekv.Config{Vault: "https://Team.Vault.azure.net"}, ""},
		"http":            {azurekv.Config{Vault: "http://team.vault.azure.net"}, `azurekv: Vault: "http://team.vault.azure.net" is not the URL of a vault, such as "https://team.vault.azure.net"`},
		"with-path":       {azurekv.Config{Vaults: []string{vault + "/secrets"}}, `azurekv: Vaults: "https://team.vault.azure.net/secrets" is not the URL of a vault, such as "https://team.vault.azure.net"`},
		"with-user":       {azurekv.Config{Vault: "https://a@team.vault.azure.net"}, `azurekv: Vault: "https://a@team.vault.azure.net" is not the URL of a vault, such as "https://team.vault.azure.net"`},
		"name-only":       {azurekv.Config{Vault: "team"}, `azurekv: Vault: "team" is not the URL of a vault, such as "https://team.vault.azure.net"`},
		"fetch-no-image":  {azurekv.Config{Vault: vault, Fetcher: azurekv.Fetch}, "azurekv: Image is empty"},
		"undefined":       {azurekv.Config{Vault: vault, Fetcher: 7}, "azurekv: Fetcher 7 is not defined"},
		"stock-env-files": {azurekv.Config{Vault: vault, EnvFiles: true}, "azurekv: EnvFiles requires Fetcher Fetch"},
	} {
		_, err := azurekv.New(tc.cfg)
		if tc.want == "" {
			assert.NoError(t, err, name)
		} else {
			assert.EqualError(t, err, tc.want, name)
		}
	}
}

func cases(variables bool) []injectortest.Case {
	variable := injectortest.Unsupported
	if variables {
		variable = injectortest.Variable
	}
	file := func(group, version string) secret.Request {
		return secret.Request{Group: group, GroupVersion: version, Mount: mount.File}
	}
	return []injectortest.Case{
		{Name: "name", Request: file("db-password", ""), Want: injectortest.File},
		{Name: "upper-case", Request: file("DB-Other", ""), Want: injectortest.File},
		{Name: "url", Request: file(vault+"/secrets/by-url", ""), Want: injectortest.File},
		{Name: "other-vault", Request: file("https://Other.vault.azure.net/secrets/elsewhere", ""), Want: injectortest.File},
		{Name: "version", Request: file("token", "0123456789abcdef0123456789abcdef"), Want: injectortest.File},
		{Name: "url-and-version", Request: file(vault+"/secrets/by-url-2", "0123456789abcdef"), Want: injectortest.File},
		{Name: "key", Request: secret.Request{Group: "with-key", Key: "Value", Mount: mount.File}, Want: injectortest.File},
		{Name: "variable", Request: secret.Request{Group: "token3", Mount: mount.EnvVar, EnvVar: "TOKEN"}, Want: variable},
		{Name: "unlisted-vault", Request: file("https://evil.vault.azure.net/secrets/a", ""), Want: injectortest.Unsupported},
		{Name: "evil-host", Request: file("https://team.vault.azure.net.evil.example/secrets/a", ""), Want: injectortest.Unsupported},
		{Name: "user-in-url", Request: file("https://team.vault.azure.net@evil.example/secrets/a", ""), Want: injectortest.Unsupported},
		{Name: "port", Request: file("https://team.vault.azure.net:444/secrets/a", ""), Want: injectortest.Unsupported},
		{Name: "http", Request: file("http://team.vault.azure.net/secrets/a", ""), Want: injectortest.Unsupported},
		{Name: "query", Request: file(vault+"/secrets/a?x=y", ""), Want: injectortest.Unsupported},
		{Name: "fragment", Request: file(vault+"/secrets/a#x", ""), Want: injectortest.Unsupported},
		{Name: "keys", Request: file(vault+"/keys/a", ""), Want: injectortest.Unsupported},
		{Name: "version-in-url", Request: file(vault+"/secrets/a/0123", ""), Want: injectortest.Unsupported},
		{Name: "escaped", Request: file(vault+"/secrets/a%2fb", ""), Want: injectortest.Unsupported},
		{Name: "hostile-name", Request: file("a;id", ""), Want: injectortest.Unsupported},
		{Name: "hostile-version", Request: file("a", "--help"), Want: injectortest.Unsupported},
		{Name: "path", Request: file("secret/data/x", ""), Want: injectortest.Unsupported},
	}
}

func TestConformance(t *testing.T) {
	t.Run("stock", func(t *testing.T) { injectortest.Run(t, newManager(t, stock), cases(false)...) })
	t.Run("fetch", func(t *testing.T) { injectortest.Run(t, newManager(t, fetching), cases(true)...) })
}

// Flyte's file exists besides the derived one; two secrets of one name conflict.
func TestMount_FlyteFile(t *testing.T) {
	for name, cfg := range map[string]azurekv.Config{"stock": stock, "fetch": fetching} {
		t.Run(name, func(t *testing.T) {
			in, err := injector.New(injector.Config{Managers: []injector.SecretManager{newManager(t, cfg)}})
			require.NoError(t, err)
			one := secret.Request{Group: vault + "/secrets/Token", Mount: mount.File}
			other := secret.Request{Group: "https://other.vault.azure.net/secrets/token", Mount: mount.File}
			_, err = in.Plan(ctx, injectortest.Pod(), one)
			require.NoError(t, err)
			_, err = in.Plan(ctx, injectortest.Pod(), one, other)
			var conflict *mount.ConflictError
			require.ErrorAs(t, err, &conflict)
			one.Path, other.Path = "one", "other"
			_, err = in.Plan(ctx, injectortest.Pod(), one, other)
			assert.NoError(t, err, "exact names have no such file")
		})
	}
}

func TestMount_Reads(t *testing.T) {
	for group, want := range map[string]string{
		"Token": vault + "/secrets/token", vault + "/secrets/TOKEN": vault + "/secrets/token",
		"https://OTHER.vault.azure.net/secrets/t": "https://other.vault.azure.net/secrets/t",
	} {
		f, err := newManager(t, stock).Mount(ctx, secret.Request{Group: group}, mount.Target{})
		require.NoError(t, err)
		assert.Equal(t, mount.Object{Name: want}, f.Reads, group)
	}
}

// az is a stub of the CLI. It refuses to overwrite a file.
const az = `case "$1" in
login) exit 0;;
esac
while [ $# -gt 0 ]; do
if [ "$1" = --file ]; then [ ! -e "$2" ] || exit 9; printf 'the value' > "$2"; fi
shift
done`

var token = []string{"AZURE_CLIENT_ID=client", "AZURE_TENANT_ID=tenant", "AZURE_FEDERATED_TOKEN_FILE=/dev/null"}

func TestStock_Script(t *testing.T) {
	for name, tc := range map[string]struct {
		req   secret.Request
		url   string
		files map[string]string
	}{
		"name":    {secret.Request{Group: "token"}, vault + "/secrets/token", map[string]string{"token": "the value"}},
		"version": {secret.Request{Group: "token", GroupVersion: "01ab"}, vault + "/secrets/token/01ab", map[string]string{"token/01ab": "the value"}},
		"url": {secret.Request{Group: vault + "/secrets/Token", GroupVersion: "01ab"}, vault + "/secrets/Token/01ab",
			map[string]string{"https:/team.vault.azure.net/secrets/token/01ab": "the value", "token/01ab": "the value"}},
		"odd-file": {secret.Request{Group: "token", Path: "a b/$(touch x)/`id`/'\"\\;&|"}, vault + "/secrets/token", map[string]string{"a b/$(touch x)/`id`/'\"\\;&|": "the value"}},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := newManager(t, stock).Mount(ctx, tc.req, mount.Target{})
			require.NoError(t, err)
			ic := f.InitContainers[0]
			r := fetchtest.Run(t, ic.Container, ic.Env, "az", az, token...)
			require.NoError(t, r.Err, r.Output)
			require.Len(t, r.Args, 2)
			assert.Equal(t, []string{"login", "--service-principal", "--username", "client", "--tenant", "tenant", "--federated-token", "", "--allow-no-subscriptions", "--output", "none"}, r.Args[0])
			assert.Equal(t, []string{"keyvault", "secret", "download", "--id", tc.url}, r.Args[1][:5])
			assert.Equal(t, tc.files, r.Files)
		})
	}
}

func TestStock_Failure(t *testing.T) {
	f, err := newManager(t, stock).Mount(ctx, secret.Request{Group: "token"}, mount.Target{})
	require.NoError(t, err)
	ic := f.InitContainers[0]
	for name, script := range map[string]string{"login": "exit 1", "download": `[ "$1" = login ] || exit 3`} {
		r := fetchtest.Run(t, ic.Container, ic.Env, "az", script, token...)
		assert.Error(t, r.Err, name)
		assert.Empty(t, r.Files, name)
	}
	r := fetchtest.Run(t, ic.Container, ic.Env, "az", az)
	assert.Error(t, r.Err, "without workload identity")
}

// No request changes the script or writes another file.
func FuzzStock(f *testing.F) {
	for _, seed := range [][3]string{{"token", "1", "a/b"}, {vault + "/secrets/a", "", ""}, {"$(id)", "`id`", "x;y"}, {"-h", "help", "-"}} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, group, version, file string) {
		req := secret.Request{Group: group, GroupVersion: version, Path: file}
		if req.Validate() != nil {
			return
		}
		fragment, err := newManager(t, stock).Mount(ctx, req, mount.Target{})
		if err != nil {
			return
		}
		ic := fragment.InitContainers[0]
		r := fetchtest.Run(t, ic.Container, ic.Env, "az", az, token...)
		require.NoError(t, r.Err, r.Output)
		require.Len(t, r.Args, 2)
		assert.Contains(t, r.Files, req.RelPath(mount.Layout{}, version))
		assert.LessOrEqual(t, len(r.Files), 2)
	})
}

func TestFetch_Items(t *testing.T) {
	f, err := newManager(t, fetching).Mount(ctx, secret.Request{Group: vault + "/secrets/Token", GroupVersion: "01ab", Field: "f", Mode: 0o440}, mount.Target{})
	require.NoError(t, err)
	var got []fetch.Item
	for _, v := range f.InitContainers[0].Env {
		var it fetch.Item
		require.NoError(t, json.Unmarshal([]byte(v.Value), &it))
		got = append(got, it)
	}
	item := fetch.Item{ID: vault + "/secrets/Token", Version: "01ab", Field: "f", Mode: 0o440, File: "https:/team.vault.azure.net/secrets/token/01ab"}
	copied := item
	copied.File = "token/01ab"
	assert.Equal(t, []fetch.Item{item, copied}, got)
}

func TestMount_Windows(t *testing.T) {
	target := mount.Target{}.WithSpec(mount.TargetSpec{OS: "windows"})
	for _, cfg := range []azurekv.Config{stock, fetching} {
		_, err := newManager(t, cfg).Mount(ctx, secret.Request{Group: "s"}, target)
		assert.ErrorIs(t, err, secret.ErrUnsupported)
	}
}
