package injector_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func creation(raw []byte) *admissionv1.AdmissionRequest {
	return &admissionv1.AdmissionRequest{
		UID:       "uid-1",
		Resource:  metav1.GroupVersionResource{Version: "v1", Resource: "pods"},
		Operation: admissionv1.Create,
		Namespace: "flytesnacks-development",
		Object:    runtime.RawExtension{Raw: raw},
	}
}

// stamped returns the Pod with the requests in its annotations.
func stamped(t testing.TB, pod *corev1.Pod, reqs ...secret.Request) *corev1.Pod {
	t.Helper()
	out := pod.DeepCopy()
	var err error
	out.Labels, out.Annotations, err = secret.Stamp(pod.Labels, pod.Annotations, reqs)
	require.NoError(t, err)
	return out
}

func TestReview_Injects(t *testing.T) {
	forAll(t, func(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) {
		pod = stamped(t, pod, reqs...)
		pod.Namespace = "flytesnacks-development"
		raw := toJSON(t, pod)
		response := in.Review(ctx, creation(raw))
		require.True(t, response.Allowed, "%+v", response.Result)
		assert.Equal(t, "uid-1", string(response.UID))
		if len(reqs) == 0 {
			assert.Nil(t, response.Patch)
			assert.Nil(t, response.PatchType)
			assert.Equal(t, injector.OutcomeSkipped, response.AuditAnnotations[injector.AuditOutcome])
			return
		}
		require.Equal(t, admissionv1.PatchTypeJSONPatch, *response.PatchType)
		assert.Equal(t, injector.OutcomeInjected, response.AuditAnnotations[injector.AuditOutcome])

		// Requests in the readable form come after Flyte's.
		reqs, err := secret.DecodeAnnotations(pod.Annotations)
		require.NoError(t, err)
		ops, err := in.Patch(ctx, pod, reqs...)
		require.NoError(t, err)
		assert.JSONEq(t, string(toJSON(t, ops)), string(response.Patch), "Review and Patch differ")

		patched := applyPatch(t, response.Patch, raw)
		assert.JSONEq(t, string(toJSON(t, inject(t, in, pod, reqs...))), string(patched))

		again := in.Review(ctx, creation(patched))
		assert.True(t, again.Allowed)
		assert.Nil(t, again.Patch)
		assert.Equal(t, injector.OutcomeUnchanged, again.AuditAnnotations[injector.AuditOutcome])
	})
}

// Fields that this build's k8s.io/api does not know stay where they are, even
// if init containers are inserted before them.
func TestReview_UnknownFields(t *testing.T) {
	pod := stamped(t, meshPod(), requestSets["fetched"]...)
	var object map[string]any
	require.NoError(t, json.Unmarshal(toJSON(t, pod), &object))
	spec := object["spec"].(map[string]any)
	object["futureTop"] = map[string]any{"a": []any{1.5, nil}}
	spec["futureSpec"] = "spec"
	for _, list := range []string{"containers", "initContainers"} {
		for _, c := range spec[list].([]any) {
			c.(map[string]any)["future"] = c.(map[string]any)["name"]
		}
	}
	raw := toJSON(t, object)

	for _, initOrder := range []mount.InitOrder{mount.InitFirst, mount.InitAfterSidecars} {
		in := newInjector(t, func(cfg *injector.Config) { cfg.InitOrder = initOrder })
		response := in.Review(ctx, creation(raw))
		require.True(t, response.Allowed, "%+v", response.Result)
		var patched map[string]any
		require.NoError(t, json.Unmarshal(applyPatch(t, response.Patch, raw), &patched))
		spec := patched["spec"].(map[string]any)
		assert.Equal(t, object["futureTop"], patched["futureTop"])
		assert.Equal(t, "spec", spec["futureSpec"])
		var order []string
		for _, list := range []string{"containers", "initContainers"} {
			for _, c := range spec[list].([]any) {
				c := c.(map[string]any)
				if name := c["name"].(string); !mount.IsName(name) {
					assert.Equal(t, name, c["future"], "the field is with another container")
					order = append(order, name)
				} else {
					order = append(order, "fetcher")
				}
			}
		}
		want := map[mount.InitOrder]string{
			mount.InitFirst:         "app fetcher fetcher mesh-setup mesh-proxy logs migrate late-sidecar",
			mount.InitAfterSidecars: "app mesh-setup mesh-proxy logs fetcher fetcher migrate late-sidecar",
		}
		assert.Equal(t, want[initOrder], strings.Join(order, " "))
	}
}

func TestReview_Skips(t *testing.T) {
	raw := toJSON(t, stamped(t, userStoryPod(), secret.Request{Group: "user-info", Key: "password"}))
	for _, tc := range []struct {
		name   string
		change func(*admissionv1.AdmissionRequest)
	}{
		{"update", func(r *admissionv1.AdmissionRequest) { r.Operation = admissionv1.Update }},
		{"deletion", func(r *admissionv1.AdmissionRequest) { r.Operation = admissionv1.Delete }},
		{"subresource", func(r *admissionv1.AdmissionRequest) { r.SubResource = "ephemeralcontainers" }},
		{"another resource", func(r *admissionv1.AdmissionRequest) { r.Resource.Resource = "podtemplates" }},
		{"another group", func(r *admissionv1.AdmissionRequest) { r.Resource.Group = "example.com" }},
		{"mirror pod", func(r *admissionv1.AdmissionRequest) {
			pod := stamped(t, userStoryPod(), secret.Request{Group: "user-info", Key: "password"})
			pod.Annotations[corev1.MirrorPodAnnotationKey] = "hash"
			r.Object.Raw = toJSON(t, pod)
			r.UserInfo.Groups = []string{"system:nodes"}
		}},
		{"no requests", func(r *admissionv1.AdmissionRequest) { r.Object.Raw = toJSON(t, userStoryPod()) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			req := creation(raw)
			tc.change(req)
			response := newInjector(t, nil).Review(ctx, req)
			assert.True(t, response.Allowed)
			assert.Nil(t, response.Patch)
			assert.Equal(t, injector.OutcomeSkipped, response.AuditAnnotations[injector.AuditOutcome])
			assert.Equal(t, req.UID, response.UID)
		})
	}
}

// failing is a manager whose error must stay hidden.
var failing = fake{"broken", func(secret.Request, mount.Target) (mount.Fragment, error) {
	return mount.Fragment{}, errors.New("dial tcp 10.1.2.3: refused")
}}

func TestReview_Refuses(t *testing.T) {
	ended, cancel := context.WithCancel(ctx)
	cancel()
	of := func(pod *corev1.Pod, reqs ...secret.Request) []byte { return toJSON(t, stamped(t, pod, reqs...)) }
	withEnv := userStoryPod()
	withEnv.Spec.Containers[0].Env[0].Name = "_FSEC_G_K"
	for _, tc := range []struct {
		name    string
		ctx     context.Context
		raw     []byte
		code    int32
		outcome string
		want    string
	}{
		{"not JSON", ctx, []byte(`{"metadata":`), 400, "denied", "the pod cannot be decoded: unexpected end of JSON input"},
		{"nothing", ctx, nil, 400, "denied", "the pod cannot be decoded: unexpected end of JSON input"},
		{"invalid annotation", ctx, []byte(`{"metadata":{"annotations":{"flyte.secrets/s01":""}}}`), 400, "denied",
			`annotation "flyte.secrets/s01": the name must end in a number without leading zeros`},
		{"invalid", ctx, of(userStoryPod(), secret.Request{Group: "g", Key: "../x"}), 422, "denied",
			`secret group="g" key="../x": key: has a ".." segment`},
		{"not served", ctx, of(userStoryPod(), secret.Request{Group: "a b", Key: "k"}), 422, "denied",
			`secret group="a b" key="k": no manager serves it (broken: not found; global: not supported; fetch: not found; store: not found; annotate: not found; driver: not found; aws: not supported; gcp: not found; azure: not found; csi: not found; openbao: not found; k8s: not supported; vault: not found)`},
		{"conflict", ctx, of(withEnv, secret.Request{Group: "g", Key: "k"}), 422, "denied",
			`secret group="g" key="k": manager k8s: container "task": env "_FSEC_G_K" is already set to something else`},
		{"no containers", ctx, of(&corev1.Pod{}, secret.Request{Group: "g", Key: "k"}), 422, "denied",
			"no container of the pod receives the requested secrets"},
		{"manager fails", ctx, of(userStoryPod(), secret.Request{Group: "broken", Key: "k"}), 500, "failed",
			`secret group="broken" key="k": manager broken: failed`},
		{"most severe of several", ctx, of(withEnv, secret.Request{Group: "broken", Key: "k"}, secret.Request{Group: "g", Key: "k"}, secret.Request{Key: "/"}), 500, "failed",
			`secret group="broken" key="k": manager broken: failed; secret group="g" key="k": manager k8s: container "task": env "_FSEC_G_K" is already set to something else; secret key="/": key: begins with "/"`},
		{"context ended", ended, of(userStoryPod(), secret.Request{Group: "g", Key: "k"}), 504, "failed", "injector: context canceled"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := newInjector(t, func(cfg *injector.Config) {
				cfg.Managers = append([]injector.SecretManager{failing}, cfg.Managers...)
			})
			response := in.Review(tc.ctx, creation(tc.raw))
			assert.False(t, response.Allowed)
			assert.Equal(t, "uid-1", string(response.UID))
			assert.Nil(t, response.Patch)
			require.NotNil(t, response.Result)
			assert.Equal(t, tc.want, response.Result.Message)
			assert.Equal(t, tc.code, response.Result.Code)
			assert.Equal(t, metav1.StatusFailure, response.Result.Status)
			assert.NotEmpty(t, response.Result.Reason)
			assert.Equal(t, tc.outcome, response.AuditAnnotations[injector.AuditOutcome])
		})
	}
	response := newInjector(t, nil).Review(ctx, nil)
	assert.Equal(t, int32(400), response.Result.Code)
}

func TestReview_TwentyErrors(t *testing.T) {
	var reqs []secret.Request
	for i := range 100 {
		reqs = append(reqs, secret.Request{Group: "a b", Key: fmt.Sprint(i)})
	}
	response := newInjector(t, nil).Review(ctx, creation(toJSON(t, stamped(t, userStoryPod(), reqs...))))
	require.False(t, response.Allowed)
	assert.Equal(t, 20, strings.Count(response.Result.Message, "no manager serves it"))
	assert.True(t, strings.HasSuffix(response.Result.Message, "; and 80 more"))
}

func TestReview_CountsByManager(t *testing.T) {
	response := newInjector(t, nil).Review(ctx, creation(toJSON(t, stamped(t, userStoryPod(),
		secret.Request{Group: "user-info", Key: "a"}, secret.Request{Group: "fetch", Key: "b"},
		secret.Request{Group: "user-info", Key: "c"}, secret.Request{Group: "global", Key: "token"},
	))))
	require.True(t, response.Allowed, "%+v", response.Result)
	assert.Equal(t, "global=1,fetch=1,k8s=2", response.AuditAnnotations[injector.AuditManagers])
}

func TestReview_Namespace(t *testing.T) {
	seen := ""
	spy := fake{"spy", func(_ secret.Request, target mount.Target) (mount.Fragment, error) {
		seen = fmt.Sprint(target.Namespace(), " ", target.GenerateName())
		return mount.Fragment{Value: mount.Literal("")}, nil
	}}
	in := newInjector(t, func(cfg *injector.Config) { cfg.Managers = []injector.SecretManager{spy} })
	pod := stamped(t, userStoryPod(), secret.Request{Group: "spy", Key: "k"})
	pod.Name, pod.GenerateName, pod.Namespace = "", "task-", ""
	require.True(t, in.Review(ctx, creation(toJSON(t, pod))).Allowed)
	assert.Equal(t, "flytesnacks-development task-", seen)
}
