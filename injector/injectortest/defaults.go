package injectortest

import (
	"reflect"

	corev1 "k8s.io/api/core/v1"
)

// setDefaults sets those defaults that an injected Pod may lack, as an API
// server does on creation (k8s.io/kubernetes, pkg/apis/core/v1/defaults.go)
// together with the service account plugin, and makes a name from GenerateName.
func setDefaults(pod *corev1.Pod) {
	if pod.Name == "" && pod.GenerateName != "" {
		pod.Name = pod.GenerateName + "x7f2k"
	}
	spec := &pod.Spec
	setIfEmpty(&spec.RestartPolicy, corev1.RestartPolicyAlways)
	setIfEmpty(&spec.DNSPolicy, corev1.DNSClusterFirst)
	setIfEmpty(&spec.SchedulerName, corev1.DefaultSchedulerName)
	setIfEmpty(&spec.ServiceAccountName, "default")
	setIfNil(&spec.TerminationGracePeriodSeconds, corev1.DefaultTerminationGracePeriodSeconds)
	setIfNil(&spec.EnableServiceLinks, corev1.DefaultEnableServiceLinks)
	if spec.SecurityContext == nil {
		spec.SecurityContext = &corev1.PodSecurityContext{}
	}
	for i := range spec.Volumes {
		defaultVolume(&spec.Volumes[i].VolumeSource)
	}
	token := corev1.Volume{Name: "kube-api-access", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
		Sources: []corev1.VolumeProjection{{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}}},
	}}}
	defaultVolume(&token.VolumeSource)
	spec.Volumes = append(spec.Volumes, token)
	for _, list := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			defaultContainer(&list[i])
		}
	}
}

func defaultVolume(v *corev1.VolumeSource) {
	const mode = corev1.SecretVolumeSourceDefaultMode // the same for the other kinds
	switch {
	case v.Secret != nil:
		setIfNil(&v.Secret.DefaultMode, mode)
	case v.ConfigMap != nil:
		setIfNil(&v.ConfigMap.DefaultMode, mode)
	case v.DownwardAPI != nil:
		setIfNil(&v.DownwardAPI.DefaultMode, mode)
	case v.Projected != nil:
		setIfNil(&v.Projected.DefaultMode, mode)
		for _, s := range v.Projected.Sources {
			if s.ServiceAccountToken != nil {
				setIfNil(&s.ServiceAccountToken.ExpirationSeconds, 3600)
			}
		}
	case v.HostPath != nil:
		setIfNil(&v.HostPath.Type, corev1.HostPathUnset)
	case reflect.ValueOf(v).Elem().IsZero():
		v.EmptyDir = &corev1.EmptyDirVolumeSource{}
	}
}

func defaultContainer(c *corev1.Container) {
	setIfEmpty(&c.ImagePullPolicy, corev1.PullIfNotPresent)
	setIfEmpty(&c.TerminationMessagePath, corev1.TerminationMessagePathDefault)
	setIfEmpty(&c.TerminationMessagePolicy, corev1.TerminationMessageReadFile)
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{
		Name: "kube-api-access", MountPath: "/var/run/secrets/kubernetes.io/serviceaccount", ReadOnly: true,
	})
	for i := range c.Env {
		switch s := c.Env[i].ValueFrom; {
		case s == nil:
		case s.FieldRef != nil:
			setIfEmpty(&s.FieldRef.APIVersion, "v1")
		case s.FileKeyRef != nil:
			setIfNil(&s.FileKeyRef.Optional, false)
		}
	}
	for i := range c.Ports {
		setIfEmpty(&c.Ports[i].Protocol, corev1.ProtocolTCP)
	}
	for name, limit := range c.Resources.Limits {
		if _, ok := c.Resources.Requests[name]; ok {
			continue
		}
		if c.Resources.Requests == nil {
			c.Resources.Requests = corev1.ResourceList{}
		}
		c.Resources.Requests[name] = limit
	}
}

func setIfEmpty[T comparable](field *T, value T) {
	var empty T
	if *field == empty {
		*field = value
	}
}

func setIfNil[T any](field **T, value T) {
	if *field == nil {
		*field = &value
	}
}
