package mount

import (
	"errors"
	"fmt"
)

// ConflictError says that something which a secret needs has a name that
// already means something else, in the Pod or for another request. It never
// holds a value.
type ConflictError struct {
	// Container is the name of the container in which it is; empty where it
	// concerns the whole Pod, or two requests.
	Container string
	// Field is the list in which it is, such as "env", "volumeMounts",
	// "volumes", "initContainers", "metadata.annotations"; "files" for what is
	// in the directory of secrets.
	Field string
	// Name is the name in that list: of the variable, the volume, the
	// container or the annotation, or a path.
	Name string
	// Reason says what else it is.
	Reason string
}

// Error returns one line. Of a text in it that is longer than any path, which no
// API server takes for a name, it has the beginning only: an error for each
// request, with all of such a text, can take gigabytes.
func (e *ConflictError) Error() string {
	where := ""
	if e.Container != "" {
		where = fmt.Sprintf("container %.4096q: ", e.Container)
	}
	return fmt.Sprintf("%s%s %.4096q %.20000s", where, e.Field, e.Name, e.Reason)
}

// What can be wrong with a Pod as a whole.
var (
	// ErrNoContainer says that secrets are asked for, but no container of the
	// Pod receives them.
	ErrNoContainer = errors.New("no container of the pod receives the secrets asked for")
	// ErrTooLarge says that the Pod's containers would gain more than an API
	// server takes in a request (3 MiB).
	ErrTooLarge = errors.New("the secrets asked for would make the pod too large")
)
