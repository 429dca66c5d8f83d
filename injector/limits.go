package injector

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// MaxRequests is how many requests one call takes, those that are there
	// twice counted twice. What it takes to serve them grows with their number,
	// and a Pod's annotations have room for no more than some 7,000.
	MaxRequests = 10_000

	// maxPod is how many bytes of JSON a Pod may have that is reviewed: the API
	// server's limit on a request's body. In memory a Pod can need a hundred times
	// as much, and what the API server sends to webhooks has no limit.
	maxPod = 3 << 20

	// maxReported is how many errors the message of a refusal tells of, and
	// maxMessage how many bytes it has. API servers pass it on and log it.
	maxReported = 20
	maxMessage  = 16 << 10

	// maxCause is how many bytes each of the causes of a refusal has.
	maxCause = 1 << 10
)

// LimitError says that there is more of something than may be.
type LimitError struct {
	// What is "requests", "bytes of annotations", "bytes of JSON", or for requests
	// that name containers "secrets of containers, ...".
	What     string
	Has, Max int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("too many %s: %d (maximum %d)", e.What, e.Has, e.Max)
}

// checkLimit returns a *LimitError if has is more than most, and otherwise nil.
func checkLimit(most, has int, what string) error {
	if has > most {
		return &LimitError{what, has, most}
	}
	return nil
}

// message joins what may be told of errors, within the limits.
func message(errs []error) string {
	var texts []string
	for i, err := range errs {
		if i == maxReported {
			texts = append(texts, fmt.Sprintf("and %d more", len(errs)-i))
			break
		}
		texts = append(texts, publicText(err))
	}
	return limited(strings.Join(texts, "; "), maxMessage)
}

// publicText returns what may be told of an error.
func publicText(err error) string {
	var failed *RequestError
	if errors.As(err, &failed) {
		return failed.Public()
	}
	return err.Error()
}

func limited(text string, most int) string {
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
