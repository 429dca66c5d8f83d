package vault_test

import (
	"errors"
	"fmt"
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

// idOf returns the id of fromKV in the default layout.
func idOf(t testing.TB) string {
	f, err := newManager(t, vault.Config{}).Mount(ctx, fromKV, mount.Target{})
	require.NoError(t, err)
	_, id := written(f.Webhook.Annotations)
	return id
}

// The Pod takes precedence, then Config.Annotations, then the default.
func TestAnnotations_Precedence(t *testing.T) {
	for _, tc := range []struct {
		name      string
		cfg       vault.Config
		own       map[string]string
		want      map[string]string
		announced string // the directory, if it is not the Layout's
	}{
		{name: "role", cfg: vault.Config{Role: "a", Annotations: map[string]string{p + "role": "b"}},
			own: map[string]string{p + "role": "c"}, want: map[string]string{p + "role": "c"}},
		{name: "other true values", own: map[string]string{p + "agent-inject": "1", p + "agent-pre-populate": "t"},
			want: map[string]string{p + "agent-inject": "1", p + "agent-pre-populate": "t"}},
		{name: "sidecar", own: map[string]string{p + "agent-pre-populate-only": "false"},
			want: map[string]string{p + "agent-pre-populate-only": "false"}},
		{name: "order", own: map[string]string{p + "agent-init-first": "false"},
			want: map[string]string{p + "agent-init-first": "false"}},
		{name: "dir", own: map[string]string{p + "secret-volume-path": "/own/dir"},
			want: map[string]string{p + "secret-volume-path": "/own/dir"}, announced: "/own/dir"},
		{name: "configured dir", cfg: vault.Config{Annotations: map[string]string{p + "secret-volume-path": "/conf"}},
			want: map[string]string{p + "secret-volume-path": "/conf"}, announced: "/conf"},
		{name: "locked role", cfg: vault.Config{Role: "a", Locked: []string{p + "role"}},
			own: map[string]string{p + "role": "a"}, want: map[string]string{p + "role": "a"}},
		{name: "locked dir", cfg: vault.Config{Locked: []string{p + "secret-volume-path"}},
			want: map[string]string{p + "secret-volume-path": "/etc/flyte/secrets"}},
		{name: "locked absence", cfg: vault.Config{Locked: []string{p + "namespace"}}},
		{name: "empty configmap", own: map[string]string{p + "agent-configmap": ""}},
		{name: "other status", own: map[string]string{p + "agent-inject-status": "again"}},
		{name: "own secrets", own: map[string]string{p + "agent-inject-secret-mine": "mine", p + "agent-inject-perms-" + idOf(t): "0400"}},
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
		{"off", vault.Config{}, map[string]string{p + "agent-inject": "false"}, "agent-inject", `is "false": must be true, or no secrets arrive`},
		{"odd case", vault.Config{}, map[string]string{p + "agent-inject": "tRuE"}, "agent-inject", `is "tRuE": must be true, or no secrets arrive`},
		{"empty", vault.Config{}, map[string]string{p + "agent-inject": ""}, "agent-inject", `is "": must be true, or no secrets arrive`},
		{"no init", vault.Config{}, map[string]string{p + "agent-pre-populate": "false"}, "agent-pre-populate", `is "false": must be true, or no secrets arrive`},
		{"configmap", vault.Config{}, map[string]string{p + "agent-configmap": "mine"}, "agent-configmap", `is set: the agent would ignore the requested secrets`},
		{"relative dir", vault.Config{}, map[string]string{p + "secret-volume-path": "a"}, "secret-volume-path", "is not an absolute, clean path"},
		{"unclean dir", vault.Config{}, map[string]string{p + "secret-volume-path": "/a/../b"}, "secret-volume-path", "is not an absolute, clean path"},
		{"root", vault.Config{}, map[string]string{p + "secret-volume-path": "/"}, "secret-volume-path", "is the root directory"},
		{"empty dir", vault.Config{}, map[string]string{p + "secret-volume-path": ""}, "secret-volume-path", "is empty"},
		{"colon in dir", vault.Config{}, map[string]string{p + "secret-volume-path": "/a:b"}, "secret-volume-path", `contains ":", which Kubernetes does not allow in a mount path`},
		{"dir of secret", vault.Config{}, map[string]string{p + "secret-volume-path-" + id: "/own"}, "secret-volume-path-" + id, `must be "/etc/flyte/secrets", or the secret does not arrive`},
		{"left delimiter", vault.Config{}, map[string]string{p + "agent-template-left-delim-" + id: "[["}, "agent-template-left-delim-" + id, `must be "{{", or the secret does not arrive`},
		{"right delimiter", vault.Config{}, map[string]string{p + "agent-template-right-delim-" + id: "]]"}, "agent-template-right-delim-" + id, `must be "}}", or the secret does not arrive`},
		{"secret", vault.Config{}, map[string]string{p + "agent-inject-secret-" + id: "other"}, "agent-inject-secret-" + id, "already has a different value"},
		{"file", vault.Config{}, map[string]string{p + "agent-inject-file-" + id: "other"}, "agent-inject-file-" + id, "already has a different value"},
		{"template", vault.Config{}, map[string]string{p + "agent-inject-template-" + id: "other"}, "agent-inject-template-" + id, "already has a different value"},
		{"containers", vault.Config{}, map[string]string{p + "agent-inject-containers": "other"}, "agent-inject-containers", "does not list all containers that receive secrets"},
		{"locked role", locked, map[string]string{p + "role": "b"}, "role", "already has a different value"},
		{"locked dir", locked, map[string]string{p + "secret-volume-path": "/own"}, "secret-volume-path", "already has a different value"},
		{"locked order", locked, map[string]string{p + "agent-init-first": "false"}, "agent-init-first", "already has a different value"},
		{"locked absence", locked, map[string]string{p + "namespace": ""}, "namespace", "is locked: the pod must not set it"},
		{"status", vault.Config{}, map[string]string{p + "agent-inject-status": "injected"}, "agent-inject-status",
			`is "injected", but the pod has none of the containers that the other webhook adds`},
		{"own file", vault.Config{}, map[string]string{p + "agent-inject-secret-mine": "other", p + "agent-inject-file-mine": "secret/data/task/k"}, "agent-inject-file-mine",
			"makes the other webhook write or hide a file of a secret"},
		{"own file by id", vault.Config{Annotations: map[string]string{p + "secret-volume-path": "/etc/flyte"}}, map[string]string{p + "agent-inject-secret-Secret": "other"}, "agent-inject-secret-Secret",
			"makes the other webhook write or hide a file of a secret"},
		{"own volume", vault.Config{}, map[string]string{p + "agent-inject-secret-mine": "other", p + "agent-inject-file-mine": "x", p + "secret-volume-path-mine": "/etc/flyte/secrets/secret/data"}, "agent-inject-file-mine",
			"makes the other webhook write or hide a file of a secret"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pod, err := newInjector(t, nil, newManager(t, tc.cfg)).Inject(ctx, podWith(tc.own), fromKV)
			assert.Nil(t, pod)
			var conflict *mount.ConflictError
			require.True(t, errors.As(err, &conflict), "%v", err)
			assert.Equal(t, mount.ConflictError{
				Path: "metadata.annotations[" + p + tc.at + "]", Field: "metadata.annotations", Name: p + tc.at, Reason: tc.reason,
			}, *conflict)
		})
	}
}

// The alias' annotations are checked too.
func TestConflicts_Alias(t *testing.T) {
	req := fromKV
	req.GroupVersion = "kv2"
	m := newManager(t, vault.Config{})
	f, err := m.Mount(ctx, req, mount.Target{})
	require.NoError(t, err)
	_, id := written(f.Webhook.AliasAnnotations)
	for _, name := range []string{"secret-volume-path-", "agent-template-left-delim-", "agent-template-right-delim-"} {
		_, err := newInjector(t, nil, m).Inject(ctx, podWith(map[string]string{p + name + id: "other"}), req)
		var conflict *mount.ConflictError
		require.True(t, errors.As(err, &conflict), "%v", err)
		assert.Equal(t, p+name+id, conflict.Name)
	}
	// Another secret with its id is not overwritten; the alias gives way.
	own := map[string]string{p + "agent-inject-secret-" + id: "other", p + "agent-inject-file-" + id: "elsewhere"}
	pod, err := newInjector(t, nil, m).Inject(ctx, podWith(own), req)
	require.NoError(t, err)
	assert.Equal(t, "other", pod.Annotations[p+"agent-inject-secret-"+id])
	assert.NotContains(t, pod.Annotations, p+"agent-inject-template-"+id)
}

// ran returns the Pod as the Vault Agent Injector leaves it.
func ran(pod *corev1.Pod) *corev1.Pod {
	pod = pod.DeepCopy()
	pod.Annotations[p+"agent-inject-status"] = "injected"
	volume := corev1.VolumeMount{Name: "vault-secrets", MountPath: pod.Annotations[p+"secret-volume-path"]}
	pod.Spec.InitContainers = append([]corev1.Container{{Name: "vault-agent-init", VolumeMounts: []corev1.VolumeMount{volume}}}, pod.Spec.InitContainers...)
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		c.VolumeMounts = append(c.VolumeMounts, volume)
	}
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "vault-secrets"})
	return pod
}

// A Pod that the Vault Agent Injector has changed may ask again for the same secrets,
// and for no others. The status annotation counts only if the Pod shows the changes.
func TestInjected(t *testing.T) {
	in := newInjector(t, nil, newManager(t, vault.Config{}))
	once, err := in.Inject(ctx, podWith(nil), fromKV)
	require.NoError(t, err)
	injected := ran(once)
	again, err := in.Inject(ctx, injected, fromKV)
	require.NoError(t, err)
	assert.Equal(t, injected, again)

	conflict := func(pod *corev1.Pod, reqs ...secret.Request) string {
		t.Helper()
		_, err := in.Inject(ctx, pod, reqs...)
		var conflict *mount.ConflictError
		require.True(t, errors.As(err, &conflict), "%v", err)
		assert.Equal(t, p+"agent-inject-status", conflict.Name)
		return conflict.Reason
	}
	for name := range once.Annotations {
		pod := injected.DeepCopy()
		delete(pod.Annotations, name)
		assert.Contains(t, conflict(pod, fromKV), fmt.Sprintf("is \"injected\", but %q is missing, and the other webhook will not read it", name))
	}
	assert.Contains(t, conflict(injected, fromKV, fromDB), "is missing, and the other webhook will not read it", "one more request")

	pod := injected.DeepCopy()
	pod.Spec.InitContainers = nil
	assert.Equal(t, `is "injected", but the pod has none of the containers that the other webhook adds`, conflict(pod, fromKV))
	pod = injected.DeepCopy()
	pod.Spec.Containers[0].VolumeMounts = nil
	assert.Equal(t, `is "injected", but container "app" does not have its volume at "/etc/flyte/secrets"`, conflict(pod, fromKV))
	pod = injected.DeepCopy()
	pod.Spec.Containers[0].VolumeMounts[0].MountPath = "/vault/secrets"
	assert.Equal(t, `is "injected", but container "app" does not have its volume at "/etc/flyte/secrets"`, conflict(pod, fromKV))

	last := newInjector(t, func(cfg *injector.Config) { cfg.InitOrder = mount.InitAfterSidecars }, newManager(t, vault.Config{}))
	_, err = last.Inject(ctx, injected, fromKV)
	assert.NoError(t, err, "the order does not change afterwards")
}

// The alias is optional: a Pod that was injected without it does not get it later.
func TestInjected_WithoutAlias(t *testing.T) {
	in := newInjector(t, nil, newManager(t, vault.Config{}))
	without, with := fromKV, fromKV
	with.GroupVersion = "kv2"
	once, err := in.Inject(ctx, podWith(nil), without)
	require.NoError(t, err)
	injected := ran(once)
	again, err := in.Inject(ctx, injected, with)
	require.NoError(t, err)
	assert.Equal(t, injected, again)
}

// The Pod's own list of containers is accepted if it has all receivers.
func TestContainers_Annotation(t *testing.T) {
	const name = p + "agent-inject-containers"
	webOnly := func(cfg *injector.Config) {
		cfg.Containers = func(c mount.Container) bool { return c.Name == "web" }
	}
	onlyWeb := ofContainer(fromKV, "web")
	for _, tc := range []struct {
		name, own string
		change    func(*injector.Config)
		req       secret.Request
		refused   bool
	}{
		{"all", "app,web", nil, fromKV, false},
		{"more", "web,other,app", nil, fromKV, false},
		{"too few", "app", nil, fromKV, true},
		{"with space", "app, web", nil, fromKV, true}, // that injector compares exact names
		{"chosen", "web", webOnly, fromKV, false},
		{"chosen, and more", "app,web", webOnly, fromKV, false},
		{"chosen, missing", "app", webOnly, fromKV, true},
		{"named", "web", nil, onlyWeb, false},
		{"named, missing", "app", nil, onlyWeb, true},
		{"empty", "", webOnly, fromKV, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pod := podWith(map[string]string{name: tc.own})
			pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: "web"})
			pod, err := newInjector(t, tc.change, newManager(t, vault.Config{})).Inject(ctx, pod, tc.req)
			if tc.refused {
				assert.ErrorContains(t, err, "does not list all containers that receive secrets")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tc.own, pod.Annotations[name])
		})
	}
}
