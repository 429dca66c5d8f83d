package main

import "errors"

// outcome is a kind of failure, and the program's exit code. The Go runtime uses 1 and 2.
type outcome int

// The outcomes. README.md documents them.
const (
	badRequest  outcome = 10
	notFound    outcome = 11
	denied      outcome = 12
	unavailable outcome = 13
	noField     outcome = 14
	notObject   outcome = 15
	notEnv      outcome = 16
	tooLong     outcome = 17
	cannotWrite outcome = 18
	refused     outcome = 19
)

func (o outcome) String() string {
	switch o {
	case badRequest:
		return "bad request"
	case notFound:
		return "not found"
	case denied:
		return "denied"
	case noField:
		return "no such field"
	case notObject:
		return "not a JSON object"
	case notEnv:
		return "cannot be an env file"
	case tooLong:
		return "too long for an env file"
	case cannotWrite:
		return "cannot write"
	case refused:
		return "refused"
	default:
		return "store unreachable"
	}
}

// failure is the reason why a secret cannot be delivered. Its detail has only this program's own
// texts, host names, status codes and known error codes. It never wraps an SDK's error, which may
// quote an answer with a token or a value.
type failure struct {
	outcome   outcome
	detail    string
	temporary bool
}

func (f *failure) Error() string {
	if f.detail == "" {
		return f.outcome.String()
	}
	return f.outcome.String() + ": " + f.detail
}

// asFailure returns the failure in an error, or nil if there is no error.
func asFailure(err error) *failure {
	var f *failure
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return f
	default:
		return &failure{outcome: unavailable, detail: "no usable answer", temporary: true}
	}
}
