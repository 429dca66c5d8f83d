package injector

import (
	"errors"
	"fmt"
	"strings"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// RequestError reports a request that cannot be served. Its cause is one of
//
//   - a *secret.InvalidError, with an empty Manager;
//   - a *mount.ConflictError or *mount.ValueError: the manager's fragment
//     conflicts with the Pod or with another request;
//   - a *mount.MissingError, from Injector.Verify;
//   - an error that wraps mount.ErrNoContainer, if no chosen container receives
//     the secret;
//   - the manager's error, if it stopped the search, or a *mount.FragmentError;
//   - an error that wraps the errors of all managers, if there are any, with an
//     empty Manager, if no manager serves the request.
type RequestError struct {
	Request secret.Request
	// Manager is the name of the manager, or empty.
	Manager string
	// Other is the request with which this one conflicts, if any.
	Other *secret.Request
	// Err is the cause.
	Err error

	// public is the part of Err that is safe to show to users, or nil if a
	// manager failed.
	public error
}

// AuthorCanFix reports whether the author of the Pod or of its requests can fix
// the cause. Otherwise a manager failed: the operator must find out why, and a
// retry may help.
func (e *RequestError) AuthorCanFix() bool { return e.public != nil }

func (e *RequestError) Error() string { return e.text(fmt.Sprint(e.Err)) }

// Unwrap returns the cause.
func (e *RequestError) Unwrap() error { return e.Err }

// Public returns the message that the Pod's author may read. Of a manager's
// error it shows only the category, and it never mentions Config.Allow.
func (e *RequestError) Public() string {
	if e.public == nil {
		return e.text("failed")
	}
	return e.text(e.public.Error())
}

func (e *RequestError) text(cause string) string {
	if e.Other != nil {
		cause += fmt.Sprintf(", because of secret %v", *e.Other)
	}
	if e.Manager != "" {
		cause = "manager " + e.Manager + ": " + cause
	}
	return fmt.Sprintf("secret %v: %s", e.Request, cause)
}

// userError returns a RequestError that the Pod's author can fix and may see in
// full.
func userError(req secret.Request, manager string, err error) *RequestError {
	return &RequestError{Request: req, Manager: manager, Err: err, public: err}
}

// failure returns a RequestError for a manager's error that stopped the search.
func failure(req secret.Request, manager string, err error) *RequestError {
	e := &RequestError{Request: req, Manager: manager, Err: err}
	var conflict *mount.ConflictError
	var invalid *secret.InvalidError
	switch {
	case errors.As(err, &conflict):
		e.public = conflict
	case errors.As(err, &invalid):
		e.public = invalid
	}
	return e
}

// decline is a manager's error that passes the request to the next manager.
type decline struct {
	manager string
	err     error
}

func (d decline) Error() string { return d.manager + ": " + d.err.Error() }
func (d decline) Unwrap() error { return d.err }

func (d decline) category() string {
	if errors.Is(d.err, secret.ErrNotFound) {
		return d.manager + ": not found"
	}
	return d.manager + ": not supported"
}

// notServed returns the RequestError for a request that no manager serves.
func notServed(req secret.Request, declines []decline) *RequestError {
	const message = "no manager serves it"
	if len(declines) == 0 {
		return &RequestError{Request: req, Err: errors.New("no managers are configured"), public: errors.New(message)}
	}
	full := make([]string, len(declines))
	categories := make([]string, len(declines))
	wrapped := make([]error, len(declines))
	for i, d := range declines {
		full[i], categories[i], wrapped[i] = d.Error(), d.category(), d
	}
	return &RequestError{
		Request: req,
		Err:     &noManagerError{message + " (" + strings.Join(full, "; ") + ")", wrapped},
		public:  errors.New(message + " (" + strings.Join(categories, "; ") + ")"),
	}
}

type noManagerError struct {
	text     string
	declines []error
}

func (e *noManagerError) Error() string   { return e.text }
func (e *noManagerError) Unwrap() []error { return e.declines }
