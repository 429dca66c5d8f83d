package e2e

import (
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
	"github.com/podsecrets/podsecrets/internal/kubelet"
	"github.com/podsecrets/podsecrets/internal/vaulttest"
	"github.com/podsecrets/podsecrets/mount"
)

// node models a node that runs a stored Pod: the kubelet's handling of variables and
// volumes, AWS's fetcher, and the Vault Agent. It reads Kubernetes Secrets from the
// API server.
type node struct {
	client *kubernetes.Clientset
	pod    *corev1.Pod
	dir    string // has a directory per volume
	vault  *corev1.VolumeMount
}

// view is what a container sees.
type view struct {
	env  map[string]string
	file func(path string) (content string, found bool)
}

// stores are outside of the cluster.
type stores struct {
	aws   map[string]string // by ARN
	vault *vaulttest.Server
}

// vaultVolume is the volume that Vault's injector adds.
const vaultVolume = "vault-secrets"

// runPod runs the Pod's fetchers, and returns the views of the other containers by
// name.
func runPod(t *testing.T, s *apiserver.Server, pod *corev1.Pod, from stores) map[string]view {
	t.Helper()
	n := &node{client: clientOf(t, s), pod: pod, dir: t.TempDir()}
	for _, v := range pod.Spec.Volumes {
		n.mountVolume(t, v)
	}
	if pod.Annotations[vaulttest.Prefix+"agent-inject"] == "true" {
		n.runAgent(t, from.vault)
	}
	seen := map[string]view{}
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for _, c := range list {
			env := n.environment(t, c)
			if mount.IsName(c.Name) {
				n.fetch(t, c, env, from.aws)
				continue
			}
			seen[c.Name] = view{env, func(p string) (string, bool) { return n.read(t, c, p) }}
		}
	}
	return seen
}

func (n *node) mountVolume(t *testing.T, v corev1.Volume) {
	require.NoError(t, os.Mkdir(filepath.Join(n.dir, v.Name), 0o755))
	if v.Projected == nil {
		return
	}
	for _, source := range v.Projected.Sources {
		if source.Secret == nil {
			continue // the service account's token
		}
		data, found := n.secret(t, source.Secret.Name)
		optional := source.Secret.Optional != nil && *source.Secret.Optional
		require.True(t, found || optional, "the Pod would wait for Secret %q", source.Secret.Name)
		for _, item := range source.Secret.Items {
			if value, ok := data[item.Key]; ok {
				n.write(t, filepath.Join(n.dir, v.Name, item.Path), string(value))
			}
		}
	}
}

// runAgent models the Vault Agent that Vault's injector adds.
func (n *node) runAgent(t *testing.T, s *vaulttest.Server) {
	config, err := vaulttest.Inject(n.pod.Annotations)
	require.NoError(t, err)
	dir := n.pod.Annotations[vaulttest.Prefix+"secret-volume-path"]
	root := t.TempDir()
	require.NoError(t, vaulttest.Render(t, config, s, root))
	n.vault = &corev1.VolumeMount{Name: vaultVolume, MountPath: dir}
	for file, content := range vaulttest.FilesBelow(t, root) {
		n.write(t, filepath.Join(n.dir, vaultVolume, strings.TrimPrefix(file, dir)), content)
	}
}

// fetch models aws-secrets-manager-secret-sidecar:v0.1.4.
func (n *node) fetch(t *testing.T, c corev1.Container, env, aws map[string]string) {
	arn := env["SECRET_ARN"]
	require.True(t, strings.HasPrefix(arn, "arn:") && strings.Count(arn, ":") >= 5, "the image exits with 1 on %q", arn)
	value, found := aws[arn]
	if file, ok := n.hostPath(c, "/tmp"+env["SECRET_FILENAME"]); ok && found {
		n.write(t, file, value)
	}
}

func (n *node) write(t *testing.T, file, content string) {
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(content), 0o644))
}

// hostPath returns the node's path of the file at the container's path p: in the
// volume of the deepest mount above it.
func (n *node) hostPath(c corev1.Container, p string) (file string, ok bool) {
	mounts := c.VolumeMounts
	if n.vault != nil {
		mounts = append([]corev1.VolumeMount{*n.vault}, mounts...)
	}
	var deepest corev1.VolumeMount
	for _, m := range mounts {
		if strings.HasPrefix(p, m.MountPath+"/") && len(m.MountPath) > len(deepest.MountPath) {
			deepest = m
		}
	}
	return filepath.Join(n.dir, deepest.Name, path.Join(deepest.SubPath, p[len(deepest.MountPath):])), deepest.Name != ""
}

func (n *node) read(t *testing.T, c corev1.Container, p string) (content string, found bool) {
	file, ok := n.hostPath(c, p)
	if !ok {
		return "", false
	}
	raw, err := os.ReadFile(file)
	if !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	return string(raw), err == nil
}

// imageEnv has the variables of an image built for another layout. The Pod's
// variables override them.
var imageEnv = map[string]string{
	mount.EnvPrefixVar: "_BAKED_", mount.DefaultDirVar: "/baked", mount.FilePrefixVar: "baked-",
}

// environment returns the variables that a container sees.
func (n *node) environment(t *testing.T, c corev1.Container) map[string]string {
	env := maps.Clone(imageEnv)
	for _, v := range c.Env {
		if v.ValueFrom == nil {
			env[v.Name] = kubelet.Expand(v.Value, env)
			continue
		}
		ref := v.ValueFrom.SecretKeyRef
		require.NotNil(t, ref, "not a reference to a Secret: %s", v.Name)
		data, _ := n.secret(t, ref.Name)
		value, found := data[ref.Key]
		if found {
			env[v.Name] = string(value)
			continue
		}
		require.True(t, ref.Optional != nil && *ref.Optional, "container %q would wait for %s/%s", c.Name, ref.Name, ref.Key)
	}
	return env
}

// secret reads a Kubernetes Secret.
func (n *node) secret(t *testing.T, name string) (data map[string][]byte, found bool) {
	s, err := n.client.CoreV1().Secrets(n.pod.Namespace).Get(t.Context(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, false
	}
	require.NoError(t, err)
	return s.Data, true
}

func clientOf(t testing.TB, s *apiserver.Server) *kubernetes.Clientset {
	t.Helper()
	c, err := kubernetes.NewForConfig(s.Config)
	require.NoError(t, err)
	return c
}
