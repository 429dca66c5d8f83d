package mount

import "fmt"

// Type is the form in which a container reads a secret.
type Type uint8

const (
	// Any leaves the choice to the manager that serves the secret: an
	// environment variable where it can provide one, otherwise a file. It is
	// the zero value.
	Any Type = iota
	// EnvVar is an environment variable.
	EnvVar
	// File is a file.
	File
)

// The names of Flyte's core.Secret.MountType, in the order of its numbers.
var typeNames = [...]string{Any: "ANY", EnvVar: "ENV_VAR", File: "FILE"}

// ParseType returns the Type whose text form is s: "ANY", "ENV_VAR" or "FILE",
// the names of Flyte's enum core.Secret.MountType.
func ParseType(s string) (Type, error) {
	for t, name := range typeNames {
		if s == name {
			return Type(t), nil
		}
	}
	return Any, fmt.Errorf("mount: %q is none of ANY, ENV_VAR, FILE", s)
}

// String returns the text form, or "Type(7)" for a value that is not defined.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return fmt.Sprintf("Type(%d)", uint8(t))
}

// MarshalText returns the text form. A value that is not defined is an error.
func (t Type) MarshalText() ([]byte, error) {
	if int(t) < len(typeNames) {
		return []byte(typeNames[t]), nil
	}
	return nil, fmt.Errorf("mount: %v has no text form", t)
}

// UnmarshalText is ParseType.
func (t *Type) UnmarshalText(text []byte) error {
	parsed, err := ParseType(string(text))
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}
