package e2e

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
	"github.com/podsecrets/podsecrets/internal/e2e/deployed"
	"github.com/podsecrets/podsecrets/secret"
)

// The API server accepts the Deployment's Pods without warnings, in a namespace that
// enforces "restricted". The replicas themselves are processes here.
func TestManifests_Pods(t *testing.T) {
	assert.Empty(t, hook.Warnings)
	d, err := client.AppsV1().Deployments(deployed.Namespace).Get(t.Context(), deployed.Name, metav1.GetOptions{})
	require.NoError(t, err)
	pod := &corev1.Pod{ObjectMeta: d.Spec.Template.ObjectMeta, Spec: d.Spec.Template.Spec}
	pod.GenerateName = d.Name + "-"
	before := reviews(t)
	stamp(t, &pod.ObjectMeta, variable)
	stored := create(t, deployed.Namespace, pod)
	assert.Equal(t, pod.Spec.Containers[0].Env, stored.Spec.Containers[0].Env, "the webhook does not review its own Pods, which must start without it")
	assert.Equal(t, before, reviews(t))
}

// The processes run with these permissions, so they suffice. They allow nothing more.
func TestManifests_Permissions(t *testing.T) {
	account, err := deployed.Account(t.Context(), server.Config)
	require.NoError(t, err)
	asAccount, err := kubernetes.NewForConfig(account)
	require.NoError(t, err)
	own, other := deployed.Namespace, server.Namespace(t, nil)
	const hooks = "mutatingwebhookconfigurations"
	for _, tc := range []struct {
		allowed                  bool
		verb, resource, name, in string
		group                    string
		why                      string
	}{
		{true, "update", "secrets", deployed.Secret, own, "", "it has the certificate"},
		{true, "update", hooks, deployed.Configuration, "", "admissionregistration.k8s.io", "it gets the CA"},
		{true, "update", "validatingwebhookconfigurations", deployed.Validating, "", "admissionregistration.k8s.io", "it gets the CA"},
		{false, "update", "validatingwebhookconfigurations", "other", "", "admissionregistration.k8s.io", "not its own"},
		{false, "get", "secrets", "other", own, "", "not the certificate"},
		{false, "create", "secrets", "", own, "", "the manifests create the only one"},
		{false, "list", "secrets", "", other, "", "only Pods read secrets"},
		{false, "update", hooks, vaultConfiguration, "", "admissionregistration.k8s.io", "not its own"},
		{false, "delete", hooks, deployed.Configuration, "", "admissionregistration.k8s.io", "never needed"},
		{false, "get", "pods", "", other, "", "the API server sends them"},
		{false, "create", "pods", "", own, "", "never needed"},
	} {
		review, err := asAccount.AuthorizationV1().SelfSubjectAccessReviews().Create(t.Context(), &authorizationv1.SelfSubjectAccessReview{
			Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
				Verb: tc.verb, Group: tc.group, Resource: tc.resource, Name: tc.name, Namespace: tc.in,
			}},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
		assert.Equal(t, tc.allowed, review.Status.Allowed, "%s %s %q: %s", tc.verb, tc.resource, tc.name, tc.why)
	}
}

func TestManifests_Certificate(t *testing.T) {
	first, err := hook.Replicas[0].Certificate()
	require.NoError(t, err)
	second, err := hook.Replicas[1].Certificate()
	require.NoError(t, err)
	assert.True(t, first.Equal(second))
	assert.Equal(t, []string{deployed.Name + "." + deployed.Namespace + ".svc"}, first.DNSNames)
}

// The unchanged configuration works with an emulated older API server.
func TestManifests_OlderCluster(t *testing.T) {
	minor, err := apiserver.Minor()
	require.NoError(t, err)
	old, err := apiserver.Start(fmt.Sprintf("--emulated-version=1.%d", minor-2))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, old.Stop()) })
	w, err := deployed.Start(t.Context(), old, deployed.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, w.Stop()) })
	assert.Empty(t, w.Warnings)
	ns := old.Namespace(t, restricted)
	from := fill(t, old, ns)
	for _, name := range []string{"k8s", "k8s-file", "k8s-versioned"} {
		wants := wanted[name]
		for shape, pod := range shapes(t, wants[0].Request) {
			t.Run(name+"-"+shape, func(t *testing.T) {
				for container, in := range runPod(t, old, createIn(t, old, ns, pod), from) {
					assertFound(t, in, wants[0], container)
				}
			})
		}
	}
	_, err = clientOf(t, old).CoreV1().Pods(ns).Create(t.Context(), newPod(t, secret.Request{Group: account, Key: "db"}), metav1.CreateOptions{})
	assert.ErrorContains(t, err, "no manager serves it", "the manifests have only the manager k8s")
}
