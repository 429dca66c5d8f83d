package e2e

import (
	"encoding/json"
	"maps"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/e2e/deployed"
	"github.com/podsecrets/podsecrets/internal/vaulttest"
	"github.com/podsecrets/podsecrets/secret"
)

// vaultConfiguration is the name of vault-k8s' webhook configuration. Its
// failurePolicy is Ignore, and its reinvocationPolicy Never.
const vaultConfiguration = "vault-agent-injector-cfg"

// vaultInjector models Vault's injector: it adds an init container, a volume and its
// mounts, as the original does with agent-pre-populate-only. It keeps the agent's
// configurations.
type vaultInjector struct {
	mu     sync.Mutex
	called map[string]int // by the Pod's label "story"
	agent  map[string]*vaulttest.AgentConfig
}

func (s *vaultInjector) review(r *admissionv1.AdmissionRequest) *admissionv1.AdmissionResponse {
	s.mu.Lock()
	defer s.mu.Unlock()
	var pod corev1.Pod
	if err := json.Unmarshal(r.Object.Raw, &pod); err != nil {
		return &admissionv1.AdmissionResponse{}
	}
	story := pod.Labels["story"]
	s.called[story]++
	allowed := &admissionv1.AdmissionResponse{Allowed: true}
	if pod.Annotations[vaulttest.Prefix+"agent-inject"] != "true" || pod.Annotations[vaulttest.Prefix+"agent-inject-status"] == "injected" {
		return allowed
	}
	config, err := vaulttest.Inject(pod.Annotations)
	if err != nil {
		return &admissionv1.AdmissionResponse{}
	}
	s.agent[story] = config
	volume := corev1.Volume{Name: vaultVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory}}}
	volumeMount := corev1.VolumeMount{Name: vaultVolume, MountPath: pod.Annotations[vaulttest.Prefix+"secret-volume-path"]}
	init := container("vault-agent-init")
	init.VolumeMounts = []corev1.VolumeMount{volumeMount}
	spec := pod.Spec
	spec.Volumes = append(spec.Volumes, volume)
	for _, list := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			list[i].VolumeMounts = append(list[i].VolumeMounts, volumeMount)
		}
	}
	spec.InitContainers = append([]corev1.Container{init}, spec.InitContainers...) // agent-init-first
	annotations := maps.Clone(pod.Annotations)
	annotations[vaulttest.Prefix+"agent-inject-status"] = "injected"
	return patched(
		map[string]any{"op": "replace", "path": "/spec", "value": spec},
		map[string]any{"op": "replace", "path": "/metadata/annotations", "value": annotations},
	)
}

// Both webhooks turn a request into a file. Vault's is called once, after ours, in
// the order of the configurations' names, and sees our annotations. Its agent's
// configuration, rendered with Vault's engines, gives the files of the stored Pod's
// containers.
func TestReview_Vault(t *testing.T) {
	require.Less(t, deployed.Configuration, vaultConfiguration, "the order of the calls")
	ns := server.Namespace(t, restricted)
	from := fill(t, server, ns)
	s := &vaultInjector{called: map[string]int{}, agent: map[string]*vaulttest.AgentConfig{}}
	address := serveReviews(t, s.review)
	register(t, ns, vaultConfiguration, func(h *admissionregistrationv1.MutatingWebhook) {
		ignore := admissionregistrationv1.Ignore
		h.Name, h.ClientConfig, h.FailurePolicy = "vault.hashicorp.com", address, &ignore
	})
	eventually(t, "Vault's injector is called", func() bool {
		pod := newPod(t)
		pod.Labels["story"] = "probe"
		create(t, ns, pod)
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.called["probe"] > 0
	})
	stories := map[string][]want{"aws-only": wanted["aws"]}
	for story, name := range map[string]string{"kv2-by-default": "vault", "variable-with-path": "vault-file", "kv1": "vault-kv1", "kv2": "vault-kv2", "long": "vault-long", "exact-path": "vault-path"} {
		stories[story] = wanted[name]
	}
	stories["with-others"] = together()["all-but-aws"]
	for story, wants := range stories {
		t.Run(story, func(t *testing.T) {
			var reqs []secret.Request
			for _, w := range wants {
				reqs = append(reqs, w.Request)
			}
			pod := newPod(t, reqs...)
			pod.Labels["story"] = story
			pod.Spec.InitContainers = []corev1.Container{container("init")}
			placements := plan(t, pod, reqs)
			stored := create(t, ns, pod)
			s.mu.Lock()
			defer s.mu.Unlock()
			assert.Equal(t, 1, s.called[story], "called once")
			seen := s.runPod(t, stored, from)
			for _, name := range []string{"init", "app"} {
				for i, w := range wants {
					assertPlaced(t, seen[name], placements[i], w.value, name)
					assertFound(t, seen[name], w, name)
				}
			}
		})
	}
	assert.Nil(t, s.agent["aws-only"])
	assert.Len(t, s.agent, len(stories)-1, "every Pod with a Vault secret has an agent")
}

// runPod is the function runPod with the injector's volume and agent instead of the
// node's.
func (s *vaultInjector) runPod(t *testing.T, stored *corev1.Pod, from stores) map[string]view {
	config, ok := s.agent[stored.Labels["story"]]
	if !ok {
		return runPod(t, server, stored, from)
	}
	require.Equal(t, "vault-agent-init", stored.Spec.InitContainers[0].Name)
	root := t.TempDir()
	require.NoError(t, vaulttest.Render(t, config, from.vault, root))
	files := vaulttest.FilesBelow(t, root)
	require.NotEmpty(t, files)
	without := stored.DeepCopy()
	delete(without.Annotations, vaulttest.Prefix+"agent-inject") // no second agent
	seen := runPod(t, server, without, from)
	for name, in := range seen {
		otherFile := in.file
		in.file = func(p string) (string, bool) {
			if content, ok := files[p]; ok && mounts(stored, name, vaultVolume) {
				return content, true
			}
			return otherFile(p)
		}
		seen[name] = in
	}
	return seen
}

// mounts reports whether a container mounts a volume.
func mounts(pod *corev1.Pod, container, volume string) bool {
	for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
		for _, c := range list {
			for _, m := range c.VolumeMounts {
				if c.Name == container && m.Name == volume {
					return true
				}
			}
		}
	}
	return false
}
