package injectortest

import (
	"cmp"
	"fmt"
	"path"
	"strings"
	"unicode"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// These are the rules of Flyte's Python client (flytekit 1.16.24), written down
// a second time and not by means of mount.Layout, so that one can prove the
// other.

// The client's defaults. Its directory is not the one that Flyte's webhook uses.
const (
	clientEnvPrefix = "_FSEC_"
	clientDir       = "/etc/secrets"
)

// lookup is where a program looks for a secret.
type lookup struct {
	// form is mount.Any if the program looks for a variable and then for a
	// file.
	form mount.Type
	// derived is the variable that Flyte's client looks for, if used.
	derived string
	// variable is the secret's guaranteed variable: derived, or the exact one.
	variable string
	file     string // absolute, or ""
}

func (r *reader) lookUp(req secret.Request) (lookup, error) {
	if r.exact {
		return lookUpExact(r.dir, req)
	}
	for _, name := range []string{mount.EnvPrefixVar, mount.DefaultDirVar, mount.FilePrefixVar} {
		if v, ok := r.env[name]; ok && !v.known() {
			return lookup{}, fmt.Errorf("%w the value of %s, which tells its client where to look", ErrUnknown, name)
		}
	}
	if req.Path != "" {
		dir := strip(r.env[mount.DefaultDirVar].text)
		if dir == "" {
			return lookup{}, fmt.Errorf("it has no variable %s, which names the directory of path %q", mount.DefaultDirVar, req.Path)
		}
		return lookup{form: mount.File, file: path.Join(dir, req.Path)}, nil
	}
	return lookUp(func(name string) string { return r.env[name].text }, req), nil
}

// lookUp returns where the client looks, given the values of the discovery
// variables ("" if unset).
func lookUp(discovery func(name string) string, req secret.Request) lookup {
	setting := func(name, unset string) string {
		return strip(cmp.Or(discovery(name), unset))
	}
	var parts []string
	for _, part := range []string{req.Group, req.GroupVersion, req.Key} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	upper := strings.ToUpper(strings.Join(parts, "_"))
	for i := range parts {
		parts[i] = strings.ToLower(parts[i])
	}
	if len(parts) > 0 {
		parts[len(parts)-1] = setting(mount.FilePrefixVar, "") + parts[len(parts)-1]
	}
	at := lookup{
		form:    req.Mount,
		derived: setting(mount.EnvPrefixVar, clientEnvPrefix) + upper,
		// The kernel reads "a//b" and "a/./b" as "a/b". There are no "..", which
		// Validate refuses.
		file: path.Clean(setting(mount.DefaultDirVar, clientDir) + "/" + strings.Join(parts, "/")),
	}
	at.variable = at.derived
	// Only newer clusters accept any other name.
	if req.EnvVar != "" && len(validation.IsEnvVarName(at.derived)) > 0 {
		at.variable = req.EnvVar
	}
	if req.Mode != 0 {
		at.form = mount.File
	}
	return at
}

// lookUpExact returns where a program with exact names looks.
func lookUpExact(dir string, req secret.Request) (lookup, error) {
	form := req.Mount
	switch {
	case form != mount.Any:
	case req.EnvVar != "" && req.Path == "" && req.Mode == 0:
		form = mount.EnvVar
	default:
		form = mount.File
	}
	if form == mount.EnvVar {
		if req.EnvVar == "" {
			return lookup{}, fmt.Errorf("the request has no EnvVar")
		}
		return lookup{form: form, variable: req.EnvVar}, nil
	}
	file := req.Path
	if file == "" {
		file = path.Join(req.Group, req.Key)
	}
	if file == "" {
		return lookup{}, fmt.Errorf("the request has no Path, Group or Key")
	}
	return lookup{form: form, file: path.Join(dir, file)}, nil
}

// strip is Python's str.strip, which also strips four control characters that
// Go does not treat as space.
func strip(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f })
}
