package merge

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// A Pod is complete if nothing must be added, no receiver has been moved before a fetcher,
// and the other webhooks that provide secrets have run. Missing reports the first; with
// Options.Verify, Decide checks the other two.

// Missing returns what the Pod lacks, as a problem of each secret that needs it.
func (e *Edits) Missing() []Problem {
	m := missing{d: e.decision}
	for _, edit := range e.all {
		if m.tooManyProblems() {
			break
		}
		m.add(edit)
	}
	return m.problems
}

// Exempt returns the names of containers that are not checked because other webhooks add
// them: those of Options.Late and of mount.Webhook.
func (e *Edits) Exempt() (names []string) {
	d := e.decision
	for _, r := range d.late {
		names = append(names, r.Name)
	}
	for _, containers := range [][]container{d.view.initContainers, d.view.containers} {
		for i := range containers {
			if name := containers[i].Name; d.change.isWebhookContainer(name) {
				names = append(names, name)
			}
		}
	}
	return names
}

type missing struct {
	d        *decision
	problems []Problem
}

func (m *missing) tooManyProblems() bool { return len(m.problems) >= maxProblems }

func (m *missing) report(reqs requesters, err *mount.MissingError) {
	for i := range reqs.all() {
		if m.tooManyProblems() {
			return
		}
		m.problems = append(m.problems, Problem{i, none, err})
	}
}

func (m *missing) add(e edit) {
	c := m.d.change
	switch e := e.(type) {
	case annotate:
		for _, p := range e.added {
			if m.tooManyProblems() {
				return
			}
			m.report(c.annotationRequesters(p.key), &mount.MissingError{Path: "metadata.annotations", Field: "metadata.annotations", Name: p.key})
		}
	case insert[corev1.Container, *corev1.Container]:
		for _, f := range e.elems {
			ours, _ := c.fetchers.get(f.Name)
			m.report(ours.requesters, &mount.MissingError{Path: "spec.initContainers", Field: "initContainers", Name: f.Name})
		}
	case insert[pullSecret, *pullSecret]:
		for _, s := range e.elems {
			if m.tooManyProblems() {
				return
			}
			m.report(c.pullSecretRequesters(s.Name), &mount.MissingError{Path: "spec.imagePullSecrets", Field: "imagePullSecrets", Name: s.Name})
		}
	case insert[corev1.Volume, *corev1.Volume]:
		for _, v := range e.elems {
			m.volume(v.Name)
		}
	case insert[corev1.VolumeProjection, *corev1.VolumeProjection]:
		m.volume(m.d.view.volumes.nameAt(e.owner.index))
	case insert[corev1.KeyToPath, *corev1.KeyToPath]:
		m.volume(m.d.view.volumes.nameAt(e.owner.index))
	case insert[corev1.EnvVar, *corev1.EnvVar]:
		m.variables(e)
	case insert[corev1.VolumeMount, *corev1.VolumeMount]:
		r := m.d.receiverAt(e.list == initMounts, e.owner.index)
		for _, v := range e.elems {
			ours, _ := r.scope.mounts.get(absolute(v.MountPath))
			m.report(ours.requesters, &mount.MissingError{Path: r.path(r.index, "volumeMounts"), Container: r.Name, Field: "volumeMounts", Name: v.MountPath})
		}
	}
}

// volume reports a volume that is missing or lacks items.
func (m *missing) volume(name string) {
	for _, r := range m.d.receivers {
		if v, ok := r.scope.volumes.get(name); ok {
			m.report(v.requesters, &mount.MissingError{Path: "spec.volumes", Field: "volumes", Name: name})
			return
		}
	}
}

// variables reports missing variables of a receiver or a fetcher.
func (m *missing) variables(e insert[corev1.EnvVar, *corev1.EnvVar]) {
	init := e.list == initEnv
	if init {
		fetcher := &m.d.view.initContainers[e.owner.index]
		if f, ok := m.d.change.fetchers.get(fetcher.Name); ok {
			for _, v := range e.elems {
				ours, _ := f.env.get(v.Name)
				m.report(requesters{first: ours.first}, &mount.MissingError{Path: fetcher.path(e.owner.index, "env"), Container: f.Name, Field: "env", Name: v.Name})
			}
			return
		}
	}
	r := m.d.receiverAt(init, e.owner.index)
	for _, v := range e.elems {
		ours, _ := r.scope.vars.get(v.Name)
		m.report(ours.requesters, &mount.MissingError{Path: r.path(r.index, "env"), Container: r.Name, Field: "env", Name: v.Name})
	}
}

func (d *decision) receiverAt(init bool, index int) receiver {
	return d.receivers[slices.IndexFunc(d.receivers, func(r receiver) bool { return r.Init == init && r.index == index })]
}

// annotationRequesters returns the secrets that need an annotation. All secrets of a webhook
// need the one that lists containers.
func (c *Change) annotationRequesters(key string) requesters {
	if a, ok := c.annotations[key]; ok {
		if a.kind == annotationRequired {
			return c.requiredBy(key)
		}
		return requesters{first: a.first}
	}
	i := slices.IndexFunc(c.webhooks, func(w webhook) bool { return w.ContainersAnnotation == key })
	return c.webhooks[i].requesters
}

func (c *Change) pullSecretRequesters(name string) requesters {
	return c.requestersOf(func(s *Secret) bool {
		return slices.Contains(s.Fragment.ImagePullSecrets, pullSecret{Name: name})
	})
}

// checkOrder reports receivers between the index at which fetchers are inserted and the
// existing fetchers: another webhook has moved one of them. Containers before that index
// start before the secrets are available, as InitOrder allows.
func (d *decision) checkOrder() {
	ends := make([]int, len(d.change.secrets)) // index of the first container that can read each secret
	for i := range ends {
		switch f := &d.change.secrets[i].Fragment; {
		case !f.File:
		case f.Webhook != nil && f.Webhook.First:
			ends[i] = max(d.fetchersEnd(f), d.webhookEnd(f.Webhook))
		default:
			ends[i] = d.fetchersEnd(f)
		}
	}
	for _, r := range d.receivers {
		if !r.Init || r.index < d.insertAt {
			continue
		}
		for _, i := range r.scope.members {
			if d.tooManyProblems() {
				return
			}
			if r.index < ends[i] {
				d.problems = append(d.problems, Problem{i, none, &mount.MissingError{
					Path: r.path(r.index, "name"), Field: "initContainers", Name: r.Name, Reason: "starts before the init container that fetches the secret",
				}})
			}
		}
	}
}
