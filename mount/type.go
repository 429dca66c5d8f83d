package mount

// Type is the form in which a container reads a secret.
type Type uint8

const (
	// Any leaves the choice to the manager that serves the secret: an
	// environment variable if it can provide one, otherwise a file. It is the
	// zero value.
	Any Type = iota
	// EnvVar is an environment variable.
	EnvVar
	// File is a file.
	File
)

// types has the names of Flyte's core.Secret.MountType, in the order of its
// numbers.
var types = enum{"Type", []string{Any: "ANY", EnvVar: "ENV_VAR", File: "FILE"}}

// ParseType returns the Type with the text form s: "ANY", "ENV_VAR" or "FILE",
// the names in Flyte's enum core.Secret.MountType.
func ParseType(s string) (Type, error) {
	t, err := types.parse(s)
	return Type(t), err
}

// String returns the text form, or "Type(7)" for an undefined value.
func (t Type) String() string { return types.string(uint8(t)) }

// MarshalText returns the text form, or an error for an undefined value.
func (t Type) MarshalText() ([]byte, error) { return types.marshal(uint8(t)) }

// UnmarshalText parses text as ParseType does.
func (t *Type) UnmarshalText(text []byte) error {
	parsed, err := ParseType(string(text))
	if err == nil {
		*t = parsed
	}
	return err
}

// InitOrder is the position of fetchers among a Pod's init containers.
type InitOrder uint8

const (
	// InitFirst puts fetchers before all init containers of the Pod, so that
	// these can read the secrets too. It is the zero value. Its text form is
	// "First".
	InitFirst InitOrder = iota
	// InitAfterSidecars puts fetchers right after the Pod's first run of
	// sidecars (init containers with restartPolicy Always). It is for Pods
	// whose network needs a sidecar, such as a service mesh's proxy. Containers
	// in that run and before it start before the secrets are fetched. In a Pod
	// without sidecars it means InitFirst. The sidecars must already be in the
	// Pod, so their webhook must run first. Its text form is "AfterSidecars".
	InitAfterSidecars
)

var initOrders = enum{"InitOrder", []string{InitFirst: "First", InitAfterSidecars: "AfterSidecars"}}

// ParseInitOrder returns the InitOrder with the text form s.
func ParseInitOrder(s string) (InitOrder, error) {
	o, err := initOrders.parse(s)
	return InitOrder(o), err
}

// String returns the text form, or "InitOrder(7)" for an undefined value.
func (o InitOrder) String() string { return initOrders.string(uint8(o)) }

// MarshalText returns the text form, or an error for an undefined value.
func (o InitOrder) MarshalText() ([]byte, error) { return initOrders.marshal(uint8(o)) }

// UnmarshalText parses text as ParseInitOrder does.
func (o *InitOrder) UnmarshalText(text []byte) error {
	parsed, err := ParseInitOrder(string(text))
	if err == nil {
		*o = parsed
	}
	return err
}

// ConflictPolicy says what happens if a container already has a variable with
// the name that a request needs, but with another meaning. The request needs
// the variable for the secret, or for the path of its file.
type ConflictPolicy uint8

const (
	// ConflictFail makes it a ConflictError. It is the zero value. Its text
	// form is "Fail".
	ConflictFail ConflictPolicy = iota
	// ConflictKeepPod keeps the container's variable. All other conflicts are
	// still errors, including those about discovery variables. Its text form is
	// "KeepPod".
	ConflictKeepPod
)

var conflictPolicies = enum{"ConflictPolicy", []string{ConflictFail: "Fail", ConflictKeepPod: "KeepPod"}}

// ParseConflictPolicy returns the ConflictPolicy with the text form s.
func ParseConflictPolicy(s string) (ConflictPolicy, error) {
	p, err := conflictPolicies.parse(s)
	return ConflictPolicy(p), err
}

// String returns the text form, or "ConflictPolicy(7)" for an undefined value.
func (p ConflictPolicy) String() string { return conflictPolicies.string(uint8(p)) }

// MarshalText returns the text form, or an error for an undefined value.
func (p ConflictPolicy) MarshalText() ([]byte, error) { return conflictPolicies.marshal(uint8(p)) }

// UnmarshalText parses text as ParseConflictPolicy does.
func (p *ConflictPolicy) UnmarshalText(text []byte) error {
	parsed, err := ParseConflictPolicy(string(text))
	if err == nil {
		*p = parsed
	}
	return err
}
