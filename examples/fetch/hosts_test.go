package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHosts(t *testing.T) {
	s := settings{hosts: hostList{"own.example:443", "own.example:8443", "[::1]:443"}}
	guards := map[string]*guard{
		aws: newAWS(s, nil).guard, gcp: newGCP(s, nil).guard, azure: newAzure(s, nil).tokens.guard,
	}
	for host, store := range map[string]string{
		"secretsmanager.eu-west-1.amazonaws.com:443":                  aws,
		"secretsmanager-fips.us-gov-west-1.amazonaws.com:443":         aws,
		"secretsmanager.eu-west-1.api.aws:443":                        aws,
		"secretsmanager.cn-northwest-1.amazonaws.com.cn:443":          aws,
		"secretsmanager.eusc-de-east-1.amazonaws.eu:443":              aws,
		"secretsmanager.us-iso-east-1.c2s.ic.gov:443":                 aws,
		"secretsmanager.us-isob-east-1.sc2s.sgov.gov:443":             aws,
		"secretsmanager.eu-isoe-west-1.cloud.adc-e.uk:443":            aws,
		"secretsmanager.us-isof-south-1.csp.hci.ic.gov:443":           aws,
		"vpce-0a1-b2.secretsmanager.eu-west-1.vpce.amazonaws.com:443": aws,
		"sts.ap-southeast-5.amazonaws.com:443":                        aws,
		"sts.amazonaws.com:443":                                       aws,
		"sts.googleapis.com:443":                                      gcp,
		"oauth2.googleapis.com:443":                                   gcp,
		"iamcredentials.googleapis.com:443":                           gcp,
		"sts.europe-west3.rep.googleapis.com:443":                     gcp,
		"login.microsoftonline.com:443":                               azure,
		"login.microsoftonline.us:443":                                azure,
		"login.partner.microsoftonline.cn:443":                        azure,
		"own.example:443":                                             "all",
		"own.example:8443":                                            "all",
		"[::1]:443":                                                   "all",
		"secretsmanager.eu-west-1.amazonaws.com:8443":                 "none",
		"secretsmanager.eu-west-1.amazonaws.com.evil.example:443":     "none",
		"secretsmanager.eu-west-1.amazonaws.com.:443":                 "none",
		"x.secretsmanager.eu-west-1.amazonaws.com:443":                "none",
		"x.execute-api.eu-west-1.amazonaws.com:443":                   "none",
		"secretsmanager.s3.amazonaws.com:443":                         "none",
		"secretsmanager.s3-us-west-2.amazonaws.com:443":               "none",
		"secretsmanager.amazonaws.com:443":                            "none",
		"vpce-0a1.vpce-svc-1.eu-west-1.vpce.amazonaws.com:443":        "none",
		"secretsmanagerXeu-west-1.amazonaws.com:443":                  "none",
		"storage.googleapis.com:443":                                  "none",
		"sts.googleapis.com.evil.example:443":                         "none",
		"login.microsoftonline.com.evil.example:443":                  "none",
		"evil.login.microsoftonline.com:443":                          "none",
		"vault-1.vault.azure.net:443":                                 "none", // its own guard only
		"own.example:80":                                              "none",
		"x.own.example:443":                                           "none",
		"169.254.169.254:443":                                         "none",
	} {
		for name, g := range guards {
			assert.Equal(t, store == "all" || store == name, g.allow(host), "%s %s", name, host)
		}
	}
	for _, host := range []string{"a.vault.azure.net:443", "ab.vault.azure.net.evil.example:443", "evil.example/.vault.azure.net:443", "a.b.vault.azure.net:443", "vault.azure.net:443"} {
		assert.False(t, azureVaults.MatchString(host), host)
	}
	for _, host := range []string{"secretmanager.googleapis.com.evil.example:443", "secretmanager.a.b.rep.googleapis.com:443", "x-secretmanager.googleapis.com:443"} {
		assert.False(t, gcpHosts.MatchString(host), host)
	}
}

func TestParseHosts(t *testing.T) {
	hosts, err := parseHosts(" A.example, b.example:8443,,127.0.0.1:1,[::1],[::1]:8443 ")
	require.NoError(t, err)
	assert.Equal(t, hostList{"a.example:443", "b.example:8443", "127.0.0.1:1", "[::1]:443", "[::1]:8443"}, hosts)
	for _, text := range []string{"*", "*.example", "https://a", "a:0", "a:65536", "a:b", "a b", "a/b", "a@b", "::1", "-a", ".a", "a..b"} {
		_, err := parseHosts(text)
		assert.Error(t, err, text)
	}
}

// The guard compares schemes and ports exactly.
func TestGuard(t *testing.T) {
	seen := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen++
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/", http.StatusFound)
		}
		_, _ = io.WriteString(w, strings.Repeat("a", maxAnswer+1))
	}))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	all := func(string) bool { return true }
	for _, tt := range []struct {
		slug, url string
		g         *guard
		err       string
		seen      int
	}{
		{"node", server.URL, newGuard(all, hostList{address}, nil), "", 1},
		{"plain", server.URL, newGuard(all, nil, nil), "http://" + address + " is not an allowed host", 0},
		{"ftp", "ftp://" + address, newGuard(all, nil, nil), "ftp://" + address + " is not an allowed host", 0},
		{"not-allowed", "https://" + address, newGuard(func(string) bool { return false }, hostList{address}, nil), address + " is not an allowed host", 0},
		{"redirect", server.URL + "/away", newGuard(all, hostList{address}, nil), errRedirect.Error(), 1},
		{"default-port", "http://a.example", newGuard(all, hostList{"a.example:81"}, nil), "http://a.example:80 is not an allowed host", 0},
	} {
		t.Run(tt.slug, func(t *testing.T) {
			seen = 0
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tt.url, nil)
			require.NoError(t, err)
			answer, err := tt.g.Do(req)
			assert.Equal(t, tt.seen, seen)
			if tt.err != "" {
				assert.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			defer answer.Body.Close()
			_, err = io.Copy(io.Discard, answer.Body)
			assert.ErrorContains(t, err, "too large")
		})
	}
}
