package injector

import (
	"gomodules.xyz/jsonpatch/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Plan is the result of Injector.Plan: what injecting the requests adds to one
// Pod. Formatting it shows only the placements.
type Plan struct {
	// Placements has one entry for each request, in the order of the requests.
	Placements []Placement

	// Functions, so that formatting never reaches secret values.
	pod        func() *corev1.Pod
	patch      func() []jsonpatch.Operation
	references func() []Reference
}

// Pod returns the injected Pod. Each call returns a new copy.
func (p *Plan) Pod() *corev1.Pod { return p.pod() }

// Patch returns the operations that turn the Pod into the injected one. No
// operation removes anything, or replaces anything that is not empty. Each call
// returns a new slice; it is empty if nothing is missing.
func (p *Plan) Patch() []jsonpatch.Operation { return p.patch() }

// Placement says where containers find a secret. It never contains the value.
type Placement struct {
	Request secret.Request
	// Manager is the name of the manager that serves the request.
	Manager string
	// Reads is what the manager's store is asked for, as matched by Rules.
	Reads mount.Object
	// Mount is EnvVar or File, never Any.
	Mount mount.Type
	// EnvVar is the primary name of the secret, if Mount is EnvVar.
	// Request.EnvVar may name a second variable.
	EnvVar string
	// Path is the absolute path of the secret's file, if Mount is File.
	Path string
	// Containers are the names of the receivers. They exclude containers that
	// keep their own variable with that name (mount.ConflictKeepPod), and
	// containers that start before the secret is fetched.
	Containers []string
}

func placement(s *merge.Secret) Placement {
	p := Placement{Request: s.Request, Manager: s.Manager, Reads: s.Fragment.Reads}
	if s.Fragment.File {
		p.Mount, p.Path = mount.File, s.Name
	} else {
		p.Mount, p.EnvVar = mount.EnvVar, s.Name
	}
	return p
}
