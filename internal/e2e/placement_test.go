package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
	"github.com/podsecrets/podsecrets/internal/vaulttest"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

const account = "arn:aws:secretsmanager:us-east-2:123456789012:secret"

// want is a request, and the value that containers must find.
type want struct {
	secret.Request
	by    string // the manager's name
	value string
}

var long = strings.Repeat("long-name.", 20)

// wanted has requests by manager and kind of mount.
var wanted = map[string][]want{
	"global":             {{Request: secret.Request{Group: "shared", Key: "token"}, by: "global", value: shared}},
	"global-variable":    {{Request: secret.Request{Group: "Shared", Key: "Token", Mount: mount.EnvVar, EnvVar: "TOKEN"}, by: "global", value: shared}},
	"global-versioned":   {{Request: secret.Request{Group: "shared", Key: "token", GroupVersion: "v1"}, by: "global", value: shared}},
	"k8s":                {{Request: secret.Request{Group: "user-info", Key: "name"}, by: "k8s", value: "Ada"}},
	"k8s-variable":       {{Request: secret.Request{Group: "user-info", Key: "name", Mount: mount.EnvVar, EnvVar: "NAME"}, by: "k8s", value: "Ada"}},
	"k8s-file":           {{Request: secret.Request{Group: "user-info", Key: "Password", Mount: mount.File, EnvVar: "PASSWORD_FILE"}, by: "k8s", value: "pa ss"}},
	"k8s-versioned":      {{Request: secret.Request{Group: "user-info", Key: "name", GroupVersion: "v1"}, by: "k8s", value: "Ada"}},
	"k8s-versioned-file": {{Request: secret.Request{Group: "User-Info", Key: "name", GroupVersion: "V1", Mount: mount.File}, by: "k8s", value: "Ada"}},
	"k8s-long":           {{Request: secret.Request{Group: long + "x", Key: long + "key"}, by: "k8s", value: "far"}},
	"k8s-long-file":      {{Request: secret.Request{Group: long + "x", Key: long + "key", Mount: mount.File}, by: "k8s", value: "far"}},
	"k8s-path":           {{Request: secret.Request{Group: "user-info", Key: "conf", Path: "Conf.d/App.yaml", EnvVar: "CONF"}, by: "k8s", value: "a: 1"}},
	"k8s-path-root":      {{Request: secret.Request{Group: "user-info", Key: "Password", Path: "App.yaml"}, by: "k8s", value: "pa ss"}},
	"k8s-two-sources":    {{Request: secret.Request{Group: "user-info", Key: "name", Path: "c/a"}, by: "k8s", value: "Ada"}, {Request: secret.Request{Group: long + "x", Key: long + "key", Path: "c/b"}, by: "k8s", value: "far"}},
	"aws":                {{Request: secret.Request{Group: account, Key: "db-AbCdEf"}, by: "aws", value: "from aws"}},
	"aws-file":           {{Request: secret.Request{Group: account, Key: "db-AbCdEf", Mount: mount.File, EnvVar: "DB_FILE"}, by: "aws", value: "from aws"}},
	"aws-path":           {{Request: secret.Request{Group: account, Key: "db-AbCdEf", Path: "Conf.d/$DB", EnvVar: "DB_FILE"}, by: "aws", value: "from aws"}},
	"aws-two":            {{Request: secret.Request{Group: account, Key: "db-AbCdEf"}, by: "aws", value: "from aws"}, {Request: secret.Request{Group: account, Key: long + "2"}, by: "aws", value: "far"}},
	"vault":              {{Request: secret.Request{Group: "secret/data/Task", Key: "Key"}, by: "vault", value: "four"}},
	"vault-file":         {{Request: secret.Request{Group: "secret/data/Task", Key: "my-key", Mount: mount.File, EnvVar: "KEY_FILE"}, by: "vault", value: "five"}},
	"vault-kv1":          {{Request: secret.Request{Group: "kv/Task", Key: "Key", GroupVersion: "kv1"}, by: "vault", value: "one"}},
	"vault-kv2":          {{Request: secret.Request{Group: "secret/data/Task", Key: "Key", GroupVersion: "kv2"}, by: "vault", value: "four"}},
	"vault-long":         {{Request: secret.Request{Group: "kv/" + long + "x", Key: long + "key", GroupVersion: "kv1"}, by: "vault", value: "far"}},
	"vault-path":         {{Request: secret.Request{Group: "kv/Task", Key: "Key", GroupVersion: "kv1", Path: "Conf.d/App", EnvVar: "KEY_FILE"}, by: "vault", value: "one"}},
}

// together returns requests for several managers in one Pod. Vault and AWS cannot
// share a directory.
func together() map[string][]want {
	all := map[string][]want{}
	join := func(name string, parts ...string) {
		for _, part := range parts {
			all[name] = append(all[name], wanted[part]...)
		}
	}
	join("all-but-vault", "global", "k8s-variable", "k8s-file", "k8s-path", "aws")
	join("all-but-aws", "global", "k8s-variable", "k8s-file", "k8s-path", "vault", "vault-kv1")
	for i := range 150 {
		all["many"] = append(all["many"], want{
			Request: secret.Request{Group: fmt.Sprintf("many-%d", i%10), Key: fmt.Sprintf("key-%d", i), Mount: mount.Type(i % 3)},
			by:      "k8s", value: fmt.Sprintf("value-%d", i),
		})
	}
	return all
}

// fill writes the requested secrets to the stores.
func fill(t *testing.T, s *apiserver.Server, ns string) stores {
	createSecret(t, s, ns, "user-info", map[string]string{"name": "Ada", "Password": "pa ss", "conf": "a: 1", "other": "wrong"})
	createSecret(t, s, ns, long+"x", map[string]string{long + "key": "far"})
	for g := range 10 {
		data := map[string]string{}
		for i := g; i < 150; i += 10 {
			data[fmt.Sprintf("key-%d", i)] = fmt.Sprintf("value-%d", i)
		}
		createSecret(t, s, ns, fmt.Sprintf("many-%d", g), data)
	}
	v := vaulttest.NewServer(t, "flyte")
	v.Write(t, "kv/Task", map[string]any{"Key": "one", "my-key": "two"})
	v.Write(t, "secret/data/Task", map[string]any{"Key": "four", "my-key": "five"})
	v.Write(t, "kv/"+long+"x", map[string]any{long + "key": "far"})
	return stores{map[string]string{account + ":db-AbCdEf": "from aws", account + ":" + long + "2": "far"}, v}
}

func TestReview_StoredPods(t *testing.T) {
	ns := server.Namespace(t, restricted)
	unverified(t, client, ns)
	from := fill(t, server, ns)
	for name, wants := range wanted {
		t.Run(name, func(t *testing.T) { testStored(t, server, ns, from, wants) })
	}
	for name, wants := range together() {
		t.Run(name, func(t *testing.T) { testStored(t, server, ns, from, wants) })
	}
}

// testStored creates Pods of several shapes, and reads the secrets at the library's
// placements and as Flyte's client does.
func testStored(t *testing.T, s *apiserver.Server, ns string, from stores, wants []want) {
	var reqs []secret.Request
	for _, w := range wants {
		reqs = append(reqs, w.Request)
	}
	for shape, pod := range shapes(t, reqs...) {
		t.Run(shape, func(t *testing.T) {
			placements := plan(t, pod, reqs)
			stored := createIn(t, s, ns, pod)
			seen := runPod(t, s, stored, from)
			require.Len(t, seen, len(pod.Spec.InitContainers)+len(pod.Spec.Containers))
			for name, in := range seen {
				for i, w := range wants {
					assert.Equal(t, w.by, placements[i].Manager, "%v", w.Request)
					assertPlaced(t, in, placements[i], w.value, name)
					assertFound(t, in, w, name)
				}
			}
		})
	}
}

// plan returns the library's placements.
func plan(t *testing.T, pod *corev1.Pod, reqs []secret.Request) []injector.Placement {
	in, err := injector.New(injector.Config{Managers: managers(t)})
	require.NoError(t, err)
	p, err := in.Plan(t.Context(), pod, reqs...)
	require.NoError(t, err)
	return p.Placements
}

// managers returns the managers of everyManager.
func managers(t *testing.T) []injector.SecretManager {
	g, err := global.New(global.Config{Source: sharedToken{}})
	require.NoError(t, err)
	a, err := awssm.New(awssm.Config{})
	require.NoError(t, err)
	k, err := k8ssecret.New(k8ssecret.Config{})
	require.NoError(t, err)
	v, err := vault.New(vault.Config{})
	require.NoError(t, err)
	return []injector.SecretManager{g, a, k, v}
}

func assertPlaced(t *testing.T, in view, p injector.Placement, value, container string) {
	t.Helper()
	if p.Mount == mount.EnvVar {
		assert.Equal(t, value, in.env[p.EnvVar], "%s in %s", p.EnvVar, container)
		if p.Request.EnvVar != "" {
			assert.Equal(t, value, in.env[p.Request.EnvVar], "%s in %s", p.Request.EnvVar, container)
		}
		return
	}
	content, found := in.file(p.Path)
	assert.True(t, found, "%s in %s", p.Path, container)
	assert.Equal(t, value, content, "%s in %s", p.Path, container)
	if p.Request.EnvVar != "" {
		assert.Equal(t, p.Path, in.env[p.Request.EnvVar], "%s in %s", p.Request.EnvVar, container)
	}
}

// assertFound asserts that Flyte's client finds the secret, with the version and
// without, unless the request has an exact path.
func assertFound(t *testing.T, in view, w want, container string) {
	t.Helper()
	for _, version := range []string{"", w.GroupVersion} {
		value, found := in.get(w.Group, version, w.Key)
		assert.Equal(t, w.Path == "", found, "%v, called with version %q in %s", w.Request, version, container)
		if found {
			assert.Equal(t, w.value, value, "%v, called with version %q in %s", w.Request, version, container)
		}
	}
}

// Other containers do not see secrets that are requested for one container.
func TestReview_OneContainer(t *testing.T) {
	ns := server.Namespace(t, restricted)
	from := fill(t, server, ns)
	all := want{Request: secret.Request{Group: "user-info", Key: "name", Mount: mount.File}, by: "k8s", value: "Ada"}
	one := []want{
		{Request: secret.Request{Group: "user-info", Key: "Password", Mount: mount.File, Container: "web"}, by: "k8s", value: "pa ss"},
		{Request: secret.Request{Group: "user-info", Key: "other", EnvVar: "OTHER", Container: "web"}, by: "k8s", value: "wrong"},
		{Request: secret.Request{Group: account, Key: "db-AbCdEf", Container: "web"}, by: "aws", value: "from aws"},
	}
	pod := newPod(t, all.Request, one[0].Request, one[1].Request, one[2].Request)
	pod.Spec.Containers = append(pod.Spec.Containers, container("web"))
	seen := runPod(t, server, create(t, ns, pod), from)
	assertFound(t, seen["app"], all, "app")
	assertFound(t, seen["web"], all, "web")
	for _, w := range one {
		assertFound(t, seen["web"], w, "web")
		_, found := seen["app"].get(w.Group, w.GroupVersion, w.Key)
		assert.False(t, found, "%v in app", w.Request)
	}
	assert.Equal(t, "wrong", seen["web"].env["OTHER"])
	assert.NotContains(t, seen["app"].env, "OTHER")
}
