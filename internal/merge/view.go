package merge

import (
	"cmp"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/json"

	"github.com/podsecrets/podsecrets/mount"
)

// View is the part of a Pod that decisions need. It shares memory with the Pod or the JSON
// from which it is made, and does not change afterwards.
type View struct {
	Metadata metav1.ObjectMeta // only the fields that managers and annotations need
	// Set only for JSON:
	kind, apiVersion []byte
	noMetadata       bool // metadata is missing or null

	volumes        elements[corev1.Volume]
	pullSecrets    elements[pullSecret]
	initContainers []container
	containers     []container

	spec mount.TargetSpec
	// spec.resources, typed or in JSON.
	podResources    *corev1.ResourceRequirements
	rawPodResources []byte
}

// isWindows reports whether the Pod is for Windows.
func (v *View) isWindows() bool {
	return mount.NewTarget(mount.Layout{}, mount.InitFirst, &v.Metadata).WithSpec(v.spec).OS() == string(corev1.Windows)
}

// Spec returns what managers can see of the Pod's spec.
func (v *View) Spec() mount.TargetSpec { return v.spec }

// container is the part of a container that decisions need.
type container struct {
	mount.Container
	typed *corev1.Container
	raw   []byte // JSON, if typed is nil
	env   elements[corev1.EnvVar]
	// mounts are the volumeMounts, followed by the volumeDevices. Empty ones, which API
	// servers refuse, are left out: a Pod can have a million of them.
	mounts       []containerMount
	volumeMounts int // the number of volumeMounts
}

// containerMount is a volume, or a part of one, that a container has at a path. A device
// occupies its path as a mount does.
type containerMount struct {
	path          string // as in the Pod, not cleaned
	volume        string
	subPath, expr string
	readOnly      bool
	device        bool
	index         int32 // in volumeMounts or volumeDevices
}

func (m *containerMount) isEmpty() bool { return m.path == "" && m.volume == "" }

// decoded returns the container. One that cannot be decoded equals none of ours.
func (c *container) decoded() *corev1.Container {
	if c.typed != nil {
		return c.typed
	}
	full := new(corev1.Container)
	_ = json.Unmarshal(c.raw, full)
	return full
}

// limitedResources returns the resources that the Pod as a whole requests or limits.
func (v *View) limitedResources() map[corev1.ResourceName]bool {
	resources := v.podResources
	if resources == nil && len(v.rawPodResources) > 0 {
		resources = new(corev1.ResourceRequirements)
		_ = json.Unmarshal(v.rawPodResources, resources)
	}
	if resources == nil {
		return nil
	}
	names := make(map[corev1.ResourceName]bool)
	for _, list := range []corev1.ResourceList{resources.Requests, resources.Limits} {
		for name := range list {
			names[name] = true
		}
	}
	return names
}

// ViewPod returns the View of a Pod.
func ViewPod(pod *corev1.Pod) *View {
	v := &View{
		volumes:        elements[corev1.Volume]{typed: pod.Spec.Volumes},
		pullSecrets:    elements[pullSecret]{typed: pod.Spec.ImagePullSecrets},
		initContainers: viewContainers(pod.Spec.InitContainers, true),
		containers:     viewContainers(pod.Spec.Containers, false),
	}
	m := &v.Metadata
	m.Name, m.GenerateName, m.Namespace = pod.Name, pod.GenerateName, pod.Namespace
	m.Labels, m.Annotations = pod.Labels, pod.Annotations
	v.spec, v.podResources = specOf(&pod.Spec), pod.Spec.Resources
	return v
}

func specOf(pod *corev1.PodSpec) mount.TargetSpec {
	spec := mount.TargetSpec{ServiceAccount: cmp.Or(pod.ServiceAccountName, pod.DeprecatedServiceAccount), OS: pod.NodeSelector[corev1.LabelOSStable]}
	if pod.OS != nil && pod.OS.Name != "" {
		spec.OS = string(pod.OS.Name)
	}
	if c := pod.SecurityContext; c != nil && c.WindowsOptions != nil {
		spec.HostProcess = c.WindowsOptions.HostProcess != nil && *c.WindowsOptions.HostProcess
	}
	return spec
}

func viewContainers(containers []corev1.Container, init bool) []container {
	views := make([]container, len(containers))
	for i := range containers {
		c := &containers[i]
		v := &views[i]
		v.Name, v.Init, v.typed = c.Name, init, c
		v.Sidecar = init && c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		v.env.typed = c.Env
		if n := len(c.VolumeMounts) + len(c.VolumeDevices); n > 0 {
			v.mounts = make([]containerMount, 0, n)
		}
		for j := range c.VolumeMounts {
			m := &c.VolumeMounts[j]
			v.addMount(containerMount{path: m.MountPath, volume: m.Name, subPath: m.SubPath, expr: m.SubPathExpr, readOnly: m.ReadOnly}, j)
		}
		v.volumeMounts = len(c.VolumeMounts)
		for j, d := range c.VolumeDevices {
			v.addMount(containerMount{path: d.DevicePath, volume: d.Name, device: true}, j)
		}
	}
	return views
}

// Kind returns the kind and apiVersion of an object in JSON, or "" if missing.
func (v *View) Kind() (kind, apiVersion string) {
	_ = json.Unmarshal(v.kind, &kind)
	_ = json.Unmarshal(v.apiVersion, &apiVersion)
	return kind, apiVersion
}

// CheckContainers reports a container without a name or with the name of another one: a
// request for one container would be ambiguous. The error begins with the field.
func (v *View) CheckContainers() error {
	seen := make(map[string]string, len(v.initContainers)+len(v.containers))
	for _, containers := range [][]container{v.initContainers, v.containers} {
		for i := range containers {
			c := &containers[i]
			field := c.path(i, "name")
			if c.Name == "" {
				return fmt.Errorf("%s: is required", field)
			}
			if other, ok := seen[c.Name]; ok {
				return fmt.Errorf("%s: %.253q is already the name of another container, %s", field, c.Name, other)
			}
			seen[c.Name] = field
		}
	}
	return nil
}

func (c *container) addMount(m containerMount, index int) {
	if m.index = int32(index); !m.isEmpty() { // #nosec G115 -- no Pod has so many
		c.mounts = append(c.mounts, m)
	}
}
