package merge

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

const (
	// maxGrowth is how many bytes of JSON the containers of one Pod may gain
	// together, as estimated: the API server's limit on a request's body, so
	// that no Pod can have more. Without a limit, a small Pod with many
	// containers and many requests would become an enormous one.
	maxGrowth = 3 << 20

	// maxLiterals is how many bytes of literal secrets one Pod may gain, all
	// containers together. What the API server stores of a Pod must fit into
	// etcd's request limit of 1.5 MiB.
	maxLiterals = 512 << 10

	// What JSON needs besides names and values.
	variableGrowth, referenceGrowth, mountGrowth = 24, 80, 60

	// maxProblems is how many conflicts are found before the search ends.
	maxProblems = 1000
)

// Options are the choices that concern the Pod rather than the secrets.
type Options struct {
	Containers func(mount.Container) bool // nil: all
	InitOrder  mount.InitOrder
	OnConflict mount.ConflictPolicy
}

// decision is the making of the Edits of one Pod.
type decision struct {
	change            *Change
	view              *View
	options           Options
	receivers         []receiver
	leftOut           []mount.Container
	hasAllAnnotations bool             // the Pod has all annotations already
	mountDirs         map[string]bool  // files that are above mounts of containers; made when needed
	hiddenFiles       map[string][]int // see filesHiddenAt; made when needed
	texts             [][]byte         // of variables, in JSON; made when needed
	growth            int              // bytes that the containers gain
	literals          int              // of these, the literal secrets
	edits             []edit
	problems          []Problem
}

// Decide returns what a Pod is missing of the change, and the conflicts with
// what it has. The order needs no arithmetic with indices: containers are
// edited at the indices that they have, before fetchers move them. The error
// concerns the Pod as a whole: mount.ErrNoContainer or mount.ErrTooLarge.
func (c *Change) Decide(v *View, o Options) (*Edits, []Problem, error) {
	d := &decision{change: c, view: v, options: o, edits: make([]edit, 0, 8)}
	d.chooseReceivers()
	if len(d.receivers) == 0 {
		return nil, nil, mount.ErrNoContainer
	}
	d.annotate()
	d.addVolumes(&c.all)
	for _, r := range d.receivers {
		d.addVariables(&c.all, r)
		d.addMounts(&c.all, r)
		if d.growth > maxGrowth {
			return nil, d.problems, mount.ErrTooLarge
		}
		if d.full() {
			return nil, d.problems, nil
		}
	}
	d.addPullSecrets()
	d.addFetchers()
	return &Edits{all: d.edits, repeats: len(d.receivers) > 1, size: d.growth}, d.problems, nil
}

// receiver is a container that receives the secrets.
type receiver struct {
	*container
	index int
}

// chooseReceivers leaves fetchers out: they must not depend on each other.
func (d *decision) chooseReceivers() {
	d.receivers = make([]receiver, 0, len(d.view.initContainers)+len(d.view.containers))
	for _, containers := range [][]container{d.view.initContainers, d.view.containers} {
		for i := range containers {
			switch c := &containers[i]; {
			case c.Init && mount.IsName(c.Name):
			case d.options.Containers == nil || d.options.Containers(c.Container):
				d.receivers = append(d.receivers, receiver{c, i})
			default:
				d.leftOut = append(d.leftOut, c.Container)
			}
		}
	}
}

func (r receiver) envList() *list[corev1.EnvVar] {
	if r.Init {
		return initEnv
	}
	return containerEnv
}

func (r receiver) mountList() *list[corev1.VolumeMount] {
	if r.Init {
		return initMounts
	}
	return containerMounts
}

// conflict is a problem of each of the secrets that need what is in the way.
func (d *decision) conflict(of requesters, container, field, name, reason string) {
	err := &mount.ConflictError{Container: container, Field: field, Name: name, Reason: reason}
	for i := range of.all() {
		if d.full() {
			return
		}
		d.problems = append(d.problems, Problem{i, none, err})
	}
}

func (d *decision) full() bool { return len(d.problems) >= maxProblems }
