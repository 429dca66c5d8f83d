package merge

import (
	"iter"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/podsecrets/podsecrets/mount"
)

// file is one that holds a secret.
type file struct {
	path   string
	base   string // the path of the mount that brings it
	secret *Secret
	kind   kind // kindSecret or kindAlias
	requesters
}

// addFile adds a secret that is read as a file, and the variables that belong
// to it.
func (c *Change) addFile(sc *scope, i int, layout mount.Layout) {
	s := &c.secrets[i]
	c.addFileVariables(sc, i, layout)
	p := s.Name
	if old, ok := sc.fileTree.files[p]; ok {
		if !sameFile(&sc.files[old].secret.Fragment, &s.Fragment) {
			c.conflict(i, sc.files[old].first, "files", p, "would hold two different secrets")
			return
		}
		sc.files[old].requesters.add(i)
		return
	}
	if reason, by, blocked := sc.fileTree.blocked(p); blocked {
		c.conflict(i, sc.files[by].first, "files", p, reason)
		return
	}
	c.putFile(sc, file{p, c.mountOf(sc, i, s.layout(layout).Dir), s, kindSecret, requesters{first: i}})
}

// sameFile reports whether two secrets that have one path are one secret, which
// is so where the managers gave the same answer.
func sameFile(a, b *mount.Fragment) bool { return equality.Semantic.DeepEqual(a, b) }

// mountOf returns the path of the mount that brings a file: the deepest of the
// fragment's own above it, else what is mounted at dir, which without a fetcher
// is another webhook's.
func (c *Change) mountOf(sc *scope, i int, dir string) string {
	s := &c.secrets[i]
	base := ""
	for _, m := range s.Fragment.VolumeMounts {
		if at := absolute(m.MountPath); len(at) > len(base) && isUnder(at, s.Name) {
			base = at
		}
	}
	if base != "" {
		return base
	}
	if len(s.Fragment.Fetchers) == 0 {
		c.addMount(sc, i, corev1.VolumeMount{MountPath: dir})
	}
	return dir
}

func (c *Change) putFile(sc *scope, f file) {
	if sc.files == nil {
		sc.files = make([]file, 0, len(c.secrets))
	}
	sc.fileTree.add(f.path, len(sc.files))
	sc.files = append(sc.files, f)
}

// addFileAlias offers the file of a secret under its alias too, if it is an
// item of a Secret's volume and nothing is in the way.
func (c *Change) addFileAlias(sc *scope, i int, layout mount.Layout) {
	s := &c.secrets[i]
	primary, ok := sc.fileTree.files[s.Name]
	if !ok {
		return // it had a conflict
	}
	base := sc.files[primary].base
	at, ok := sc.mounts.get(base)
	if !ok || at.SubPath != "" || at.SubPathExpr != "" {
		return
	}
	v, ok := sc.volumes.get(at.Name)
	if !ok {
		return
	}
	source, ok := v.tree.files[relative(base, s.Name)]
	if !ok {
		return
	}
	p := s.layout(layout).Path(s.Group, s.aliasVersion(), s.Key)
	if !isUnder(base, p) {
		return
	}
	it := v.items[source]
	it.Path, it.alias, it.requesters = relative(base, p), p, requesters{first: i}
	_, taken := sc.fileTree.files[p]
	_, takenInVolume := v.tree.files[it.Path]
	_, _, blocked := sc.fileTree.blocked(p)
	_, _, blockedInVolume := v.tree.blocked(it.Path)
	// Kubernetes refuses an item whose path begins with "..".
	if taken || takenInVolume || blocked || blockedInVolume || sc.hidden(p, base) != nil || strings.HasPrefix(it.Path, "..") {
		return
	}
	c.addItem(i, v, it)
	c.putFile(sc, file{p, base, s, kindAlias, it.requesters})
}

// findHidden reports the files that another fragment's mount would hide, and
// the mounts that cannot be made. Aliases give way.
func (c *Change) findHidden(sc *scope) {
	for _, f := range sc.files {
		if f.kind == kindAlias {
			continue
		}
		if m := sc.hidden(f.path, f.base); m != nil {
			c.conflict(max(f.first, m.first), min(f.first, m.first), "files", f.path, "would be hidden by the volume mounted at "+quote(m.path))
		}
	}
	c.findUnmountable(sc)
}

// hidden returns a mount below base that hides the file p, or nil.
func (sc *scope) hidden(p, base string) *mountPoint {
	for at := range between(base, p) {
		if m, ok := sc.mounts.get(at); ok {
			return m
		}
	}
	return nil
}

// filesByMount returns the paths at which a mount would hide files, and these.
func (sc *scope) filesByMount() map[string][]int {
	hidden := make(map[string][]int)
	for i, f := range sc.files {
		if f.kind == kindAlias {
			continue
		}
		for at := range between(f.base, f.path) {
			hidden[at] = append(hidden[at], i)
		}
	}
	return hidden
}

// between yields p and the directories above it that are below base.
func between(base, p string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if p == base || !yield(p) {
			return
		}
		for dir := range parents(p) {
			if len(dir) <= len(base) || !yield(dir) {
				return
			}
		}
	}
}
