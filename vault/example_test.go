package vault_test

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

func ExampleNew() {
	m, err := vault.New(vault.Config{
		Role:        "tasks",
		Annotations: map[string]string{"vault.hashicorp.com/service": "https://vault.example.com"},
		Locked:      []string{"vault.hashicorp.com/service", "vault.hashicorp.com/namespace"},
	})
	if err != nil {
		panic(err)
	}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
	if err != nil {
		panic(err)
	}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}
	plan, err := in.Plan(context.Background(), pod, secret.Request{Group: "secret/data/Task", Key: "Password"})
	if err != nil {
		panic(err)
	}
	fmt.Println(plan.Placements[0].Path)
	for name, value := range plan.Pod().Annotations {
		if strings.HasPrefix(name, "vault.hashicorp.com/agent-inject-secret-") {
			fmt.Println("is read from", value)
		}
	}
	// Output:
	// /etc/flyte/secrets/secret/data/task/password
	// is read from secret/data/Task
}
