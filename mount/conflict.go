package mount

import (
	"errors"
	"fmt"
)

// ConflictError reports that a name which a secret needs already has another
// meaning, in the Pod or for another request. It never contains a secret value.
type ConflictError struct {
	// Path is the field in the Pod, such as "spec.containers[0].env[2].name".
	// It is empty if two requests conflict.
	Path string
	// Container is the container's name. It is empty if the conflict concerns
	// the whole Pod, or two requests.
	Container string
	// Field is the list with the conflict, such as "env", "volumeMounts",
	// "volumes", "initContainers" or "metadata.annotations". It is "files" for
	// a path in the directory of secrets.
	Field string
	// Name is the name in that list: of a variable, volume, container or
	// annotation, or a path.
	Name string
	// Reason says what the name already means.
	Reason string
}

// Error returns one line. It truncates a text that is longer than any valid
// name: hundreds of errors can repeat one long text, and would take gigabytes.
func (e *ConflictError) Error() string {
	where := ""
	if e.Container != "" {
		where = fmt.Sprintf("container %.4096q: ", e.Container)
	}
	return fmt.Sprintf("%s%s %.4096q %.20000s", where, e.Field, e.Name, e.Reason)
}

var (
	// ErrNoContainer means that no container receives the secret. Either
	// injector.Config.Containers selects none, or it does not select the one
	// that the request names, or the selected ones start before the secret is
	// fetched.
	ErrNoContainer = errors.New("no container of the pod receives the requested secrets")
	// ErrTooLarge means that an API server would refuse the Pod: its containers
	// would gain more than 3 MiB, or it would have more than 256 KiB of
	// annotations in total.
	ErrTooLarge = errors.New("the requested secrets would make the pod too large")
)
