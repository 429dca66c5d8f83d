package vault_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

// Webhook.First follows the annotation that takes effect.
func TestWebhook_First(t *testing.T) {
	configured := func(value string) vault.Config {
		return vault.Config{Annotations: map[string]string{p + "agent-init-first": value}}
	}
	for _, tc := range []struct {
		name  string
		cfg   vault.Config
		order mount.InitOrder
		own   map[string]string
		want  bool
	}{
		{"default", vault.Config{}, mount.InitFirst, nil, true},
		{"after sidecars", vault.Config{}, mount.InitAfterSidecars, nil, false},
		{"configured off", configured("false"), mount.InitFirst, nil, false},
		{"configured on", configured("1"), mount.InitAfterSidecars, nil, true},
		{"own off", configured("true"), mount.InitFirst, map[string]string{p + "agent-init-first": "f"}, false},
		{"own on", configured("false"), mount.InitAfterSidecars, map[string]string{p + "agent-init-first": "T"}, true},
		{"own nonsense", vault.Config{}, mount.InitFirst, map[string]string{p + "agent-init-first": "yes, please, by all means"}, false},
		{"own empty", vault.Config{}, mount.InitFirst, map[string]string{p + "agent-init-first": ""}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			meta := &metav1.ObjectMeta{Annotations: tc.own}
			f, err := newManager(t, tc.cfg).Mount(ctx, fromKV, mount.NewTarget(mount.Layout{}, tc.order, meta))
			require.NoError(t, err)
			assert.Equal(t, tc.want, f.Webhook.First)
		})
	}
}

func TestMount_Unsupported(t *testing.T) {
	m := newManager(t, vault.Config{})
	for name, req := range map[string]secret.Request{
		"variable":           {Group: "g", Key: "k", Mount: mount.EnvVar},
		"no group":           {Key: "k"},
		"group of dots":      {Group: "./.", Key: "k"},
		"no engine":          {Group: "g", Key: "k", GroupVersion: "v1"},
		"engine in capitals": {Group: "g", Key: "k", GroupVersion: "KV2"},
		"engine's number":    {Group: "g", Key: "k", GroupVersion: "2"},
	} {
		t.Run(name, func(t *testing.T) {
			// Unsupported takes precedence over a conflict with the Pod.
			_, err := m.Mount(ctx, req, target(map[string]string{p + "agent-inject": "false"}))
			assert.ErrorIs(t, err, secret.ErrUnsupported)
		})
	}
}

// A field is not honored, so the request goes to the next manager.
func TestMount_Field(t *testing.T) {
	req := fromKV
	req.Field = "f"
	_, err := newInjector(t, nil, newManager(t, vault.Config{})).Inject(ctx, podWith(nil), req)
	assert.ErrorIs(t, err, secret.ErrUnsupported)
}

func TestMount_Mode(t *testing.T) {
	req := fromKV
	req.Mode, req.GroupVersion = 0o440, "kv2"
	f, err := newManager(t, vault.Config{}).Mount(ctx, req, mount.Target{})
	require.NoError(t, err)
	for _, annotations := range []map[string]string{f.Webhook.Annotations, f.Webhook.AliasAnnotations} {
		_, id := written(annotations)
		assert.Equal(t, "0440", annotations[p+"agent-inject-perms-"+id])
	}
	_, id := written(f.Webhook.Annotations)
	_, err = newInjector(t, nil, newManager(t, vault.Config{})).Inject(ctx, podWith(map[string]string{p + "agent-inject-perms-" + id: "0644"}), req)
	assert.ErrorContains(t, err, "agent-inject-perms-"+id, "the Pod has another mode")
}

// The agent runs on Linux only.
func TestMount_Windows(t *testing.T) {
	in, yes, no := newInjector(t, nil, newManager(t, vault.Config{})), true, false
	hostProcess := func(is *bool) *corev1.PodSecurityContext {
		return &corev1.PodSecurityContext{WindowsOptions: &corev1.WindowsSecurityContextOptions{HostProcess: is}}
	}
	windows := map[string]string{corev1.LabelOSStable: "windows"}
	for _, tc := range []struct {
		name   string
		change func(*corev1.Pod)
		served bool
	}{
		{"os", func(pod *corev1.Pod) { pod.Spec.OS = &corev1.PodOS{Name: corev1.Windows} }, false},
		{"selector", func(pod *corev1.Pod) { pod.Spec.NodeSelector = windows }, false},
		{"label", func(pod *corev1.Pod) { pod.Labels = windows }, false},
		{"host process", func(pod *corev1.Pod) { pod.Spec.SecurityContext = hostProcess(&yes) }, false},
		{"os before selector", func(pod *corev1.Pod) {
			pod.Spec.OS, pod.Spec.NodeSelector = &corev1.PodOS{Name: corev1.Linux}, windows
		}, true},
		{"selector before label", func(pod *corev1.Pod) {
			pod.Spec.NodeSelector, pod.Labels = map[string]string{corev1.LabelOSStable: "linux"}, windows
		}, true},
		{"no host process", func(pod *corev1.Pod) { pod.Spec.SecurityContext = hostProcess(&no) }, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pod := podWith(nil)
			tc.change(pod)
			_, err := in.Inject(ctx, pod, fromKV)
			if tc.served {
				assert.NoError(t, err)
				return
			}
			assert.ErrorIs(t, err, secret.ErrUnsupported)
			assert.ErrorContains(t, err, "Vault's agent cannot run in a Pod for Windows")
		})
	}
}

func TestIDs(t *testing.T) {
	seen := map[string]string{}
	mountOne := func(name string, cfg vault.Config, layout mount.Layout, req secret.Request) {
		f, err := newManager(t, cfg).Mount(ctx, req, mount.NewTarget(layout, mount.InitFirst, nil))
		require.NoError(t, err)
		for form, annotations := range map[string]map[string]string{"": f.Webhook.Annotations, ", alias": f.Webhook.AliasAnnotations} {
			_, id := written(annotations)
			if id != "" {
				assert.Empty(t, seen[id], "%s%s has the id of %s", name, form, seen[id])
				seen[id] = name + form
			}
		}
	}
	mountOne("plain", vault.Config{}, mount.Layout{}, secret.Request{Group: "a/b", Key: "c"})
	mountOne("other split", vault.Config{}, mount.Layout{}, secret.Request{Group: "a", Key: "b/c"})
	mountOne("case of key", vault.Config{}, mount.Layout{}, secret.Request{Group: "a/b", Key: "C"})
	mountOne("case of path", vault.Config{}, mount.Layout{}, secret.Request{Group: "A/b", Key: "c"})
	mountOne("other engine", vault.Config{}, mount.Layout{}, secret.Request{Group: "a/b", Key: "c", GroupVersion: "kv1"})
	mountOne("other file", vault.Config{}, mount.Layout{FilePrefix: "x"}, secret.Request{Group: "a/b", Key: "c"})
	mountOne("exact path", vault.Config{}, mount.Layout{}, secret.Request{Group: "a/b", Key: "c", Path: "a/b/C"})
	mountOne("long", vault.Config{}, mount.Layout{}, secret.Request{Group: strings.Repeat("a/", 500), Key: strings.Repeat("k", 200)})
	assert.Len(t, seen, 9)

	same := func(req secret.Request) string {
		f, err := newManager(t, vault.Config{}).Mount(ctx, req, mount.Target{})
		require.NoError(t, err)
		_, id := written(f.Webhook.Annotations)
		return id
	}
	assert.Equal(t, same(secret.Request{Group: "a/b", Key: "c"}), same(secret.Request{Group: "a/b", Key: "c", GroupVersion: "kv2"}), "one secret, one file")
}
