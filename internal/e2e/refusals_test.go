package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/internal/vaulttest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

var (
	variable = secret.Request{Group: "user-info", Key: "name"}
	file     = secret.Request{Group: "user-info", Key: "password", Mount: mount.File}
	fetched  = secret.Request{Group: account, Key: "db"}
	agent    = secret.Request{Group: "secret/data/task", Key: "password"}
)

// refusals are Pods that are refused. The golden file has the complete messages, for
// people to read; each message must contain the texts.
var refusals = map[string]struct {
	reqs  []secret.Request
	edit  func(*corev1.Pod)
	code  int32
	texts []string
}{
	"bad-annotation": {
		reqs: []secret.Request{variable},
		edit: func(p *corev1.Pod) { p.Annotations["flyte.secrets/s0"] = "not base32!" },
		code: 400, texts: []string{"flyte.secrets/s0"},
	},
	"empty-request": {
		reqs: []secret.Request{{}},
		code: 422, texts: []string{`key=""`},
	},
	"path-escapes": {
		reqs: []secret.Request{{Group: "user-info", Key: "../key"}},
		code: 422, texts: []string{`key="../key"`},
	},
	"bad-variable": {
		reqs: []secret.Request{{Group: "user-info", Key: "name", EnvVar: "A=B"}},
		code: 422, texts: []string{`key="name"`, "A=B"},
	},
	"not-served": {
		reqs: []secret.Request{{Group: "secret/data/task", Key: "password", Mount: mount.EnvVar}},
		code: 422, texts: []string{`group="secret/data/task"`, "no manager serves it"},
	},
	"global-file": {
		reqs: []secret.Request{{Group: "shared", Key: "token", Mount: mount.File}},
		code: 422, texts: []string{`group="shared"`, "manager global"},
	},
	"manager-fails": {
		reqs: []secret.Request{{Group: "shared", Key: "broken"}},
		code: 500, texts: []string{`group="shared" key="broken"`, "manager global: failed"},
	},
	"variable-conflict": {
		reqs: []secret.Request{variable},
		edit: func(p *corev1.Pod) {
			p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "_FSEC_USER-INFO_NAME", Value: "mine"}}
		},
		code: 422, texts: []string{`key="name"`, "_FSEC_USER-INFO_NAME", `"app"`},
	},
	"volume-conflict": {
		reqs: []secret.Request{file},
		edit: func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "mine", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
			p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "mine", MountPath: "/etc/flyte/secrets/user-info"}}
		},
		code: 422, texts: []string{`key="password"`, "/etc/flyte/secrets/user-info"},
	},
	"vault-turned-off": {
		reqs: []secret.Request{agent},
		edit: func(p *corev1.Pod) { p.Annotations[vaulttest.Prefix+"agent-inject"] = "false" },
		code: 422, texts: []string{`key="password"`, "agent-inject"},
	},
	"shared-name": {
		reqs: []secret.Request{{Group: "user-info", Key: "name"}, {Group: "user-info", Key: "Name"}},
		code: 422, texts: []string{`key="name"`, `key="Name"`, "_FSEC_USER-INFO_NAME"},
	},
	"vault-and-aws": {
		reqs: []secret.Request{agent, fetched},
		code: 422, texts: []string{"secret/data/task", account},
	},
	"several": {
		reqs: []secret.Request{{Group: "g", Key: "../1"}, variable, {Group: "secret/data/task", Key: "2", Mount: mount.EnvVar}},
		code: 422, texts: []string{`key="../1"`, `key="2"`},
	},
	"very-many": {
		reqs: func() (reqs []secret.Request) {
			for i := range 25 {
				reqs = append(reqs, secret.Request{Group: "g", Key: fmt.Sprintf("../%d", i)})
			}
			return reqs
		}(),
		code: 422, texts: []string{`key="../0"`, "and 5 more"},
	},
}

// kubectl prints "Error from server: " and this message.
func TestReview_Refusals(t *testing.T) {
	ns := server.Namespace(t, nil)
	messages := map[string]string{}
	for name, tc := range refusals {
		t.Run(name, func(t *testing.T) {
			pod := newPod(t, tc.reqs...)
			if tc.edit != nil {
				tc.edit(pod)
			}
			_, err := client.CoreV1().Pods(ns).Create(t.Context(), pod, metav1.CreateOptions{})
			require.Error(t, err)
			status, ok := err.(apierrors.APIStatus)
			require.True(t, ok, "%T", err)
			assert.Equal(t, tc.code, status.Status().Code)
			message := err.Error()
			assert.True(t, strings.HasPrefix(message, `admission webhook "inject.podsecrets.github.io" denied the request: `), message)
			for _, text := range tc.texts {
				assert.Contains(t, message, text)
			}
			assert.NotContains(t, message, shared)
			messages[name] = message
		})
	}
	list, err := client.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	assert.Empty(t, list.Items, "refused Pods are not stored")
	golden(t, "testdata/refusals.golden", messages)
}

// golden compares texts with a golden file, or writes it with -update.
func golden(t *testing.T, name string, got map[string]string) {
	t.Helper()
	var raw strings.Builder
	encoder := json.NewEncoder(&raw)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	require.NoError(t, encoder.Encode(got))
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(raw.String()), 0o644))
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, string(want), raw.String())
}
