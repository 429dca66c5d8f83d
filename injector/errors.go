package injector

import (
	"errors"
	"fmt"
	"strings"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// RequestError says why a request cannot be served. Its cause is
//
//   - a *secret.InvalidError, and Manager is empty;
//   - a *mount.ConflictError or *mount.ValueError that what the manager answered
//     has with the Pod or with another request;
//   - a *mount.MissingError, from Injector.Verify;
//   - an error that wraps mount.ErrNoContainer, if no chosen container receives the
//     secret;
//   - what the manager returned, if that ended the search;
//   - or, if no manager serves the request, an error that wraps what each of
//     them returned, and Manager is empty.
type RequestError struct {
	Request secret.Request
	// Manager is the name of the manager concerned, or empty.
	Manager string
	// Other is the request with which this one conflicts, if it is one.
	Other *secret.Request
	// Err is the cause.
	Err error

	// public is the part of Err that is safe to show to users. Nil if a manager
	// failed.
	public error
}

// AuthorCanFix reports whether the author of the Pod, or of its requests, can fix
// the cause by a change of either. Otherwise a manager failed: it is for the
// operator, and trying again may help.
func (e *RequestError) AuthorCanFix() bool { return e.public != nil }

func (e *RequestError) Error() string { return e.text(fmt.Sprint(e.Err)) }

// Unwrap returns the cause.
func (e *RequestError) Unwrap() error { return e.Err }

// Public returns the message that the Pod's author may read: of what managers
// returned it has the category only, and nothing of the rules (Config.Allow).
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

// userError returns the RequestError of an error that the Pod's author can fix and may
// see in full.
func userError(req secret.Request, manager string, err error) *RequestError {
	return &RequestError{Request: req, Manager: manager, Err: err, public: err}
}

// failure returns the RequestError of what a manager returned that ended the
// search.
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

// answer is what a manager said that does not serve a request.
type answer struct {
	manager string
	err     error
}

func (a answer) Error() string { return a.manager + ": " + a.err.Error() }
func (a answer) Unwrap() error { return a.err }

func (a answer) category() string {
	if errors.Is(a.err, secret.ErrNotFound) {
		return a.manager + ": not found"
	}
	return a.manager + ": not supported"
}

// notServed returns the RequestError of a request that no manager serves.
func notServed(req secret.Request, answers []answer) *RequestError {
	const nobody = "no manager serves it"
	if len(answers) == 0 {
		return &RequestError{Request: req, Err: errors.New("there is no manager"), public: errors.New(nobody)}
	}
	full := make([]string, len(answers))
	categories := make([]string, len(answers))
	wrapped := make([]error, len(answers))
	for i, a := range answers {
		full[i], categories[i], wrapped[i] = a.Error(), a.category(), a
	}
	return &RequestError{
		Request: req,
		Err:     &unservedError{nobody + " (" + strings.Join(full, "; ") + ")", wrapped},
		public:  errors.New(nobody + " (" + strings.Join(categories, "; ") + ")"),
	}
}

type unservedError struct {
	text    string
	answers []error
}

func (e *unservedError) Error() string   { return e.text }
func (e *unservedError) Unwrap() []error { return e.answers }
