package global_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// registry is a custom Source.
type registry struct{}

func (registry) Lookup(_ context.Context, req secret.Request) (string, error) {
	if req.Group == "registry" && req.Key == "token" {
		return "pa$word", nil
	}
	return "", secret.ErrNotFound
}

func ExampleNew() {
	m, err := global.New(global.Config{
		Source: registry{},
		Allow: func(req secret.Request, target mount.Target) bool {
			return target.Namespace() == "builds" && req.Group == "registry" && req.Key == "token"
		},
	})
	if err != nil {
		panic(err)
	}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	if err != nil {
		panic(err)
	}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}
	pod.Namespace = "builds"
	pod, err = in.Inject(context.Background(), pod, secret.Request{Group: "registry", Key: "token"})
	if err != nil {
		panic(err)
	}
	// The kubelet turns "$$" into "$".
	fmt.Println(pod.Spec.Containers[0].Env[1])
	// Output: {_FSEC_REGISTRY_TOKEN pa$$word nil}
}
