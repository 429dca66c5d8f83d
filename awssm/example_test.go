package awssm_test

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/secret"
)

func ExampleNew() {
	m, err := awssm.New(awssm.Config{Image: "registry.example.com/fetch-or-fail:v1"})
	if err != nil {
		panic(err)
	}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	if err != nil {
		panic(err)
	}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}
	plan, err := in.Plan(context.Background(), pod, secret.Request{
		Group: "arn:aws:secretsmanager:us-east-2:123456789012:secret", Key: "db/Password-AbCdEf",
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(plan.Placements[0].Path)
	for _, v := range plan.Pod().Spec.InitContainers[0].Env {
		fmt.Println(v.Name, v.Value)
	}
	// Output:
	// /etc/flyte/secrets/arn:aws:secretsmanager:us-east-2:123456789012:secret/db/password-abcdef
	// SECRET_ARN arn:aws:secretsmanager:us-east-2:123456789012:secret:db/Password-AbCdEf
	// SECRET_FILENAME /arn:aws:secretsmanager:us-east-2:123456789012:secret/db/password-abcdef
}
