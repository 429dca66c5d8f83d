package reader

import (
	"path"
	"strings"
	"unicode"
)

// Call is a call of Flyte's client.
type Call struct {
	Group   string `json:"group"`
	Version string `json:"version,omitempty"`
	Key     string `json:"key"`
}

// Result is the result of a call: where the client looked, and the bytes found there,
// before the client trims spaces.
type Result struct {
	Variable string `json:"variable"`
	File     string `json:"file"`
	From     string `json:"from"` // "variable", "file", or "" if there is neither
	Value    []byte `json:"value"`
}

// run follows the recorded rules of Flyte's Python client (flytekit 1.16.24). It uses
// none of the library's code, whose names it checks.
func (c Call) run(lookup func(string) (string, bool), readFile func(string) ([]byte, error)) Result {
	r := c.names(lookup)
	if value, ok := lookup(r.Variable); ok {
		r.From, r.Value = "variable", []byte(value)
	} else if value, err := readFile(r.File); err == nil {
		r.From, r.Value = "file", value
	}
	return r
}

// names returns where the client looks.
func (c Call) names(lookup func(string) (string, bool)) Result {
	setting := func(name, unset string) string {
		if value, _ := lookup(name); value != "" {
			return strip(value)
		}
		return unset
	}
	var parts []string
	for _, p := range []string{c.Group, c.Version, c.Key} {
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
	return Result{Variable: variable, File: path.Join(dir, path.Join(parts...))}
}

// strip is Python's str.strip, for which four more characters are spaces than in Go.
func strip(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f })
}
