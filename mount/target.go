package mount

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Container is what injector.Config.Containers and injector.Config.Late see of
// a container.
type Container struct {
	Name string
	// Init is true for init containers. Sidecar is true for init containers
	// with restartPolicy Always.
	Init, Sidecar bool
}

// Target is what a manager can see of a Pod: a read-only view, enough to
// distinguish tenants and platforms. The zero value is a Pod without a name or
// labels, in Flyte's layout.
type Target struct {
	layout Layout
	order  InitOrder
	meta   *metav1.ObjectMeta
	spec   TargetSpec
}

// TargetSpec is the part of a Pod's spec that a Target shows.
type TargetSpec struct {
	// ServiceAccount is the Pod's serviceAccountName, or its deprecated
	// serviceAccount. Empty means "default".
	ServiceAccount string
	// OS is the operating system from spec.os.name, or else from the
	// nodeSelector kubernetes.io/os. Empty means that neither is set.
	OS string
	// HostProcess is true for a Windows HostProcess Pod.
	HostProcess bool
	// Template is true for a Pod template, such as a Deployment's.
	Template bool
}

// NewTarget returns the Target of a Pod with the given metadata; nil means
// empty. It keeps meta, which must not change while the Target is in use.
func NewTarget(layout Layout, order InitOrder, meta *metav1.ObjectMeta) Target {
	return Target{layout: layout, order: order, meta: meta}
}

// WithSpec returns a copy of t with the given spec.
func (t Target) WithSpec(spec TargetSpec) Target {
	t.spec = spec
	return t
}

// Layout returns where containers look for secrets, with defaults filled in.
func (t Target) Layout() Layout { return t.layout.WithDefaults() }

// InitOrder returns the position of fetchers among the init containers.
func (t Target) InitOrder() InitOrder { return t.order }

// Name returns the Pod's name. It is empty in templates, and for Pods that the
// API server will name from GenerateName.
func (t Target) Name() string { return t.get().Name }

// GenerateName returns the Pod's generateName: the prefix from which the API
// server makes the name.
func (t Target) GenerateName() string { return t.get().GenerateName }

// Namespace returns the Pod's namespace. It is empty while unknown, as in
// templates.
func (t Target) Namespace() string { return t.get().Namespace }

// ServiceAccount returns the name of the Pod's service account, or "default" if
// the Pod names none.
func (t Target) ServiceAccount() string { return cmp.Or(t.spec.ServiceAccount, "default") }

// OS returns the Pod's operating system, such as "linux" or "windows": from
// spec.os.name, else from the nodeSelector kubernetes.io/os, else from the
// Pod's label with that name. Without any of these it is "windows" for a
// HostProcess Pod, and "linux" otherwise.
func (t Target) OS() string {
	label, _ := t.Label(corev1.LabelOSStable)
	system := corev1.Linux
	if t.spec.HostProcess {
		system = corev1.Windows
	}
	return cmp.Or(t.spec.OS, label, string(system))
}

// Template reports whether the Target is a Pod template, such as a
// Deployment's, rather than a Pod.
func (t Target) Template() bool { return t.spec.Template }

// Label returns the value of a label of the Pod, and whether it exists.
func (t Target) Label(key string) (value string, ok bool) {
	value, ok = t.get().Labels[key]
	return value, ok
}

// Annotation returns the value of an annotation of the Pod, and whether it
// exists.
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
