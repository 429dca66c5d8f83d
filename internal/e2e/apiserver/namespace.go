package apiserver

import (
	"context"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Namespace creates a namespace with the labels and a unique name. It stays until
// the server stops, because no controller could delete it.
func (s *Server) Namespace(t testing.TB, labels map[string]string) string {
	t.Helper()
	name, err := s.NewNamespace(t.Context(), labels)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// NewNamespace is Namespace outside of a test.
func (s *Server) NewNamespace(ctx context.Context, labels map[string]string) (string, error) {
	client, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		return "", err
	}
	ns, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-", Labels: labels},
	}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	// Normally a controller creates it. Without it every Pod is refused.
	_, err = client.CoreV1().ServiceAccounts(ns.Name).Create(ctx, &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Name: "default"},
	}, metav1.CreateOptions{})
	return ns.Name, err
}
