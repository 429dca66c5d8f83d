package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/secret"
)

// readable returns a Pod with requests in the readable form, and without the label.
func readable(name string, requests ...string) *corev1.Pod {
	pod := &corev1.Pod{Spec: corev1.PodSpec{
		InitContainers: []corev1.Container{container("setup")},
		Containers:     []corev1.Container{container("app")},
	}}
	pod.GenerateName, pod.Annotations = name+"-", map[string]string{}
	for i, r := range requests {
		pod.Annotations["request.podsecrets.dev/"+string(rune('a'+i))] = r
	}
	return pod
}

// Pods without Flyte's label are reviewed too.
func TestReview_NoLabel(t *testing.T) {
	ns := server.Namespace(t, restricted)
	from := fill(t, server, ns)
	stored := create(t, ns, readable("readable", "group=user-info,key=name,env=USER_NAME", "group=user-info,key=Password,mount=FILE,container=app"))
	seen := runPod(t, server, stored, from)
	assert.Equal(t, "Ada", seen["app"].env["USER_NAME"])
	assert.Equal(t, "Ada", seen["setup"].env["USER_NAME"])
	value, found := seen["app"].get("user-info", "", "Password")
	assert.True(t, found)
	assert.Equal(t, "pa ss", value)
	_, found = seen["setup"].get("user-info", "", "Password")
	assert.False(t, found, "the request names another container")

	// The match condition finds Flyte's annotations too, and prefixes in any case.
	pod := newPod(t, variable)
	delete(pod.Labels, secret.InjectLabel)
	assert.NotEmpty(t, create(t, ns, pod).Spec.Containers[0].Env)
	pod = readable("letters")
	pod.Annotations["Request.podsecrets.dev/a"] = "group=user-info,key=name"
	_, err := client.CoreV1().Pods(ns).Create(t.Context(), pod, metav1.CreateOptions{})
	require.Error(t, err)
	assert.Contains(t, err.Error(), `inject.podsecrets.github.io`)
}

// Each Pod is stored complete, or refused with the request and the container.
func TestVerify_Incomplete(t *testing.T) {
	patch := func(operations ...map[string]any) reviewer {
		return func(*admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse { return patched(operations...) }
	}
	const fetched = "group=" + account + ",key=db-AbCdEf"
	for name, tc := range map[string]struct {
		request string
		later   reviewer // a webhook after ours, or nil
		skipped bool     // the mutating webhook is not called
		want    []string // texts of the refusal
		field   string
	}{
		"complete": {request: fetched},
		"skipped":  {request: "group=user-info,key=name", skipped: true, want: []string{`secret group="user-info" key="name"`, `container "app"`, "is missing"}, field: "spec.initContainers[0].env"},
		"variable-removed": {request: "group=user-info,key=name", later: patch(map[string]any{"op": "remove", "path": "/spec/containers/0/env/1"}),
			want: []string{`secret group="user-info" key="name"`, `container "app": env "_FSEC_USER-INFO_NAME" is missing`}, field: "spec.containers[0].env"},
		"late-container": {request: "group=user-info,key=name", later: patch(map[string]any{"op": "add", "path": "/spec/containers/-", "value": container("mesh")})},
		"unknown-sidecar": {request: "group=user-info,key=name", later: patch(map[string]any{"op": "add", "path": "/spec/containers/-", "value": container("unknown")}),
			want: []string{`container "unknown"`, "is missing"}, field: "spec.containers[1].env"},
		"before-fetcher": {request: fetched, later: patch(
			map[string]any{"op": "move", "from": "/spec/initContainers/1", "path": "/spec/initContainers/0"}),
			want: []string{`initContainers "setup" starts before the init container that fetches the secret`}, field: "spec.initContainers[0].name"},
		"fetcher-removed": {request: fetched, later: patch(map[string]any{"op": "remove", "path": "/spec/initContainers/0"}),
			want: []string{"initContainers", "is missing"}, field: "spec.initContainers"},
	} {
		t.Run(name, func(t *testing.T) {
			ns := server.Namespace(t, restricted)
			if tc.skipped {
				exclude(t, mutatingSelector, client, ns)
			}
			if tc.later != nil {
				address := serveReviews(t, tc.later)
				register(t, ns, "later-"+ns, func(h *admissionregistrationv1.MutatingWebhook) { h.ClientConfig = address })
			}
			pod := readable("verified", tc.request)
			var err error
			if tc.want == nil {
				_, err = client.CoreV1().Pods(ns).Create(t.Context(), pod, metav1.CreateOptions{})
				require.NoError(t, err)
				return
			}
			eventually(t, "the pod is refused", func() bool {
				_, err = client.CoreV1().Pods(ns).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
				return err != nil
			})
			assert.Contains(t, err.Error(), `admission webhook "verify.podsecrets.github.io" denied the request`)
			for _, want := range tc.want {
				assert.Contains(t, err.Error(), want)
			}
			status := apierrors.APIStatus(nil)
			require.ErrorAs(t, err, &status)
			fields := ""
			for _, cause := range status.Status().Details.Causes {
				fields += cause.Field + " "
			}
			assert.Contains(t, strings.Fields(fields), tc.field)
		})
	}
}
