package injector_test

import (
	"context"
	"errors"
	"fmt"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// exampleInjector returns an Injector of Kubernetes Secrets.
func exampleInjector() *injector.Injector {
	secrets, err := k8ssecret.New(k8ssecret.Config{})
	if err != nil {
		panic(err)
	}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{secrets}})
	if err != nil {
		panic(err)
	}
	return in
}

func examplePod() *corev1.Pod {
	return &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "task", Image: "task:v1"}}}}
}

func ExampleNew() {
	secrets, err := k8ssecret.New(k8ssecret.Config{Required: true})
	if err != nil {
		panic(err)
	}
	_, err = injector.New(injector.Config{
		Managers:   []injector.SecretManager{secrets},
		Containers: func(c mount.Container) bool { return c.Name != "log-shipper" },
		InitOrder:  mount.InitAfterSidecars,
	})
	fmt.Println(err)
	// Output: <nil>
}

func ExampleInjector_Inject() {
	pod, err := exampleInjector().Inject(context.Background(), examplePod(),
		secret.Request{Group: "user-info", Key: "password", EnvVar: "PASSWORD"})
	if err != nil {
		panic(err)
	}
	for _, v := range pod.Spec.Containers[0].Env {
		fmt.Println(v.Name)
	}
	// Output:
	// FLYTE_SECRETS_ENV_PREFIX
	// _FSEC_USER-INFO_PASSWORD
	// PASSWORD
}

func ExampleInjector_InjectTemplate() {
	template := &corev1.PodTemplateSpec{Spec: examplePod().Spec}
	template, err := exampleInjector().InjectTemplate(context.Background(), template,
		secret.Request{Group: "user-info", Key: "password", Mount: mount.File})
	if err != nil {
		panic(err)
	}
	fmt.Println(template.Spec.Containers[0].VolumeMounts[0].MountPath)
	// Output: /etc/flyte/secrets/user-info
}

func ExampleInjector_Patch() {
	patch, err := exampleInjector().Patch(context.Background(), examplePod(),
		secret.Request{Group: "user-info", Key: "password", Mount: mount.File})
	if err != nil {
		panic(err)
	}
	for _, op := range patch {
		fmt.Println(op.Operation, op.Path)
	}
	// Output:
	// add /spec/volumes
	// add /spec/containers/0/env
	// add /spec/containers/0/volumeMounts
}

// A dry run: where would the secrets be?
func ExampleInjector_Plan() {
	plan, err := exampleInjector().Plan(context.Background(), examplePod(),
		secret.Request{Group: "user-info", Key: "username"},
		secret.Request{Group: "user-info", Key: "password", Mount: mount.File})
	if err != nil {
		panic(err)
	}
	for _, p := range plan.Placements {
		fmt.Println(p.Manager, p.Mount, p.EnvVar+p.Path)
	}
	fmt.Println(len(plan.Patch()), "operations, for", len(plan.Pod().Spec.Containers), "container")
	// Output:
	// k8s ENV_VAR _FSEC_USER-INFO_USERNAME
	// k8s FILE /etc/flyte/secrets/user-info/password
	// 3 operations, for 1 container
}

// A webhook hands each request of its admission reviews to Review.
func ExampleInjector_Review() {
	response := exampleInjector().Review(context.Background(), &admissionv1.AdmissionRequest{
		UID:       "705ab4f5-6393-11e8-b7cc-42010a800002",
		Operation: admissionv1.Create,
		Resource:  metav1.GroupVersionResource{Version: "v1", Resource: "pods"},
		Object: runtime.RawExtension{Raw: []byte(`{
			"metadata": {"annotations": {"flyte.secrets/s0": "m4zg54lqhiqce4ltmvzc11lomzxsectlmv3tuibcovzwk3s6onswg3tfoqrau"}},
			"spec": {"containers": [{"name": "task", "image": "task:v1"}]}
		}`)},
	})
	fmt.Println(response.Allowed, *response.PatchType, response.AuditAnnotations)
	// Output: true JSONPatch map[managers:k8s=1 outcome:injected]
}

func ExampleRequestError() {
	pod := examplePod()
	pod.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "PASSWORD", Value: "mine"}}
	_, err := exampleInjector().Inject(context.Background(), pod,
		secret.Request{Group: "user-info", Key: "password", EnvVar: "PASSWORD"})

	var failed *injector.RequestError
	var conflict *mount.ConflictError
	if errors.As(err, &failed) && errors.As(err, &conflict) {
		fmt.Println(failed.Request.Key, "from", failed.Manager, "cannot be injected into", conflict.Container)
		fmt.Println("because of", conflict.Name, "in", conflict.Field)
	}
	// Output:
	// password from k8s cannot be injected into task
	// because of PASSWORD in env
}
