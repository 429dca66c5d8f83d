package controller

import (
	"errors"
	"fmt"
	"strings"

	"github.com/podsecrets/podsecrets/examples/operator/api"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// explain returns the condition's reason and message for an error, and whether to retry. The
// reason is that of the first error to retry, or else of the first error.
func explain(err error) (reason, message string, again bool) {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { // all failed requests
		all = joined.Unwrap()
	}
	texts := make([]string, len(all))
	for i, e := range all {
		r, text, retry := explainOne(e)
		if i == 0 || retry && !again {
			reason = r
		}
		texts[i], again = text, again || retry
	}
	return reason, strings.Join(texts, "; "), again
}

func explainOne(err error) (reason, message string, again bool) {
	var request *injector.RequestError
	switch {
	case errors.As(err, &request) && request.AuthorCanFix():
		reason, cause := causeOf(request.Err)
		if request.Other != nil {
			cause += fmt.Sprintf(", because of secret %v", *request.Other)
		}
		return reason, fmt.Sprintf("secret %v: %s", request.Request, cause), false
	case errors.As(err, &request):
		// Details of a manager's failure are for the log, not for readers of Tasks.
		return api.ReasonManagerFailed, fmt.Sprintf("secret %v: manager %s failed", request.Request, request.Manager), true
	case errors.As(err, new(*missingError)):
		return api.ReasonMissing, err.Error(), false // the Secret is watched
	case errors.Is(err, mount.ErrTooLarge), errors.As(err, new(*injector.LimitError)):
		return api.ReasonInvalid, err.Error(), false
	default:
		return api.ReasonManagerFailed, "the secrets cannot be injected at the moment", true
	}
}

// causeOf returns the part of an error that the Task's author can fix. The rest may be for
// operators only, such as the rules that refused a secret.
func causeOf(err error) (reason, text string) {
	var (
		invalid  *secret.InvalidError
		value    *mount.ValueError
		conflict *mount.ConflictError
	)
	switch {
	case errors.As(err, &invalid):
		return api.ReasonInvalid, invalid.Error()
	case errors.As(err, &value):
		return api.ReasonInvalid, value.Error()
	case errors.As(err, &conflict):
		return api.ReasonConflict, conflict.Error()
	case errors.Is(err, mount.ErrNoContainer):
		return api.ReasonInvalid, mount.ErrNoContainer.Error()
	default:
		return api.ReasonNotServed, "no manager serves it"
	}
}
