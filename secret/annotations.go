package secret

import (
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
	readablePrefix   = "request.podsecrets.dev/"
	stampedPrefix    = readablePrefix + "stamped-"
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
func IsAnnotation(name string) bool {
	return strings.HasPrefix(name, annotationPrefix) || isReadable(name)
}

// isReadable reports names of readable requests, also misspelled ones.
func isReadable(name string) bool {
	return len(name) > len(readablePrefix) && strings.EqualFold(name[:len(readablePrefix)], readablePrefix)
}

// EncodeAnnotations returns the annotations that carry the requests, in their
// order, as Flyte writes them: "flyte.secrets/s0" and so on. Without requests
// the map is empty, not nil.
//
// Requests are not validated. Only one that Flyte's form cannot express is an
// error: one with a text that is not valid UTF-8, a Mount that is not defined, or
// a field that Flyte's message does not have (Path, Field, Mode, Container). The
// error is an *AnnotationError for each, whose annotation has the request's index
// and whose cause is an *InvalidError. Then the map is nil. Stamp writes such
// requests in the readable form.
func EncodeAnnotations(reqs []Request) (map[string]string, error) {
	annotations := make(map[string]string, len(reqs))
	var errs []error
	for i, req := range reqs {
		name := annotationPrefix + strconv.Itoa(i)
		value, err := encodeAnnotation(req)
		if err != nil {
			errs = append(errs, &AnnotationError{name, err})
		}
		annotations[name] = value
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return annotations, nil
}

func encodeAnnotation(req Request) (string, error) {
	if field := notFlyte(req); field != "" {
		return "", &InvalidError{field, "is not part of Flyte's form of a request"}
	}
	text, err := encodeText(req)
	if err != nil {
		return "", err
	}
	return base32Encoding.EncodeToString([]byte(text)), nil
}

// notFlyte returns the first field that is set and that Flyte's message does not
// have, as an InvalidError names it, or "".
func notFlyte(req Request) string {
	switch {
	case req.Path != "":
		return "path"
	case req.Field != "":
		return "field"
	case req.Mode != 0:
		return "mode"
	case req.Container != "":
		return "container"
	}
	return ""
}

// DecodeAnnotations returns the requests that the annotations carry. First come
// those in Flyte's form, in the order of the number in the annotation's name (s10
// comes after s9; gaps are fine, and a number may be of any size). Then come those
// in the readable form, sorted by name. Other annotations are not looked at.
// Without requests the result is nil.
//
// Errors are an *AnnotationError for each annotation that cannot be read,
// joined, in that order; then there are no requests. Errors are:
//
//   - after "flyte.secrets/s", anything but a decimal number without leading zero;
//   - base32 that is not the one spelling of its bytes: line breaks, padding,
//     letters outside of the alphabet, left-over bits;
//   - text that is not in protobuf's text format, that sets a field twice or by
//     its number, a text field to something else than valid UTF-8, or
//     mount_requirement to something that Flyte's enum does not define;
//   - "request.podsecrets.dev/" in other letters, which API servers accept as a
//     name, so that a secret would silently be missing;
//   - a readable request that Parse refuses.
//
// Fields that Flyte's message does not have are skipped. Requests are not
// validated.
func DecodeAnnotations(annotations map[string]string) ([]Request, error) {
	var flyte, readable []string
	for name := range annotations {
		switch {
		case strings.HasPrefix(name, annotationPrefix):
			flyte = append(flyte, name)
		case isReadable(name):
			readable = append(readable, name)
		}
	}
	if len(flyte)+len(readable) == 0 {
		return nil, nil
	}
	slices.SortFunc(flyte, byNumber)
	slices.Sort(readable)
	reqs := make([]Request, 0, len(flyte)+len(readable))
	var errs []error
	decode := func(names []string, decode func(name, value string) (Request, error)) {
		for _, name := range names {
			if req, err := decode(name, annotations[name]); err != nil {
				errs = append(errs, &AnnotationError{name, err})
			} else {
				reqs = append(reqs, req)
			}
		}
	}
	decode(flyte, decodeAnnotation)
	decode(readable, decodeReadable)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return reqs, nil
}

// byNumber orders names in Flyte's form. As numbers without leading zeros, the
// longer one is the greater one.
func byNumber(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

func decodeReadable(name, value string) (Request, error) {
	if !strings.HasPrefix(name, readablePrefix) {
		return Request{}, fmt.Errorf("must be written %q in lower case", readablePrefix)
	}
	return Parse(value)
}

// Stamp returns a Pod's labels and annotations with these requests on them. A
// request is written in Flyte's form if that can carry it ("flyte.secrets/s<i>"),
// otherwise in the readable form ("request.podsecrets.dev/stamped-<i>"), i being
// its index. Annotations of these two kinds that are there already are removed,
// also if they were no requests that DecodeAnnotations could read. Readable
// requests of other names stay, as does everything else. InjectLabel is "true" if
// the result has requests, and is removed otherwise. Of more than ten requests in
// the readable form, DecodeAnnotations returns "stamped-10" before "stamped-2".
//
// Both maps are new, never nil, and the arguments are not changed. Errors are as
// those of EncodeAnnotations, for requests that neither form can carry: a text
// that is not valid UTF-8, a Mount that is not defined. Then both maps are nil.
func Stamp(labels, annotations map[string]string, reqs []Request) (newLabels, newAnnotations map[string]string, err error) {
	newLabels, newAnnotations = map[string]string{}, map[string]string{}
	maps.Copy(newLabels, labels)
	maps.Copy(newAnnotations, annotations)
	maps.DeleteFunc(newAnnotations, func(name, _ string) bool {
		return strings.HasPrefix(name, annotationPrefix) || strings.HasPrefix(name, stampedPrefix)
	})
	var errs []error
	for i, req := range reqs {
		name, value, err := stampOf(i, req)
		if err != nil {
			errs = append(errs, &AnnotationError{name, err})
		}
		newAnnotations[name] = value
	}
	if len(errs) > 0 {
		return nil, nil, errors.Join(errs...)
	}
	delete(newLabels, InjectLabel)
	for name := range newAnnotations {
		if IsAnnotation(name) {
			newLabels[InjectLabel] = "true"
		}
	}
	return newLabels, newAnnotations, nil
}

// stampOf returns the annotation that carries the request of an index.
func stampOf(i int, req Request) (name, value string, err error) {
	if notFlyte(req) == "" {
		value, err := encodeAnnotation(req)
		return annotationPrefix + strconv.Itoa(i), value, err
	}
	name = stampedPrefix + strconv.Itoa(i)
	if _, err := req.Mount.MarshalText(); err != nil {
		return name, "", &InvalidError{"mount", "is none of ANY, ENV_VAR, FILE"}
	}
	for j := range parameters {
		if !utf8.ValidString(parameters[j].get(&req)) {
			return name, "", &InvalidError{parameters[j].field, "is not valid UTF-8"}
		}
	}
	return name, req.Text(), nil
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

// base32Values are the values of the letters, 0xff for what is none.
var base32Values = func() (values [256]byte) {
	for i := range values {
		values[i] = 0xff
	}
	for i := range len(base32Alphabet) {
		values[base32Alphabet[i]] = byte(i)
	}
	return values
}()

// decodeBase32 is strict where encoding/base32 is not: that skips line breaks
// and ignores left-over bits.
func decodeBase32(s string) (string, error) {
	var b strings.Builder
	b.Grow(len(s) * 5 / 8)
	bits, value := 0, uint(0)
	for i := range len(s) {
		v := base32Values[s[i]]
		if v == 0xff {
			c, _ := utf8.DecodeRuneInString(s[i:])
			return "", fmt.Errorf("base32 at byte %d: unexpected character %q", i, c)
		}
		value, bits = value<<5|uint(v), bits+5
		if bits >= 8 {
			bits -= 8
			b.WriteByte(byte(value >> bits))
			value &= 1<<bits - 1
		}
	}
	// What is left over fills the last letter with zeros, and is less than one.
	if bits >= 5 || value != 0 {
		return "", fmt.Errorf("base32 at byte %d: ends within a byte", len(s))
	}
	return b.String(), nil
}
