package merge

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// View is what decisions need to know of a Pod. It shares the memory of the
// typed Pod or of the JSON that it is made from. It is read-only once made.
type View struct {
	Metadata metav1.ObjectMeta // of which only what viewMetadata sets

	volumes        elements[corev1.Volume]
	pullSecrets    elements[pullSecret]
	initContainers []container
	containers     []container
}

// container is what decisions need to know of a container.
type container struct {
	mount.Container
	env elements[corev1.EnvVar]
	// mounts are its volumeMounts, and behind them its volumeDevices.
	mounts       []mounted
	volumeMounts int // how many of mounts are volumeMounts
}

// mounted is a volume, or a part of it, that a container has at a path. A device
// takes its path like a mount.
type mounted struct {
	path          string // as it stands in the Pod
	volume        string
	subPath, expr string
	readOnly      bool
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
	return v
}

func viewContainers(containers []corev1.Container, init bool) []container {
	views := make([]container, len(containers))
	for i := range containers {
		c := &containers[i]
		v := &views[i]
		v.Name, v.Init = c.Name, init
		v.Sidecar = init && c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		v.env.typed = c.Env
		if n := len(c.VolumeMounts) + len(c.VolumeDevices); n > 0 {
			v.mounts = make([]mounted, 0, n)
		}
		for j := range c.VolumeMounts {
			m := &c.VolumeMounts[j]
			v.mounts = append(v.mounts, mounted{m.MountPath, m.Name, m.SubPath, m.SubPathExpr, m.ReadOnly})
		}
		v.volumeMounts = len(v.mounts)
		for _, d := range c.VolumeDevices {
			v.mounts = append(v.mounts, mounted{path: d.DevicePath, volume: d.Name})
		}
	}
	return views
}

// ViewJSON returns the View of a Pod in JSON, with case-sensitive keys as the
// API server reads them. Of a key that an object has twice, the last one counts.
func ViewJSON(raw []byte) (*View, error) { return viewJSON(raw, false) }

// ViewRequests is ViewJSON, but the View of a Pod whose annotations hold no
// request may have no more than its annotations.
func ViewRequests(raw []byte) (*View, error) { return viewJSON(raw, true) }

// viewer makes a View of JSON.
type viewer struct {
	scanner
	view *View
	// Each list is a part of these.
	elements []rawElement
	mounts   []mounted

	labels, annotations rawMap
}

func viewJSON(raw []byte, requests bool) (*View, error) {
	v := viewer{scanner: scanner{text: raw}, view: new(View)}
	metadata := false
	for v.object(); v.next('}'); {
		switch string(v.key()) {
		case "metadata":
			v.metadata()
			metadata = true
		case "spec":
			if requests && metadata && !v.annotations.requests {
				v.skip() // as most Pods of a cluster
			} else {
				v.spec()
			}
		default:
			v.skip()
		}
	}
	if err := v.end(); err != nil {
		return nil, err
	}
	if !requests || v.annotations.requests {
		v.view.Metadata.Labels, v.view.Metadata.Annotations = v.labels.decode(), v.annotations.decode()
	}
	return v.view, nil
}

func (v *viewer) metadata() {
	m := &v.view.Metadata
	*m, v.labels, v.annotations = metav1.ObjectMeta{}, rawMap{}, rawMap{}
	for v.object(); v.next('}'); {
		switch string(v.key()) {
		case "name":
			m.Name = v.string()
		case "generateName":
			m.GenerateName = v.string()
		case "namespace":
			m.Namespace = v.string()
		case "labels":
			v.labels = v.rawMap()
		case "annotations":
			v.annotations = v.rawMap()
		default:
			v.skip()
		}
	}
}

func (v *viewer) spec() {
	view := v.view
	*view = View{Metadata: view.Metadata}
	for v.object(); v.next('}'); {
		switch string(v.key()) {
		case "volumes":
			view.volumes = elements[corev1.Volume]{raw: v.list(), text: v.text}
		case "imagePullSecrets":
			view.pullSecrets = elements[pullSecret]{raw: v.list(), text: v.text}
		case "initContainers":
			view.initContainers = v.containers(true)
		case "containers":
			view.containers = v.containers(false)
		default:
			v.skip()
		}
	}
}

func (v *viewer) containers(init bool) []container {
	var all []container
	for v.array(); v.next(']'); {
		all = append(all, v.container(init))
	}
	return all
}

func (v *viewer) container(init bool) container {
	c := container{Container: mount.Container{Init: init}}
	var volumeMounts, devices []mounted
	for v.object(); v.next('}'); {
		switch string(v.key()) {
		case "name":
			c.Name = v.string()
		case "restartPolicy":
			c.Sidecar = v.string() == string(corev1.ContainerRestartPolicyAlways) && init
		case "env":
			c.env = elements[corev1.EnvVar]{raw: v.list(), text: v.text}
		case "volumeMounts":
			volumeMounts = v.mountList("mountPath")
		case "volumeDevices":
			devices = v.mountList("devicePath")
		default:
			v.skip()
		}
	}
	c.volumeMounts = len(volumeMounts)
	c.mounts = append(volumeMounts, devices...)
	return c
}

func (v *viewer) mountList(pathKey string) []mounted {
	from := len(v.mounts)
	for v.array(); v.next(']'); {
		var m mounted
		for v.object(); v.next('}'); {
			switch string(v.key()) {
			case pathKey:
				m.path = v.string()
			case "name":
				m.volume = v.string()
			case "subPath":
				m.subPath = v.string()
			case "subPathExpr":
				m.expr = v.string()
			case "readOnly":
				m.readOnly = v.bool()
			default:
				v.skip()
			}
		}
		v.mounts = append(v.mounts, m)
	}
	return v.mounts[from:len(v.mounts):len(v.mounts)]
}

// list reads a list of elements with names.
func (v *viewer) list() []rawElement {
	if v.elements == nil {
		v.elements = make([]rawElement, 0, 16+len(v.text)/128)
	}
	from := len(v.elements)
	for v.array(); v.next(']'); {
		var e rawElement
		v.peek()
		at := v.pos
		for v.object(); v.next('}'); {
			if string(v.key()) == "name" {
				e.name = v.stringSpan()
			} else {
				v.skip()
			}
		}
		e.element = span{from: int32(at), to: int32(v.pos)}
		v.elements = append(v.elements, e)
	}
	return v.elements[from:len(v.elements):len(v.elements)]
}

// rawMap is a map of texts in JSON.
type rawMap struct {
	text     []byte
	members  int
	requests bool // a member is a request, by its key
}

func (v *viewer) rawMap() rawMap {
	v.peek()
	from, m := v.pos, rawMap{}
	for v.object(); v.next('}'); {
		m.members++
		m.requests = m.requests || secret.IsAnnotation(string(v.key()))
		v.stringSpan()
	}
	m.text = v.text[from:v.pos]
	return m
}

func (m rawMap) decode() map[string]string {
	if m.members == 0 {
		return nil
	}
	all := make(map[string]string, m.members)
	s := scanner{text: m.text, strings: string(m.text)}
	for s.object(); s.next('}'); {
		key := s.stringOf(s.name)
		all[key] = s.string()
	}
	return all
}
