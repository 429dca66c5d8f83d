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

// explain says in a reason and a message why there are no secrets, and whether to
// try again. The reason is that of the first error, or of the first to try again.
func explain(err error) (reason, message string, again bool) {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { // the injector tells of all that is wrong
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
		// How a manager reaches its store is for the log, not for all who may
		// read Tasks.
		return api.ReasonManagerFailed, fmt.Sprintf("secret %v: manager %s failed", request.Request, request.Manager), true
	case errors.As(err, new(*missingError)):
		return api.ReasonMissing, err.Error(), false // the watch tells of the Secret
	case errors.Is(err, mount.ErrTooLarge), errors.As(err, new(*injector.LimitError)):
		return api.ReasonInvalid, err.Error(), false
	default:
		return api.ReasonManagerFailed, "the secrets cannot be injected now", true
	}
}

// causeOf returns the part of a cause that the Task's author can act on. Around it,
// and where no manager serves a secret, there can be text for the operator only,
// such as the rules that refused it.
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
