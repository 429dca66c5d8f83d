package node

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// refusal is a Pod that must not start, and the reason in "kubectl describe".
type refusal struct {
	slug        string
	manager     newManager
	req         secret.Request
	edit        func(*corev1.Pod)
	hostNetwork bool
	why         string
	log         string // a text in the container's log
}

var refusals = []refusal{
	{slug: "k8s-variable", manager: k8sRequired, req: secret.Request{Group: "none", Key: "k", Mount: mount.EnvVar}, why: `secret "none" not found`},
	{slug: "k8s-variable-key", manager: k8sRequired, req: ask("none", mount.EnvVar), why: "couldn't find key none in Secret"},
	{slug: "k8s-file", manager: k8sRequired, req: secret.Request{Group: "none", Key: "k", Mount: mount.File}, why: `secret "none" not found`},
	{slug: "k8s-file-key", manager: k8sRequired, req: ask("none", mount.File), why: "references non-existent secret key: none"},
	{slug: "k8s-not-utf8", manager: k8s, req: ask("latin1", mount.EnvVar), why: "invalid UTF-8"},
	{slug: "k8s-too-long", manager: k8s, req: ask("longer", mount.EnvVar), why: "Exit Code: 1", log: "argument list too long"},
	{slug: "k8s-nul", manager: k8s, req: ask("nul", mount.EnvVar), why: "can't contain null"},
	{slug: "csi-class", manager: theCSI, req: secret.Request{Group: "nobodys", Key: "k", Mount: mount.File}, why: "failed to get secretproviderclass nobodys"},
	{slug: "gcp-stock", manager: gcpStock, req: secret.Request{Group: "none", Key: "k", Mount: mount.File}, why: "Exit Code: 1"},
	{slug: "azure-stock", manager: azureStock, req: secret.Request{Group: "none", Key: "k", Mount: mount.File}, why: "Exit Code: 1"},
	{slug: "aws-fetch", manager: awsFetch, hostNetwork: true, req: secret.Request{Group: arn, Key: "none", Mount: mount.File}, why: "not found: secretsmanager.eu-west-1.amazonaws.com"},
	{slug: "gcp-fetch", manager: gcpFetch, hostNetwork: true, req: secret.Request{Group: "none", Key: "k", Mount: mount.File}, why: "not found: secretmanager.googleapis.com"},
	{slug: "azure-fetch", manager: azureFetch, hostNetwork: true, req: secret.Request{Group: "none", Key: "k", Mount: mount.File}, why: "not found: team.vault.azure.net"},
	{slug: "aws-fetch-quote", manager: awsFetch, hostNetwork: true, req: secret.Request{Group: arn, Key: "quote", Mount: mount.EnvVar}, why: "single quote"},
	{slug: "env-file-missing", manager: awsFetch, req: secret.Request{Group: arn, Key: "line", Mount: mount.EnvVar}, edit: replaceFetcher("unrelated=x"), why: "couldn't parse env file"},
	{slug: "env-file-broken", manager: awsFetch, req: secret.Request{Group: arn, Key: "line", Mount: mount.EnvVar}, edit: replaceFetcher("@=V='it's'\n"), why: "couldn't parse env file"},
}

// replaceFetcher replaces the fetcher's program by one that writes a file in the volume
// of env files. "@" is the requested file.
func replaceFetcher(file string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		c := &pod.Spec.InitContainers[0]
		for _, v := range pod.Spec.Containers[0].Env {
			if v.ValueFrom != nil && v.ValueFrom.FileKeyRef != nil {
				file = strings.ReplaceAll(file, "@", v.ValueFrom.FileKeyRef.Path)
			}
		}
		c.Image, c.Args = writeImage, []string{"/podsecrets/env/" + file}
	}
}

// A Pod whose secret is missing, or cannot have the requested form, does not start,
// and "kubectl describe" shows why.
func TestNode_DoesNotStart(t *testing.T) {
	t.Parallel()
	ns := namespace(t, nil)
	for _, row := range refusals {
		t.Run(row.slug, func(t *testing.T) {
			t.Parallel()
			pod := newPod()
			pod.Spec.HostNetwork = row.hostNetwork
			pod = inject(t, injector.Config{}, pod, []newManager{row.manager}, row.req)
			if row.edit != nil {
				row.edit(pod)
			}
			pod = create(t, ns, pod)
			assertRefused(t, pod, row.why)
			if row.log != "" {
				assert.Contains(t, logOf(t, pod, "app", 0), row.log)
			}
		})
	}
}

// A variable cannot have a NUL byte. Version 1.1.5 of runc, in Debian 12, then writes
// the value to the Pod's status; see SECURITY.md.
func TestNode_NULInStatus(t *testing.T) {
	t.Parallel()
	runc, err := Program("runc")
	require.NoError(t, err)
	version, err := exec.CommandContext(t.Context(), runc, "--version").Output() // #nosec G204 -- the node's
	require.NoError(t, err)
	pod := create(t, namespace(t, restricted), inject(t, injector.Config{}, newPod(), []newManager{k8s}, ask("nul", mount.EnvVar)))
	assertRefused(t, pod, "can't contain null")
	shown := strings.Contains(describePod(pod), "c4nary")
	t.Logf("%.60s shows the value: %v", version, shown)
	if strings.Contains(string(version), "version 1.1.5") {
		assert.True(t, shown, "SECURITY.md says that this version shows it")
	}
}

// AWS's stock image succeeds even if the secret is missing: the Pod starts without the
// file.
func TestNode_StockAWSMissing(t *testing.T) {
	t.Parallel()
	req := secret.Request{Group: arn, Key: "none", Mount: mount.File}
	report := read(t, server.Namespace(t, restricted), inject(t, injector.Config{}, newPod(), []newManager{awsStock}, req), req)["app"]
	assert.Empty(t, report.Results[0].From)
	assert.Empty(t, report.Files)
}
