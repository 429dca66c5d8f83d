package injector

import (
	"errors"
	"fmt"
	"strings"
)

const (
	// MaxRequests is the maximum number of requests in one call, including
	// duplicates. Time and memory grow with the number of requests. A Pod's
	// annotations have room for about 7,000.
	MaxRequests = 10_000

	// maxPod is the maximum JSON size of a reviewed Pod in bytes: the API
	// server's limit for a request body. In memory a Pod can need a hundred
	// times as much, and API servers do not limit what they send to webhooks.
	maxPod = 3 << 20

	// maxReported is the maximum number of errors in the message of a refusal,
	// and maxMessage its maximum size in bytes. API servers pass it on and log
	// it.
	maxReported = 20
	maxMessage  = 16 << 10

	// maxCause is the maximum size in bytes of each cause of a refusal.
	maxCause = 1 << 10
)

// LimitError reports that a limit is exceeded.
type LimitError struct {
	// What is "requests", "bytes of annotations", "bytes of JSON" or "secrets
	// of all containers together".
	What     string
	Has, Max int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("too many %s: %d (maximum %d)", e.What, e.Has, e.Max)
}

// checkLimit returns a *LimitError if has exceeds limit, otherwise nil.
func checkLimit(limit, has int, what string) error {
	if has > limit {
		return &LimitError{what, has, limit}
	}
	return nil
}

// message joins the public texts of errors, within the limits.
func message(errs []error) string {
	var texts []string
	for i, err := range errs {
		if i == maxReported {
			texts = append(texts, fmt.Sprintf("and %d more", len(errs)-i))
			break
		}
		texts = append(texts, publicText(err))
	}
	return truncate(strings.Join(texts, "; "), maxMessage)
}

// publicText returns the text of an error that is safe to show to users.
func publicText(err error) string {
	var failed *RequestError
	if errors.As(err, &failed) {
		return failed.Public()
	}
	return err.Error()
}

func truncate(text string, size int) string {
	if len(text) > size {
		return strings.ToValidUTF8(text[:size], "") + "..."
	}
	return text
}
