package podsecurity

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/examples/confidant"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// The Pods of package injectortest pass "restricted", before and after injection by
// the kit's fake and by its example manager.
func TestRestricted_KitPods(t *testing.T) {
	example, err := confidant.New(confidant.Config{Image: "registry.example.com/fetch:v1", URL: "https://confidant.example.com", Service: "s"})
	require.NoError(t, err)
	fake := &injectortest.Fake{Values: map[secret.Request]*mount.Value{{Group: "g", Key: "k"}: mount.Literal("v")}}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{fake, example}})
	require.NoError(t, err)
	for name, pod := range map[string]*corev1.Pod{
		"single":    injectortest.Pod(),
		"all-kinds": injectortest.Pod(mount.Container{Name: "proxy", Init: true, Sidecar: true}, mount.Container{Name: "init", Init: true}, mount.Container{Name: "app"}),
	} {
		t.Run(name, func(t *testing.T) {
			injected, err := in.Inject(t.Context(), pod,
				secret.Request{Group: "g", Key: "k"},
				secret.Request{Group: "g", Key: "k", Mount: mount.File},
				secret.Request{Group: "payments", Key: "token"})
			require.NoError(t, err)
			for _, version := range versions() {
				assert.Empty(t, refusal(t, version, pod), version)
				assert.Empty(t, refusal(t, version, injected), version)
			}
		})
	}
}
