package apicheck

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	update  = flag.Bool("update", false, "write api.txt")
	release = flag.Bool("release", false, "write api.txt, and promise the current API")
)

func TestAPI(t *testing.T) {
	api, err := Load("../..")
	require.NoError(t, err)
	ledger := readLedger(t)
	if *update || *release {
		ledger.Current = api
		if *release {
			ledger.Promised = api
		}
		require.NoError(t, os.WriteFile("api.txt", []byte(ledger.String()), 0o644))
		ledger = readLedger(t)
	}
	changelog, err := os.ReadFile("../../CHANGELOG.md")
	require.NoError(t, err)
	require.NoError(t, ledger.Check(api, string(changelog)))
}

func readLedger(t *testing.T) Ledger {
	text, err := os.ReadFile("api.txt")
	require.NoError(t, err)
	ledger, err := Parse(string(text))
	require.NoError(t, err)
	require.True(t, ledger.String() == string(text), "api.txt is not sorted, or repeats a line (make api)")
	return ledger
}

// The promise covers the library's packages only.
func TestLoad_Packages(t *testing.T) {
	api, err := Load("../..")
	require.NoError(t, err)
	for _, symbol := range []string{"mount.Layout", "secret.Request", "injector.SecretManager",
		"global.New", "k8ssecret.New", "vault.New", "awssm.New"} {
		require.Contains(t, api, symbol)
	}
	for symbol := range api {
		require.NotRegexp(t, `^(internal|examples)\b|/(internal|examples)/|^main\.`, symbol)
	}
}
