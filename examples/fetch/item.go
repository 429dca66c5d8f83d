package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// item is a secret and the file to write it to. It repeats fetch.Item on purpose:
// importing that package would compile Kubernetes' types into this program.
type item struct {
	ID      string `json:"id"`
	Version string `json:"version,omitempty"`
	Field   string `json:"field,omitempty"`
	File    string `json:"file,omitempty"`
	Env     string `json:"env,omitempty"`
	Mode    int32  `json:"mode,omitempty"`
	NameLen int    `json:"nameLen,omitempty"`

	variable string
}

var itemKeys = []string{"id", "version", "field", "file", "env", "mode", "nameLen"}

const (
	defaultFileMode = 0o644
	defaultEnvMode  = 0o400
)

func (it item) ref() ref { return ref{it.ID, it.Version} }

// path returns the path relative to the directory of files or env files.
func (it item) path() string { return it.File + it.Env }

func (it item) mode() uint32 {
	switch {
	case it.Env != "":
		return defaultEnvMode
	case it.Mode == 0:
		return defaultFileMode
	default:
		return uint32(it.Mode) // #nosec G115 -- at most 0777
	}
}

// before orders items, so that messages are deterministic.
func (it item) before(o item) bool {
	a := []string{it.ID, it.Version, it.Field, it.File, it.Env}
	return slices.Compare(a, []string{o.ID, o.Version, o.Field, o.File, o.Env}) < 0
}

// String names the item in messages.
func (it item) String() string {
	text := shorten(it.ID, 300)
	if it.Version != "" {
		text += " version " + shorten(it.Version, 100)
	}
	if it.Field != "" {
		text += fmt.Sprintf(" field \"%s\"", shorten(it.Field, 100))
	}
	return text
}

// decodeItem decodes strictly: unknown, differently spelled and duplicate keys, null and wrong
// types are errors.
func decodeItem(text string) (item, error) {
	fields, err := object([]byte(text))
	if err != nil {
		return item{}, err
	}
	for key, value := range fields {
		switch {
		case !slices.Contains(itemKeys, key):
			return item{}, fmt.Errorf("unknown key \"%s\"", shorten(key, 40))
		case string(value) == "null":
			return item{}, fmt.Errorf("%s is null", key)
		}
	}
	var it item
	var wrong *json.UnmarshalTypeError
	switch err := json.Unmarshal([]byte(text), &it); {
	case errors.As(err, &wrong):
		return item{}, fmt.Errorf("%s has the wrong type", wrong.Field)
	case err != nil:
		return item{}, errNotObject
	}
	return it, it.validate()
}

func (it item) validate() error {
	switch {
	case it.ID == "":
		return errors.New("id is missing")
	case it.File != "" && it.Env != "":
		return errors.New("file and env are both set")
	case it.Mode < 0 || it.Mode > 0o777:
		return errors.New("mode is not between 0 and 0777")
	case it.Mode != 0 && it.File == "":
		return errors.New("mode is for files only")
	case it.NameLen < 0:
		return errors.New("nameLen is negative")
	case it.NameLen > 0 && it.Env == "":
		return errors.New("nameLen is for env files only")
	case it.File != "":
		return checkPath("file", it.File)
	case it.Env != "":
		return checkPath("env", it.Env)
	default:
		return errors.New("neither file nor env is set")
	}
}

// Linux' limits, in bytes.
const (
	maxPath    = 4096
	maxSegment = 255
)

// checkPath accepts clean, relative paths below the directory.
func checkPath(field, p string) error {
	switch {
	case !utf8.ValidString(p) || strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return fmt.Errorf("%s has control characters or is not UTF-8", field)
	case path.IsAbs(p):
		return fmt.Errorf("%s is an absolute path", field)
	case len(p) > maxPath:
		return fmt.Errorf("%s is longer than %d bytes", field, maxPath)
	}
	for segment := range strings.SplitSeq(p, "/") {
		switch {
		case segment == "" || segment == "." || segment == "..":
			return fmt.Errorf("%s has an empty, \".\" or \"..\" segment", field)
		case len(segment) > maxSegment:
			return fmt.Errorf("%s has a segment of more than %d bytes", field, maxSegment)
		}
	}
	return nil
}

// clashes reports items with the same path, and items whose directory is another item's file.
func clashes(items []item) []problem {
	type place struct {
		env  bool
		path string
	}
	var problems []problem
	bad := func(it item, format string, other string) {
		problems = append(problems, problem{it.variable, failure{outcome: badRequest, detail: fmt.Sprintf(format, other)}})
	}
	taken := map[place]string{}
	for _, it := range items {
		at := place{it.Env != "", it.path()}
		if other, ok := taken[at]; ok {
			bad(it, "has the same path as %s", other)
		}
		taken[at] = it.variable
	}
	for _, it := range items {
		for dir := path.Dir(it.path()); dir != "."; dir = path.Dir(dir) {
			if other, ok := taken[place{it.Env != "", dir}]; ok {
				bad(it, "needs a directory where %s has its file", other)
			}
		}
	}
	return problems
}
