package manifest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
	"github.com/podsecrets/podsecrets/secret"
)

// Skipped returns an error for everything that would be skipped in the object: Pods in an
// unknown kind, and requests in places where they are not read.
func (ks Kinds) Skipped(o Object) (skipped []error) {
	pods := ks.Pods(o)
	known, read := ks.Known(o), make(map[string]bool)
	for _, p := range pods {
		read[p.Annotations()] = true
	}
	fail := func(pointer, format string, args ...any) {
		skipped = append(skipped, &Error{o.String(), o.Pointer + pointer, fmt.Errorf(format, args...)})
	}
	walk(o.Value, make([]string, 0, 16), func(v *yamledit.Value, path []string) {
		if !known && looksLikePod(v) {
			pointer := pointerTo(path)
			fail(pointer, "looks like a Pod, but the kind %s is unknown%s", o.ID(), suggestion(o.ID(), pointer))
		}
		if len(path) > 0 && path[len(path)-1] == "annotations" {
			for _, f := range v.Fields() {
				if !secret.IsAnnotation(f.Name) {
					continue
				}
				if pointer := pointerTo(path); !read[pointer] {
					fail(pointer, "has the request %s, which is not read here%s", f.Name, elsewhere(pods))
				}
				return
			}
		}
	})
	return skipped
}

func elsewhere(pods []Pod) string {
	places := make([]string, len(pods))
	for i, p := range pods {
		places[i] = Path(p.Annotations())
	}
	switch len(places) {
	case 0:
		return ""
	case 1:
		return ", but at " + places[0]
	}
	return ", but at " + strings.Join(places[:len(places)-1], ", ") + " and " + places[len(places)-1]
}

// walk visits v and everything in it. path has the names and indexes from the root, and is
// valid only during the visit.
func walk(v *yamledit.Value, path []string, visit func(*yamledit.Value, []string)) {
	visit(v, path)
	for _, f := range v.Fields() {
		walk(f.Value, append(path, f.Name), visit)
	}
	for i, item := range v.Items() {
		if item.IsObject() || item.IsList() {
			walk(item, append(path, strconv.Itoa(i)), visit)
		}
	}
}

// pointerTo returns the JSON pointer of a path.
func pointerTo(path []string) string {
	var b strings.Builder
	for _, step := range path {
		b.WriteString("/" + yamledit.EscapePointer(step))
	}
	return b.String()
}

// looksLikePod reports whether v has a list of containers: objects with a field that is
// typical of a container.
func looksLikePod(v *yamledit.Value) bool {
	containers := v.Get("containers")
	for _, c := range containers.Items() {
		if !c.IsObject() {
			return false
		}
		for _, f := range c.Fields() {
			switch f.Name {
			case "image", "env", "volumeMounts", "command", "args", "ports", "resources", "imagePullPolicy":
				return true
			}
		}
	}
	return false
}

// suggestion suggests a -template flag if pointer could be the spec of a Pod template.
func suggestion(kind Kind, pointer string) string {
	template, ok := strings.CutSuffix(pointer, "/spec")
	if !ok {
		return ""
	}
	return fmt.Sprintf("; use -template %s=%s", kind, index.ReplaceAllString(Path(template), "[*]"))
}

var index = regexp.MustCompile(`\[[0-9]+\]`)
