package injectortest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

func TestSetDefaults(t *testing.T) {
	limits := corev1.ResourceList{corev1.ResourceCPU: {}}
	pod := Pod(mount.Container{Name: "init", Init: true}, mount.Container{Name: "app"})
	pod.Name, pod.GenerateName = "", "pod-"
	for _, source := range []corev1.VolumeSource{
		{Secret: &corev1.SecretVolumeSource{}},
		{ConfigMap: &corev1.ConfigMapVolumeSource{}},
		{DownwardAPI: &corev1.DownwardAPIVolumeSource{}},
		{HostPath: &corev1.HostPathVolumeSource{}},
		{},
	} {
		pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{VolumeSource: source})
	}
	containers := []*corev1.Container{&pod.Spec.InitContainers[0], &pod.Spec.Containers[0]}
	for _, c := range containers {
		c.Env = []corev1.EnvVar{
			{ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{}}},
			{ValueFrom: &corev1.EnvVarSource{FileKeyRef: &corev1.FileKeySelector{}}},
		}
		c.Ports = []corev1.ContainerPort{{}}
		c.Resources.Limits = limits
	}
	setDefaults(pod)

	assert.Equal(t, "pod-x7f2k", pod.Name)
	assert.Equal(t, corev1.RestartPolicyAlways, pod.Spec.RestartPolicy)
	assert.Equal(t, "default", pod.Spec.ServiceAccountName)
	assert.EqualValues(t, 30, *pod.Spec.TerminationGracePeriodSeconds)
	for _, c := range containers {
		assert.Equal(t, corev1.PullIfNotPresent, c.ImagePullPolicy)
		assert.Equal(t, "/dev/termination-log", c.TerminationMessagePath)
		assert.Equal(t, corev1.TerminationMessageReadFile, c.TerminationMessagePolicy)
		assert.Equal(t, "v1", c.Env[0].ValueFrom.FieldRef.APIVersion)
		assert.False(t, *c.Env[1].ValueFrom.FileKeyRef.Optional)
		assert.Equal(t, corev1.ProtocolTCP, c.Ports[0].Protocol)
		assert.Equal(t, limits, c.Resources.Requests)
		assert.Equal(t, "kube-api-access", c.VolumeMounts[0].Name)
	}
	v := pod.Spec.Volumes
	assert.EqualValues(t, 0o644, *v[0].Secret.DefaultMode)
	assert.EqualValues(t, 0o644, *v[1].ConfigMap.DefaultMode)
	assert.EqualValues(t, 0o644, *v[2].DownwardAPI.DefaultMode)
	assert.Empty(t, *v[3].HostPath.Type)
	assert.NotNil(t, v[4].EmptyDir)
	assert.EqualValues(t, 0o644, *v[5].Projected.DefaultMode)
	assert.EqualValues(t, 3600, *v[5].Projected.Sources[0].ServiceAccountToken.ExpirationSeconds)
}
