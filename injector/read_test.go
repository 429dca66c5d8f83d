package injector_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Every container reads every secret, by the client's rules, in the form of its
// Placement. Files from drivers and other webhooks are omitted, because the Pod
// does not show them.
func TestInject_Readable(t *testing.T) {
	read := 0
	forAll(t, func(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) {
		plan, err := in.Plan(ctx, pod, reqs...)
		require.NoError(t, err)
		out := plan.Pod()
		for _, p := range plan.Placements {
			if p.Manager == "annotate" {
				continue
			}
			for i := range pod.Spec.Containers {
				name := pod.Spec.Containers[i].Name
				if p.Request.Container != "" && p.Request.Container != name {
					continue
				}
				err := canRead(out, name, p)
				if (p.Manager == "driver" || p.Manager == "csi") && p.Mount == mount.File {
					assert.ErrorIs(t, err, injectortest.ErrUnknown)
					continue
				}
				assert.NoError(t, err)
				read++
				assert.Error(t, canRead(pod, name, p), "it could be read before")
			}
		}
	})
	assert.NotZero(t, read)
}

// canRead asks with the version, which was asked for, and without, which is the
// name where a store has none.
func canRead(pod *corev1.Pod, container string, p injector.Placement) error {
	req := p.Request
	req.Mount = p.Mount
	err := injectortest.CanRead(pod, container, req)
	if err == nil || req.GroupVersion == "" {
		return err
	}
	req.GroupVersion = ""
	if again := injectortest.CanRead(pod, container, req); again != nil {
		return errors.Join(err, again)
	}
	return nil
}
