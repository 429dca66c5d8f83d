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

// explain says in a reason and a message why there are no secrets. The reason is
// that of the first error, or that a manager failed, if one did.
func explain(err error) (reason, message string) {
	all := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok { // the injector tells of all that is wrong
		all = joined.Unwrap()
	}
	texts := make([]string, len(all))
	for i, e := range all {
		var r string
		if r, texts[i] = explainOne(e); i == 0 || r == api.ReasonManagerFailed {
			reason = r
		}
	}
	return reason, strings.Join(texts, "; ")
}

func explainOne(err error) (reason, message string) {
	var (
		request  *injector.RequestError
		invalid  *secret.InvalidError
		conflict *mount.ConflictError
		value    *mount.ValueError
	)
	switch {
	case errors.As(err, &invalid), errors.As(err, &value), errors.Is(err, mount.ErrTooLarge):
		return api.ReasonInvalid, err.Error()
	case errors.As(err, &conflict):
		return api.ReasonConflict, err.Error()
	case errors.Is(err, secret.ErrNotFound), errors.Is(err, secret.ErrUnsupported):
		return api.ReasonNotServed, err.Error()
	case errors.As(err, &request):
		// How a manager reaches its store is for the log, not for all who may
		// read Tasks.
		return api.ReasonManagerFailed, fmt.Sprintf("secret %v: manager %s failed", request.Request, request.Manager)
	default:
		return api.ReasonManagerFailed, "the secrets cannot be injected now"
	}
}
