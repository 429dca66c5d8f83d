package vault

import (
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// The engines, which are also the versions that a request may have.
const (
	kv1 = "kv1"
	kv2 = "kv2"
	db  = "db"
)

// read is what an agent has to read for one secret.
type read struct {
	engine, path, key string
}

// read returns what a request asks for.
func (m *Manager) read(req secret.Request) (read, error) {
	r := read{req.GroupVersion, path.Clean("/" + req.Group)[1:], req.Key}
	if r.engine == "" {
		r.engine = m.engine
	}
	switch {
	case req.Mount == mount.EnvVar:
		return read{}, fmt.Errorf("%w: secrets of Vault are files", secret.ErrUnsupported)
	case r.path == "" || r.key == "":
		return read{}, fmt.Errorf("%w: a secret of Vault has a group, which is its path, and a key", secret.ErrUnsupported)
	case r.engine != kv1 && r.engine != kv2 && r.engine != db:
		return read{}, fmt.Errorf("%w: version is none of kv1, kv2, db", secret.ErrUnsupported)
	}
	return r, nil
}

// id is what tells the secrets of a Pod apart in the names of annotations,
// which leave it 36 bytes. It must be in lower case, and "file-" at its
// beginning would make a template of another kind of it.
func (r read) id(file string) string { return mount.Name("vault", r.engine, r.path, r.key, file) }

// annotationNames are those of one secret.
type annotationNames struct{ path, file, template, volume, left, right string }

// namesOf returns them as parts of one text, which is made at once.
func namesOf(id string) annotationNames {
	prefixes := [...]string{secretPath, secretFile, template, secretVolume, leftDelimiter, rightDelimiter}
	var b strings.Builder
	size := 0
	for _, p := range prefixes {
		size += len(p) + len(id)
	}
	b.Grow(size)
	for _, p := range prefixes {
		b.WriteString(p)
		b.WriteString(id)
	}
	all := b.String()
	var parts [len(prefixes)]string
	for i, p := range prefixes {
		n := len(p) + len(id)
		parts[i], all = all[:n], all[n:]
	}
	return annotationNames{parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]}
}

// annotate adds the annotations that make the agent write the secret to the
// file, a path below the directory of secrets.
func (r read) annotate(to map[string]string, n annotationNames, id, file, body string) {
	to[n.path] = r.path
	to[n.file] = file
	to[n.template] = withID(body, id)
}

// alias returns the annotations that make the agent write the secret to its
// alias too, the derived file with the version, and their names. There may be
// none.
func (r read) alias(req secret.Request, layout mount.Layout, body string) (map[string]string, annotationNames) {
	if req.GroupVersion == "" || req.Path != "" || layout.Exact {
		return nil, annotationNames{}
	}
	file := layout.RelPath(req.Group, req.GroupVersion, req.Key)
	id := r.id(file)
	to, names := make(map[string]string, 3), namesOf(id)
	r.annotate(to, names, id, file, body)
	return to, names
}

// withID returns a template with the id in a comment behind it. Of two templates
// that are equal, a consul-template that runs once renders only one, whatever
// their files. The comment makes them differ.
func withID(body, id string) string { return body + "{{/* " + id + " */}}" }

// template returns the text that the agent renders, without its id. In
// text/template a string in quotes is what strconv.Quote returns and
// strconv.Unquote reads, and no delimiter counts in it.
//
// An entry that is not there, or null, would be rendered as "<no value>"; of a
// deleted version in kv2 there are no data at all.
func (r read) template() string {
	const begin, middle, end = "{{- with secret ", " -}}", "{{- end -}}"
	path := strconv.Quote(escape(r.path))
	data := ".Data"
	switch r.engine {
	case db:
		return begin + path + middle + `{{ range $k, $v := .Data }}{{ $k }}: {{ $v }}{{ "\n" }}{{ end }}` + end
	case kv2:
		data = ".Data.data"
	}
	key := strconv.Quote(r.key)
	missing := strconv.Quote("vault has no key " + key + " at " + strconv.Quote(r.path))
	return begin + path + middle +
		"{{ if and " + data + ` (ne (printf "%T" (index ` + data + " " + key + `)) "<nil>") }}{{ index ` + data + " " + key + " }}" +
		"{{ else }}{{ sprig_fail " + missing + " }}{{ end }}" + end
}

// escape returns the path as the agent reads it: it strips blanks at both ends
// and parses the rest as a URL, of which "?" would end the path, "%2e" would be a
// dot, and a ":" would make the first segment a scheme.
func escape(p string) string {
	const harmless = "/-_.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if strings.Trim(p, harmless) == "" {
		return p
	}
	var b strings.Builder
	for s := range strings.SplitSeq(p, "/") {
		if b.Len() > 0 {
			b.WriteByte('/')
		}
		b.WriteString(strings.ReplaceAll(url.PathEscape(s), ":", "%3A"))
	}
	return b.String()
}
