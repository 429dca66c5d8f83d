package mount

// MissingError reports that a Pod lacks something that its containers need to
// read a secret. It never contains a secret value.
type MissingError struct {
	// Path is the field with the gap, such as "spec.containers[0].env".
	Path string
	// Container is the container's name. It is empty if the gap concerns the
	// whole Pod.
	Container string
	// Field is the list with the gap, as in ConflictError.
	Field string
	// Name is the missing name in that list, or a path.
	Name string
	// Reason says what is wrong. Empty means that the name is missing.
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
