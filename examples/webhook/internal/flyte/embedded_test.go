package flyte

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/azurekv"
	"github.com/podsecrets/podsecrets/gcpsm"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// The names are those recorded from Flyte 2.
func TestNames(t *testing.T) {
	raw, err := os.ReadFile("../../../../k8ssecret/testdata/flyte2-names.json")
	require.NoError(t, err)
	var rows []struct{ Org, Domain, Project, Key, ID, SecretName string }
	require.NoError(t, json.Unmarshal(raw, &rows))
	require.NotEmpty(t, rows)
	for _, row := range rows {
		n := name{row.Org, row.Domain, row.Project, row.Key}
		assert.Equal(t, row.ID, n.id())
		assert.Equal(t, row.SecretName, HashedName(n.id()))
	}
	// The vector of Flyte's own test.
	n := name{"test-org", "test-domain", "-testproject-", "test-secret--"}
	assert.Equal(t, "1-test01org-test01domain-01testproject01-ORSXG5BNONSWG4TFOQWS2", n.azure())
	assert.Equal(t, "1-a0001---ME", name{org: "a0-", key: "a"}.azure(), "0 becomes 00, so that 01 is always a dash")
}

var stamped = &metav1.ObjectMeta{Labels: map[string]string{"organization": "flyte", "domain": "development", "project": "flytesnacks"}}

const stampedID = "u__org__flyte__domain__development__project__flytesnacks__key__"

func TestScope(t *testing.T) {
	missing := &metav1.ObjectMeta{Labels: map[string]string{"domain": "development", "project": "flytesnacks"}}
	for _, c := range []struct {
		name  string
		scope Scope
		meta  *metav1.ObjectMeta
		want  string
	}{
		{"labels", Scope{}, stamped, stampedID + "k"},
		{"domain", Scope{Reach: Domain}, stamped, "u__org__flyte__domain__development__project____key__k"},
		{"organization", Scope{Reach: Organization}, stamped, "u__org__flyte__domain____project____key__k"},
		{"domain-key", Scope{DomainKeys: []string{"j", "k"}}, stamped, "u__org__flyte__domain__development__project____key__k"},
		{"other-key", Scope{DomainKeys: []string{"j"}, OrganizationKeys: []string{"K"}}, stamped, stampedID + "k"},
		{"organization-key", Scope{Reach: Domain, OrganizationKeys: []string{"k"}}, stamped, "u__org__flyte__domain____project____key__k"},
		{"fixed", Scope{Organization: "o", Domain: "d", Project: "p"}, stamped, "u__org__o__domain__d__project__p__key__k"},
		{"fixed-for-missing", Scope{Organization: "o"}, missing, "u__org__o__domain__development__project__flytesnacks__key__k"},
		{"missing", Scope{}, missing, ""},
		{"missing-unused", Scope{Reach: Organization, Organization: "o"}, &metav1.ObjectMeta{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			n, err := c.scope.name("k", mount.NewTarget(mount.Layout{}, mount.InitFirst, c.meta))
			if c.want == "" {
				assert.ErrorIs(t, err, secret.ErrUnsupported)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.want, n.id())
		})
	}
}

// stores returns a manager for each store.
func stores(t *testing.T, envFiles bool) map[string]*EmbeddedManager {
	k8s, err := k8ssecret.New(k8ssecret.Config{Required: true})
	require.NoError(t, err)
	aws, err := awssm.New(awssm.Config{Fetcher: awssm.Fetch, Image: "i", EnvFiles: envFiles, Region: "us-east-2"})
	require.NoError(t, err)
	gcp, err := gcpsm.New(gcpsm.Config{Fetcher: gcpsm.Fetch, Image: "i", EnvFiles: envFiles, Project: "p"})
	require.NoError(t, err)
	azure, err := azurekv.New(azurekv.Config{Fetcher: azurekv.Fetch, Image: "i", EnvFiles: envFiles, Vault: "https://team.vault.azure.net"})
	require.NoError(t, err)
	all := map[string]*EmbeddedManager{}
	for store, inner := range map[string]injector.SecretManager{K8s: k8s, AWS: aws, GCP: gcp, Azure: azure} {
		all[store] = &EmbeddedManager{Store: store, Inner: inner}
	}
	return all
}

func TestConformance(t *testing.T) {
	for store, m := range stores(t, true) {
		t.Run(store, func(t *testing.T) {
			row := func(req secret.Request, want injectortest.Outcome) injectortest.Case {
				return injectortest.Case{Request: req, Want: want, Meta: stamped}
			}
			cases := []injectortest.Case{
				row(secret.Request{Key: "my-key"}, injectortest.Variable),
				row(secret.Request{Key: "API_KEY", Mount: mount.EnvVar, EnvVar: "TOKEN"}, injectortest.Served),
				row(secret.Request{Group: "g", Key: "API_KEY_2", Mount: mount.EnvVar}, injectortest.Served),
				row(secret.Request{Key: "my_key", Mount: mount.File}, injectortest.Served),
				row(secret.Request{Key: "FILE_KEY", Mount: mount.File, EnvVar: "KEY_FILE"}, injectortest.Served),
				row(secret.Request{Group: "team/a", Key: "FILE_KEY_2", Mount: mount.File}, injectortest.Served),
				row(secret.Request{Group: "g", Key: "k", GroupVersion: "v1", Mount: mount.File}, injectortest.Served),
				row(secret.Request{Key: "PATH_KEY", Path: "Conf.d/Key"}, injectortest.File),
				row(secret.Request{Key: "MODE_KEY", Mode: 0o440}, injectortest.File),
				row(secret.Request{Group: "g"}, injectortest.Unsupported),
				{Name: "no-labels", Request: secret.Request{Key: "k"}, Want: injectortest.Unsupported},
			}
			field := secret.Request{Key: "JSON", Field: "password"}
			switch store {
			case AWS, GCP:
				cases = append(cases, row(field, injectortest.Variable), row(secret.Request{Key: "a b"}, injectortest.Unsupported))
			case Azure:
				cases = append(cases, row(field, injectortest.Unsupported), row(secret.Request{Key: strings.Repeat("k", 60)}, injectortest.Unsupported))
			case K8s:
				cases = append(cases, row(secret.Request{Key: "a b"}, injectortest.Unsupported))
			}
			injectortest.Run(t, m, cases...)
		})
	}
}

// Without env files, fetched secrets are files only.
func TestEmbedded_NoEnvFiles(t *testing.T) {
	for store, m := range stores(t, false) {
		if store == K8s {
			continue
		}
		injectortest.Run(t, m,
			injectortest.Case{Request: secret.Request{Key: "k"}, Want: injectortest.File, Meta: stamped},
			injectortest.Case{Request: secret.Request{Key: "k", Mount: mount.EnvVar}, Want: injectortest.Unsupported, Meta: stamped},
		)
	}
}

// The IDs requested from each store, and the objects that rules see.
func TestEmbedded_IDs(t *testing.T) {
	const key = "My_Key"
	hash := HashedName(stampedID + key)
	azure := "1-flyte-development-flytesnacks-JV4V6S3FPE"
	for store, want := range map[string]struct {
		reads mount.Object
		id    string
	}{
		K8s:   {mount.Object{Name: hash, Key: stampedID + key}, ""},
		AWS:   {mount.Object{Name: stampedID + key}, `"id":"` + stampedID + key + `"`},
		GCP:   {mount.Object{Name: "projects/p/secrets/" + stampedID + key}, `"id":"projects/p/secrets/` + stampedID + key + `"`},
		Azure: {mount.Object{Name: strings.ToLower("https://team.vault.azure.net/secrets/" + azure)}, `"id":"https://team.vault.azure.net/secrets/` + azure + `","field":"value"`},
	} {
		t.Run(store, func(t *testing.T) {
			target := mount.NewTarget(mount.Layout{}, mount.InitFirst, stamped)
			f, err := stores(t, true)[store].Mount(t.Context(), secret.Request{Group: "ignored", Key: key, GroupVersion: "ignored", Mount: mount.File}, target)
			require.NoError(t, err)
			assert.Equal(t, want.reads, f.Reads)
			if want.id != "" {
				require.Len(t, f.InitContainers, 1)
				require.Len(t, f.InitContainers[0].Env, 2, "Flyte 1's file, and Flyte 2's")
				for _, env := range f.InitContainers[0].Env {
					assert.Contains(t, env.Value, want.id)
				}
			}
		})
	}
}

// Flyte 1's client and Flyte 2's users find the secret.
func TestEmbedded_Read(t *testing.T) {
	for store, m := range stores(t, true) {
		in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}, Layout: mount.Layout{EnvPrefix: "_UNION_"}})
		require.NoError(t, err)
		pod := injectortest.Pod(mount.Container{Name: "app"})
		pod.Labels = stamped.Labels
		reqs := []secret.Request{
			{Key: "API_KEY", Mount: mount.EnvVar, EnvVar: "API"},
			{Group: "g", Key: "MyFile", Mount: mount.File, EnvVar: "MY_FILE"},
			{Key: "MyFile", Mount: mount.File},
		}
		injected, err := in.Inject(t.Context(), pod, reqs...)
		require.NoError(t, err, store)
		for _, req := range reqs {
			assert.NoError(t, injectortest.CanRead(injected, "app", req), store)
		}
		assert.NoError(t, injectortest.CanReadExact(injected, "app", "", secret.Request{Key: "x", Mount: mount.EnvVar, EnvVar: "API"}), store)
		assert.NoError(t, injectortest.CanReadExact(injected, "app", "", secret.Request{Key: "MyFile", Mount: mount.File}), store)
		assert.Error(t, injectortest.CanReadExact(injected, "app", "", secret.Request{Key: "Other", Mount: mount.File}), store)
		again, err := in.Inject(t.Context(), injected, reqs...)
		require.NoError(t, err, store)
		assert.Equal(t, injected, again, store)
	}
}

func TestHashedKeys(t *testing.T) {
	m, err := k8ssecret.New(k8ssecret.Config{Any: mount.File, Names: HashedKeys})
	require.NoError(t, err)
	target := mount.NewTarget(mount.Layout{}, mount.InitFirst, nil)
	for _, c := range []struct {
		req  secret.Request
		want mount.Object
	}{
		{secret.Request{Key: "my-key"}, mount.Object{Name: "515780610702189dabd912e9c9ef6f38", Key: "my-key"}},
		{secret.Request{Group: "Group", Key: "my-key"}, mount.Object{Name: "group", Key: "my-key"}},
	} {
		f, err := m.Mount(t.Context(), c.req, target)
		require.NoError(t, err)
		assert.Equal(t, c.want, f.Reads)
	}
}

func TestGCPManager(t *testing.T) {
	for fetcher, image := range map[gcpsm.Fetcher]string{gcpsm.Stock: "", gcpsm.Fetch: "i"} {
		inner, err := gcpsm.New(gcpsm.Config{Fetcher: fetcher, Image: image})
		require.NoError(t, err)
		m := GCPManager{inner}
		injectortest.Run(t, m,
			injectortest.Case{Request: secret.Request{Group: "Secret", GroupVersion: "2"}, Want: injectortest.File},
			injectortest.Case{Request: secret.Request{Group: "s", Key: "k", GroupVersion: "2", Path: "p"}, Want: injectortest.File},
			injectortest.Case{Request: secret.Request{Group: "s", Mount: mount.File}, Want: injectortest.Unsupported},
			injectortest.Case{Request: secret.Request{Group: "s", GroupVersion: "2", Mount: mount.EnvVar}, Want: injectortest.Unsupported},
		)
		in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
		require.NoError(t, err)
		reqs := []secret.Request{{Group: "Secret", Key: "A", GroupVersion: "2"}, {Group: "Secret", Key: "b", GroupVersion: "2"}}
		pod, err := in.Inject(t.Context(), injectortest.Pod(), reqs...)
		require.NoError(t, err)
		for _, call := range []secret.Request{{Group: "Secret", Key: "A"}, {Group: "Secret", Key: "b"}, {Group: "Secret", GroupVersion: "2"}} {
			assert.NoError(t, injectortest.CanRead(pod, "app", call), fetcher)
		}
		again, err := in.Inject(t.Context(), pod, reqs...)
		require.NoError(t, err)
		assert.Equal(t, pod, again)
		_, err = in.Inject(t.Context(), injectortest.Pod(), reqs[0], secret.Request{Group: "Secret", Key: "A", GroupVersion: "3"})
		var conflict *mount.ConflictError
		assert.ErrorAs(t, err, &conflict, "two versions of one file")
	}
}
