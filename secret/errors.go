package secret

import "errors"

// What a secret manager answers, wrapped or as it is, for a request that it
// leaves to the next manager. Any other error ends the search: a secret that is
// there but unreadable must not turn into another store's secret.
var (
	// ErrNotFound says that this manager does not have the secret.
	ErrNotFound = errors.New("secret not found")
	// ErrUnsupported says that the request is not of a kind or shape that this
	// manager serves: a mount type that it has no way to provide, or a name that
	// cannot be one of its secrets.
	ErrUnsupported = errors.New("request not supported")
)

// InvalidError says which field of a Request is refused, and why.
type InvalidError struct {
	Field  string // "group", "key", "groupVersion", "mount", "envVar", "path", "field", "mode" or "container"
	Reason string // without the field's value
}

func (e *InvalidError) Error() string { return e.Field + ": " + e.Reason }
