package merge

import (
	"path"
	"slices"
	"strings"

	"github.com/podsecrets/podsecrets/mount"
)

// webhook is another webhook that brings secrets.
type webhook struct {
	*mount.Webhook
	dir string
	requesters
}

// addWebhook adds the webhook that brings a secret, and the annotations that it
// must find.
func (c *Change) addWebhook(i int) {
	s := &c.secrets[i]
	w := s.Fragment.Webhook
	c.shareVolumes(i)
	if w == nil {
		return
	}
	c.addAnnotations(i, w.Annotations, annotationRequired)
	for j := range c.webhooks {
		if old := &c.webhooks[j]; old.Volume == w.Volume && old.ContainersAnnotation == w.ContainersAnnotation {
			old.requesters.add(i)
			return
		}
	}
	c.webhooks = append(c.webhooks, webhook{w, s.layout(c.layout).Dir, requesters{first: i}})
}

func (c *Change) isWebhookContainer(name string) bool {
	for i := range c.webhooks {
		if slices.Contains(c.webhooks[i].Containers, name) {
			return true
		}
	}
	return false
}

// listContainers returns the missing annotation that lists the receivers of what
// the webhook brings, or "" if there is one, or if all containers receive. A list
// of the Pod's own may have more containers, except for requests that name one.
func (d *decision) listContainers(w *webhook) string {
	only := d.change.secrets[w.first].Container // the same for all, as they share the volume
	var names, init, out []string
	for _, r := range d.receivers {
		switch {
		case only != "" && only != r.Name:
			out = append(out, r.Name)
			if r.Init {
				init = append(init, r.Name)
			}
		case !r.Init:
			names = append(names, r.Name)
		}
	}
	for _, r := range d.others {
		out = append(out, r.Name)
		if r.Init {
			init = append(init, r.Name)
		}
	}
	if w.ContainersAnnotation == "" {
		if len(out) > 0 && d.change.readsFiles(d.change.scopeOf(only), w) {
			d.conflict(w.requesters, &mount.ConflictError{Field: "volumeMounts", Name: w.dir,
				Reason: "gets the other webhook's volume in all containers, also in " + quote(out[0]) + ", which does not receive the secret"})
		}
		return ""
	}
	conflict := func(reason string) { d.annotationConflict(w.requesters, w.ContainersAnnotation, reason) }
	for _, name := range init {
		conflict("cannot leave out an init container, such as " + quote(name))
	}
	value, ok := d.view.Metadata.Annotations[w.ContainersAnnotation]
	if a, set := d.change.annotations[w.ContainersAnnotation]; set && !ok {
		value, ok = a.value, true
	}
	listed := make(map[string]bool)
	for name := range strings.SplitSeq(value, ",") {
		listed[name] = true
	}
	isListed := func(name string) bool { return listed[name] }
	isMissing := func(name string) bool { return !listed[name] }
	switch all := len(out) == len(init); {
	case !all && len(names) == 0:
		conflict("cannot leave out every container")
	case ok && slices.ContainsFunc(names, isMissing):
		conflict("does not list all containers that receive secrets")
	case ok && only != "" && slices.ContainsFunc(out, isListed):
		conflict("lists containers that do not receive the secret")
	case !ok && !all:
		return strings.Join(names, ",")
	}
	return ""
}

// checkRan looks whether a webhook that the Pod says has run really has. It will
// not read what is missing now. To verify a Pod, it must have run.
func (d *decision) checkRan(w *webhook, missing []pair) {
	says := w.RanAnnotation != "" && d.saysItRan(w.Webhook)
	if !says && !d.options.Verify {
		return
	}
	reason := d.hasNotRun(w)
	switch {
	case says && reason != "":
		d.annotationConflict(w.requesters, w.RanAnnotation, "is "+quote(w.RanValue)+", but "+reason)
	case says:
		for _, p := range missing {
			if a, ours := d.change.annotations[p.key]; !ours || a.kind != annotationAlias {
				d.annotationConflict(w.requesters, w.RanAnnotation, "is "+quote(w.RanValue)+", so that the other webhook will not read "+quote(p.key)+", which is missing")
				return
			}
		}
	case reason != "":
		for i := range w.all() {
			d.problems = append(d.problems, Problem{i, none, &mount.MissingError{
				Path: "spec.volumes", Field: "volumes", Name: w.Volume, Reason: "is missing: the webhook that brings it has not run: " + reason,
			}})
		}
	}
}

// hasNotRun says what of a webhook's work the Pod lacks, or "": one of the
// containers, or the volume where the files are read.
func (d *decision) hasNotRun(w *webhook) string {
	isOurs := func(c container) bool { return slices.Contains(w.Containers, c.Name) }
	if !slices.ContainsFunc(d.view.initContainers, isOurs) && !slices.ContainsFunc(d.view.containers, isOurs) {
		return "the pod has none of the containers that the other webhook adds"
	}
	only := d.change.secrets[w.first].Container
	for _, r := range d.receivers {
		if only != "" && only != r.Name || !d.change.readsFiles(r.scope, w) {
			continue
		}
		if !slices.ContainsFunc(r.mounts, func(m mounted) bool { return m.volume == w.Volume && absolute(m.path) == w.dir }) {
			return "container " + quote(r.Name) + " does not have its volume at " + quote(w.dir)
		}
	}
	return ""
}

// readsFiles reports whether a scope has files that the webhook brings.
func (c *Change) readsFiles(sc *scope, w *webhook) bool {
	m, ok := sc.mounts.get(w.dir)
	return ok && m.webhook
}

// checkFiles reports annotations of the Pod's own that make the webhook write one
// of our files, or mount a volume of its own over them.
func (d *decision) checkFiles(w *webhook) {
	if w.Writes == (mount.FileAnnotations{}) {
		return
	}
	sc := d.change.scopeOf(d.change.secrets[w.first].Container)
	var conflicts []string
	for key := range d.view.Metadata.Annotations {
		if _, ours := d.change.annotations[key]; !ours && d.overwrites(sc, w, key) {
			conflicts = append(conflicts, key)
		}
	}
	slices.Sort(conflicts)
	for _, key := range conflicts {
		d.annotationConflict(w.requesters, key, "makes the other webhook write or hide a file of a secret")
	}
}

func (d *decision) overwrites(sc *scope, w *webhook, key string) bool {
	annotations := d.view.Metadata.Annotations
	id, file := "", ""
	switch {
	case w.Writes.File != "" && strings.HasPrefix(key, w.Writes.File):
		id, file = key[len(w.Writes.File):], annotations[key]
	case w.Writes.Secret != "" && strings.HasPrefix(key, w.Writes.Secret):
		id = key[len(w.Writes.Secret):]
		if _, named := annotations[w.Writes.File+id]; named {
			return false // looked at by that name
		}
		file = strings.ToLower(id)
	default:
		return false
	}
	dir := w.dir
	if moved, ok := annotations[w.Writes.Dir+id]; ok && w.Writes.Dir != "" {
		dir = absolute(moved)
	}
	if dir != w.dir && isUnder(w.dir, dir) {
		_, hidesFile := sc.fileTree.files[dir]
		_, hidesFiles := sc.fileTree.dirs[dir]
		return hidesFile || hidesFiles
	}
	p := path.Join(dir, file)
	_, taken := sc.fileTree.files[p]
	_, _, blocked := sc.fileTree.blocked(p)
	return taken || blocked
}
