package deployed

import (
	"context"
	"fmt"
	"strings"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
	"github.com/podsecrets/podsecrets/secret"
)

// Account returns a client configuration with the manifests' ServiceAccount.
func Account(ctx context.Context, admin *rest.Config) (*rest.Config, error) {
	client, err := kubernetes.NewForConfig(admin)
	if err != nil {
		return nil, err
	}
	token, err := client.CoreV1().ServiceAccounts(Namespace).CreateToken(ctx, Name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	account := rest.AnonymousClientConfig(admin)
	account.BearerToken = token.Status.Token
	return account, nil
}

func writeKubeconfig(ctx context.Context, admin *rest.Config, file string) error {
	account, err := Account(ctx, admin)
	if err != nil {
		return err
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["kapi"] = &clientcmdapi.Cluster{Server: account.Host, CertificateAuthorityData: account.CAData}
	config.AuthInfos[Name] = &clientcmdapi.AuthInfo{Token: account.BearerToken}
	config.Contexts["kapi"] = &clientcmdapi.Context{Cluster: "kapi", AuthInfo: Name}
	config.CurrentContext = "kapi"
	return clientcmd.WriteToFile(*config, file)
}

// waitCalled waits until the API server calls the webhook. It sees a new
// configuration and its CA bundle with a delay; until then, Pods are stored
// unchanged or refused.
func waitCalled(ctx context.Context, server *apiserver.Server) error {
	ns, err := server.NewNamespace(ctx, nil)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(server.Config)
	if err != nil {
		return err
	}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "example.test/app"}}}}
	pod.GenerateName = "probe-"
	pod.Labels, pod.Annotations, err = secret.Stamp(nil, nil, []secret.Request{{Group: "probe", Key: "probe"}})
	if err != nil {
		return err
	}
	const timeout = 30 * time.Second
	for deadline := time.Now().Add(timeout); ; time.Sleep(50 * time.Millisecond) {
		got, err := client.CoreV1().Pods(ns).Create(ctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		// Perhaps no manager serves the probe's secret.
		refused := err != nil && strings.Contains(err.Error(), "denied the request: secret ")
		if refused || err == nil && len(got.Spec.Containers[0].Env) > 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the API server did not call the webhook within %v: %w", timeout, err)
		}
	}
}
