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

// InjectLabel is the label that selects Pods for Flyte's webhook, or for one
// built with this library. Its value is "true".
const InjectLabel = "inject-flyte-secrets"

const (
	annotationPrefix = "flyte.secrets/s"
	readablePrefix   = "request.podsecrets.dev/"
	stampedPrefix    = readablePrefix + "stamped-"
	base32Alphabet   = "abcdefghijklmnopqrstuvwxyz123456"
)

var base32Encoding = base32.NewEncoding(base32Alphabet).WithPadding(base32.NoPadding)

// AnnotationError reports an annotation that cannot be read or written. Of the
// annotation's content, its text shows at most one character and its position.
type AnnotationError struct {
	Annotation string // the annotation's name
	Err        error
}

func (e *AnnotationError) Error() string {
	return fmt.Sprintf("annotation %q: %v", e.Annotation, e.Err)
}

// Unwrap returns Err.
func (e *AnnotationError) Unwrap() error { return e.Err }

// IsAnnotation reports whether DecodeAnnotations reads the annotation with that
// name.
func IsAnnotation(name string) bool {
	return strings.HasPrefix(name, annotationPrefix) || isReadable(name)
}

// isReadable reports names of readable requests. It ignores case, so that
// misspelled names are errors.
func isReadable(name string) bool {
	return len(name) > len(readablePrefix) && strings.EqualFold(name[:len(readablePrefix)], readablePrefix)
}

// EncodeAnnotations returns the requests as annotations in Flyte's form:
// "flyte.secrets/s0" and so on, in the order of reqs. Without requests the map
// is empty, not nil.
//
// Requests are not validated. A request that Flyte's form cannot express is an
// error: text that is not valid UTF-8, an undefined Mount, or a field that
// Flyte's message does not have (Path, Field, Mode, Container). On error the
// map is nil. The errors are joined, with one *AnnotationError for each such
// request. Its Annotation is the name that the request would have had, and its
// Err is an *InvalidError. Stamp writes such requests in the readable form.
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
	if field := nonFlyteField(req); field != "" {
		return "", &InvalidError{field, "cannot be written in Flyte's form"}
	}
	text, err := encodeText(req)
	if err != nil {
		return "", err
	}
	return base32Encoding.EncodeToString([]byte(text)), nil
}

// nonFlyteField returns the first set field that Flyte's message does not have,
// named as in InvalidError, or "".
func nonFlyteField(req Request) string {
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

// DecodeAnnotations returns the requests in the annotations. Requests in
// Flyte's form come first, ordered by the number in the annotation's name (s10
// comes after s9; numbers may have gaps and any size). Requests in the readable
// form follow, sorted by name. Other annotations are ignored. Without requests
// the result is nil.
//
// On error the result is nil. The errors are joined, in the same order, with
// one *AnnotationError for each annotation that has one of these faults:
//
//   - a name that does not continue "flyte.secrets/s" with a decimal number
//     without leading zeros;
//   - base32 that is not canonical: line breaks, padding, letters outside the
//     alphabet or left-over bits;
//   - text that is not in protobuf's text format, that sets a field twice or by
//     number, that sets a text field to something other than valid UTF-8, or
//     that sets mount_requirement to an undefined value;
//   - a name that begins with "request.podsecrets.dev/" in upper or mixed case;
//     API servers accept such a name, so the secret would otherwise be missing
//     without an error;
//   - a readable request that Parse refuses.
//
// Fields that are not in Flyte's message are skipped. Requests are not
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

// byNumber orders names in Flyte's form. Numbers without leading zeros compare
// by length first.
func byNumber(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

func decodeReadable(name, value string) (Request, error) {
	if !strings.HasPrefix(name, readablePrefix) {
		return Request{}, fmt.Errorf("must start with %q in lower case", readablePrefix)
	}
	return Parse(value)
}

// Stamp returns a Pod's labels and annotations with the given requests. It
// writes a request in Flyte's form if possible ("flyte.secrets/s<i>"),
// otherwise in the readable form ("request.podsecrets.dev/stamped-<i>"), where
// i is the request's index. Existing annotations with these two kinds of names
// are removed, even if DecodeAnnotations cannot read them. Readable requests
// with other names stay, as does everything else. InjectLabel is set to "true"
// if the result has requests, and removed otherwise. With more than ten
// requests in the readable form, DecodeAnnotations returns "stamped-10" before
// "stamped-2".
//
// Both maps are new and never nil; the arguments are not changed. A request
// that neither form can express is an error, as in EncodeAnnotations: text that
// is not valid UTF-8, or an undefined Mount. On error both maps are nil.
func Stamp(labels, annotations map[string]string, reqs []Request) (newLabels, newAnnotations map[string]string, err error) {
	newLabels, newAnnotations = map[string]string{}, map[string]string{}
	maps.Copy(newLabels, labels)
	maps.Copy(newAnnotations, annotations)
	maps.DeleteFunc(newAnnotations, func(name, _ string) bool {
		return strings.HasPrefix(name, annotationPrefix) || strings.HasPrefix(name, stampedPrefix)
	})
	var errs []error
	for i, req := range reqs {
		name, value, err := stampedAnnotation(i, req)
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

// stampedAnnotation returns the annotation for the request with index i.
func stampedAnnotation(i int, req Request) (name, value string, err error) {
	if nonFlyteField(req) == "" {
		value, err := encodeAnnotation(req)
		return annotationPrefix + strconv.Itoa(i), value, err
	}
	name = stampedPrefix + strconv.Itoa(i)
	if _, err := req.Mount.MarshalText(); err != nil {
		return name, "", &InvalidError{"mount", "is not one of ANY, ENV_VAR, FILE"}
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
		return Request{}, errors.New("the name must end in a number without leading zeros")
	}
	text, err := decodeBase32(value)
	if err != nil {
		return Request{}, err
	}
	return decodeText(text)
}

// base32Values maps letters to their values, and other bytes to 0xff.
var base32Values = func() (values [256]byte) {
	for i := range values {
		values[i] = 0xff
	}
	for i := range len(base32Alphabet) {
		values[base32Alphabet[i]] = byte(i)
	}
	return values
}()

// decodeBase32 is stricter than encoding/base32, which skips line breaks and
// ignores left-over bits.
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
	// Left-over bits must be zeros, and fewer than one letter.
	if bits >= 5 || value != 0 {
		return "", fmt.Errorf("base32 at byte %d: ends in the middle of a byte", len(s))
	}
	return b.String(), nil
}
