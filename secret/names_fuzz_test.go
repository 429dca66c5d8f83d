package secret_test

import (
	"path"
	"strings"
	"testing"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// clientPath is the file that Flyte's client reads: it joins the lower-cased parts
// that are there, the last behind the prefix, as Python's os.path.join does, for
// which an absolute part drops those before it.
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

// FuzzNames: a request that is valid has the names under which the client looks
// for it, with the version and without; none of them leaves the directory, and
// whatever the case in which the client asks, it finds the same. Exact names are
// what was asked for, byte for byte.
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
				requireInside(t, req, l, version) // also of a request that nobody validated
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

// requireInside checks that a file is below the directory, or, if it has no name,
// the directory itself.
func requireInside(t *testing.T, req secret.Request, l mount.Layout, version string) {
	got, rel := req.FilePath(l, version), req.RelPath(l, version)
	if got != l.Dir && !strings.HasPrefix(got, l.Dir+"/") {
		t.Errorf("file %q is not in the directory", got)
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
		t.Errorf("exact variable %q, asked for %q", got, req.EnvVar)
	}
	want := req.Path
	if want == "" {
		want = path.Join(req.Group, req.Key)
	}
	if want == "." {
		want = "" // a group that is only dots
	}
	if got := req.RelPath(l, req.GroupVersion); got != want {
		t.Errorf("exact file %q, asked for %q", got, want)
	}
}

func requireDerived(t *testing.T, req secret.Request, l mount.Layout, version string) {
	got := l.Path(req.Group, version, req.Key)
	if want := path.Clean(clientPath(l.Dir, l.FilePrefix, req.Group, version, req.Key)); got != want {
		t.Errorf("file %q, where the client reads %q", got, want)
	}
	if !strings.HasPrefix(got, l.Dir+"/") {
		t.Errorf("file %q is not in the directory", got)
	}
	if file := req.FilePath(l, version); req.Path == "" && file != got || req.Path != "" && file != l.Dir+"/"+req.Path {
		t.Errorf("file %q, where the derived one is %q", file, got)
	}
	name := l.EnvVar(req.Group, version, req.Key)
	if want := l.EnvPrefix + strings.ToUpper(strings.Join(slicesWithout([]string{req.Group, version, req.Key}, ""), "_")); name != want {
		t.Errorf("variable %q, where the client reads %q", name, want)
	}
	if primary := req.EnvName(l, version); primary != name && (primary != req.EnvVar || primary == "") {
		t.Errorf("variable %q, where the derived one is %q", primary, name)
	}
	if again := l.Path(strings.ToLower(req.Group), strings.ToLower(version), strings.ToLower(req.Key)); again != got {
		t.Errorf("file %q, and %q in lower case", got, again)
	}
}
