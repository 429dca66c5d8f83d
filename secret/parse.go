package secret

import (
	"encoding/csv"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/podsecrets/podsecrets/mount"
)

// parameter is one field of a request in the readable form.
type parameter struct {
	name  string
	field string                  // named as in InvalidError
	get   func(r *Request) string // "" if it is not set
	set   func(r *Request, value string) error
}

func textParameter(name, field string, of func(r *Request) *string) parameter {
	return parameter{
		name, field,
		func(r *Request) string { return *of(r) },
		func(r *Request, value string) error { *of(r) = value; return nil },
	}
}

// parameters lists all parameters, in the order in which Text writes them.
var parameters = []parameter{
	textParameter("group", "group", func(r *Request) *string { return &r.Group }),
	textParameter("key", "key", func(r *Request) *string { return &r.Key }),
	textParameter("version", "groupVersion", func(r *Request) *string { return &r.GroupVersion }),
	{"mount", "mount", mountText, setMount},
	textParameter("env", "envVar", func(r *Request) *string { return &r.EnvVar }),
	textParameter("path", "path", func(r *Request) *string { return &r.Path }),
	textParameter("field", "field", func(r *Request) *string { return &r.Field }),
	{"mode", "mode", modeText, setMode},
	textParameter("container", "container", func(r *Request) *string { return &r.Container }),
}

func mountText(r *Request) string {
	if r.Mount == mount.Any {
		return ""
	}
	return r.Mount.String()
}

func modeText(r *Request) string {
	if r.Mode == 0 {
		return ""
	}
	return octalText(r.Mode)
}

func octalText(mode int32) string { return fmt.Sprintf("%#o", mode) }

func setMode(r *Request, value string) error {
	mode, err := strconv.ParseInt(value, 8, 32)
	if err != nil {
		return errors.New("is not an octal number, such as 0400")
	}
	r.Mode = int32(mode)
	return nil
}

func setMount(r *Request, value string) error {
	if r.Mount.UnmarshalText([]byte(value)) != nil {
		return errors.New("is not one of ANY, ENV_VAR, FILE")
	}
	return nil
}

// Parse reads a request in the readable form, as Request.Text writes it:
//
//	group=db,key=password,env=DB_PASSWORD,container=web
//
// It is one line of CSV. A field with a comma or a quotation mark must be
// quoted: group=g,"key=a,b". The names are group, key, version, mount (ANY,
// ENV_VAR or FILE), env, path, field, mode (octal) and container, in any order,
// each at most once. The request is not validated.
//
// Errors show field names and positions, but no other part of the text: someone
// may have pasted a secret there.
func Parse(text string) (Request, error) {
	fields, err := split(text)
	if err != nil {
		return Request{}, err
	}
	var req Request
	var seen [16]bool
	for n, field := range fields {
		name, value, ok := strings.Cut(field, "=")
		i := indexOf(name)
		switch {
		case !ok:
			return Request{}, fmt.Errorf(`field %d has no "="`, n+1)
		case i < 0:
			return Request{}, fmt.Errorf("the name of field %d is not one of %s", n+1, parameterNames())
		case seen[i]:
			return Request{}, fmt.Errorf("%s is set twice", name)
		}
		seen[i] = true
		if err := parameters[i].set(&req, value); err != nil {
			return Request{}, fmt.Errorf("%s %w", name, err)
		}
	}
	return req, nil
}

// split reads one record of CSV.
func split(text string) ([]string, error) {
	r := csv.NewReader(strings.NewReader(text))
	fields, err := r.Read()
	var syntax *csv.ParseError
	switch {
	case errors.As(err, &syntax):
		return nil, fmt.Errorf("column %d: %w", syntax.Column, syntax.Err)
	case err != nil:
		return nil, errors.New("is empty")
	case r.InputOffset() < int64(len(text)), strings.TrimLeft(text, "\r\n") != text:
		return nil, errors.New("has more than one line")
	}
	return fields, nil
}

func indexOf(name string) int {
	for i := range parameters {
		if parameters[i].name == name {
			return i
		}
	}
	return -1
}

func parameterNames() string {
	names := make([]string, len(parameters))
	for i := range parameters {
		names[i] = parameters[i].name
	}
	return strings.Join(names, ", ")
}

// Text returns the request in the readable form, which Parse reads. Empty
// fields are omitted. For the zero value it is "", which Parse refuses.
func (r Request) Text() string {
	var fields []string
	for i := range parameters {
		if value := parameters[i].get(&r); value != "" {
			fields = append(fields, parameters[i].name+"="+value)
		}
	}
	if len(fields) == 0 {
		return ""
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	_ = w.Write(fields) // a Builder never fails
	w.Flush()
	return strings.TrimSuffix(b.String(), "\n")
}
