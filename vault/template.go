package vault

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/podsecrets/podsecrets/internal/fetch"
)

// Texts are templates of consul-template, which the agent runs. In text/template a
// string in quotes is what strconv.Quote returns and strconv.Unquote reads, and no
// delimiter counts in it.

// withID returns a template with the id in a comment behind it. Of two templates
// that are equal, a consul-template that runs once renders only one, whatever
// their files. The comment makes them differ.
func withID(body, id string) string { return body + "{{/* " + id + " */}}" }

// file returns the template of a file.
func (r read) file() string {
	if r.engine == db && r.key != "" {
		return r.with(`{{ range $k, $v := .Data }}{{ $k }}: {{ $v }}{{ "\n" }}{{ end }}`)
	}
	return r.with(r.ifThere("{{ " + r.value() + " }}"))
}

// The kubelet's limits of env files, and Linux' of a variable, in bytes.
const (
	maxEnvLine = 64<<10 - 1
	maxEnv     = 131_070 // name and value, without "=" and the end byte
)

// env returns the template of an env file, which the kubelet reads byte for byte
// as the file, or which fails in the agent. All that comes from Vault is UTF-8.
func (r read) env(nameLen int) string {
	var b strings.Builder
	switch {
	case r.key == "": // in JSON there are quotes in strings only
		b.WriteString("{{ $v := " + r.value() + ` | replaceAll "'" "\\u0027" }}`)
	case r.engine == db:
		b.WriteString(`{{ $v := "" }}{{ range $k, $e := .Data }}{{ $v = printf "%s%v: %v\n" $v $k $e }}{{ end }}`)
	default:
		b.WriteString(`{{ $v := printf "%v" (` + r.value() + `) }}`)
	}
	b.WriteString("{{ $cannot := " + strconv.Quote("vault: no variable can hold "+r.what()+", which ") + ` }}{{ $f := printf "` + fetch.EnvKey + `='%s'" $v }}`)
	for _, check := range [...]struct{ flaw, reason string }{
		{`eq $v ""`, "is empty"},
		{`regexMatch "['\x00]" $v`, "has a single quote or a NUL byte"},
		{`regexMatch "\r\n" $v`, "has a carriage return before a newline"},
		{"gt (len $v) " + strconv.Itoa(max(maxEnv-nameLen, 0)), "is too long for a variable"},
	} {
		b.WriteString("{{ if " + check.flaw + " }}" + fail(check.reason) + "{{ end }}")
	}
	b.WriteString(`{{ range sprig_splitList "\n" $f }}{{ if gt (len .) ` + strconv.Itoa(maxEnvLine) + " }}" +
		fail("has a line that is too long") + `{{ end }}{{ end }}{{ $f }}{{ "\n" }}`)
	if r.engine == db && r.key != "" {
		return r.with(b.String())
	}
	return r.with(r.ifThere(b.String()))
}

// fail makes the agent end.
func fail(reason string) string {
	return "{{ sprig_fail (print $cannot " + strconv.Quote(reason) + ") }}"
}

// what names the secret, for people.
func (r read) what() string {
	if r.key == "" {
		return "what is at " + strconv.Quote(r.path)
	}
	return "key " + strconv.Quote(r.key) + " at " + strconv.Quote(r.path)
}

// with returns a template that reads the path.
func (r read) with(body string) string {
	return "{{- with secret " + strconv.Quote(escape(r.path)) + " -}}" + body + "{{- end -}}"
}

// data is where the engine puts what it has.
func (r read) data() string {
	if r.engine == kv2 {
		return ".Data.data"
	}
	return ".Data"
}

// value is the expression of what is read: an entry, or all as a JSON object.
func (r read) value() string {
	if r.key == "" {
		return r.data() + " | toJSON"
	}
	return "index " + r.data() + " " + strconv.Quote(r.key)
}

// ifThere returns a template that fails if there is nothing to render. An entry
// that is not there, or null, would be rendered as "<no value>"; of a deleted
// version in kv2 there are no data at all.
func (r read) ifThere(body string) string {
	there, missing := r.data(), "vault has nothing at "+strconv.Quote(r.path)
	if r.key != "" {
		there = "and " + r.data() + ` (ne (printf "%T" (` + r.value() + `)) "<nil>")`
		missing = "vault has no " + r.what()
	}
	return "{{ if " + there + " }}" + body + "{{ else }}{{ sprig_fail " + strconv.Quote(missing) + " }}{{ end }}"
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
