package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	psaapi "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/controller-runtime/pkg/client"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// manifests are the rendered objects of a directory, each in its type.
type manifests []client.Object

// verticalPodAutoscaler has the fields of autoscaling.k8s.io/v1 that the manifests
// use. The module with the full type requires newer k8s.io modules than
// cert-controller does.
type verticalPodAutoscaler struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		TargetRef    autoscalingv1.CrossVersionObjectReference `json:"targetRef"`
		UpdatePolicy struct {
			UpdateMode  string `json:"updateMode"`
			MinReplicas int32  `json:"minReplicas"`
		} `json:"updatePolicy"`
		ResourcePolicy struct {
			ContainerPolicies []struct {
				ContainerName       string                `json:"containerName"`
				ControlledResources []corev1.ResourceName `json:"controlledResources"`
				ControlledValues    string                `json:"controlledValues"`
				MinAllowed          corev1.ResourceList   `json:"minAllowed"`
				MaxAllowed          corev1.ResourceList   `json:"maxAllowed"`
			} `json:"containerPolicies"`
		} `json:"resourcePolicy"`
	} `json:"spec"`
}

func (v *verticalPodAutoscaler) DeepCopyObject() runtime.Object { copied := *v; return &copied }

// render decodes strictly: an unknown field is an error.
func render(t *testing.T, from filesys.FileSystem, dir string) (all manifests) {
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(from, dir)
	require.NoError(t, err)
	for _, r := range rendered.Resources() {
		text, err := r.MarshalJSON()
		require.NoError(t, err)
		obj := typed(t, text)
		flaws, err := kjson.UnmarshalStrict(text, obj)
		require.NoError(t, err, r.CurId())
		require.Empty(t, flaws, r.CurId())
		all = append(all, obj)
	}
	return all
}

func typed(t *testing.T, text []byte) client.Object {
	var meta metav1.TypeMeta
	require.NoError(t, json.Unmarshal(text, &meta))
	switch meta.APIVersion + " " + meta.Kind {
	case "autoscaling.k8s.io/v1 VerticalPodAutoscaler":
		return &verticalPodAutoscaler{}
	case "monitoring.coreos.com/v1 PodMonitor":
		return &podMonitor{}
	case "monitoring.coreos.com/v1 PrometheusRule":
		return &prometheusRule{}
	}
	obj, err := scheme.Scheme.New(meta.GroupVersionKind())
	require.NoError(t, err)
	return obj.(client.Object)
}

// only returns the only object of a type.
func only[T client.Object](t *testing.T, all manifests) T {
	var matches []T
	for _, obj := range all {
		if obj, ok := obj.(T); ok {
			matches = append(matches, obj)
		}
	}
	require.Len(t, matches, 1)
	return matches[0]
}

func deployed(t *testing.T) manifests { return render(t, filesys.MakeFsOnDisk(), "deploy") }

func TestManifests_Namespace(t *testing.T) {
	all := deployed(t)
	namespace := only[*corev1.Namespace](t, all)
	assert.Equal(t, defaults().Namespace, namespace.Name)
	for _, obj := range all {
		switch obj.(type) {
		case *corev1.Namespace, *rbacv1.ClusterRole, *rbacv1.ClusterRoleBinding, *admissionregistrationv1.MutatingWebhookConfiguration, *admissionregistrationv1.ValidatingWebhookConfiguration:
			assert.Empty(t, obj.GetNamespace())
		default:
			assert.Equal(t, namespace.Name, obj.GetNamespace(), obj.GetName())
		}
		assert.Equal(t, "podsecrets", obj.GetLabels()["app.kubernetes.io/part-of"], obj.GetName())
	}
}

// The Pods meet the Pod Security Standard that their namespace enforces.
func TestManifests_Restricted(t *testing.T) {
	all := deployed(t)
	level := only[*corev1.Namespace](t, all).Labels[psaapi.EnforceLevelLabel]
	require.Equal(t, string(psaapi.LevelRestricted), level)
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	require.NoError(t, err)
	template := only[*appsv1.Deployment](t, all).Spec.Template
	for _, result := range evaluator.EvaluatePod(psaapi.LevelVersion{Level: psaapi.LevelRestricted, Version: psaapi.LatestVersion()}, &template.ObjectMeta, &template.Spec) {
		assert.True(t, result.Allowed, "%s: %s", result.ForbiddenReason, result.ForbiddenDetail)
	}
}

// The end-to-end tests run the process with exactly these permissions.
func TestManifests_RBAC(t *testing.T) {
	all, cfg := deployed(t), defaults()
	assert.Equal(t, []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{cfg.Certificate.Secret}, Verbs: []string{"update"}},
		{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"list", "watch"}},
	}, only[*rbacv1.Role](t, all).Rules)
	group := []string{"admissionregistration.k8s.io"}
	mutating, validating := "mutatingwebhookconfigurations", "validatingwebhookconfigurations"
	assert.Equal(t, []rbacv1.PolicyRule{
		{APIGroups: group, Resources: []string{mutating}, ResourceNames: []string{cfg.WebhookConfiguration}, Verbs: []string{"get", "update"}},
		{APIGroups: group, Resources: []string{validating}, ResourceNames: []string{cfg.ValidatingConfiguration}, Verbs: []string{"get", "update"}},
		{APIGroups: group, Resources: []string{mutating, validating}, Verbs: []string{"list", "watch"}},
	}, only[*rbacv1.ClusterRole](t, all).Rules)

	account := only[*corev1.ServiceAccount](t, all)
	subjects := []rbacv1.Subject{{Kind: "ServiceAccount", Name: account.Name, Namespace: account.Namespace}}
	role, cluster := only[*rbacv1.RoleBinding](t, all), only[*rbacv1.ClusterRoleBinding](t, all)
	assert.Equal(t, subjects, role.Subjects)
	assert.Equal(t, subjects, cluster.Subjects)
	assert.Equal(t, only[*rbacv1.Role](t, all).Name, role.RoleRef.Name)
	assert.Equal(t, only[*rbacv1.ClusterRole](t, all).Name, cluster.RoleRef.Name)
	assert.Equal(t, account.Name, only[*appsv1.Deployment](t, all).Spec.Template.Spec.ServiceAccountName)
}

// The configuration in the ConfigMap agrees with the other manifests.
func TestManifests_Configuration(t *testing.T) {
	all := deployed(t)
	configMap := only[*corev1.ConfigMap](t, all)
	cfg, warnings, err := parse([]byte(configMap.Data["config.yaml"]))
	require.NoError(t, err)
	require.Empty(t, warnings)
	pod := only[*appsv1.Deployment](t, all).Spec.Template
	container := pod.Spec.Containers[0]
	assert.Equal(t, []string{"-config=/etc/podsecrets/config.yaml"}, container.Args)
	ports := make(map[string]int32)
	for _, port := range container.Ports {
		ports[port.Name] = port.ContainerPort
	}
	for name, address := range map[string]string{"webhook": cfg.Listen.Webhook, "probes": cfg.Listen.Probes, "metrics": cfg.Listen.Metrics} {
		_, port, err := splitAddress(address)
		require.NoError(t, err)
		assert.EqualValues(t, port, ports[name], name)
	}
	assert.Equal(t, "/readyz", container.ReadinessProbe.HTTPGet.Path)
	assert.Equal(t, "/healthz", container.LivenessProbe.HTTPGet.Path)
	assert.Equal(t, "probes", container.ReadinessProbe.HTTPGet.Port.StrVal)
	assert.Equal(t, "probes", container.LivenessProbe.HTTPGet.Port.StrVal)
	assert.Greater(t, float64(*pod.Spec.TerminationGracePeriodSeconds), cfg.Drain.Seconds()+30, "drain, and the manager's own 30 s")

	mounts := make(map[string]corev1.VolumeSource)
	for _, m := range container.VolumeMounts {
		for _, v := range pod.Spec.Volumes {
			if v.Name == m.Name {
				mounts[m.MountPath] = v.VolumeSource
			}
		}
	}
	assert.Equal(t, configMap.Name, mounts["/etc/podsecrets"].ConfigMap.Name)
	assert.NotNil(t, mounts[cfg.Certificate.Dir].EmptyDir, "the only writable directory")

	tls := only[*corev1.Secret](t, all)
	assert.Equal(t, cfg.Certificate.Secret, tls.Name)
	assert.Empty(t, tls.Data, "applying it again must not remove the certificate")

	service := only[*corev1.Service](t, all)
	assert.Equal(t, cfg.Service, service.Name)
	assert.True(t, labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(pod.Labels)))
	for _, port := range service.Spec.Ports {
		assert.Contains(t, ports, port.TargetPort.StrVal)
	}
}

// renderWith renders the manifests with the component.
func renderWith(t *testing.T, component string) manifests {
	memory := filesys.MakeFsInMemory()
	require.NoError(t, filepath.WalkDir("deploy", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		return memory.WriteFile(path, text)
	}))
	require.NoError(t, memory.WriteFile("overlay/kustomization.yaml", []byte("resources: [../deploy]\ncomponents: [../deploy/"+component+"]\n")))
	return render(t, memory, "overlay")
}

func TestManifests_Scaling(t *testing.T) {
	all := deployed(t)
	deployment := only[*appsv1.Deployment](t, all)
	assert.EqualValues(t, 2, *deployment.Spec.Replicas)
	pods := labels.Set(deployment.Spec.Template.Labels)
	selects := func(s *metav1.LabelSelector) bool {
		selector, err := metav1.LabelSelectorAsSelector(s)
		require.NoError(t, err)
		return selector.Matches(pods) && !selector.Empty()
	}
	assert.True(t, selects(deployment.Spec.Selector))
	assert.True(t, selects(only[*policyv1.PodDisruptionBudget](t, all).Spec.Selector))
	for _, spread := range deployment.Spec.Template.Spec.TopologySpreadConstraints {
		assert.True(t, selects(spread.LabelSelector), spread.TopologyKey)
	}
	hpa := only[*autoscalingv2.HorizontalPodAutoscaler](t, all)
	assert.Equal(t, autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: deployment.Name}, hpa.Spec.ScaleTargetRef)
	assert.Equal(t, deployment.Spec.Replicas, hpa.Spec.MinReplicas)
}

// The component only replaces the HorizontalPodAutoscaler.
func TestComponents_Vertical(t *testing.T) {
	all := renderWith(t, "vertical")
	vpa := only[*verticalPodAutoscaler](t, all)
	deployment := only[*appsv1.Deployment](t, all)
	assert.Equal(t, deployment.Name, vpa.Spec.TargetRef.Name)
	container := deployment.Spec.Template.Spec.Containers[0]
	assert.Equal(t, container.Name, vpa.Spec.ResourcePolicy.ContainerPolicies[0].ContainerName)
	assert.Equal(t, container.Resources.Limits[corev1.ResourceMemory], vpa.Spec.ResourcePolicy.ContainerPolicies[0].MaxAllowed[corev1.ResourceMemory])
	base := deployed(t)
	assert.Len(t, all, len(base))
	for _, obj := range all {
		_, horizontal := obj.(*autoscalingv2.HorizontalPodAutoscaler)
		assert.False(t, horizontal)
	}
}

func ptr[T any](v T) *T { return &v }
