package merge

import (
	"path"
	"slices"
	"strings"

	"github.com/podsecrets/podsecrets/mount"
)

// webhook is another webhook that provides secrets.
type webhook struct {
	*mount.Webhook
	dir string
	requesters
}

// addWebhook adds the webhook that provides a secret, and its required annotations.
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

// listContainers returns the value of the missing annotation that lists the receivers of the
// webhook's secrets. It returns "" if the annotation exists, or if all containers receive.
// The Pod's own list may have more containers, unless the requests name one.
func (d *decision) listContainers(w *webhook) string {
	only := d.change.secrets[w.first].Container // equal for all secrets in the volume
	receivers, excluded, excludedInit := d.splitReceivers(only)
	if w.ContainersAnnotation == "" {
		if len(excluded) > 0 && d.change.readsFiles(d.change.scopeOf(only), w) {
			d.conflict(w.requesters, &mount.ConflictError{Field: "volumeMounts", Name: w.dir,
				Reason: "gets the other webhook's volume in all containers, including " + quote(excluded[0]) + ", which does not receive the secret"})
		}
		return ""
	}
	conflict := func(reason string) { d.annotationConflict(w.requesters, w.ContainersAnnotation, reason) }
	for _, name := range excludedInit {
		conflict("cannot exclude an init container, such as " + quote(name))
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
	switch {
	case len(excluded) > len(excludedInit) && len(receivers) == 0:
		conflict("cannot exclude all containers")
	case ok && slices.ContainsFunc(receivers, isMissing):
		conflict("does not list all containers that receive secrets")
	case ok && only != "" && slices.ContainsFunc(excluded, isListed):
		conflict("lists containers that do not receive the secret")
	case !ok && len(excluded) > len(excludedInit):
		return strings.Join(receivers, ",")
	}
	return ""
}

// splitReceivers returns the names of a webhook's receivers without init containers, the
// names of all other containers, and those of the init containers among the latter. If
// only is set, it names the only receiver.
func (d *decision) splitReceivers(only string) (receivers, excluded, excludedInit []string) {
	exclude := func(r receiver) {
		excluded = append(excluded, r.Name)
		if r.Init {
			excludedInit = append(excludedInit, r.Name)
		}
	}
	for _, r := range d.receivers {
		switch {
		case only != "" && only != r.Name:
			exclude(r)
		case !r.Init:
			receivers = append(receivers, r.Name)
		}
	}
	for _, r := range d.nonReceivers {
		exclude(r)
	}
	return receivers, excluded, excludedInit
}

// checkRan reports a webhook that has not run although the Pod says so, and required
// annotations that it will no longer read. With Options.Verify, it must have run.
func (d *decision) checkRan(w *webhook, missing []pair) {
	marked := w.RanAnnotation != "" && d.hasRanMark(w.Webhook)
	if !marked && !d.options.Verify {
		return
	}
	reason := d.notRunReason(w)
	switch {
	case marked && reason != "":
		d.annotationConflict(w.requesters, w.RanAnnotation, "is "+quote(w.RanValue)+", but "+reason)
	case marked:
		for _, p := range missing {
			if a, ours := d.change.annotations[p.key]; !ours || a.kind != annotationAlias {
				d.annotationConflict(w.requesters, w.RanAnnotation, "is "+quote(w.RanValue)+", but "+quote(p.key)+" is missing, and the other webhook will not read it")
				return
			}
		}
	case reason != "":
		for i := range w.all() {
			d.problems = append(d.problems, Problem{i, none, &mount.MissingError{
				Path: "spec.volumes", Field: "volumes", Name: w.Volume, Reason: "is missing: the webhook that adds it has not run: " + reason,
			}})
		}
	}
}

// notRunReason says why a webhook has not run: the Pod has none of its containers, or a
// receiver lacks its volume. It returns "" if it has run.
func (d *decision) notRunReason(w *webhook) string {
	isWebhooks := func(c container) bool { return slices.Contains(w.Containers, c.Name) }
	if !slices.ContainsFunc(d.view.initContainers, isWebhooks) && !slices.ContainsFunc(d.view.containers, isWebhooks) {
		return "the pod has none of the containers that the other webhook adds"
	}
	only := d.change.secrets[w.first].Container
	for _, r := range d.receivers {
		if only != "" && only != r.Name || !d.change.readsFiles(r.scope, w) {
			continue
		}
		if !slices.ContainsFunc(r.mounts, func(m containerMount) bool { return m.volume == w.Volume && absolute(m.path) == w.dir }) {
			return "container " + quote(r.Name) + " does not have its volume at " + quote(w.dir)
		}
	}
	return ""
}

// readsFiles reports whether a scope has files from the webhook.
func (c *Change) readsFiles(sc *scope, w *webhook) bool {
	m, ok := sc.mounts.get(w.dir)
	return ok && m.webhook
}

// checkFiles reports the Pod's own annotations that make the webhook write one of our files,
// or mount another volume over one.
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

// overwrites reports whether an annotation makes the webhook write or hide one of our files.
func (d *decision) overwrites(sc *scope, w *webhook, key string) bool {
	annotations := d.view.Metadata.Annotations
	id, file := "", ""
	switch {
	case w.Writes.File != "" && strings.HasPrefix(key, w.Writes.File):
		id, file = key[len(w.Writes.File):], annotations[key]
	case w.Writes.Secret != "" && strings.HasPrefix(key, w.Writes.Secret):
		id = key[len(w.Writes.Secret):]
		if _, hasFile := annotations[w.Writes.File+id]; hasFile {
			return false // checked with the other annotation
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
	_, isFile := sc.fileTree.files[p]
	_, _, blocked := sc.fileTree.blocked(p)
	return isFile || blocked
}
