package k8ssecret_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/secret"
)

func ExampleNew() {
	m, err := k8ssecret.New(k8ssecret.Config{Required: true})
	if err != nil {
		panic(err)
	}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	if err != nil {
		panic(err)
	}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}
	pod, err = in.Inject(context.Background(), pod, secret.Request{Group: "user-info", Key: "password"})
	if err != nil {
		panic(err)
	}
	v := pod.Spec.Containers[0].Env[1]
	fmt.Println(v.Name, v.ValueFrom.SecretKeyRef.Name, v.ValueFrom.SecretKeyRef.Key)
	// Output: _FSEC_USER-INFO_PASSWORD user-info password
}
