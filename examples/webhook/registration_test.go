package main

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/podsecrets/podsecrets/secret"
)

func TestRegistration_Mutating(t *testing.T) {
	all, cfg := deployed(t), defaults()
	configuration := only[*admissionregistrationv1.MutatingWebhookConfiguration](t, all)
	assert.Equal(t, cfg.WebhookConfiguration, configuration.Name)
	assert.Less(t, configuration.Name, "vault-agent-injector-cfg", "Vault's injector must see our annotations")
	assert.Less(t, configuration.Name, "istio-sidecar-injector")
	require.Len(t, configuration.Webhooks, 1)
	hook := configuration.Webhooks[0]
	assert.Equal(t, ptr(admissionregistrationv1.NeverReinvocationPolicy), hook.ReinvocationPolicy)
	assertRegistration(t, all, &admissionregistrationv1.ValidatingWebhook{
		ClientConfig: hook.ClientConfig, Rules: hook.Rules, FailurePolicy: hook.FailurePolicy, MatchPolicy: hook.MatchPolicy, MatchConditions: hook.MatchConditions,
		NamespaceSelector: hook.NamespaceSelector, ObjectSelector: hook.ObjectSelector, SideEffects: hook.SideEffects, TimeoutSeconds: hook.TimeoutSeconds,
	}, mutatePath)
}

func TestRegistration_Validating(t *testing.T) {
	all, cfg := deployed(t), defaults()
	configuration := only[*admissionregistrationv1.ValidatingWebhookConfiguration](t, all)
	assert.Equal(t, cfg.ValidatingConfiguration, configuration.Name)
	require.Len(t, configuration.Webhooks, 1)
	assertRegistration(t, all, &configuration.Webhooks[0], validatePath)
}

// assertRegistration checks the common settings of both webhooks.
func assertRegistration(t *testing.T, all manifests, hook *admissionregistrationv1.ValidatingWebhook, path string) {
	cfg, service := defaults(), only[*corev1.Service](t, all)
	assert.Equal(t, &admissionregistrationv1.ServiceReference{
		Namespace: cfg.Namespace, Name: cfg.Service, Path: ptr(path), Port: &service.Spec.Ports[0].Port}, hook.ClientConfig.Service)
	assert.Equal(t, "webhook", service.Spec.Ports[0].TargetPort.StrVal)
	assert.Empty(t, hook.ClientConfig.CABundle, "the replicas write it")
	assert.Equal(t, []admissionregistrationv1.RuleWithOperations{{
		Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
		Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}, Scope: ptr(admissionregistrationv1.NamespacedScope)},
	}}, hook.Rules)
	assert.Nil(t, hook.ObjectSelector, "labels are the Pod author's choice")
	require.Len(t, hook.MatchConditions, 1)
	prefix := regexp.MustCompile(`matches\('(.*)'\)`).FindStringSubmatch(hook.MatchConditions[0].Expression)
	require.NotNil(t, prefix)
	for _, name := range []string{"flyte.secrets/s0", "FLYTE.secrets/S0", "request.podsecrets.dev/a", "Request.Podsecrets.Dev/a",
		"a", "xflyte.secrets/s0", "flytexsecrets/s0", "podsecrets.dev/a"} {
		assert.Equal(t, secret.IsAnnotation(name), regexp.MustCompile(prefix[1]).MatchString(name), name)
	}
	assert.Equal(t, ptr(admissionregistrationv1.Fail), hook.FailurePolicy)
	assert.Equal(t, ptr(admissionregistrationv1.SideEffectClassNone), hook.SideEffects)
	assert.Equal(t, ptr(admissionregistrationv1.Equivalent), hook.MatchPolicy)
	assert.Equal(t, ptr(int32(5)), hook.TimeoutSeconds)

	selector, err := metav1.LabelSelectorAsSelector(hook.NamespaceSelector)
	require.NoError(t, err)
	assert.False(t, selector.Matches(labels.Set{corev1.LabelMetadataName: cfg.Namespace}), "its own namespace")
	assert.True(t, selector.Matches(labels.Set{corev1.LabelMetadataName: "any"}))
}

// The component replaces the match condition by the label.
func TestComponents_Labels(t *testing.T) {
	all := renderWith(t, "labels")
	byLabel := map[string]string{secret.InjectLabel: "true"}
	mutating := only[*admissionregistrationv1.MutatingWebhookConfiguration](t, all).Webhooks[0]
	validating := only[*admissionregistrationv1.ValidatingWebhookConfiguration](t, all).Webhooks[0]
	assert.Equal(t, byLabel, mutating.ObjectSelector.MatchLabels)
	assert.Equal(t, byLabel, validating.ObjectSelector.MatchLabels)
	assert.Empty(t, mutating.MatchConditions)
	assert.Empty(t, validating.MatchConditions)
	assert.Len(t, all, len(deployed(t)))
}
