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

// The API server has a field that k8s.io/api v0.34, for which this test is built, does
// not know. So here the library runs in this process, as in somebody's webhook that
// was built before the cluster was upgraded.
func TestUnknownField(t *testing.T) {
	minor, err := apiserver.Minor()
	require.NoError(t, err)
	field, ref := newField(minor)
	if field == "" {
		t.Skip("an API server of 1.34 has no field that is unknown")
	}
	in, err := injector.New(injector.Config{Managers: managers(t)})
	require.NoError(t, err)
	for _, tc := range []struct {
		name   string
		review reviewer
		kept   bool
	}{
		{"Review", func(r *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse { return in.Review(t.Context(), r) }, true},
		{"a webhook that decodes and encodes, to show that the field is unknown", throughTypes, false},
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
			pods := anyone.Resource(corev1.SchemeGroupVersion.WithResource("pods")).Namespace(ns)
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

// throughTypes is the common mistake: it replaces the spec by one that went
// through this build's k8s.io/api.
func throughTypes(r *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	var pod corev1.Pod
	if err := json.Unmarshal(r.Object.Raw, &pod); err != nil {
		panic(err) // what the API server sent
	}
	pod.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "_FSEC_USER-INFO_NAME", Value: "x"}}
	return patched(map[string]any{"op": "replace", "path": "/spec", "value": pod.Spec})
}

// A webhook that is called later adds a container. With reinvocationPolicy
// IfNeeded the API server then calls ours again, and with Never, as the
// manifests have it, it does not.
func TestReinvocation(t *testing.T) {
	for policy, reaches := range map[admissionregistrationv1.ReinvocationPolicyType]bool{
		admissionregistrationv1.IfNeededReinvocationPolicy: true,
		admissionregistrationv1.NeverReinvocationPolicy:    false,
	} {
		t.Run(string(policy), func(t *testing.T) {
			ns := server.Namespace(t, restricted)
			from := fill(t, server, ns)
			keepOut(t, ns) // the deployed configuration has Never
			ours := shipped(t)
			assert.Equal(t, admissionregistrationv1.NeverReinvocationPolicy, *ours.ReinvocationPolicy, "as the manifests have it")
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
			assertOnce(t, stored)
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

// assertOnce checks that nothing in the Pod is there twice.
func assertOnce(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	once := func(what string, names []string) {
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
			once("items of "+v.Name, paths)
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
		once("variables of "+c.Name, env)
		once("mounts of "+c.Name, mounts)
	}
	once("volumes", volumes)
	once("containers", containers)
}

// A dry run, as of "kubectl apply --dry-run=server", shows the injected Pod and
// stores nothing.
func TestDryRun(t *testing.T) {
	ns := server.Namespace(t, restricted)
	pods := client.CoreV1().Pods(ns)
	pod := newPod(t, variable, file)
	got, err := pods.Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	require.NoError(t, err)
	stored := create(t, ns, pod)
	assert.Equal(t, stored.Spec.Containers[0].Env, got.Spec.Containers[0].Env)
	assert.NotEmpty(t, got.Spec.Containers[0].Env)
	left, err := pods.List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	assert.Len(t, left.Items, 1)
	_, err = pods.Create(t.Context(), newPod(t, secret.Request{Key: "../x"}), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	assert.Error(t, err, "refusals work too")
}

// A Pod that asks for secrets only after it was created gets none, and what is
// done to one by way of its subresources changes nothing of what it has.
func TestUpdatesAndSubresources(t *testing.T) {
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
	assert.Equal(t, before, reviews(t), "the API server did not even ask")

	require.NoError(t, pods.Bind(t.Context(), &corev1.Binding{
		ObjectMeta: metav1.ObjectMeta{Name: late.Name}, Target: corev1.ObjectReference{Kind: "Node", Name: "node"},
	}, metav1.CreateOptions{}), "the subresource that is created")
	assert.Equal(t, before, reviews(t), "the API server did not even ask")

	create(t, ns, newPod(t, variable))
	assert.Equal(t, before+1, reviews(t), "the count is one that counts")
}

// reviews returns how many reviews the replicas have counted.
func reviews(t *testing.T) (sum int) {
	for _, r := range hook.Replicas {
		sum += counted(t, r, "podsecrets_reviews_total")
	}
	return sum
}
