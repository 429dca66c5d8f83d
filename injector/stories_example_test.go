package injector_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"

	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// A webhook without any framework: the handler decodes an AdmissionReview, has it
// answered, and encodes what comes back. The context ends with the API server's
// patience.
func Example_webhook() {
	in := exampleInjector()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review admissionv1.AdmissionReview
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 8<<20)).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		review.Response = in.Review(r.Context(), review.Request)
		review.Request = nil
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(review)
	})

	// A Pod comes, whose author has put requests on it.
	pod := examplePod()
	var err error
	pod.Labels, pod.Annotations, err = secret.Stamp(pod.Labels, pod.Annotations,
		[]secret.Request{{Group: "user-info", Key: "password"}})
	if err != nil {
		panic(err)
	}
	raw, err := json.Marshal(pod)
	if err != nil {
		panic(err)
	}
	body, err := json.Marshal(admissionv1.AdmissionReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"},
		Request: &admissionv1.AdmissionRequest{
			UID:       "705ab4f5-6393-11e8-b7cc-42010a800002",
			Namespace: "tasks",
			Operation: admissionv1.Create,
			Resource:  metav1.GroupVersionResource{Version: "v1", Resource: "pods"},
			Object:    runtime.RawExtension{Raw: raw},
		},
	})
	if err != nil {
		panic(err)
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/mutate", bytes.NewReader(body)))

	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(answer.Body.Bytes(), &review); err != nil {
		panic(err)
	}
	fmt.Println(review.Kind, review.Response.UID, review.Response.Allowed)
	fmt.Println(string(review.Response.Patch[:57]) + "...")
	// Output:
	// AdmissionReview 705ab4f5-6393-11e8-b7cc-42010a800002 true
	// [{"op":"add","path":"/spec/containers/0/env","value":[{"n...
}

// An operator makes the template from its resource each time, injects it, and
// only then compares it with what is there: so it never sees a difference that is
// its own. Requests belong in a fixed order.
func Example_operator() {
	in := exampleInjector()
	wanted := func(image string) (*corev1.PodTemplateSpec, error) {
		template := &corev1.PodTemplateSpec{Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "task", Image: image}},
		}}
		return in.InjectTemplate(context.Background(), template,
			secret.Request{Group: "user-info", Key: "password"},
			secret.Request{Group: "user-info", Key: "certificate", Mount: mount.File})
	}
	there, err := wanted("task:v1")
	if err != nil {
		panic(err) // no: a condition on the resource
	}
	for _, image := range []string{"task:v1", "task:v2"} {
		template, err := wanted(image)
		if err != nil {
			panic(err)
		}
		// In a cluster there has defaults too: compare a hash of the template that
		// the operator keeps in an annotation, or apply it server-side.
		fmt.Println(image, "needs an update:", !reflect.DeepEqual(template, there))
	}
	// Output:
	// task:v1 needs an update: false
	// task:v2 needs an update: true
}

// All containers receive secrets, init containers too, unless a function chooses.
func Example_chooseContainers() {
	secrets, err := k8ssecret.New(k8ssecret.Config{})
	if err != nil {
		panic(err)
	}
	in, err := injector.New(injector.Config{
		Managers:   []injector.SecretManager{secrets},
		Containers: func(c mount.Container) bool { return !c.Init && c.Name != "log-shipper" },
	})
	if err != nil {
		panic(err)
	}
	pod, err := in.Inject(context.Background(), &corev1.Pod{Spec: corev1.PodSpec{
		InitContainers: []corev1.Container{{Name: "setup"}},
		Containers:     []corev1.Container{{Name: "task"}, {Name: "log-shipper"}},
	}}, secret.Request{Group: "user-info", Key: "password"})
	if err != nil {
		panic(err)
	}
	for _, c := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
		fmt.Println(c.Name, len(c.Env))
	}
	// Output:
	// setup 0
	// task 2
	// log-shipper 0
}

// A Pod defines a variable otherwise that shall hold a secret. That is an error
// which tells where, until somebody decides: another variable in the request, or
// mount.ConflictKeepPod, with which the Pod's own stays in that container.
func Example_resolveAConflict() {
	secrets, err := k8ssecret.New(k8ssecret.Config{})
	if err != nil {
		panic(err)
	}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{
		{Name: "task"},
		{Name: "debug", Env: []corev1.EnvVar{{Name: "PASSWORD", Value: "for tests"}}},
	}}}
	for _, policy := range []mount.ConflictPolicy{mount.ConflictFail, mount.ConflictKeepPod} {
		in, err := injector.New(injector.Config{Managers: []injector.SecretManager{secrets}, OnConflict: policy})
		if err != nil {
			panic(err)
		}
		out, err := in.Inject(context.Background(), pod, secret.Request{Group: "user-info", Key: "password", EnvVar: "PASSWORD"})
		var conflict *mount.ConflictError
		if errors.As(err, &conflict) {
			fmt.Printf("%s of container %s: %s\n", conflict.Name, conflict.Container, conflict.Reason)
			continue
		}
		for _, c := range out.Spec.Containers {
			for _, v := range c.Env {
				if v.Name == "PASSWORD" {
					fmt.Println(c.Name, v.Value, v.ValueFrom != nil)
				}
			}
		}
	}
	// Output:
	// PASSWORD of container debug: is already set to something else
	// task  true
	// debug for tests false
}

// In place of Flyte's own webhook: the same label and annotations ask, and the
// same global secrets come first. Flyte's webhook makes a file of a request that
// leaves the choice, which package k8ssecret does if it is told to.
func Example_migrateFromFlytesWebhook() {
	globals, err := global.New(global.Config{}) // FLYTE_SECRET_<GROUP>_<KEY>, /etc/secrets
	if err != nil {
		panic(err)
	}
	secrets, err := k8ssecret.New(k8ssecret.Config{Any: mount.File})
	if err != nil {
		panic(err)
	}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{globals, secrets}})
	if err != nil {
		panic(err)
	}
	pod := examplePod() // as Flyte's propeller makes it
	pod.Labels = map[string]string{secret.InjectLabel: "true"}
	pod.Annotations = map[string]string{
		"flyte.secrets/s0": "m4zg54lqhiqce4ltmvzc11lomzxsectlmv3tuibcovzwk3tomfwwkiqk",
	}
	reqs, err := secret.DecodeAnnotations(pod.Annotations)
	if err != nil {
		panic(err)
	}
	plan, err := in.Plan(context.Background(), pod, reqs...)
	if err != nil {
		panic(err)
	}
	for _, p := range plan.Placements {
		fmt.Println(p.Request, "is", p.Path)
	}
	// Output: group="user-info" key="username" is /etc/flyte/secrets/user-info/username
}
