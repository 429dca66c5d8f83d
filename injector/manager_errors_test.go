package injector_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// A fragment that contradicts itself does not conflict with another request.
func TestRequestError_ConflictWithItself(t *testing.T) {
	m := always{"m", func(secret.Request, mount.Target) (mount.Fragment, error) {
		name := mount.Name("m")
		return mount.Fragment{File: true, Volumes: []corev1.Volume{{Name: name, VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{Secret: &corev1.SecretProjection{Items: []corev1.KeyToPath{{Key: "a", Path: "k"}, {Key: "b", Path: "k"}}}}},
		}}}}, VolumeMounts: []corev1.VolumeMount{{Name: name, MountPath: "/etc/flyte/secrets"}}}, nil
	}}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	require.NoError(t, err)
	_, err = in.Inject(ctx, userStoryPod(), secret.Request{Key: "k"})
	var failed *injector.RequestError
	require.ErrorAs(t, err, &failed)
	assert.Nil(t, failed.Other)
	assert.EqualError(t, err, `secret key="k": manager m: volumes "`+mount.Name("m")+`" would have two different keys or modes at "k"`)
}

// A manager that is a nil pointer would fail at its first call.
func TestNew_NilManagers(t *testing.T) {
	var typed *k8ssecret.Manager
	for name, m := range map[string]injector.SecretManager{"nil": nil, "a typed nil": typed, "a nil pointer to a fake": (*injectortest.Fake)(nil)} {
		_, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
		assert.EqualError(t, err, "injector: Managers[0] is nil", name)
	}
}

func TestNew_NamesOfManagers(t *testing.T) {
	for name, valid := range map[string]bool{
		"a": true, "Az09": true, "team-a/my_store.v1": true, "": false, "a b": false, "a,b": false, "a=b": false, "é": false,
	} {
		_, err := injector.New(injector.Config{Managers: []injector.SecretManager{always{name: name}}})
		assert.Equal(t, valid, err == nil, "%q: %v", name, err)
	}
}

// The Pod's author sees a manager's error if the request is invalid or
// conflicts with the Pod, and nothing of any other error.
func TestReview_ErrorsOfManagers(t *testing.T) {
	for text, tc := range map[string]struct {
		err  error
		code int32
	}{
		`secret key="k": manager m: key: is no good`:       {fmt.Errorf("at 10.0.0.1: %w", &secret.InvalidError{Field: "key", Reason: "is no good"}), 422},
		`secret key="k": manager m: volumes "v" is theirs`: {fmt.Errorf("at 10.0.0.1: %w", &mount.ConflictError{Field: "volumes", Name: "v", Reason: "is theirs"}), 422},
		`secret key="k": manager m: failed`:                {errors.New("at 10.0.0.1"), 500},
	} {
		m := always{"m", func(secret.Request, mount.Target) (mount.Fragment, error) { return mount.Fragment{}, tc.err }}
		in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
		require.NoError(t, err)
		pod := userStoryPod()
		pod.Annotations, err = secret.EncodeAnnotations([]secret.Request{{Key: "k"}})
		require.NoError(t, err)
		response := in.Review(ctx, &admissionv1.AdmissionRequest{
			Operation: admissionv1.Create, Resource: metav1.GroupVersionResource{Version: "v1", Resource: "pods"},
			Object: runtime.RawExtension{Raw: toJSON(t, pod)},
		})
		require.NotNil(t, response.Result, text)
		assert.Equal(t, text, response.Result.Message)
		assert.Equal(t, tc.code, response.Result.Code, text)
	}
}
