package mount

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Container describes a container to a choice of containers.
type Container struct {
	Name string
	// Init is true for init containers, Sidecar for those of them with
	// restartPolicy Always.
	Init, Sidecar bool
}

// Target is what a manager can see of a Pod: a read-only view, enough to
// distinguish tenants and platforms. The zero value is a Pod without name and
// labels in Flyte's layout.
type Target struct {
	layout Layout
	order  InitOrder
	meta   *metav1.ObjectMeta
	spec   TargetSpec
}

// TargetSpec is what a Target shows of a Pod's spec.
type TargetSpec struct {
	// ServiceAccount is the Pod's serviceAccountName, or the deprecated
	// serviceAccount. Empty means "default".
	ServiceAccount string
	// OS is the operating system that spec.os.name names, or else the nodeSelector
	// kubernetes.io/os. Empty means neither does.
	OS string
	// HostProcess is true for a Windows HostProcess Pod.
	HostProcess bool
	// Template is true where a Pod template is injected rather than a Pod.
	Template bool
}

// NewTarget returns the Target of a Pod with that metadata, of which nil means
// empty. It reads meta when asked, so meta must not change in the meantime.
func NewTarget(layout Layout, order InitOrder, meta *metav1.ObjectMeta) Target {
	return Target{layout: layout, order: order, meta: meta}
}

// WithSpec returns t for a Pod with that spec.
func (t Target) WithSpec(spec TargetSpec) Target {
	t.spec = spec
	return t
}

// Layout returns where the containers look for secrets, with defaults in place
// of empty fields.
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

// ServiceAccount returns the name of the Pod's service account, "default" if the
// Pod names none.
func (t Target) ServiceAccount() string { return cmp.Or(t.spec.ServiceAccount, "default") }

// OS returns the operating system that the Pod is for, such as "linux" or
// "windows": by spec.os.name, else by the nodeSelector kubernetes.io/os, else by
// the Pod's label of that name. A Pod that says none of these is for "windows" if
// it is a HostProcess Pod, and otherwise for "linux".
func (t Target) OS() string {
	label, _ := t.Label(corev1.LabelOSStable)
	system := corev1.Linux
	if t.spec.HostProcess {
		system = corev1.Windows
	}
	return cmp.Or(t.spec.OS, label, string(system))
}

// Template reports whether a Pod template is injected, such as that of a
// Deployment, rather than a Pod.
func (t Target) Template() bool { return t.spec.Template }

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
