package e2e

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/podsecrets/podsecrets/secret"
)

// owners create an object with a template, and return the stored template.
var owners = map[string]func(t *testing.T, ns string, template corev1.PodTemplateSpec) (metav1.OwnerReference, corev1.PodTemplateSpec){
	"deployment":      createDeployment,
	"job":             createJob,
	"custom-resource": createCustom,
}

// A template's requests reach the Pods that a controller creates, as in a bare Pod.
func TestReview_Owners(t *testing.T) {
	wants := together()["all-but-vault"]
	var reqs []secret.Request
	for _, w := range wants {
		reqs = append(reqs, w.Request)
	}
	ns := server.Namespace(t, restricted)
	from := fill(t, server, ns)
	bare := newPod(t, reqs...)
	bare.Spec.RestartPolicy = corev1.RestartPolicyNever
	bare = create(t, ns, bare)
	for kind, createOwner := range owners {
		t.Run(kind, func(t *testing.T) {
			template := corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{container("app")}}}
			if kind == "job" {
				template.Spec.RestartPolicy = corev1.RestartPolicyNever // Jobs do not allow Always
			}
			template.Labels = map[string]string{"app": "story"}
			stamp(t, &template.ObjectMeta, reqs...)
			owner, storedTemplate := createOwner(t, ns, template)
			assert.Empty(t, storedTemplate.Spec.Containers[0].Env, "only Pods are changed")

			pod := &corev1.Pod{ObjectMeta: storedTemplate.ObjectMeta, Spec: storedTemplate.Spec}
			pod.GenerateName = owner.Name + "-"
			pod.OwnerReferences = []metav1.OwnerReference{owner}
			stored := create(t, ns, pod)
			assert.Equal(t, withoutToken(bare.Spec.Containers), withoutToken(stored.Spec.Containers), "as in a bare Pod")
			assert.Equal(t, withoutToken(bare.Spec.InitContainers), withoutToken(stored.Spec.InitContainers), "as in a bare Pod")
			assert.Len(t, stored.Spec.Volumes, len(bare.Spec.Volumes))
			seen := runPod(t, server, stored, from)
			for _, w := range wants {
				assertFound(t, seen["app"], w, "app")
			}
		})
	}
}

// withoutToken omits the mount of the service account's token, whose volume has
// another name in each Pod.
func withoutToken(containers []corev1.Container) (out []corev1.Container) {
	for _, c := range containers {
		var mounts []corev1.VolumeMount
		for _, m := range c.VolumeMounts {
			if m.MountPath != "/var/run/secrets/kubernetes.io/serviceaccount" {
				mounts = append(mounts, m)
			}
		}
		c.VolumeMounts = mounts
		out = append(out, c)
	}
	return out
}

func createDeployment(t *testing.T, ns string, template corev1.PodTemplateSpec) (metav1.OwnerReference, corev1.PodTemplateSpec) {
	d, err := client.AppsV1().Deployments(ns).Create(t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "story"},
		Spec:       appsv1.DeploymentSpec{Selector: metav1.SetAsLabelSelector(map[string]string{"app": "story"}), Template: template},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	// A Deployment's Pods belong to a ReplicaSet.
	rs, err := client.AppsV1().ReplicaSets(ns).Create(t.Context(), &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Name:            "story-1",
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d, appsv1.SchemeGroupVersion.WithKind("Deployment"))},
		},
		Spec: appsv1.ReplicaSetSpec{Selector: d.Spec.Selector, Template: d.Spec.Template},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	return *metav1.NewControllerRef(rs, appsv1.SchemeGroupVersion.WithKind("ReplicaSet")), rs.Spec.Template
}

func createJob(t *testing.T, ns string, template corev1.PodTemplateSpec) (metav1.OwnerReference, corev1.PodTemplateSpec) {
	j, err := client.BatchV1().Jobs(ns).Create(t.Context(), &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "story"}, Spec: batchv1.JobSpec{Template: template},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	return *metav1.NewControllerRef(j, batchv1.SchemeGroupVersion.WithKind("Job")), j.Spec.Template
}

// createCustom creates a custom resource definition whose objects have a template, as
// machine learning operators have, and an object. The group contains the namespace,
// because definitions are cluster-wide.
func createCustom(t *testing.T, ns string, template corev1.PodTemplateSpec) (metav1.OwnerReference, corev1.PodTemplateSpec) {
	kind := schema.GroupVersionKind{Group: ns + ".example.test", Version: "v1", Kind: "Story"}
	_, err := anyClient.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}).
		Create(t.Context(), definition(kind), metav1.CreateOptions{})
	require.NoError(t, err)
	text, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&template)
	require.NoError(t, err)
	story := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": "story"}, "spec": map[string]any{"template": text},
	}}
	story.SetGroupVersionKind(kind)
	stories := anyClient.Resource(kind.GroupVersion().WithResource("stories")).Namespace(ns)
	eventually(t, "the resource is served", func() bool {
		var created *unstructured.Unstructured
		if created, err = stories.Create(t.Context(), story, metav1.CreateOptions{}); err == nil {
			story = created
		}
		return err == nil
	})
	stored, _, err := unstructured.NestedMap(story.Object, "spec", "template")
	require.NoError(t, err)
	require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(stored, &template))
	return *metav1.NewControllerRef(story, kind), template
}

func definition(kind schema.GroupVersionKind) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": "stories." + kind.Group},
		"spec": map[string]any{
			"group": kind.Group, "scope": "Namespaced",
			"names": map[string]any{"plural": "stories", "singular": "story", "kind": kind.Kind},
			"versions": []any{map[string]any{
				"name": kind.Version, "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": map[string]any{
					"type": "object", "x-kubernetes-preserve-unknown-fields": true,
				}},
			}},
		},
	}}
}
