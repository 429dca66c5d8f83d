package awssm_test

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/internal/kubelet"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// For any request, the image sees, after the kubelet's expansion, the requested ARN and
// the file of the Placement.
func FuzzFetcher(f *testing.F) {
	for _, key := range []string{"k-AbCdEf", "a/b", "../../etc/passwd", "$(SECRET_ARN)", "$$(HOME)", "..", ".", "", ":k", "a//b/", "\x00", "\u023a", "K"} {
		f.Add(account, key, "Pre-")
		f.Add(account+":"+key, "k", "")
	}
	f.Fuzz(func(t *testing.T, group, key, prefix string) {
		layout := mount.Layout{FilePrefix: prefix}
		if layout.Validate() != nil {
			return
		}
		m, err := awssm.New(awssm.Config{})
		require.NoError(t, err)
		in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}, Layout: layout})
		require.NoError(t, err)
		req := secret.Request{Group: group, Key: key}
		plan, err := in.Plan(t.Context(), &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}, req)
		if err != nil {
			return
		}
		seen := map[string]string{"HOME": "expanded"}
		for _, v := range plan.Pod().Spec.InitContainers[0].Env {
			seen[v.Name] = kubelet.Expand(v.Value, seen)
		}
		require.Equal(t, strings.TrimRight(group, ":")+":"+strings.TrimLeft(key, ":"), seen["SECRET_ARN"])
		file := sidecarFile(seen["SECRET_FILENAME"])
		require.Equal(t, "/tmp"+seen["SECRET_FILENAME"], file, "the image changes the path")
		require.Equal(t, plan.Placements[0].Path, path.Join("/etc/flyte/secrets", file[len("/tmp"):]))
		require.NotEqual(t, "/etc/flyte/secrets", plan.Placements[0].Path)
	})
}
