package injector_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/azurekv"
	"github.com/podsecrets/podsecrets/gcpsm"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

// sources are what the table in the package documentation has, each with requests
// of which any two go together.
var sources = []struct {
	name string
	reqs []secret.Request
}{
	{"Secret", []secret.Request{{Group: "user-info", Key: "a", Mount: mount.File}, {Group: "other", Key: "a", Mount: mount.File}}},
	{"top", []secret.Request{{Group: "user-info", Key: "b", Path: "b"}, {Group: "other", Key: "c", Path: "c"}}},
	{"fetched", []secret.Request{{Group: arn, Key: "a", Mount: mount.File}, {Group: "projects/p/secrets/s", Mount: mount.File}, {Group: "https://team.vault.azure.net/secrets/s", Mount: mount.File}}},
	{"Vault", []secret.Request{{Group: "secret/data/a", Key: "a", GroupVersion: "kv2"}, {Group: "kv/a", Key: "b", GroupVersion: "kv1", Mount: mount.EnvVar, EnvVar: "B"}}},
	{"OpenBao", []secret.Request{{Group: "bao/a", Key: "a", Mount: mount.File}, {Group: "bao/a", Key: "b", Mount: mount.EnvVar}}},
	{"CSI", []secret.Request{{Group: "class-a", Key: "a"}, {Group: "class-b", Key: "b"}}},
	{"CSI top", []secret.Request{{Group: "class-c", Key: "d", Path: "d"}}},
	{"variable", []secret.Request{{Group: "user-info", Key: "v"}, {Group: "global", Key: "token"}, {Group: arn, Key: "v", Mount: mount.EnvVar}, {Group: "projects/p/secrets/v", Mount: mount.EnvVar}}},
}

// The table in the package documentation matches the injector.
func TestPairs(t *testing.T) {
	fetching, err := awssm.New(awssm.Config{Fetcher: awssm.Fetch, Image: "registry.example.com/fetch:v1", EnvFiles: true})
	require.NoError(t, err)
	google, err := gcpsm.New(gcpsm.Config{Fetcher: gcpsm.Fetch, Image: "registry.example.com/fetch:v1", EnvFiles: true})
	require.NoError(t, err)
	azure, err := azurekv.New(azurekv.Config{Vaults: []string{"https://team.vault.azure.net"}})
	require.NoError(t, err)
	agent, err := vault.New(vault.Config{EnvFiles: true})
	require.NoError(t, err)
	all := managers(t)
	replaced := map[string]injector.SecretManager{
		"aws": limited{fetching, "arn:"}, "gcp": limited{google, "projects/"}, "azure": limited{azure, "https://"}, "vault": limited{agent, "/"},
	}
	for i, m := range all {
		if r, ok := replaced[m.Name()]; ok {
			all[i] = r
		}
	}
	in, err := injector.New(injector.Config{Managers: all})
	require.NoError(t, err)

	var table strings.Builder
	table.WriteString("//\t" + strings.Repeat(" ", 10))
	for _, s := range sources {
		fmt.Fprintf(&table, "%-10s", s.name)
	}
	for _, a := range sources {
		table.WriteString("\n" + fmt.Sprintf("//\t%-10s", a.name))
		for _, b := range sources {
			fmt.Fprintf(&table, "%-10s", together(t, in, a.reqs, b.reqs))
		}
	}
	want := trimmed(table.String())
	text, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	assert.True(t, strings.Contains(string(text), want), "doc.go has another table than\n%s", want)
}

// together says whether requests of two sources can be in one Pod.
func together(t *testing.T, in *injector.Injector, a, b []secret.Request) string {
	_, err := in.Inject(ctx, userStoryPod(), append(append([]secret.Request{}, a...), b...)...)
	var conflict *mount.ConflictError
	switch {
	case err == nil:
		return "yes"
	case errors.As(err, &conflict):
		return "no"
	}
	require.NoError(t, err)
	return ""
}

// trimmed has no blanks at the ends of lines.
func trimmed(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}
