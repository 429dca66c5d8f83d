package mount

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// InitOrder says where the init containers that fetch secrets go.
type InitOrder uint8

const (
	// First is before every init container of the Pod, so that these can read
	// the secrets too. It is the zero value.
	First InitOrder = iota
	// AfterSidecars is right behind the Pod's first run of sidecars (init
	// containers with restartPolicy Always), for Pods whose network needs one,
	// such as a service mesh's proxy. Whatever stands before that run, such as
	// the mesh's own set-up container, stays before the fetchers. All of these
	// receive secrets too, unless they are not chosen, but start before the
	// files are there. Without such a run it is First. The sidecars must be in
	// the Pod already, so their webhook must come before.
	AfterSidecars
)

// ConflictPolicy says what happens where a container already defines a variable
// otherwise that would hold a secret or its path.
type ConflictPolicy uint8

const (
	// Fail is a ConflictError. It is the zero value.
	Fail ConflictPolicy = iota
	// KeepPod leaves the variable in that container as it is. Conflicts about
	// anything else, discovery variables too, are errors still.
	KeepPod
)

// Container is what a choice of containers may know of one.
type Container struct {
	Name string
	// Init is true for init containers, Sidecar for those of them with
	// restartPolicy Always.
	Init, Sidecar bool
}

// Target is what a manager may know of the Pod: enough to answer differently
// for different tenants, and nothing that could be written. The zero value is
// a Pod without name and labels in Flyte's layout.
type Target struct {
	layout Layout
	order  InitOrder
	meta   *metav1.ObjectMeta
}

// NewTarget returns the Target of a Pod with that metadata, of which nil means
// empty. It reads meta when asked, so meta must not change in the meantime.
func NewTarget(layout Layout, order InitOrder, meta *metav1.ObjectMeta) Target {
	return Target{layout, order, meta}
}

// Layout returns where the containers look for secrets, no field of it empty
// that has a default.
func (t Target) Layout() Layout { return t.layout.WithDefaults() }

// InitOrder returns where fetching init containers go.
func (t Target) InitOrder() InitOrder { return t.order }

// Name returns the Pod's name. It is empty for Pods that are still to be named
// after their GenerateName, and in templates.
func (t Target) Name() string { return t.get().Name }

// GenerateName returns the prefix from which the API server makes a name.
func (t Target) GenerateName() string { return t.get().GenerateName }

// Namespace returns the Pod's namespace. It is empty where it is not known yet,
// as in templates.
func (t Target) Namespace() string { return t.get().Namespace }

// Label returns the value of one of the Pod's labels, and whether it is there.
func (t Target) Label(key string) (value string, ok bool) {
	value, ok = t.get().Labels[key]
	return value, ok
}

// Annotation returns the value of one of the Pod's annotations, and whether it
// is there.
func (t Target) Annotation(key string) (value string, ok bool) {
	value, ok = t.get().Annotations[key]
	return value, ok
}

func (t Target) get() *metav1.ObjectMeta {
	if t.meta == nil {
		return &metav1.ObjectMeta{}
	}
	return t.meta
}
