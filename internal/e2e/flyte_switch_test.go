package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
	"github.com/podsecrets/podsecrets/internal/e2e/deployed"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// flyteReview models Flyte's webhook with its manager of Kubernetes Secrets, after the
// source of 1.16.8.
func flyteReview(r *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	var pod corev1.Pod
	if err := json.Unmarshal(r.Object.Raw, &pod); err != nil {
		return &admissionv1.AdmissionResponse{}
	}
	reqs, err := secret.DecodeAnnotations(pod.Annotations)
	if err != nil {
		return &admissionv1.AdmissionResponse{}
	}
	app := &pod.Spec.Containers[0]
	set := func(v corev1.EnvVar) { // replaces the Pod's own
		app.Env = slices.DeleteFunc(app.Env, func(e corev1.EnvVar) bool { return e.Name == v.Name })
		app.Env = append([]corev1.EnvVar{v}, app.Env...)
	}
	yes := true
	for _, req := range reqs {
		if req.Mount == mount.EnvVar {
			set(corev1.EnvVar{Name: strings.ToUpper("_FSEC_" + req.Group + "_" + req.Key), ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: req.Group}, Key: req.Key, Optional: &yes,
			}}})
			set(corev1.EnvVar{Name: mount.EnvPrefixVar, Value: "_FSEC_"})
			continue
		}
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: flyteVolume, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: req.Group, Items: []corev1.KeyToPath{{Key: req.Key, Path: strings.ToLower(req.Key)}}, Optional: &yes,
		}}})
		app.VolumeMounts = append(app.VolumeMounts, corev1.VolumeMount{Name: flyteVolume, ReadOnly: true, MountPath: "/etc/flyte/secrets/" + strings.ToLower(req.Group)})
		set(corev1.EnvVar{Name: mount.DefaultDirVar, Value: "/etc/flyte/secrets"})
		set(corev1.EnvVar{Name: mount.FilePrefixVar})
	}
	return patched(map[string]any{"op": "replace", "path": "/spec", "value": pod.Spec})
}

// flyteVolume is the volume's name in Flyte: base32 of the group.
const flyteVolume = "ovzwk3rnnfxgm1y"

// injectedBy returns the webhooks that added files to a Pod.
func injectedBy(pod *corev1.Pod) (names []string) {
	for _, v := range pod.Spec.Volumes {
		switch {
		case v.Name == flyteVolume:
			names = append(names, "flyte")
		case strings.HasPrefix(v.Name, "podsecrets-"):
			names = append(names, "podsecrets")
		}
	}
	return names
}

// yamlOf returns the YAML block of docs/from-flyte.md whose first comment is name.
func yamlOf(t *testing.T, name string) string {
	root, err := apiserver.Root()
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(root, "docs", "from-flyte.md"))
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```yaml\n *# " + regexp.QuoteMeta(name) + "\n(.*?)```").FindStringSubmatch(string(text))
	require.NotNil(t, block, name)
	return strings.ReplaceAll("\n"+block[1], "\n   ", "\n")
}

// twoWebhooks is an API server with both webhooks, as in docs/from-flyte.md.
type twoWebhooks struct {
	*apiserver.Server
	ns string
}

func startBoth(t *testing.T) twoWebhooks {
	s, err := apiserver.Start()
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Stop()) })
	own := filepath.Join(t.TempDir(), "own.yaml")
	require.NoError(t, os.WriteFile(own, []byte(yamlOf(t, "own.yaml")), 0o600))
	options, err := deployed.FlyteOptions("core-1", own)
	require.NoError(t, err)
	hook, err := deployed.Start(t.Context(), s, options)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, hook.Stop()) })
	applySelectors(t, s, options.Files)
	registerFlyte(t, s)
	return twoWebhooks{s, s.Namespace(t, nil)}
}

// applySelectors applies the patches that -print-selector writes for the files.
func applySelectors(t *testing.T, s *apiserver.Server, files []string) {
	binary, err := deployed.Binary()
	require.NoError(t, err)
	args := []string{"-print-selector"}
	for _, file := range files {
		args = append(args, "-config="+file)
	}
	patch, err := exec.Command(binary, args...).Output()
	require.NoError(t, err)
	mutating, validating, ok := bytes.Cut(patch, []byte("\n---\n"))
	require.True(t, ok, "a patch for each webhook configuration")
	mutating, err = yaml.YAMLToJSON(mutating)
	require.NoError(t, err)
	validating, err = yaml.YAMLToJSON(validating)
	require.NoError(t, err)
	api := clientOf(t, s).AdmissionregistrationV1()
	_, err = api.MutatingWebhookConfigurations().Patch(t.Context(), deployed.Configuration, types.StrategicMergePatchType, mutating, metav1.PatchOptions{})
	require.NoError(t, err)
	_, err = api.ValidatingWebhookConfigurations().Patch(t.Context(), deployed.Validating, types.StrategicMergePatchType, validating, metav1.PatchOptions{})
	require.NoError(t, err)
}

// registerFlyte registers the model of Flyte's webhook twice: with the guide's
// namespaceSelector, and for namespaces with both webhooks.
func registerFlyte(t *testing.T, s *apiserver.Server) {
	var config struct {
		Webhook struct {
			NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector"`
		} `json:"webhook"`
	}
	require.NoError(t, yaml.UnmarshalStrict([]byte(yamlOf(t, "Flyte's configuration")), &config))
	address := serveReviews(t, flyteReview)
	for name, selector := range map[string]*metav1.LabelSelector{
		"flyte-pod-webhook":    config.Webhook.NamespaceSelector,
		"flyte-pod-webhook-2d": {MatchLabels: map[string]string{"both": "true"}},
	} {
		h := podHook("flyte-pod-webhook.flyte.org")
		h.ClientConfig, h.NamespaceSelector = address, selector
		h.ObjectSelector = &metav1.LabelSelector{MatchLabels: map[string]string{secret.InjectLabel: "true"}}
		h.Rules[0].APIGroups = []string{"*"}
		_, err := clientOf(t, s).AdmissionregistrationV1().MutatingWebhookConfigurations().Create(t.Context(), &admissionregistrationv1.MutatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: name}, Webhooks: []admissionregistrationv1.MutatingWebhook{h},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
}

var (
	asFile     = secret.Request{Group: "user-info", Key: "name"}
	asVariable = secret.Request{Group: "user-info", Key: "name", Mount: mount.EnvVar}
)

func (s twoWebhooks) create(t *testing.T, ns string, pod *corev1.Pod) (*corev1.Pod, error) {
	return clientOf(t, s.Server).CoreV1().Pods(ns).Create(t.Context(), pod, metav1.CreateOptions{})
}

// until creates Pods until the wanted webhook injects them. Exactly one webhook
// injects each Pod.
func (s twoWebhooks) until(t *testing.T, want string) {
	eventually(t, "injected by "+want, func() bool {
		pod, err := s.create(t, s.ns, newPod(t, asFile))
		require.NoError(t, err)
		require.Len(t, injectedBy(pod), 1)
		return injectedBy(pod)[0] == want
	})
}

func (s twoWebhooks) label(t *testing.T, value string) {
	patch := `{"metadata":{"labels":{"example.com/secrets":` + value + `}}}`
	_, err := clientOf(t, s.Server).CoreV1().Namespaces().Patch(t.Context(), s.ns, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	require.NoError(t, err)
}

// TestFlyte_Switch follows docs/from-flyte.md: the switch, the way back, and Pods that
// Flyte's webhook has injected already, or injects too.
func TestFlyte_Switch(t *testing.T) {
	s := startBoth(t)
	eventually(t, "the API server knows both webhooks", func() bool {
		pod, err := s.create(t, s.ns, newPod(t, asFile))
		return err == nil && slices.Equal(injectedBy(pod), []string{"flyte"})
	})
	files, err := s.create(t, s.ns, newPod(t, asFile))
	require.NoError(t, err)
	variables, err := s.create(t, s.ns, newPod(t, asVariable))
	require.NoError(t, err)
	s.label(t, `"podsecrets"`)
	s.until(t, "podsecrets")
	s.label(t, "null")
	s.until(t, "flyte")
	s.label(t, `"podsecrets"`)
	s.until(t, "podsecrets")

	createSecret(t, s.Server, s.ns, "user-info", map[string]string{"name": "Ada"})
	_, err = s.create(t, s.ns, copyOf(files))
	assert.ErrorContains(t, err, `denied the request`, "a copy with Flyte's files")
	assert.ErrorContains(t, err, "/etc/flyte/secrets/user-info")
	pod, err := s.create(t, s.ns, copyOf(variables))
	require.NoError(t, err, "a copy with Flyte's variables")
	assertName(t, s.Server, pod)

	ns := s.Namespace(t, map[string]string{"both": "true", "example.com/secrets": "podsecrets"})
	createSecret(t, s.Server, ns, "user-info", map[string]string{"name": "Ada"})
	eventually(t, "both webhooks are called", func() bool {
		_, err = s.create(t, ns, newPod(t, asFile))
		return err != nil
	})
	assert.ErrorContains(t, err, "must be unique", "files of both")
	pod, err = s.create(t, ns, newPod(t, asVariable))
	require.NoError(t, err, "variables of both")
	assertName(t, s.Server, pod)
}

// copyOf returns a new Pod with the same specification.
func copyOf(pod *corev1.Pod) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{GenerateName: "copy-", Labels: pod.Labels, Annotations: pod.Annotations}, Spec: pod.Spec}
}

func assertName(t *testing.T, s *apiserver.Server, pod *corev1.Pod) {
	value, found := runPod(t, s, pod, stores{})["app"].get("user-info", "", "name")
	assert.True(t, found && value == "Ada", "%q", value)
}
