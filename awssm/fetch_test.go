package awssm_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/internal/fetch"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

var fetching = awssm.Config{Fetcher: awssm.Fetch, Image: "registry.example.com/fetch:v1", EnvFiles: true}

func TestFetch_Conformance(t *testing.T) {
	file := func(group, key string) secret.Request {
		return secret.Request{Group: group, Key: key, Mount: mount.File}
	}
	injectortest.Run(t, newManager(t, fetching),
		injectortest.Case{Name: "arn", Request: file(account, "db-AbCdEf"), Want: injectortest.File},
		injectortest.Case{Name: "arn-as-group", Request: file(account+":token-AbCdEf", "value"), Want: injectortest.File},
		injectortest.Case{Name: "name", Request: file("prod/db", ""), Want: injectortest.File},
		injectortest.Case{Name: "name-and-key", Request: file("prod/other", "Password"), Want: injectortest.File},
		injectortest.Case{Name: "name-in-key", Request: file("", "single"), Want: injectortest.File},
		injectortest.Case{Name: "any", Request: secret.Request{Group: "prod/any"}, Want: injectortest.Variable},
		injectortest.Case{Name: "variable", Request: secret.Request{Group: account, Key: "v-AbCdEf", Mount: mount.EnvVar, EnvVar: "V"}, Want: injectortest.Variable},
		injectortest.Case{Name: "field", Request: secret.Request{Group: "prod/json", Field: "password", EnvVar: "PW", Mount: mount.EnvVar}, Want: injectortest.Variable},
		injectortest.Case{Name: "mode", Request: secret.Request{Group: "prod/mode", Mode: 0o400}, Want: injectortest.File},
		injectortest.Case{Name: "json-key", Request: file(account, "db-AbCdEf:password::"), Want: injectortest.Unsupported},
		injectortest.Case{Name: "no-region", Request: file("arn:aws:secretsmanager::123456789012:secret", "x"), Want: injectortest.Unsupported},
		injectortest.Case{Name: "short-account", Request: file("arn:aws:secretsmanager:us-east-2:1:secret", "x"), Want: injectortest.Unsupported},
		injectortest.Case{Name: "no-secret", Request: file("arn:aws:iam::123456789012:role", "x"), Want: injectortest.Unsupported},
		injectortest.Case{Name: "version", Request: secret.Request{Group: "prod/db", GroupVersion: "1"}, Want: injectortest.Unsupported},
		injectortest.Case{Name: "no-name", Request: file("a b", ""), Want: injectortest.Unsupported},
	)
}

func TestFetch_Items(t *testing.T) {
	for name, tc := range map[string]struct {
		req   secret.Request
		want  fetch.Item
		reads string
	}{
		"arn":        {secret.Request{Group: account, Key: "db"}, fetch.Item{ID: account + ":db", File: account + "/db"}, account + ":db"},
		"name":       {secret.Request{Group: "prod/db", Key: "Password", Field: "password", Mode: 0o400}, fetch.Item{ID: "prod/db", File: "prod/db/password", Field: "password", Mode: 0o400}, ""},
		"exact-path": {secret.Request{Group: "prod/db", Path: "DB/pw"}, fetch.Item{ID: "prod/db", File: "DB/pw"}, ""},
		"upper-case": {secret.Request{Key: "Single"}, fetch.Item{ID: "Single", File: "single"}, ""},
	} {
		tc.req.Mount = mount.File
		f, err := newManager(t, fetching).Mount(ctx, tc.req, mount.Target{})
		require.NoError(t, err, name)
		var got fetch.Item
		require.NoError(t, json.Unmarshal([]byte(f.InitContainers[0].Env[0].Value), &got))
		assert.Equal(t, tc.want, got, name)
		assert.Equal(t, tc.reads, f.Reads.Name, name)
	}
}

// One container fetches all secrets, as files and as variables.
func TestFetch_OneContainer(t *testing.T) {
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{newManager(t, awssm.Config{
		Fetcher: awssm.Fetch, Image: "registry.example.com/fetch:v1", EnvFiles: true, Region: "eu-central-1", AssignedUser: true,
	})}})
	require.NoError(t, err)
	pod, err := in.Inject(ctx, injectortest.Pod(), secret.Request{Group: "a", Mount: mount.File}, secret.Request{Group: "b", EnvVar: "B"}, secret.Request{Group: account, Key: "c", Mount: mount.File})
	require.NoError(t, err)
	require.Len(t, pod.Spec.InitContainers, 1)
	c := pod.Spec.InitContainers[0]
	assert.Equal(t, []corev1.EnvVar{{Name: fetch.StoreVar, Value: "aws"}, {Name: "AWS_REGION", Value: "eu-central-1"}}, c.Env[:2])
	assert.Len(t, c.Env, 5)
	assert.Nil(t, c.SecurityContext.RunAsUser, "the cluster chooses it")
}

func TestNew_Fetch(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  awssm.Config
		want string
	}{
		"image":           {awssm.Config{Fetcher: awssm.Fetch}, "awssm: Image is empty"},
		"stock-env-files": {awssm.Config{EnvFiles: true}, "awssm: EnvFiles requires Fetcher Fetch"},
		"stock-region":    {awssm.Config{Region: "eu-central-1"}, "awssm: Region requires Fetcher Fetch"},
		"region":          {awssm.Config{Fetcher: awssm.Fetch, Image: "i", Region: "evil.example/"}, `awssm: Region "evil.example/" is not a valid region name`},
		"undefined":       {awssm.Config{Fetcher: 2}, "awssm: Fetcher 2 is not defined"},
		"two-users":       {awssm.Config{AssignedUser: true, RunAsUser: ptr[int64](1)}, "awssm: RunAsUser 1 conflicts with AssignedUser, which lets the cluster choose the user"},
	} {
		_, err := awssm.New(tc.cfg)
		assert.EqualError(t, err, tc.want, name)
	}
}
