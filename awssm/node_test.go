package awssm_test

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/kubelet"
	"github.com/podsecrets/podsecrets/mount"
)

// node models a node that runs a Pod: the kubelet's handling of variables and volumes,
// and the stock image. The image does not run; the model follows its source.
type node struct {
	dir   string            // contains a directory for each volume of the Pod
	store map[string]string // values: AWS' by ARN, Kubernetes Secrets' by name/key
}

// newNode returns a node with the Pod's volumes.
func newNode(t *testing.T, pod *corev1.Pod, store map[string]string) node {
	n := node{t.TempDir(), store}
	for _, v := range pod.Spec.Volumes {
		require.NoError(t, os.Mkdir(filepath.Join(n.dir, v.Name), 0o777))
		if v.Projected == nil {
			continue
		}
		for _, source := range v.Projected.Sources {
			for _, item := range source.Secret.Items {
				if value, ok := store[source.Secret.Name+"/"+item.Key]; ok {
					n.write(t, filepath.Join(n.dir, v.Name, item.Path), value)
				}
			}
		}
	}
	return n
}

func (n node) write(t *testing.T, file, value string) {
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte(value), 0o644))
}

// hostPath returns the node's file for path p in a container: a file in the volume of
// the deepest mount above p. The container's root is not modeled; ok is then false.
func (n node) hostPath(c *corev1.Container, p string) (file string, ok bool) {
	var deepest corev1.VolumeMount
	for _, m := range c.VolumeMounts {
		if strings.HasPrefix(p, m.MountPath+"/") && len(m.MountPath) > len(deepest.MountPath) {
			deepest = m
		}
	}
	return filepath.Join(n.dir, deepest.Name, p[len(deepest.MountPath):]), deepest.Name != ""
}

// fetch runs the fetchers in order and returns their exit codes.
func (n node) fetch(t *testing.T, pod *corev1.Pod) (exits []int) {
	for i := range pod.Spec.InitContainers {
		if c := &pod.Spec.InitContainers[i]; mount.IsName(c.Name) {
			exits = append(exits, n.runSidecar(t, c))
		}
	}
	return exits
}

// runSidecar does what aws-secrets-manager-secret-sidecar:v0.1.4 does.
func (n node) runSidecar(t *testing.T, c *corev1.Container) (exit int) {
	env := environment(c)
	arn := env["SECRET_ARN"]
	if !strings.HasPrefix(arn, "arn:") || strings.Count(arn, ":") < 5 {
		return 1
	}
	value, found := n.store[arn]
	// With a read-only root it can only write to volumes. It ignores the error.
	if file, ok := n.hostPath(c, sidecarFile(env["SECRET_FILENAME"])); ok && found {
		n.write(t, file, value)
	}
	return 0
}

// sidecarFile returns the file that the image writes.
func sidecarFile(filename string) string {
	dir, file := path.Split(filename)
	if file == "" {
		file = "secret"
	}
	return path.Join("/tmp"+dir, file)
}

// environment returns the literal variables as the container sees them.
func environment(c *corev1.Container) map[string]string {
	env := map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1"} // in every Pod
	for _, v := range c.Env {
		env[v.Name] = kubelet.Expand(v.Value, env)
	}
	return env
}

// The model behaves as the image is known to behave.
func TestNode_Sidecar(t *testing.T) {
	for filename, want := range map[string]string{
		"/a/b": "/tmp/a/b", "a/b": "/tmpa/b", "/a/": "/tmp/a/secret", "/../x": "/x", "": "/tmp/secret",
	} {
		assert.Equal(t, want, sidecarFile(filename), filename)
	}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Volumes: []corev1.Volume{{Name: "v"}}}}
	run := func(arn, filename string) (exit int, files []string) {
		n := newNode(t, pod, map[string]string{account + ":k": "value"})
		exit = n.runSidecar(t, &corev1.Container{
			Env:          []corev1.EnvVar{{Name: "SECRET_ARN", Value: arn}, {Name: "SECRET_FILENAME", Value: filename}},
			VolumeMounts: []corev1.VolumeMount{{Name: "v", MountPath: "/tmp"}},
		})
		require.NoError(t, filepath.WalkDir(n.dir, func(p string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files = append(files, strings.TrimPrefix(p, n.dir))
			}
			return err
		}))
		return exit, files
	}
	for _, tc := range []struct {
		name, arn, filename string
		exit                int
		files               []string
	}{
		{"found", account + ":k", "/a/b", 0, []string{"/v/a/b"}},
		{"no ARN", "k", "/a/b", 1, nil},
		{"not found", account + ":none", "/a/b", 0, nil},
		{"relative name", account + ":k", "a/b", 0, nil},
		{"leaves volume", account + ":k", "/../x", 0, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			exit, files := run(tc.arn, tc.filename)
			assert.Equal(t, tc.exit, exit)
			assert.Equal(t, tc.files, files)
		})
	}
}
