package mount

import (
	"errors"
	"fmt"
)

// ConflictError says that something which a secret needs has a name that
// already means something else, in the Pod or for another request. It never
// holds a value.
type ConflictError struct {
	// Path is where the Pod has it, such as "spec.containers[0].env[2].name".
	// It is empty where two requests conflict.
	Path string
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

// Error returns one line. Texts that are longer than any valid name are cut,
// because an error for each request with all of such a text can take gigabytes.
func (e *ConflictError) Error() string {
	where := ""
	if e.Container != "" {
		where = fmt.Sprintf("container %.4096q: ", e.Container)
	}
	return fmt.Sprintf("%s%s %.4096q %.20000s", where, e.Field, e.Name, e.Reason)
}

var (
	// ErrNoContainer says that no container receives what is asked for: the Pod
	// has none that is chosen, the request names another one, or those that are
	// chosen start before the secret is fetched.
	ErrNoContainer = errors.New("no container of the pod receives the secrets asked for")
	// ErrTooLarge says that the Pod would gain more than an API server accepts:
	// 3 MiB in its containers, or 256 KiB of annotations in all.
	ErrTooLarge = errors.New("the secrets asked for would make the pod too large")
)
