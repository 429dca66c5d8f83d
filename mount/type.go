package mount

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
var types = enum{"Type", []string{Any: "ANY", EnvVar: "ENV_VAR", File: "FILE"}}

// ParseType returns the Type whose text form is s: "ANY", "ENV_VAR" or "FILE",
// the names of Flyte's enum core.Secret.MountType.
func ParseType(s string) (Type, error) {
	t, err := types.parse(s)
	return Type(t), err
}

// String returns the text form, or "Type(7)" for a value that is not defined.
func (t Type) String() string { return types.string(uint8(t)) }

// MarshalText returns the text form. A value that is not defined is an error.
func (t Type) MarshalText() ([]byte, error) { return types.marshal(uint8(t)) }

// UnmarshalText is ParseType.
func (t *Type) UnmarshalText(text []byte) error {
	parsed, err := ParseType(string(text))
	if err == nil {
		*t = parsed
	}
	return err
}

// InitOrder says where init containers that fetch secrets go.
type InitOrder uint8

const (
	// InitFirst is before every init container of the Pod, so that these can
	// read the secrets too. It is the zero value. Its text form is "First".
	InitFirst InitOrder = iota
	// InitAfterSidecars is right behind the Pod's first run of sidecars (init
	// containers with restartPolicy Always). It is for Pods whose network needs
	// a sidecar, such as a service mesh's proxy. Containers before and in that
	// run start before the secrets are fetched. Without such a run it is
	// InitFirst. The sidecars must be in the Pod already, so their webhook must
	// be called first. Its text form is "AfterSidecars".
	InitAfterSidecars
)

var initOrders = enum{"InitOrder", []string{InitFirst: "First", InitAfterSidecars: "AfterSidecars"}}

// ParseInitOrder returns the InitOrder whose text form is s.
func ParseInitOrder(s string) (InitOrder, error) {
	o, err := initOrders.parse(s)
	return InitOrder(o), err
}

// String returns the text form, or "InitOrder(7)" for a value that is not
// defined.
func (o InitOrder) String() string { return initOrders.string(uint8(o)) }

// MarshalText returns the text form. A value that is not defined is an error.
func (o InitOrder) MarshalText() ([]byte, error) { return initOrders.marshal(uint8(o)) }

// UnmarshalText is ParseInitOrder.
func (o *InitOrder) UnmarshalText(text []byte) error {
	parsed, err := ParseInitOrder(string(text))
	if err == nil {
		*o = parsed
	}
	return err
}

// ConflictPolicy says what happens where a container already defines, with
// another meaning, a variable that would hold a secret or its path.
type ConflictPolicy uint8

const (
	// ConflictFail is a ConflictError. It is the zero value. Its text form is
	// "Fail".
	ConflictFail ConflictPolicy = iota
	// ConflictKeepPod leaves the container's variable as it is. All other
	// conflicts, also about discovery variables, are still errors. Its text
	// form is "KeepPod".
	ConflictKeepPod
)

var conflictPolicies = enum{"ConflictPolicy", []string{ConflictFail: "Fail", ConflictKeepPod: "KeepPod"}}

// ParseConflictPolicy returns the ConflictPolicy whose text form is s.
func ParseConflictPolicy(s string) (ConflictPolicy, error) {
	p, err := conflictPolicies.parse(s)
	return ConflictPolicy(p), err
}

// String returns the text form, or "ConflictPolicy(7)" for a value that is not
// defined.
func (p ConflictPolicy) String() string { return conflictPolicies.string(uint8(p)) }

// MarshalText returns the text form. A value that is not defined is an error.
func (p ConflictPolicy) MarshalText() ([]byte, error) { return conflictPolicies.marshal(uint8(p)) }

// UnmarshalText is ParseConflictPolicy.
func (p *ConflictPolicy) UnmarshalText(text []byte) error {
	parsed, err := ParseConflictPolicy(string(text))
	if err == nil {
		*p = parsed
	}
	return err
}
