package node

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// newManager constructs a manager.
type newManager = func(testing.TB) injector.SecretManager

var k8sRequired = manager(k8ssecret.New, k8ssecret.Config{Required: true})

// inject returns the injected Pod.
func inject(t testing.TB, cfg injector.Config, pod *corev1.Pod, managers []newManager, reqs ...secret.Request) *corev1.Pod {
	t.Helper()
	for _, m := range managers {
		cfg.Managers = append(cfg.Managers, m(t))
	}
	in, err := injector.New(cfg)
	require.NoError(t, err)
	injected, err := in.Inject(t.Context(), pod, reqs...)
	require.NoError(t, err)
	return injected
}

// namespace creates a namespace with the tests' Secrets.
func namespace(t testing.TB, labels map[string]string) string {
	t.Helper()
	ns := server.Namespace(t, labels)
	fill(t, ns)
	return ns
}

func ask(key string, as mount.Type) secret.Request {
	return secret.Request{Group: "user-info", Key: key, Mount: as}
}

// The kubelet expands "$(NAME)" and "$$" in the Pod's values, but not in values of
// Secrets and env files, nor in the library's literals.
func TestNode_Expansion(t *testing.T) {
	t.Parallel()
	pod := newPod()
	c := &pod.Spec.Containers[0]
	c.Env = []corev1.EnvVar{{Name: "EARLY", Value: "early"}}
	c.Args = []string{"--", "$(GLOBAL)", "$(SECRET)", "$$(SECRET)", "$(NONE)", "$$$(EARLY)"}
	pod = inject(t, injector.Config{}, pod, []newManager{theGlobal, k8s},
		secret.Request{Group: "shared", Key: "token", EnvVar: "GLOBAL"},
		secret.Request{Group: "db.prod", Key: "pass.word", EnvVar: "SECRET"})
	c = &pod.Spec.Containers[0]
	c.Env = append(c.Env, corev1.EnvVar{Name: "LATE", Value: "$$ $(SECRET) $(NONE)"})
	report := read(t, namespace(t, restricted), pod)["app"]
	assertSame(t, tricky, report.Env["GLOBAL"], "our literal")
	assertSame(t, line, report.Env["SECRET"], "our reference")
	assertSame(t, []byte("$ "+string(line)+" $(NONE)"), report.Env["LATE"], "the Pod's own variable after ours")
	assert.Equal(t, []string{"--", string(tricky), string(line), "$(SECRET)", "$(NONE)", "$early"}, report.Args)
}

// The Pod runs without missing optional secrets.
func TestNode_OptionalMissing(t *testing.T) {
	t.Parallel()
	none := secret.Request{Group: "none", Key: "a", EnvVar: "A"}
	file := secret.Request{Group: "none", Key: "b", Mount: mount.File, EnvVar: "B"}
	key, keyFile := ask("none", mount.EnvVar), ask("nothing", mount.File)
	pod := inject(t, injector.Config{}, newPod(), []newManager{k8s}, none, file, key, keyFile, ask("Name", mount.File))
	report := read(t, namespace(t, restricted), pod, none, file, key, keyFile, ask("Name", mount.File))["app"]
	assert.NotContains(t, report.Env, "A")
	assert.Equal(t, "/etc/flyte/secrets/none/b", string(report.Env["B"]))
	assert.Equal(t, []string{"", "", "", "", "file"}, []string{
		report.Results[0].From, report.Results[1].From, report.Results[2].From, report.Results[3].From, report.Results[4].From,
	})
	assert.Len(t, report.Files, 1, "only the existing one")
}

// The Pod waits for a missing required secret.
func TestNode_RequiredLate(t *testing.T) {
	t.Parallel()
	for slug, row := range map[string]struct {
		as  mount.Type
		why string
	}{
		"variable": {mount.EnvVar, `secret "late" not found`},
		"file":     {mount.File, `secret "late" not found`},
	} {
		t.Run(slug, func(t *testing.T) {
			t.Parallel()
			ns := server.Namespace(t, restricted)
			req := secret.Request{Group: "late", Key: "a", Mount: row.as}
			pod := inject(t, injector.Config{}, newPod(), []newManager{k8sRequired}, req)
			pod.Spec.Containers[0].Args = []string{"-ask=" + calls(t, []secret.Request{req})}
			pod = create(t, ns, pod)
			assertRefused(t, pod, row.why)
			createSecret(t, ns, "late", map[string][]byte{"a": binary[1:128]})
			assertSame(t, binary[1:128], reports(t, pod)["app"].Results[0].Value, slug)
		})
	}
}

// Other users cannot read a file that only root may read, unless the Pod has an
// fsGroup.
func TestNode_FSGroup(t *testing.T) {
	t.Parallel()
	ns := namespace(t, restricted)
	req := ask("tricky", mount.File)
	req.Mode = 0o400
	for slug, group := range map[string]*int64{"without": nil, "with": ptr(int64(2000))} {
		t.Run(slug, func(t *testing.T) {
			t.Parallel()
			pod := newPod()
			pod.Spec.SecurityContext = &corev1.PodSecurityContext{FSGroup: group}
			// The kubelet's files belong to root's group, so runAsGroup is another.
			pod.Spec.Containers[0].SecurityContext.RunAsUser, pod.Spec.Containers[0].SecurityContext.RunAsGroup = ptr(int64(1000)), ptr(int64(1000))
			pod = inject(t, injector.Config{}, pod, []newManager{k8s}, req)
			report := read(t, ns, pod, req)["app"]
			require.Equal(t, [2]int{1000, 1000}, [2]int{report.UID, report.GID})
			canRead := injectortest.CanRead(pod, "app", req)
			if group == nil {
				assert.Empty(t, report.Results[0].From)
				assert.Contains(t, report.Errs["/etc/flyte/secrets/user-info/tricky"], "permission denied")
				assert.ErrorContains(t, canRead, "mode")
				return
			}
			assertSame(t, tricky, report.Results[0].Value, slug)
			assert.Equal(t, "-r--r----- 0:2000", report.Modes["/etc/flyte/secrets/user-info/tricky"])
			assert.NoError(t, canRead)
		})
	}
}

// Secrets are readable in a Pod with a user namespace. A node without support for
// user namespaces refuses the Pod with that reason.
func TestNode_UserNamespace(t *testing.T) {
	t.Parallel()
	reqs := []secret.Request{ask("Name", mount.EnvVar), ask("tricky", mount.File), {Group: arn, Key: "tricky-AbCdEf", Mount: mount.File}}
	pod := newPod()
	pod.Spec.HostUsers = ptr(false)
	pod.Spec.Containers[0].Args = []string{"-ask=" + calls(t, reqs)}
	pod = create(t, namespace(t, restricted), inject(t, injector.Config{}, pod, []newManager{awsStock, k8s}, reqs...))
	pod = until(t, pod, "the Pod ends or is refused", func(p *corev1.Pod) bool {
		return hasEnded(p) || strings.Contains(describePod(p), noUserNamespaces)
	})
	if !hasEnded(pod) {
		t.Log("this node has no user namespaces")
		return
	}
	report := reports(t, pod)["app"]
	assert.NotEqual(t, "0 0 4294967295", report.UIDMap)
	for i, want := range [][]byte{[]byte("Ada"), tricky, tricky} {
		assertSame(t, want, report.Results[i].Value, reqs[i].Key)
	}
}

// noUserNamespaces is part of the kubelet's message.
const noUserNamespaces = "user namespaces"

// Containers read secrets with a read-only root, with a mount below the fetched files,
// and after native sidecars, in both orders of init containers.
func TestNode_Order(t *testing.T) {
	t.Parallel()
	ns := namespace(t, restricted)
	reqs := []secret.Request{{Group: arn, Key: "tricky-AbCdEf"}, ask("Name", mount.File), ask("line", mount.EnvVar)}
	for _, order := range []mount.InitOrder{mount.InitFirst, mount.InitAfterSidecars} {
		t.Run(order.String(), func(t *testing.T) {
			t.Parallel()
			pod := newPod()
			pod.Spec.InitContainers = []corev1.Container{container("before"), sidecar("mesh"), container("after")}
			eachContainer(pod, func(c *corev1.Container) { c.SecurityContext.ReadOnlyRootFilesystem = ptr(true) })
			seen := read(t, ns, inject(t, injector.Config{InitOrder: order}, pod, []newManager{awsStock, k8s}, reqs...), reqs...)
			require.Len(t, seen, 4)
			for name, report := range seen {
				assert.Contains(t, report.Root, "read-only file system", name)
				fetched := order == mount.InitFirst || name == "after" || name == "app"
				assert.Equal(t, fetched, report.Results[0].From == "file", "%s: the fetched secret", name)
				if fetched {
					assertSame(t, tricky, report.Results[0].Value, name)
				}
				assertSame(t, []byte("Ada"), report.Results[1].Value, name)
				assert.Contains(t, report.Mounts, "/etc/flyte/secrets/user-info", "mounted below the fetched files")
			}
		})
	}
}

// One init container fetches a hundred secrets.
func TestNode_HundredSecrets(t *testing.T) {
	t.Parallel()
	var reqs []secret.Request
	for i := range 100 {
		reqs = append(reqs, secret.Request{Group: arn, Key: many(i), Mount: []mount.Type{mount.EnvVar, mount.File}[i%2]})
	}
	pod := newPod()
	pod.Spec.HostNetwork = true
	pod = inject(t, injector.Config{}, pod, []newManager{awsFetch}, reqs...)
	require.Len(t, pod.Spec.InitContainers, 1)
	report := read(t, server.Namespace(t, nil), pod, reqs...)["app"]
	for i, a := range report.Results {
		assert.Equal(t, []string{"variable", "file"}[i%2], a.From)
		assertSame(t, manyValue(i), a.Value, reqs[i].Key)
	}
}

// Deleting a Pod that is fetching does not wait for the store.
func TestNode_DeletedWhileFetching(t *testing.T) {
	t.Parallel()
	pod := newPod()
	pod.Spec.HostNetwork = true
	pod.Spec.TerminationGracePeriodSeconds = ptr(int64(600))
	pod = inject(t, injector.Config{}, pod, []newManager{awsFetch}, secret.Request{Group: arn, Key: "slow", Mount: mount.File})
	pod = create(t, server.Namespace(t, nil), pod)
	select {
	case <-stores.slow:
	case <-time.After(*patience):
		t.Fatal("the store got no request")
	}
	require.NoError(t, client.CoreV1().Pods(pod.Namespace).Delete(t.Context(), pod.Name, metav1.DeleteOptions{}))
	untilGone(t, pod)
}
