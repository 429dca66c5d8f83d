package injector

import (
	"gomodules.xyz/jsonpatch/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Plan is what injecting requests into one Pod means. It is made by
// Injector.Plan and bound to the Pod that it was made for. Printing it shows
// the placements only.
type Plan struct {
	// Placements has one entry for each request, in the order of the requests.
	Placements []Placement

	// Functions, so that no printer finds values of secrets behind them.
	pod        func() *corev1.Pod
	patch      func() []jsonpatch.Operation
	references func() []Reference
}

// Pod returns the injected Pod. Each call returns a new one.
func (p *Plan) Pod() *corev1.Pod { return p.pod() }

// Patch returns the operations that make the Pod the injected one, none of
// which removes or replaces anything that is not empty. Each call returns new
// ones; if there is nothing to do, an empty slice.
func (p *Plan) Patch() []jsonpatch.Operation { return p.patch() }

// Placement says where containers find a secret. It never holds its value. With
// mount.ConflictKeepPod, a container that defines the variable otherwise does not find
// it there.
type Placement struct {
	Request secret.Request
	// Manager is the Name of the manager that serves the request.
	Manager string
	// Reads is what the manager's store is asked for. Rules match it.
	Reads mount.Object
	// Mount is EnvVar or File, never Any.
	Mount mount.Type
	// EnvVar is the variable that holds the secret, if Mount is EnvVar. The
	// extra variable that the request may ask for is Request.EnvVar.
	EnvVar string
	// Path is the file that holds the secret, if Mount is File.
	Path string
	// Containers are the names of those that receive the secret. A container
	// that keeps its own variable of that name (mount.ConflictKeepPod), or that
	// starts before the secret is fetched, is not among them.
	Containers []string
}
