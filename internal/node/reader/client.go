package reader

import (
	"path"
	"strings"
	"unicode"
)

// Question is what Flyte's client is asked for.
type Question struct {
	Group   string `json:"group"`
	Version string `json:"version,omitempty"`
	Key     string `json:"key"`
}

// Answer is what the client finds: where it looked, and the bytes there, from
// which the client strips outer blanks.
type Answer struct {
	Variable string `json:"variable"`
	File     string `json:"file"`
	From     string `json:"from"` // "variable", "file", or "" if there is neither
	Value    []byte `json:"value"`
}

// ask follows the rules of Flyte's Python client (flytekit 1.16.24), as they were
// recorded. It is written without the library, whose names it checks.
func (q Question) ask(lookup func(string) (string, bool), readFile func(string) ([]byte, error)) Answer {
	a := q.names(lookup)
	if value, ok := lookup(a.Variable); ok {
		a.From, a.Value = "variable", []byte(value)
	} else if value, err := readFile(a.File); err == nil {
		a.From, a.Value = "file", value
	}
	return a
}

// names returns where the client looks.
func (q Question) names(lookup func(string) (string, bool)) Answer {
	setting := func(name, unset string) string {
		if value, _ := lookup(name); value != "" {
			return strip(value)
		}
		return unset
	}
	var parts []string
	for _, p := range []string{q.Group, q.Version, q.Key} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	variable := setting("FLYTE_SECRETS_ENV_PREFIX", "_FSEC_") + strings.ToUpper(strings.Join(parts, "_"))
	for i := range parts {
		parts[i] = strings.ToLower(parts[i])
	}
	if last := len(parts) - 1; last >= 0 {
		parts[last] = setting("FLYTE_SECRETS_FILE_PREFIX", "") + parts[last]
	}
	dir := setting("FLYTE_SECRETS_DEFAULT_DIR", "/etc/secrets")
	return Answer{Variable: variable, File: path.Join(dir, path.Join(parts...))}
}

// strip is Python's str.strip, to which four more characters are blanks than to Go.
func strip(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f })
}
