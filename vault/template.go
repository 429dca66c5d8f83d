package vault

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/podsecrets/podsecrets/internal/fetch"
	"github.com/podsecrets/podsecrets/mount"
)

// Texts are templates of consul-template, which the agent runs. In text/template a
// string in quotes is what strconv.Quote returns and strconv.Unquote reads, and no
// delimiter counts in it.

// withID returns a template with the id in a comment behind it. Of two templates
// that are equal, a consul-template that runs once renders only one, whatever
// their files. The comment makes them differ.
func withID(body []byte, id string) string {
	return string(append(append(append(body, "{{/* "...), id...), " */}}"...))
}

// appendFile appends the template of a file.
func (r read) appendFile(to []byte) []byte {
	to = r.appendWith(to)
	if r.engine == db && r.key != "" {
		to = append(to, `{{ range $k, $v := .Data }}{{ $k }}: {{ $v }}{{ "\n" }}{{ end }}`...)
	} else {
		to = r.appendIfThere(to)
		to = append(r.appendValue(append(to, "{{ "...)), " }}"...)
		to = r.appendElse(to)
	}
	return append(to, "{{- end -}}"...)
}

// maxEnvLine is the kubelet's limit of a line of an env file, in bytes.
const maxEnvLine = 64<<10 - 1

// appendEnv appends the template of an env file, which the kubelet reads byte for
// byte as the file, or which fails in the agent. All that comes from Vault is
// UTF-8.
func (r read) appendEnv(to []byte, nameLen int) []byte {
	to = r.appendWith(to)
	all := r.engine == db && r.key != ""
	if !all {
		to = r.appendIfThere(to)
	}
	switch {
	case r.key == "": // in JSON there are quotes in strings only
		to = append(r.appendValue(append(to, "{{ $v := "...)), ` | replaceAll "'" "\\u0027" }}`...)
	case all:
		to = append(to, `{{ $v := "" }}{{ range $k, $e := .Data }}{{ $v = printf "%s%v: %v\n" $v $k $e }}{{ end }}`...)
	default:
		to = append(r.appendValue(append(to, `{{ $v := printf "%v" (`...)), ") }}"...)
	}
	to = strconv.AppendQuote(append(to, "{{ $cannot := "...), "vault: no variable can hold "+r.what()+", which ")
	to = append(to, ` }}{{ $f := printf "`+fetch.EnvKey+`='%s'" $v }}`...)
	for _, check := range [...]struct{ flaw, reason string }{
		{`eq $v ""`, "is empty"},
		{`regexMatch "['\x00]" $v`, "has a single quote or a NUL byte"},
		{`regexMatch "\r\n" $v`, "has a carriage return before a newline"},
		{"gt (len $v) " + strconv.Itoa(max(mount.MaxEnvVar-nameLen, 0)), "is too long for a variable"},
	} {
		to = append(to, "{{ if "+check.flaw+" }}"+fail(check.reason)+"{{ end }}"...)
	}
	to = append(to, `{{ range sprig_splitList "\n" $f }}{{ if gt (len .) `+strconv.Itoa(maxEnvLine)+" }}"+
		fail("has a line that is too long")+`{{ end }}{{ end }}{{ $f }}{{ "\n" }}`...)
	if !all {
		to = r.appendElse(to)
	}
	return append(to, "{{- end -}}"...)
}

// fail makes the agent end.
func fail(reason string) string {
	return "{{ sprig_fail (print $cannot " + strconv.Quote(reason) + ") }}"
}

// what names the secret, for people.
func (r read) what() string {
	var stack [128]byte
	what := stack[:0]
	if r.key == "" {
		what = append(what, "what is"...)
	} else {
		what = strconv.AppendQuote(append(what, "key "...), r.key)
	}
	return string(strconv.AppendQuote(append(what, " at "...), r.path))
}

// appendWith begins a template that reads the path. "{{- end -}}" ends it.
func (r read) appendWith(to []byte) []byte {
	return append(strconv.AppendQuote(append(to, "{{- with secret "...), escape(r.path)), " -}}"...)
}

// data is where the engine puts what it has.
func (r read) data() string {
	if r.engine == kv2 {
		return ".Data.data"
	}
	return ".Data"
}

// appendValue appends the expression of what is read: an entry, or all as a JSON
// object.
func (r read) appendValue(to []byte) []byte {
	if r.key == "" {
		return append(append(to, r.data()...), " | toJSON"...)
	}
	to = append(append(to, "index "...), r.data()...)
	return strconv.AppendQuote(append(to, ' '), r.key)
}

// appendIfThere begins the part of a template for what is there. An entry that is
// not there, or null, would be rendered as "<no value>"; of a deleted version in
// kv2 there are no data at all.
func (r read) appendIfThere(to []byte) []byte {
	to = append(to, "{{ if "...)
	if r.key == "" {
		to = append(to, r.data()...)
	} else {
		to = append(append(append(to, "and "...), r.data()...), ` (ne (printf "%T" (`...)
		to = append(r.appendValue(to), `)) "<nil>")`...)
	}
	return append(to, " }}"...)
}

// appendElse ends that part: the agent fails if there is nothing to render.
func (r read) appendElse(to []byte) []byte {
	missing := "vault has nothing at "
	if r.key == "" {
		missing += strconv.Quote(r.path)
	} else {
		missing = "vault has no " + r.what()
	}
	return append(strconv.AppendQuote(append(to, "{{ else }}{{ sprig_fail "...), missing), " }}{{ end }}"...)
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
