package secret

import "errors"

// A secret manager returns one of these errors, possibly wrapped, to pass a
// request to the next manager. Any other error stops the search: a secret that
// exists but cannot be read must not be replaced by another store's secret.
var (
	// ErrNotFound means that this manager does not have the secret.
	ErrNotFound = errors.New("secret not found")
	// ErrUnsupported means that this manager cannot serve such a request. For
	// example, it cannot provide that form or field, or its store cannot have
	// that name.
	ErrUnsupported = errors.New("request not supported")
)

// InvalidError reports a field of a Request that is not valid.
type InvalidError struct {
	Field  string // "group", "key", "groupVersion", "mount", "envVar", "path", "field", "mode" or "container"
	Reason string // without the field's value
}

func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }
