package merge

import (
	"github.com/podsecrets/podsecrets/mount"
)

const (
	// maxGrowth is how many bytes of JSON the containers of one Pod may gain
	// together, as estimated: the API server's limit on a request's body, so
	// that no Pod can have more. Without a limit, a small Pod with many
	// containers and many requests would become an enormous one.
	maxGrowth = 3 << 20

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
	change    *Change
	view      *View
	options   Options
	receivers []receiver
	leftOut   []mount.Container
	annotated bool             // the Pod has all annotations already
	mountDirs map[string]bool  // files that are above mounts of containers; made when needed
	covers    map[string][]int // see coveredBy; made when needed
	growth    int              // bytes that the containers gain
	literals  int              // of these, the literal secrets
	edits     []edit
	problems  []Problem
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
	d.addVolumes()
	for _, r := range d.receivers {
		d.addVariables(r)
		d.addMounts(r)
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

// chooseReceivers leaves fetchers out: they must not depend on each other.
func (d *decision) chooseReceivers() {
	choose := func(containers []Container, init bool) {
		for i := range containers {
			c := &containers[i]
			if init && mount.IsName(c.Name) {
				continue
			}
			if known := c.describe(init); d.options.Containers == nil || d.options.Containers(known) {
				d.receivers = append(d.receivers, receiver{c, init, i})
			} else {
				d.leftOut = append(d.leftOut, known)
			}
		}
	}
	choose(d.view.Spec.InitContainers, true)
	choose(d.view.Spec.Containers, false)
}

// conflict is a problem of each of the secrets that need what is in the way.
func (d *decision) conflict(of owners, container, field, name, reason string) {
	err := &mount.ConflictError{Container: container, Field: field, Name: name, Reason: reason}
	for i := range of.all() {
		if d.full() {
			return
		}
		d.problems = append(d.problems, Problem{i, none, err})
	}
}

func (d *decision) full() bool { return len(d.problems) >= maxProblems }
