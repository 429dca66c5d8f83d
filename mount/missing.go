package mount

// MissingError says that a Pod lacks something by which a secret reaches its
// containers. It never holds a value.
type MissingError struct {
	// Path is the field in which it is missing, such as
	// "spec.containers[0].env".
	Path string
	// Container is the name of the container that lacks it; empty where the Pod
	// as a whole does.
	Container string
	// Field is the list in which it is missing, as in ConflictError.
	Field string
	// Name is the name that it would have in that list, or a path.
	Name string
	// Reason says what is wrong; empty means that it is missing.
	Reason string
}

// Error returns one line.
func (e *MissingError) Error() string {
	reason := e.Reason
	if reason == "" {
		reason = "is missing"
	}
	c := ConflictError{Container: e.Container, Field: e.Field, Name: e.Name, Reason: reason}
	return c.Error()
}
