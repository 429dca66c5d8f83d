package merge

import (
	"iter"
	"path"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/podsecrets/podsecrets/mount"
)

// file is a file that holds a secret.
type file struct {
	path string
	base string // the path of the mount that provides it
	kind kind   // kindPrimary, kindVersionedAlias or kindUnversionedAlias
	requesters
}

// addFile adds a secret that is a file, and its variables.
func (c *Change) addFile(sc *scope, i int) {
	s := &c.secrets[i]
	if !s.Fragment.File {
		return
	}
	c.addFileVariables(sc, i)
	c.addFileAt(sc, i, s.Name, c.mountOf(sc, i))
}

// addEnvFile adds the env file that another webhook provides for a secret. It can conflict
// with other secrets as any file can.
func (c *Change) addEnvFile(sc *scope, i int) {
	f := &c.secrets[i].Fragment
	if w := f.Webhook; w != nil && w.Volume != "" && f.Value.EnvFileVolume() == w.Volume {
		base := c.secrets[i].layout(c.layout).Dir
		c.reserveWebhookMount(sc, i)
		c.addFileAt(sc, i, path.Join(base, f.Value.EnvVar("").ValueFrom.FileKeyRef.Path), base)
	}
}

// addFileAt adds a file that the mount at base provides.
func (c *Change) addFileAt(sc *scope, i int, p, base string) {
	if at, ok := sc.fileTree.files[p]; ok {
		if f := &sc.files[at]; c.sameFile(f.first, i) {
			f.requesters.add(i)
		} else {
			c.conflict(i, f.first, "files", p, "would hold two different secrets"+c.hint(i, f.first))
		}
		return
	}
	if reason, by, blocked := sc.fileTree.blocked(p); blocked {
		c.conflict(i, sc.files[by].first, "files", p, reason)
		return
	}
	c.putFile(sc, file{p, base, kindPrimary, requesters{first: i}})
}

// sameFile reports whether two secrets with the same path are the same secret: their
// fragments are equal. Only one of them may have an alias.
func (c *Change) sameFile(i, j int) bool {
	return equality.Semantic.DeepEqual(withoutAlias(c.secrets[i].Fragment), withoutAlias(c.secrets[j].Fragment))
}

func withoutAlias(f mount.Fragment) mount.Fragment {
	if f.Webhook != nil {
		w := *f.Webhook
		w.AliasAnnotations, f.Webhook = nil, &w
	}
	return f
}

// mountOf returns the path of the mount that provides a file: the deepest of the
// fragment's own mounts above it, or else the directory of secrets. Without a fetcher,
// another webhook mounts its volume there.
func (c *Change) mountOf(sc *scope, i int) string {
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
	if !s.Fragment.Mounts(mount.FetchVolume) {
		c.reserveWebhookMount(sc, i)
	}
	return s.layout(c.layout).Dir
}

// reserveWebhookMount reserves the path at which another webhook will mount its volume.
func (c *Change) reserveWebhookMount(sc *scope, i int) {
	s := &c.secrets[i]
	volume := ""
	if s.Fragment.Webhook != nil {
		volume = s.Fragment.Webhook.Volume
	}
	c.addMount(sc, i, mountPoint{VolumeMount: corev1.VolumeMount{Name: volume, MountPath: s.layout(c.layout).Dir}, webhook: true})
}

func (c *Change) putFile(sc *scope, f file) {
	if sc.files == nil {
		sc.files = make([]file, 0, len(sc.members))
	}
	sc.fileTree.add(f.path, len(sc.files))
	sc.files = append(sc.files, f)
}

// refersTo reports whether a variable refers to the key of a Secret that the file's volume
// has.
func refersTo(source *corev1.EnvVarSource, file *Secret) bool {
	if source == nil || source.SecretKeyRef == nil {
		return false
	}
	name, key := source.SecretKeyRef.Name, source.SecretKeyRef.Key
	has := func(items []corev1.KeyToPath) bool {
		for i := range items {
			if items[i].Key == key {
				return true
			}
		}
		return false
	}
	for i := range file.Fragment.Volumes {
		switch v := &file.Fragment.Volumes[i]; {
		case v.Secret != nil && v.Secret.SecretName == name && has(v.Secret.Items):
			return true
		case v.Projected != nil:
			for j := range v.Projected.Sources {
				if s := v.Projected.Sources[j].Secret; s != nil && s.Name == name && has(s.Items) {
					return true
				}
			}
		}
	}
	return false
}

// checkHidden reports files that another fragment's mount would hide, and mounts whose
// mount point cannot be created. Aliases give way.
func (c *Change) checkHidden(sc *scope) {
	for i := range sc.files {
		f := &sc.files[i]
		if f.kind != kindPrimary {
			continue
		}
		if m := sc.hidden(f.path, f.base); m != nil {
			c.conflictOf(f.first, m.first, "files", f.path, "would be hidden by the volume mounted at "+quote(m.path))
		}
	}
	c.checkMountPoints(sc)
}

// hidden returns the mount below base that hides the file p, or nil.
func (sc *scope) hidden(p, base string) *mountPoint {
	for at := range between(base, p) {
		if m, ok := sc.mounts.get(at); ok {
			return m
		}
	}
	return nil
}

// filesHiddenAt returns the files that a mount at the path would hide, by index.
func (d *decision) filesHiddenAt(sc *scope, at string) []int {
	_, file := sc.fileTree.files[at]
	if _, dir := sc.fileTree.dirs[at]; !file && !dir {
		return nil // common
	}
	hidden, ok := d.hiddenFiles[sc]
	if !ok {
		hidden = sc.filesByMount()
		if d.hiddenFiles == nil {
			d.hiddenFiles = make(map[*scope]map[string][]int)
		}
		d.hiddenFiles[sc] = hidden
	}
	return hidden[at]
}

// filesByMount returns the files that a mount would hide, by the path of the mount.
func (sc *scope) filesByMount() map[string][]int {
	hidden := make(map[string][]int)
	for i := range sc.files {
		f := &sc.files[i]
		if f.kind != kindPrimary {
			continue
		}
		for at := range between(f.base, f.path) {
			hidden[at] = append(hidden[at], i)
		}
	}
	return hidden
}

// between yields p and its parent directories below base.
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
