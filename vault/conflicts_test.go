package vault_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

var (
	fromKV = secret.Request{Group: "secret/data/task", Key: "k"}
	fromDB = secret.Request{Group: "database/creds/task", Key: "creds", GroupVersion: "db"}
)

func newInjector(t testing.TB, change func(*injector.Config), managers ...injector.SecretManager) *injector.Injector {
	t.Helper()
	cfg := injector.Config{Managers: managers}
	if change != nil {
		change(&cfg)
	}
	in, err := injector.New(cfg)
	require.NoError(t, err)
	return in
}

func podWith(annotations map[string]string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "task", Annotations: annotations},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}},
	}
}

// The id of fromKV in the default layout.
func idOf(t testing.TB) string {
	f, err := newManager(t, vault.Config{}).Mount(ctx, fromKV, mount.Target{})
	require.NoError(t, err)
	_, _, id := written(t, f)
	return id
}

// Who wins: the Pod, then Config.Annotations, then the default.
func TestPrecedence(t *testing.T) {
	for _, tc := range []struct {
		name      string
		cfg       vault.Config
		own       map[string]string
		want      map[string]string
		announced string // another directory than the Layout's
	}{
		{name: "the Pod's role", cfg: vault.Config{Role: "a", Annotations: map[string]string{p + "role": "b"}},
			own: map[string]string{p + "role": "c"}, want: map[string]string{p + "role": "c"}},
		{name: "another spelling of true", own: map[string]string{p + "agent-inject": "1", p + "agent-pre-populate": "t"},
			want: map[string]string{p + "agent-inject": "1", p + "agent-pre-populate": "t"}},
		{name: "a sidecar beside the init container", own: map[string]string{p + "agent-pre-populate-only": "false"},
			want: map[string]string{p + "agent-pre-populate-only": "false"}},
		{name: "its own order", own: map[string]string{p + "agent-init-first": "false"},
			want: map[string]string{p + "agent-init-first": "false"}},
		{name: "its own directory", own: map[string]string{p + "secret-volume-path": "/own/dir"},
			want: map[string]string{p + "secret-volume-path": "/own/dir"}, announced: "/own/dir"},
		{name: "the configured directory", cfg: vault.Config{Annotations: map[string]string{p + "secret-volume-path": "/conf"}},
			want: map[string]string{p + "secret-volume-path": "/conf"}, announced: "/conf"},
		{name: "a lock that the Pod agrees with", cfg: vault.Config{Role: "a", Locked: []string{p + "role"}},
			own: map[string]string{p + "role": "a"}, want: map[string]string{p + "role": "a"}},
		{name: "a lock on a directory", cfg: vault.Config{Locked: []string{p + "secret-volume-path"}},
			want: map[string]string{p + "secret-volume-path": "/etc/flyte/secrets"}},
		{name: "a lock on nothing", cfg: vault.Config{Locked: []string{p + "namespace"}}},
		{name: "an agent without a configuration of its own", own: map[string]string{p + "agent-configmap": ""}},
		{name: "a status that is not the mark", own: map[string]string{p + "agent-inject-status": "again"}},
		{name: "secrets of its own", own: map[string]string{p + "agent-inject-secret-mine": "mine", p + "agent-inject-perms-" + idOf(t): "0400"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			plan, err := newInjector(t, nil, newManager(t, tc.cfg)).Plan(ctx, podWith(tc.own), fromKV)
			require.NoError(t, err)
			if tc.announced == "" {
				tc.announced = "/etc/flyte/secrets"
			}
			assert.Equal(t, tc.announced+"/secret/data/task/k", plan.Placements[0].Path)
			pod := plan.Pod()
			assert.Equal(t, tc.announced, variable(pod, mount.DefaultDirVar))
			for name, value := range tc.want {
				assert.Equal(t, value, pod.Annotations[name], name)
			}
		})
	}
}

func variable(pod *corev1.Pod, name string) string {
	for _, v := range pod.Spec.Containers[0].Env {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

func TestConflicts(t *testing.T) {
	id := idOf(t)
	locked := vault.Config{Role: "a", Locked: []string{p + "role", p + "namespace", p + "agent-init-first", p + "secret-volume-path"}}
	for _, tc := range []struct {
		name   string
		cfg    vault.Config
		own    map[string]string
		at     string // the annotation
		reason string
	}{
		{"injection turned off", vault.Config{}, map[string]string{p + "agent-inject": "false"}, "agent-inject", `is "false", and secrets arrive only if it is true`},
		{"injection that is not understood", vault.Config{}, map[string]string{p + "agent-inject": "tRuE"}, "agent-inject", `is "tRuE", and secrets arrive only if it is true`},
		{"injection left empty", vault.Config{}, map[string]string{p + "agent-inject": ""}, "agent-inject", `is "", and secrets arrive only if it is true`},
		{"no init container", vault.Config{}, map[string]string{p + "agent-pre-populate": "false"}, "agent-pre-populate", `is "false", and secrets arrive only if it is true`},
		{"an agent with a configuration of its own", vault.Config{}, map[string]string{p + "agent-configmap": "mine"}, "agent-configmap", `is set, and then the agent takes no notice of the secrets asked for`},
		{"a relative directory", vault.Config{}, map[string]string{p + "secret-volume-path": "a"}, "secret-volume-path", "is not an absolute, clean path"},
		{"a directory that is not clean", vault.Config{}, map[string]string{p + "secret-volume-path": "/a/../b"}, "secret-volume-path", "is not an absolute, clean path"},
		{"the root directory", vault.Config{}, map[string]string{p + "secret-volume-path": "/"}, "secret-volume-path", "is the root directory"},
		{"no directory", vault.Config{}, map[string]string{p + "secret-volume-path": ""}, "secret-volume-path", "is empty"},
		{"a directory that Kubernetes refuses", vault.Config{}, map[string]string{p + "secret-volume-path": "/a:b"}, "secret-volume-path", `has ":", which Kubernetes refuses in a mount path`},
		{"a directory for the one secret", vault.Config{}, map[string]string{p + "secret-volume-path-" + id: "/own"}, "secret-volume-path-" + id, `is not "/etc/flyte/secrets", without which the secret does not arrive`},
		{"other delimiters on the left", vault.Config{}, map[string]string{p + "agent-template-left-delim-" + id: "[["}, "agent-template-left-delim-" + id, `is not "{{", without which the secret does not arrive`},
		{"other delimiters on the right", vault.Config{}, map[string]string{p + "agent-template-right-delim-" + id: "]]"}, "agent-template-right-delim-" + id, `is not "}}", without which the secret does not arrive`},
		{"another secret under the id", vault.Config{}, map[string]string{p + "agent-inject-secret-" + id: "other"}, "agent-inject-secret-" + id, "has another value already"},
		{"another file under the id", vault.Config{}, map[string]string{p + "agent-inject-file-" + id: "other"}, "agent-inject-file-" + id, "has another value already"},
		{"another template under the id", vault.Config{}, map[string]string{p + "agent-inject-template-" + id: "other"}, "agent-inject-template-" + id, "has another value already"},
		{"a list of other containers", vault.Config{}, map[string]string{p + "agent-inject-containers": "other"}, "agent-inject-containers", "lists other containers than those that receive secrets"},
		{"a locked role", locked, map[string]string{p + "role": "b"}, "role", "has another value already"},
		{"a locked directory", locked, map[string]string{p + "secret-volume-path": "/own"}, "secret-volume-path", "has another value already"},
		{"a locked order", locked, map[string]string{p + "agent-init-first": "false"}, "agent-init-first", "has another value already"},
		{"a locked absence", locked, map[string]string{p + "namespace": ""}, "namespace", "is locked, and pods must not have it"},
		{"the mark of an injected pod", vault.Config{}, map[string]string{p + "agent-inject-status": "injected"}, "agent-inject-status",
			`is "injected", so that the Vault Agent Injector would take no notice of "vault.hashicorp.com/agent-init-first", which is missing`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pod, err := newInjector(t, nil, newManager(t, tc.cfg)).Inject(ctx, podWith(tc.own), fromKV)
			assert.Nil(t, pod)
			var conflict *mount.ConflictError
			require.True(t, errors.As(err, &conflict), "%v", err)
			assert.Equal(t, mount.ConflictError{Field: "metadata.annotations", Name: p + tc.at, Reason: tc.reason}, *conflict)
		})
	}
}

// A Pod that the Vault Agent Injector is done with may ask again for what it
// has, and for nothing else.
func TestInjectedPods(t *testing.T) {
	in := newInjector(t, nil, newManager(t, vault.Config{}))
	done, err := in.Inject(ctx, podWith(nil), fromKV)
	require.NoError(t, err)
	done.Annotations[p+"agent-inject-status"] = "injected"
	again, err := in.Inject(ctx, done, fromKV)
	require.NoError(t, err)
	assert.Equal(t, done, again)

	for name := range done.Annotations {
		if name == p+"agent-inject-status" {
			continue
		}
		pod := done.DeepCopy()
		delete(pod.Annotations, name)
		_, err := in.Inject(ctx, pod, fromKV)
		var conflict *mount.ConflictError
		require.True(t, errors.As(err, &conflict), "without %s: %v", name, err)
		assert.Contains(t, conflict.Reason, name)
	}
	_, err = in.Inject(ctx, done, fromKV, fromDB)
	assert.ErrorContains(t, err, "which is missing", "one more")
	behind := newInjector(t, func(cfg *injector.Config) { cfg.InitOrder = mount.InitAfterSidecars }, newManager(t, vault.Config{}))
	_, err = behind.Inject(ctx, done, fromKV)
	assert.NoError(t, err, "what was first stays first")
}
