package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
	"github.com/podsecrets/podsecrets/secret"
)

// The API server knows a field that this test's k8s.io/api v0.34 does not. The library
// runs in this process, like a webhook built before the cluster was upgraded.
func TestReview_UnknownField(t *testing.T) {
	minor, err := apiserver.Minor()
	require.NoError(t, err)
	field, ref := newField(minor)
	if field == "" {
		t.Skip("API servers of 1.34 have no unknown field")
	}
	in, err := injector.New(injector.Config{Managers: managers(t)})
	require.NoError(t, err)
	for _, tc := range []struct {
		name   string
		review reviewer
		kept   bool
	}{
		{"review", func(r *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse { return in.Review(t.Context(), r) }, true},
		{"typed", reencode, false}, // shows that the field is unknown
	} {
		t.Run(tc.name, func(t *testing.T) {
			ns := server.Namespace(t, restricted)
			keepOut(t, ns)
			address := serveReviews(t, tc.review)
			register(t, ns, "0-"+ns, func(h *admissionregistrationv1.MutatingWebhook) { h.ClientConfig = address })
			pod := newPod(t, variable)
			raw, err := runtime.DefaultUnstructuredConverter.ToUnstructured(pod)
			require.NoError(t, err)
			raw["apiVersion"], raw["kind"] = "v1", "Pod"
			require.NoError(t, unstructured.SetNestedMap(raw, ref, "spec", field))
			pods := anyClient.Resource(corev1.SchemeGroupVersion.WithResource("pods")).Namespace(ns)
			var stored *unstructured.Unstructured
			eventually(t, "the webhook is called", func() bool {
				stored, err = pods.Create(t.Context(), &unstructured.Unstructured{Object: raw}, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
				require.NoError(t, err)
				text, _ := json.Marshal(stored.Object["spec"])
				return strings.Contains(string(text), "_FSEC_")
			})
			got, found, err := unstructured.NestedMap(stored.Object, "spec", field)
			require.NoError(t, err)
			assert.Equal(t, tc.kept, found)
			if tc.kept {
				assert.Equal(t, ref, got)
			}
		})
	}
}

// reencode makes the common mistake: it replaces the spec by one decoded and encoded
// with this build's k8s.io/api.
func reencode(r *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	var pod corev1.Pod
	if err := json.Unmarshal(r.Object.Raw, &pod); err != nil {
		panic(err) // the API server sent it
	}
	pod.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "_FSEC_USER-INFO_NAME", Value: "x"}}
	return patched(map[string]any{"op": "replace", "path": "/spec", "value": pod.Spec})
}

// A later webhook adds a container. With reinvocationPolicy IfNeeded the API server
// then calls ours again; with Never, as in the manifests, it does not.
func TestReview_Reinvocation(t *testing.T) {
	for policy, reaches := range map[admissionregistrationv1.ReinvocationPolicyType]bool{
		admissionregistrationv1.IfNeededReinvocationPolicy: true,
		admissionregistrationv1.NeverReinvocationPolicy:    false,
	} {
		t.Run(string(policy), func(t *testing.T) {
			ns := server.Namespace(t, restricted)
			from := fill(t, server, ns)
			keepOut(t, ns) // the deployed configuration has Never
			ours := shipped(t)
			assert.Equal(t, admissionregistrationv1.NeverReinvocationPolicy, *ours.ReinvocationPolicy)
			var late atomic.Int64
			address := serveReviews(t, func(r *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
				late.Add(1)
				if strings.Contains(string(r.Object.Raw), "late-sidecar") {
					return &admissionv1.AdmissionResponse{Allowed: true}
				}
				return patched(map[string]any{"op": "add", "path": "/spec/containers/-", "value": container("late-sidecar")})
			})
			register(t, ns, "0-"+ns, func(h *admissionregistrationv1.MutatingWebhook) {
				h.Name, h.ClientConfig, h.ReinvocationPolicy = ours.Name, ours.ClientConfig, &policy
			})
			register(t, ns, "late-"+ns, func(h *admissionregistrationv1.MutatingWebhook) { h.ClientConfig = address })

			reqs := []want{
				{Request: variable, by: "k8s", value: "Ada"},
				{Request: secret.Request{Group: "user-info", Key: "Password", Mount: file.Mount}, by: "k8s", value: "pa ss"},
				{Request: secret.Request{Group: account, Key: "db-AbCdEf"}, by: "aws", value: "from aws"},
			}
			pod := newPod(t, reqs[0].Request, reqs[1].Request, reqs[2].Request)
			var stored *corev1.Pod
			eventually(t, "both webhooks are called", func() bool {
				stored = create(t, ns, pod)
				return late.Load() > 0 && len(stored.Spec.Containers) == 2 && len(stored.Spec.InitContainers) > 0
			})
			assertNoDuplicates(t, stored)
			seen := runPod(t, server, stored, from)
			for _, w := range reqs {
				assertFound(t, seen["app"], w, "app")
				if reaches {
					assertFound(t, seen["late-sidecar"], w, "late-sidecar")
				}
			}
			if !reaches {
				assert.Empty(t, stored.Spec.Containers[1].Env)
			}
		})
	}
}

// assertNoDuplicates asserts that no name or path in the Pod occurs twice.
func assertNoDuplicates(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	unique := func(what string, names []string) {
		sorted := slices.Sorted(slices.Values(names))
		assert.Len(t, slices.Compact(slices.Clone(sorted)), len(names), "%s: %v", what, sorted)
	}
	var volumes, containers []string
	for _, v := range pod.Spec.Volumes {
		volumes = append(volumes, v.Name)
		if v.Projected != nil {
			var paths []string
			for _, source := range v.Projected.Sources {
				if source.Secret == nil {
					continue
				}
				for _, item := range source.Secret.Items {
					paths = append(paths, item.Path)
				}
			}
			unique("items of "+v.Name, paths)
		}
	}
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		containers = append(containers, c.Name)
		var env, mounts []string
		for _, v := range c.Env {
			env = append(env, v.Name)
		}
		for _, m := range c.VolumeMounts {
			mounts = append(mounts, m.MountPath)
		}
		unique("variables of "+c.Name, env)
		unique("mounts of "+c.Name, mounts)
	}
	unique("volumes", volumes)
	unique("containers", containers)
}

// A dry run ("kubectl apply --dry-run=server") returns the injected Pod and stores
// nothing.
func TestReview_DryRun(t *testing.T) {
	ns := server.Namespace(t, restricted)
	pods := client.CoreV1().Pods(ns)
	pod := newPod(t, variable, file)
	got, err := pods.Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	require.NoError(t, err)
	stored := create(t, ns, pod)
	assert.Equal(t, stored.Spec.Containers[0].Env, got.Spec.Containers[0].Env)
	assert.NotEmpty(t, got.Spec.Containers[0].Env)
	list, err := pods.List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	assert.Len(t, list.Items, 1)
	_, err = pods.Create(t.Context(), newPod(t, secret.Request{Key: "../x"}), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	assert.Error(t, err, "invalid requests are refused too")
}

// Updates and subresources are not reviewed: a Pod that requests secrets after its
// creation gets none.
func TestReview_Updates(t *testing.T) {
	ns := server.Namespace(t, nil)
	pods := client.CoreV1().Pods(ns)
	plain := newPod(t)
	plain.Labels, plain.Annotations = nil, nil
	late := create(t, ns, plain)
	before := reviews(t)

	stamp(t, &late.ObjectMeta, variable)
	late, err := pods.Update(t.Context(), late, metav1.UpdateOptions{})
	require.NoError(t, err)
	assert.Empty(t, late.Spec.Containers[0].Env)
	late.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Image: "example.test/debug"}}}
	late, err = pods.UpdateEphemeralContainers(t.Context(), late.Name, late, metav1.UpdateOptions{})
	require.NoError(t, err)
	require.Len(t, late.Spec.EphemeralContainers, 1)
	assert.Empty(t, late.Spec.EphemeralContainers[0].Env)
	late.Status.Phase = corev1.PodRunning
	late, err = pods.UpdateStatus(t.Context(), late, metav1.UpdateOptions{})
	require.NoError(t, err)
	_, err = pods.Patch(t.Context(), late.Name, types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{})
	require.NoError(t, err)
	assert.Equal(t, before, reviews(t), "no reviews")

	require.NoError(t, pods.Bind(t.Context(), &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: late.Name}, Target: corev1.ObjectReference{Kind: "Node", Name: "node"},
	}, metav1.CreateOptions{}), "a subresource with CREATE")
	assert.Equal(t, before, reviews(t), "no reviews")

	create(t, ns, newPod(t, variable))
	assert.Equal(t, before+1, reviews(t), "the counter works")
}

// reviews returns the replicas' number of reviews.
func reviews(t *testing.T) (sum int) {
	for _, r := range hook.Replicas {
		sum += counterSum(t, r, "podsecrets_reviews_total")
	}
	return sum
}
