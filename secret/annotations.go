package secret

import (
	"cmp"
	"encoding/base32"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// InjectLabel is the label, with the value "true", by which the API server
// finds the Pods that Flyte's webhook, or one built with this library, is to
// see.
const InjectLabel = "inject-flyte-secrets"

const (
	annotationPrefix = "flyte.secrets/s"
	base32Alphabet   = "abcdefghijklmnopqrstuvwxyz123456"
)

var base32Encoding = base32.NewEncoding(base32Alphabet).WithPadding(base32.NoPadding)

// AnnotationError says which annotation cannot be read or written, and why. Of
// the annotation's content it shows a position and at most one character.
type AnnotationError struct {
	Annotation string // the annotation's name
	Err        error
}

func (e *AnnotationError) Error() string {
	return fmt.Sprintf("annotation %q: %v", e.Annotation, e.Err)
}

// Unwrap returns Err.
func (e *AnnotationError) Unwrap() error { return e.Err }

// IsAnnotation reports whether DecodeAnnotations reads the annotation of that
// name.
func IsAnnotation(name string) bool { return strings.HasPrefix(name, annotationPrefix) }

// EncodeAnnotations returns the annotations that carry the requests, in their
// order, as Flyte writes them: "flyte.secrets/s0" and so on. Without requests
// the map is empty, not nil.
//
// Requests are not validated. Only one that the form cannot express, with a
// text that is not valid UTF-8 or a Mount that is not defined, is an error: an
// *AnnotationError for each, whose annotation has the request's index and whose
// cause is an *InvalidError. Then the map is nil.
func EncodeAnnotations(reqs []Request) (map[string]string, error) {
	annotations := make(map[string]string, len(reqs))
	var errs []error
	for i, req := range reqs {
		name := annotationPrefix + strconv.Itoa(i)
		text, err := encodeText(req)
		if err != nil {
			errs = append(errs, &AnnotationError{name, err})
		}
		annotations[name] = base32Encoding.EncodeToString([]byte(text))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return annotations, nil
}

// DecodeAnnotations returns the requests that the annotations carry, in the
// order of the number in the annotation's name (s10 comes after s9). Gaps in the
// numbers are fine, and a number may be of any size. Annotations that do not
// begin with "flyte.secrets/s" are not looked at. Without requests the result is
// nil.
//
// Errors are an *AnnotationError for each annotation that cannot be read,
// joined, in the order of the numbers; then there are no requests. Errors are:
//
//   - after "flyte.secrets/s", anything but a decimal number without leading zero;
//   - base32 that is not the one spelling of its bytes: line breaks, padding,
//     letters outside of the alphabet, left-over bits;
//   - text that is not in protobuf's text format, that sets a field twice or by
//     its number, a text field to something else than valid UTF-8, or
//     mount_requirement to something that Flyte's enum does not define.
//
// Fields that Flyte's message does not have are skipped. Requests are not
// validated.
func DecodeAnnotations(annotations map[string]string) ([]Request, error) {
	var names []string
	for name := range annotations {
		if IsAnnotation(name) {
			names = append(names, name)
		}
	}
	// As numbers without leading zeros, the longer one is the greater one.
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
	if len(names) == 0 {
		return nil, nil
	}
	reqs := make([]Request, 0, len(names))
	var errs []error
	for _, name := range names {
		req, err := decodeAnnotation(name, annotations[name])
		if err != nil {
			errs = append(errs, &AnnotationError{name, err})
			continue
		}
		reqs = append(reqs, req)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return reqs, nil
}

// Stamp returns a Pod's labels and annotations with exactly these requests on
// them: InjectLabel is "true", the annotations are those of EncodeAnnotations,
// and whatever else began with "flyte.secrets/s" is gone, also if it was not a
// request: DecodeAnnotations would refuse it. Without requests InjectLabel is
// gone too, as there is nothing to inject. Everything else stays.
//
// Both maps are new, never nil, and the arguments are not changed. An error is
// EncodeAnnotations'; then both maps are nil.
func Stamp(labels, annotations map[string]string, reqs []Request) (newLabels, newAnnotations map[string]string, err error) {
	encoded, err := EncodeAnnotations(reqs)
	if err != nil {
		return nil, nil, err
	}
	newLabels = map[string]string{}
	maps.Copy(newLabels, labels)
	delete(newLabels, InjectLabel)
	if len(reqs) > 0 {
		newLabels[InjectLabel] = "true"
	}
	newAnnotations = map[string]string{}
	maps.Copy(newAnnotations, annotations)
	maps.DeleteFunc(newAnnotations, func(name, _ string) bool {
		return strings.HasPrefix(name, annotationPrefix)
	})
	maps.Copy(newAnnotations, encoded)
	return newLabels, newAnnotations, nil
}

func decodeAnnotation(name, value string) (Request, error) {
	index := strings.TrimPrefix(name, annotationPrefix)
	if index == "" || index[0] == '0' && index != "0" || strings.Trim(index, decimal) != "" {
		return Request{}, errors.New("its name does not end in a number without leading zero")
	}
	text, err := decodeBase32(value)
	if err != nil {
		return Request{}, err
	}
	return decodeText(text)
}

// decodeBase32 is strict where encoding/base32 is not: that skips line breaks
// and ignores left-over bits.
func decodeBase32(s string) (string, error) {
	if rest := strings.TrimLeft(s, base32Alphabet); rest != "" {
		c, _ := utf8.DecodeRuneInString(rest)
		return "", fmt.Errorf("base32 at byte %d: unexpected character %q", len(s)-len(rest), c)
	}
	b, err := base32Encoding.DecodeString(s)
	// Left-over bits can only be in the last group, of 5 bytes in 8 letters.
	last := base32Encoding.AppendEncode(make([]byte, 0, 8), b[len(b)/5*5:])
	if err != nil || string(last) != s[len(s)/8*8:] {
		return "", fmt.Errorf("base32 at byte %d: ends within a byte", len(s))
	}
	return string(b), nil
}
