package injectortest

import (
	"math/rand"
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/randfill"

	"github.com/podsecrets/podsecrets/secret"
)

// randomTexts are such as matter to CanRead.
var randomTexts = []string{
	"", "v", "g", "k", "g/k", "K", "X", "_FSEC_G_K", "FLYTE_SECRETS_DEFAULT_DIR", "/etc/flyte/secrets", "/etc/flyte/secrets", "/etc/flyte/secrets/g", "..", `C:\etc`,
	"$(X)", "a $(X) $$", "vault-secrets", "vault-agent-init", "windows", `{"a":["g/k"]}`,
}

// randomFill fills Pods that are rarely valid, but of which the parts refer to
// each other.
func randomFill() *randfill.Filler {
	text := func(c randfill.Continue) string { return randomTexts[c.Intn(len(randomTexts))] }
	return randfill.New().RandSource(rand.NewSource(1)).NilChance(0.2).NumElements(1, 4).MaxDepth(12).Funcs(
		func(s *string, c randfill.Continue) { *s = text(c) },
		func(v *corev1.EnvVar, c randfill.Continue) {
			if v.Name, v.Value = text(c), text(c); c.Intn(5) == 0 {
				c.Fill(&v.ValueFrom)
			}
		},
		func(v *corev1.VolumeSource, c randfill.Continue) {
			switch c.Intn(6) {
			case 0:
				c.Fill(&v.Secret)
			case 1:
				c.Fill(&v.Projected)
			case 2:
				c.Fill(&v.CSI)
			case 3:
				c.Fill(&v.DownwardAPI)
			default:
				v.EmptyDir = &corev1.EmptyDirVolumeSource{}
			}
		},
	)
}

// CanRead never panics, and never changes a Pod.
func TestCanRead_Random(t *testing.T) {
	fill := randomFill()
	outcomes := map[bool]int{}
	for i := range 300 {
		var pod corev1.Pod
		fill.Fill(&pod.Spec)
		if i%2 == 0 {
			agents := map[string]string{agentInject: "true", agentVolume: "/etc/flyte/secrets", agentSecret + "1": "s", agentFile + "1": "g/k"}
			pod.Annotations = map[string]string{}
			for name, value := range agents {
				pod.Annotations["vault.hashicorp.com/"+name] = value
			}
		}
		if i%4 == 0 {
			pod.Annotations["vault.hashicorp.com/"+agentStatus] = "injected"
		}
		before := pod.DeepCopy()
		for _, list := range [][]corev1.Container{pod.Spec.InitContainers, pod.Spec.Containers} {
			for i := range list {
				for _, req := range []secret.Request{wanted, {Group: "g", Key: "k", Path: "K", Mode: 0o400}, {Group: "g/a", Key: "k", EnvVar: "X"}} {
					outcomes[CanRead(&pod, list[i].Name, req) == nil]++
					outcomes[CanReadExact(&pod, list[i].Name, "", req) == nil]++
				}
			}
		}
		assert.Equal(t, before, &pod)
	}
	assert.Greater(t, min(outcomes[true], outcomes[false]), 50, outcomes)
}
