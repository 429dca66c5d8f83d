package secret_test

import (
	"path"
	"strings"
	"testing"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// clientPath returns the file that Flyte's client reads. It joins the nonempty
// lower-cased parts, with the prefix before the last, as Python's os.path.join
// does: an absolute part discards the parts before it.
func clientPath(dir, prefix string, parts ...string) string {
	parts = slicesWithout(parts, "")
	file := dir
	for i, part := range parts {
		part = strings.ToLower(part)
		if i == len(parts)-1 {
			part = prefix + part
		}
		if path.IsAbs(part) {
			file = part
		} else {
			file += "/" + part
		}
	}
	return file
}

func slicesWithout(parts []string, unwanted string) (kept []string) {
	for _, p := range parts {
		if p != unwanted {
			kept = append(kept, p)
		}
	}
	return kept
}

// FuzzNames: a valid request has the names that the client looks up, with the
// version and without. No name leaves the directory, and the case of the lookup
// does not matter. Exact names are kept byte for byte.
func FuzzNames(f *testing.F) {
	for _, pair := range recorded(f) {
		for _, r := range pair.Requests {
			f.Add(r.Group, r.GroupVersion, r.Key, "", "", r.EnvVar)
		}
	}
	for _, s := range []string{"..", "../x", "/etc", "a/../b", "./a", "a/.", "a//b", "\x00", "İ", "ς", "Σ", "ß", "\u023a", "é", "A_B", "..data", " ", "\xff"} {
		f.Add(s, "v", "k", "Pre-", "", "")
		f.Add("g", s, "k", "Pre-", "", s)
		f.Add("g", "v", s, "..", "", "X")
		f.Add("g", "v", "", s, "", "X.y-Z")
		f.Add("g", "v", "k", "", s, "")
	}
	f.Fuzz(func(t *testing.T, group, version, key, prefix, file, env string) {
		layout := mount.Layout{FilePrefix: prefix}
		req := secret.Request{Group: group, GroupVersion: version, Key: key, Path: file, EnvVar: env}
		if layout.Validate() != nil {
			return
		}
		layout = layout.WithDefaults()
		exact := layout
		exact.Exact = true
		for _, l := range []mount.Layout{layout, exact} {
			for _, version := range []string{version, ""} {
				requireInside(t, req, l, version) // even if the request is invalid
			}
		}
		if req.Validate() != nil {
			return
		}
		requireExact(t, req, exact)
		for _, version := range []string{version, ""} {
			if group+version+key == "" {
				continue
			}
			requireDerived(t, req, layout, version)
		}
	})
}

// requireInside checks that a file is below the directory, or the directory
// itself if it has no name.
func requireInside(t *testing.T, req secret.Request, l mount.Layout, version string) {
	got, rel := req.FilePath(l, version), req.RelPath(l, version)
	if got != l.Dir && !strings.HasPrefix(got, l.Dir+"/") {
		t.Errorf("file %q is outside the directory", got)
	}
	if got != path.Clean(got) || path.Join(l.Dir, rel) != got || strings.HasPrefix(rel, "/") {
		t.Errorf("file %q and relative path %q", got, rel)
	}
	if (rel == "") != (got == l.Dir) {
		t.Errorf("file %q and relative path %q", got, rel)
	}
}

func requireExact(t *testing.T, req secret.Request, l mount.Layout) {
	if got := req.EnvName(l, req.GroupVersion); got != req.EnvVar {
		t.Errorf("exact variable %q, want %q", got, req.EnvVar)
	}
	want := req.Path
	if want == "" {
		want = path.Join(req.Group, req.Key)
	}
	if want == "." {
		want = "" // a group of only dots
	}
	if got := req.RelPath(l, req.GroupVersion); got != want {
		t.Errorf("exact file %q, want %q", got, want)
	}
}

func requireDerived(t *testing.T, req secret.Request, l mount.Layout, version string) {
	got := l.Path(req.Group, version, req.Key)
	if want := path.Clean(clientPath(l.Dir, l.FilePrefix, req.Group, version, req.Key)); got != want {
		t.Errorf("file %q, but the client reads %q", got, want)
	}
	if !strings.HasPrefix(got, l.Dir+"/") {
		t.Errorf("file %q is outside the directory", got)
	}
	if file := req.FilePath(l, version); req.Path == "" && file != got || req.Path != "" && file != l.Dir+"/"+req.Path {
		t.Errorf("file %q, but the derived one is %q", file, got)
	}
	name := l.EnvVar(req.Group, version, req.Key)
	if want := l.EnvPrefix + strings.ToUpper(strings.Join(slicesWithout([]string{req.Group, version, req.Key}, ""), "_")); name != want {
		t.Errorf("variable %q, but the client reads %q", name, want)
	}
	if primary := req.EnvName(l, version); primary != name && (primary != req.EnvVar || primary == "") {
		t.Errorf("variable %q, but the derived one is %q", primary, name)
	}
	if again := l.Path(strings.ToLower(req.Group), strings.ToLower(version), strings.ToLower(req.Key)); again != got {
		t.Errorf("file %q, and %q in lower case", got, again)
	}
}
