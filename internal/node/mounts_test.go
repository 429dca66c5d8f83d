package node

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// The injector accepts the Pod's own mounts above or below ours if and only if the node
// then starts the Pod with the secret. Where it refuses, the test adds the mount after
// injection, to check that the Pod fails.
func TestNode_OwnMounts(t *testing.T) {
	t.Parallel()
	ns := namespace(t, nil)
	_, err := client.CoreV1().ConfigMaps(ns).Create(t.Context(),
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "own"}, Data: map[string]string{"own": "text"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	for manager, m := range map[string]struct {
		newManager
		req   secret.Request
		below string
	}{
		"k8s": {k8s, ask("tricky", mount.File), "/etc/flyte/secrets/user-info"},
		"aws": {awsStock, secret.Request{Group: arn, Key: "tricky-AbCdEf", Mount: mount.File}, "/etc/flyte/secrets"},
		"csi": {theCSI, secret.Request{Group: "team-class", Key: "tricky", Mount: mount.File}, "/etc/flyte/secrets/team-class"},
	} {
		for slug, own := range ownMounts {
			if manager != "k8s" && !slices.Contains([]string{"empty-dir", "secret", "empty-dir-read-only"}, slug) {
				continue // same mechanism
			}
			for place, at := range map[string]string{"above": "/etc/flyte", "below": m.below + "/own"} {
				t.Run(manager+"-"+place+"-"+slug, func(t *testing.T) {
					t.Parallel()
					own.at = at
					own.try(t, ns, m.newManager, m.req)
				})
			}
		}
		for slug, at := range map[string]string{"same-place": m.below, "same-file": m.below + "/tricky", "below-file": m.below + "/tricky/own"} {
			t.Run(manager+"-"+slug, func(t *testing.T) {
				t.Parallel()
				if manager == "aws" && slug != "same-place" {
					at = "/etc/flyte/secrets/" + arn + "/tricky-abcdef" + at[len(m.below+"/tricky"):]
				}
				ownMount{source: emptyDir, at: at}.try(t, ns, m.newManager, m.req)
			})
		}
	}
}

// ownMount is the Pod's own volume and its mount.
type ownMount struct {
	source   corev1.VolumeSource
	readOnly bool
	subPath  string
	at       string
}

var ownMounts = map[string]ownMount{
	"empty-dir":           {source: emptyDir},
	"empty-dir-read-only": {source: emptyDir, readOnly: true},
	"empty-dir-part":      {source: emptyDir, subPath: "part"},
	"memory":              {source: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory}}},
	"secret":              {source: ownSecret},
	"secret-part":         {source: ownSecret, subPath: "Name"},
	"config-map":          {source: ownConfigMap},
	"config-map-part":     {source: ownConfigMap, subPath: "own"},
	"projected":           {source: ownProjection},
	"projected-part":      {source: ownProjection, subPath: "dir"},
	"downward-api": {source: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{
		{Path: "name", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}},
	}}}},
	"csi": {source: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{
		Driver: "secrets-store.csi.k8s.io", ReadOnly: ptr(true), VolumeAttributes: map[string]string{"secretProviderClass": "other"},
	}}},
	// On the node, /var/lib is in memory.
	"host-directory":           {source: onHost("/var/lib/own", corev1.HostPathDirectoryOrCreate)},
	"host-directory-read-only": {source: onHost("/var/lib/own-read-only", corev1.HostPathDirectoryOrCreate), readOnly: true},
	"host-file":                {source: onHost("/var/lib/own-file", corev1.HostPathFileOrCreate)},
	"host-device":              {source: onHost("/dev/null", corev1.HostPathCharDev)},
}

var (
	ownSecret     = corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "user-info"}}
	ownConfigMap  = corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "own"}}}
	ownProjection = corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{ConfigMap: &corev1.ConfigMapProjection{
		LocalObjectReference: corev1.LocalObjectReference{Name: "own"}, Items: []corev1.KeyToPath{{Key: "own", Path: "dir/own"}},
	}}}}}
)

func onHost(path string, kind corev1.HostPathType) corev1.VolumeSource {
	return corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: path, Type: &kind}}
}

func (o ownMount) addTo(pod *corev1.Pod) *corev1.Pod {
	pod = pod.DeepCopy()
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{Name: "own", VolumeSource: o.source})
	app := &pod.Spec.Containers[0]
	app.VolumeMounts = append(app.VolumeMounts, corev1.VolumeMount{Name: "own", MountPath: o.at, ReadOnly: o.readOnly, SubPath: o.subPath})
	return pod
}

// try compares the injector's decision with the node's.
func (o ownMount) try(t *testing.T, ns string, m newManager, req secret.Request) {
	pod := newPod()
	pod.Spec.Containers[0].Args = []string{"-ask=" + calls(t, []secret.Request{req})}
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m(t)}})
	require.NoError(t, err)
	injected, refusal := in.Inject(t.Context(), o.addTo(pod), req)
	if refusal != nil {
		require.True(t, errors.As(refusal, new(*mount.ConflictError)), "%v", refusal)
		if injected, err = in.Inject(t.Context(), pod, req); err != nil {
			t.Fatal(err)
		}
		injected = o.addTo(injected)
	}
	works, why := o.works(t, ns, injected)
	switch {
	case works && refusal != nil:
		t.Errorf("the node starts a Pod that the injector refuses: %v", refusal)
	case !works && refusal == nil:
		t.Errorf("the injector accepts a Pod that the node does not start: %s", why)
	case refusal != nil:
		t.Logf("%v\nnode: %s", refusal, why)
	}
}

// works reports whether the container reads the secret, or why not.
func (o ownMount) works(t *testing.T, ns string, pod *corev1.Pod) (ok bool, why string) {
	stored, err := tryCreate(t, ns, pod)
	if err != nil {
		return false, err.Error()
	}
	stored = until(t, stored, "the Pod ends or cannot start", func(p *corev1.Pod) bool {
		if s := p.Status.ContainerStatuses; len(s) > 0 && s[0].State.Waiting != nil && slices.Contains(cannotStart, s[0].State.Waiting.Reason) {
			why = s[0].State.Waiting.Message
		}
		return why != "" || hasEnded(p)
	})
	if why != "" {
		return false, why
	}
	if s := stored.Status.ContainerStatuses[0].State.Terminated; s.ExitCode != 0 {
		return false, s.Reason + ": " + s.Message
	}
	result := lastReport(t, stored, "app", 0).Results[0]
	if result.From == "" || string(result.Value) != string(tricky) {
		return false, "the secret is hidden"
	}
	return true, ""
}

// cannotStart are the waiting reasons of containers that will never start.
var cannotStart = []string{"CreateContainerError", "RunContainerError", "CreateContainerConfigError", "CrashLoopBackOff"}
