package merge

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// ViewJSON returns the View of a Pod in JSON. As in the API server, keys are
// case-sensitive. Of duplicate keys, the last one counts, but a value of a wrong type is
// an error in all of them.
func ViewJSON(raw []byte) (*View, error) { return viewJSON(raw, false) }

// ViewRequests is ViewJSON for Pods that usually have no requests: if no annotation is a
// request, the View may have only the annotations.
func ViewRequests(raw []byte) (*View, error) { return viewJSON(raw, true) }

// viewer makes a View from JSON.
type viewer struct {
	scanner
	view *View
	// All lists share these, to save allocations.
	elements []rawElement
	mounts   []containerMount

	labels, annotations rawMap
}

func viewJSON(raw []byte, requests bool) (*View, error) {
	v := viewer{scanner: scanner{text: raw}, view: &View{noMetadata: true}}
	metadata := false
	for v.object(); v.next('}'); {
		switch string(v.key()) {
		case "metadata":
			v.view.noMetadata = v.peek() == 'n'
			v.metadata()
			metadata = true
		case "kind":
			v.view.kind = v.rawValue()
		case "apiVersion":
			v.view.apiVersion = v.rawValue()
		case "spec":
			if requests && metadata && !v.annotations.requests {
				v.skip() // common: most Pods have no requests
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
	*view = View{kind: view.kind, apiVersion: view.apiVersion, Metadata: view.Metadata, noMetadata: view.noMetadata}
	var name, deprecated, os, selected string
	var hostProcess bool
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
		case "serviceAccountName":
			name = v.stringOrSkip()
		case "serviceAccount":
			deprecated = v.stringOrSkip()
		case "nodeSelector":
			selected = v.memberString(corev1.LabelOSStable)
		case "os":
			os = v.memberString("name")
		case "securityContext":
			hostProcess = v.hostProcess()
		case "resources":
			view.rawPodResources = v.rawValue()
		default:
			v.skip()
		}
	}
	view.spec = mount.TargetSpec{ServiceAccount: cmp.Or(name, deprecated), OS: cmp.Or(os, selected), HostProcess: hostProcess}
}

// The following methods read fields that most Pods do not have. They treat a value of a
// wrong type, which API servers never send, as missing.

// rawValue reads any value and returns its JSON.
func (v *viewer) rawValue() []byte {
	p := v.skipSpan()
	return v.text[p.from:p.to]
}

// stringOrSkip reads a string.
func (v *viewer) stringOrSkip() string {
	if v.peek() != '"' {
		v.skip()
		return ""
	}
	return v.string()
}

// objectOrSkip begins an object. For any other value, next returns false.
func (v *viewer) objectOrSkip() {
	if v.peek() == '{' {
		v.object()
		return
	}
	v.skip()
	v.null = true
}

// memberString reads an object and returns the string member with the key.
func (v *viewer) memberString(key string) (text string) {
	for v.objectOrSkip(); v.next('}'); {
		if string(v.key()) == key {
			text = v.stringOrSkip()
		} else {
			v.skip()
		}
	}
	return text
}

// hostProcess reads a security context and reports whether it makes a HostProcess Pod.
func (v *viewer) hostProcess() (on bool) {
	for v.objectOrSkip(); v.next('}'); {
		if string(v.key()) != "windowsOptions" {
			v.skip()
			continue
		}
		on = false
		for v.objectOrSkip(); v.next('}'); {
			isHostProcess := string(v.key()) == "hostProcess"
			if p := v.skipSpan(); isHostProcess {
				on = string(v.text[p.from:p.to]) == "true"
			}
		}
	}
	return on
}

func (v *viewer) containers(init bool) []container {
	all := make([]container, 0, 4)
	for v.array(); v.next(']'); {
		v.peek()
		from := v.pos
		c := v.container(init)
		c.raw = v.text[from:v.pos]
		all = append(all, c)
	}
	return all
}

func (v *viewer) container(init bool) container {
	c := container{Container: mount.Container{Init: init}}
	var volumeMounts, devices []containerMount
	for v.object(); v.next('}'); {
		switch string(v.key()) {
		case "name":
			c.Name = v.string()
		case "restartPolicy":
			c.Sidecar = v.string() == string(corev1.ContainerRestartPolicyAlways) && init
		case "env":
			c.env = elements[corev1.EnvVar]{raw: v.list(), text: v.text}
		case "volumeMounts":
			volumeMounts, c.volumeMounts = v.mountList("mountPath", false)
		case "volumeDevices":
			devices, _ = v.mountList("devicePath", true)
		default:
			v.skip()
		}
	}
	c.mounts = append(volumeMounts, devices...)
	return c
}

func (v *viewer) mountList(pathKey string, device bool) (list []containerMount, count int) {
	from := len(v.mounts)
	for v.array(); v.next(']'); count++ {
		m := containerMount{device: device, index: int32(count)} // #nosec G115 -- no Pod has so many
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
		if !m.isEmpty() {
			v.mounts = append(v.mounts, m)
		}
	}
	return v.mounts[from:len(v.mounts):len(v.mounts)], count
}

// list reads a list of named elements.
func (v *viewer) list() []rawElement {
	if v.elements == nil {
		v.elements = make([]rawElement, 0, 16+len(v.text)/64)
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

// rawMap is a map of strings in JSON.
type rawMap struct {
	text     []byte
	members  int
	requests bool // a key is that of a request
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
