package apiserver_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
)

// The server has the module's version, and can emulate an older one.
func TestServer_Version(t *testing.T) {
	minor, err := apiserver.Minor()
	require.NoError(t, err)
	older := strconv.Itoa(minor - 2)
	s, err := apiserver.Start("--emulated-version=1." + older)
	require.NoError(t, err)
	client := kubernetes.NewForConfigOrDie(s.Config)
	version, err := client.Discovery().ServerVersion()
	require.NoError(t, err)
	assert.Regexp(t, fmt.Sprintf(`^v1\.%d\.`, minor), version.GitVersion)
	assert.Equal(t, older, version.EmulationMinor)

	ns := s.Namespace(t, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	_, err = client.CoreV1().Pods(ns).Create(t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "pod"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "example.test/app"}}},
	}, metav1.CreateOptions{})
	assert.True(t, apierrors.IsForbidden(err), "Pod Security is real: %v", err)

	dir := filepath.Dir(s.Kubeconfig)
	require.NoError(t, s.Stop())
	assert.NoDirExists(t, dir)
}

func TestStart_MissingBinary(t *testing.T) {
	t.Setenv("KAPI_BIN", filepath.Join(t.TempDir(), "kapi"))
	_, err := apiserver.Start()
	require.ErrorIs(t, err, os.ErrNotExist)
	assert.ErrorContains(t, err, "make kapi")
}

func TestStart_UnknownFlag(t *testing.T) {
	_, err := apiserver.Start("--no-such-flag")
	require.Error(t, err)
	assert.ErrorContains(t, err, "unknown flag: --no-such-flag")
}
