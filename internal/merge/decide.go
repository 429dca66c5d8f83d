package merge

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
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
	allVars   []corev1.EnvVar
	allMounts []corev1.VolumeMount
	literals  int // bytes of literal secrets added so far
	edits     []edit
	problems  []Problem
}

// Decide returns what a Pod is missing of the change, and all conflicts with
// what it has. The order needs no arithmetic with indices: containers are
// edited at the indices that they have, before fetchers move them.
func (c *Change) Decide(v *View, o Options) (*Edits, []Problem, error) {
	d := &decision{change: c, view: v, options: o}
	d.chooseReceivers()
	if len(d.receivers) == 0 {
		return nil, nil, mount.ErrNoContainer
	}
	for i := range c.vars.items {
		d.allVars = append(d.allVars, c.vars.items[i].EnvVar)
	}
	for _, m := range c.mounts.items {
		if m.Name != "" {
			d.allMounts = append(d.allMounts, m.VolumeMount)
		}
	}
	d.annotate()
	d.addVolumes()
	for _, r := range d.receivers {
		d.addVariables(r)
		d.addMounts(r)
	}
	d.addPullSecrets()
	d.addFetchers()
	return &Edits{d.edits}, d.problems, nil
}

// chooseReceivers leaves fetchers out: they must not depend on each other.
func (d *decision) chooseReceivers() {
	choose := func(containers []Container, init bool) {
		for i := range containers {
			c := &containers[i]
			if _, ours := d.change.fetchers.get(c.Name); init && (ours || mount.IsName(c.Name)) {
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

func (d *decision) conflict(owner int, container, field, name, reason string) {
	d.problems = append(d.problems, Problem{owner, &mount.ConflictError{
		Container: container, Field: field, Name: name, Reason: reason,
	}})
}
