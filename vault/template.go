package vault

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/podsecrets/podsecrets/internal/fetch"
	"github.com/podsecrets/podsecrets/mount"
)

// The agent renders templates with consul-template, which uses text/template. There, a
// quoted string is what strconv.Quote returns and strconv.Unquote reads, and delimiters
// in it have no meaning.

// withID returns a template with the id in a comment at its end, which makes templates
// unique: a consul-template that runs once renders only one of several equal templates,
// even if their files differ.
func withID(body []byte, id string) string {
	return string(append(append(append(body, "{{/* "...), id...), " */}}"...))
}

// appendFile appends the template of a file.
func (r read) appendFile(to []byte) []byte {
	to = r.appendWith(to)
	if r.engine == db && r.key != "" {
		to = append(to, `{{ range $k, $v := .Data }}{{ $k }}: {{ $v }}{{ "\n" }}{{ end }}`...)
	} else {
		to = r.appendIfPresent(to)
		to = append(r.appendValue(append(to, "{{ "...)), " }}"...)
		to = r.appendElse(to)
	}
	return append(to, "{{- end -}}"...)
}

// maxEnvLine is the kubelet's limit on a line of an env file, in bytes.
const maxEnvLine = 64<<10 - 1

// appendEnv appends the template of an env file. The kubelet sets the variable to exactly
// the bytes that appendFile would write; if an env file cannot hold them, the agent fails.
// All values from Vault are UTF-8.
func (r read) appendEnv(to []byte, nameLen int) []byte {
	to = r.appendWith(to)
	all := r.engine == db && r.key != ""
	if !all {
		to = r.appendIfPresent(to)
	}
	switch {
	case r.key == "": // JSON has single quotes only in strings
		to = append(r.appendValue(append(to, "{{ $v := "...)), ` | replaceAll "'" "\\u0027" }}`...)
	case all:
		to = append(to, `{{ $v := "" }}{{ range $k, $e := .Data }}{{ $v = printf "%s%v: %v\n" $v $k $e }}{{ end }}`...)
	default:
		to = append(r.appendValue(append(to, `{{ $v := printf "%v" (`...)), ") }}"...)
	}
	to = strconv.AppendQuote(append(to, "{{ $cannot := "...), "vault: no variable can hold "+r.description()+", which ")
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

// fail returns an action that makes the agent fail.
func fail(reason string) string {
	return "{{ sprig_fail (print $cannot " + strconv.Quote(reason) + ") }}"
}

// description names the secret in messages.
func (r read) description() string {
	var stack [128]byte
	text := stack[:0]
	if r.key == "" {
		text = append(text, "the secret"...)
	} else {
		text = strconv.AppendQuote(append(text, "key "...), r.key)
	}
	return string(strconv.AppendQuote(append(text, " at "...), r.path))
}

// appendWith begins a template that reads the path. "{{- end -}}" must end it.
func (r read) appendWith(to []byte) []byte {
	return append(strconv.AppendQuote(append(to, "{{- with secret "...), escape(r.path)), " -}}"...)
}

// data returns the field of a response that has the entries.
func (r read) data() string {
	if r.engine == kv2 {
		return ".Data.data"
	}
	return ".Data"
}

// appendValue appends an expression for the value: an entry, or all entries as a JSON
// object.
func (r read) appendValue(to []byte) []byte {
	if r.key == "" {
		return append(append(to, r.data()...), " | toJSON"...)
	}
	to = append(append(to, "index "...), r.data()...)
	return strconv.AppendQuote(append(to, ' '), r.key)
}

// appendIfPresent begins the part of a template that applies if the value is present. A
// missing entry, or null, would be rendered as "<no value>"; a deleted kv2 version has no
// entries.
func (r read) appendIfPresent(to []byte) []byte {
	to = append(to, "{{ if "...)
	if r.key == "" {
		to = append(to, r.data()...)
	} else {
		to = append(append(append(to, "and "...), r.data()...), ` (ne (printf "%T" (`...)
		to = append(r.appendValue(to), `)) "<nil>")`...)
	}
	return append(to, " }}"...)
}

// appendElse ends that part and makes the agent fail otherwise.
func (r read) appendElse(to []byte) []byte {
	missing := "vault has nothing at "
	if r.key == "" {
		missing += strconv.Quote(r.path)
	} else {
		missing = "vault has no " + r.description()
	}
	return append(strconv.AppendQuote(append(to, "{{ else }}{{ sprig_fail "...), missing), " }}{{ end }}"...)
}

// escape encodes the path for the agent, which trims spaces and parses the rest as a URL:
// unescaped, "?" would end the path, "%2e" would be a dot, and ":" would make the first
// segment a scheme.
func escape(p string) string {
	const unescaped = "/-_.0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if strings.Trim(p, unescaped) == "" {
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
