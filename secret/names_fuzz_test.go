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
// whatever the case in which the client asks, it finds the same.
func FuzzNames(f *testing.F) {
	for _, pair := range recorded(f) {
		for _, r := range pair.Requests {
			f.Add(r.Group, r.GroupVersion, r.Key, "")
		}
	}
	for _, s := range []string{"..", "../x", "/etc", "a/../b", "./a", "a/.", "a//b", "\x00", "İ", "ς", "Σ", "ß", "\u023a", "é", "A_B", "..data", " ", "\xff"} {
		f.Add(s, "v", "k", "Pre-")
		f.Add("g", s, "k", "Pre-")
		f.Add("g", "v", s, "..")
		f.Add("g", "v", "", s)
	}
	f.Fuzz(func(t *testing.T, group, version, key, prefix string) {
		layout := mount.Layout{FilePrefix: prefix}
		req := secret.Request{Group: group, GroupVersion: version, Key: key}
		if layout.Validate() != nil || req.Validate() != nil {
			return
		}
		layout = layout.WithDefaults()
		for _, version := range []string{version, ""} {
			if group+version+key == "" {
				continue
			}
			got := layout.Path(group, version, key)
			if want := path.Clean(clientPath(layout.Dir, prefix, group, version, key)); got != want {
				t.Errorf("file %q, where the client reads %q", got, want)
			}
			if !strings.HasPrefix(got, layout.Dir+"/") {
				t.Errorf("file %q is not in the directory", got)
			}
			name := layout.EnvVar(group, version, key)
			if want := layout.EnvPrefix + strings.ToUpper(strings.Join(slicesWithout([]string{group, version, key}, ""), "_")); name != want {
				t.Errorf("variable %q, where the client reads %q", name, want)
			}
			if again := layout.Path(strings.ToLower(group), strings.ToLower(version), strings.ToLower(key)); again != got {
				t.Errorf("file %q, and %q in lower case", got, again)
			}
		}
	})
}
