package merge

import (
	"encoding/json"
	"reflect"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// The most common elements of patches have their own writers, which write the same bytes as
// encoding/json. encoding/json writes everything else: other types, and elements with other
// fields, including fields that later versions of k8s.io/api add.

// appendElement appends an element of a list. It returns false if encoding/json must write
// it.
func appendElement(to []byte, element any) ([]byte, bool) {
	switch e := element.(type) {
	case *corev1.EnvVar:
		return appendVariable(to, e)
	case *corev1.VolumeMount:
		return appendMount(to, e)
	case *corev1.Volume:
		return appendVolume(to, e)
	}
	return to, false
}

// isZero reports whether no field of a struct is set.
func isZero[T any](v *T) bool { return reflect.ValueOf(v).Elem().IsZero() }

// appendVariable appends a literal, or a reference to a Secret.
func appendVariable(to []byte, v *corev1.EnvVar) ([]byte, bool) {
	rest := *v
	rest.Name, rest.Value, rest.ValueFrom = "", "", nil
	if !isZero(&rest) {
		return nil, false
	}
	to = appendText(append(to, `{"name":`...), v.Name)
	if v.Value != "" {
		to = appendText(append(to, `,"value":`...), v.Value)
	}
	if v.ValueFrom != nil {
		source := *v.ValueFrom
		ref := source.SecretKeyRef
		if source.SecretKeyRef = nil; ref == nil || ref.Name == "" || !isZero(&source) {
			return nil, false
		}
		rest := *ref
		rest.Name, rest.Key, rest.Optional = "", "", nil
		if !isZero(&rest) {
			return nil, false
		}
		to = appendText(append(to, `,"valueFrom":{"secretKeyRef":{"name":`...), ref.Name)
		to = appendText(append(to, `,"key":`...), ref.Key)
		to = append(appendOptional(to, ref.Optional), "}}"...)
	}
	return append(to, '}'), true
}

func appendOptional(to []byte, optional *bool) []byte {
	if optional == nil {
		return to
	}
	return strconv.AppendBool(append(to, `,"optional":`...), *optional)
}

func appendMount(to []byte, m *corev1.VolumeMount) ([]byte, bool) {
	rest := *m
	rest.Name, rest.ReadOnly, rest.MountPath = "", false, ""
	if !isZero(&rest) {
		return nil, false
	}
	to = appendText(append(to, `{"name":`...), m.Name)
	if m.ReadOnly {
		to = append(to, `,"readOnly":true`...)
	}
	to = appendText(append(to, `,"mountPath":`...), m.MountPath)
	return append(to, '}'), true
}

// appendVolume appends a volume that projects Secrets.
func appendVolume(to []byte, v *corev1.Volume) ([]byte, bool) {
	rest, p := *v, v.Projected
	rest.Name, rest.Projected = "", nil
	if p == nil || len(p.Sources) == 0 || !isZero(&rest) {
		return nil, false
	}
	others := *p
	if others.Sources, others.DefaultMode = nil, nil; !isZero(&others) {
		return nil, false
	}
	to = appendText(append(to, `{"name":`...), v.Name)
	to = append(to, `,"projected":{"sources":[`...)
	for i := range p.Sources {
		var ok bool
		if to, ok = appendSource(comma(to, i), &p.Sources[i]); !ok {
			return nil, false
		}
	}
	to = appendMode(append(to, ']'), `,"defaultMode":`, p.DefaultMode)
	return append(to, "}}"...), true
}

func appendSource(to []byte, p *corev1.VolumeProjection) ([]byte, bool) {
	others, s := *p, p.Secret
	if others.Secret = nil; s == nil || s.Name == "" || len(s.Items) == 0 || !isZero(&others) {
		return nil, false
	}
	rest := *s
	if rest.Name, rest.Items, rest.Optional = "", nil, nil; !isZero(&rest) {
		return nil, false
	}
	to = appendText(append(to, `{"secret":{"name":`...), s.Name)
	to = append(to, `,"items":[`...)
	for i := range s.Items {
		item := s.Items[i]
		to = appendText(append(comma(to, i), `{"key":`...), item.Key)
		to = appendText(append(to, `,"path":`...), item.Path)
		to = append(appendMode(to, `,"mode":`, item.Mode), '}')
		if item.Key, item.Path, item.Mode = "", "", nil; !isZero(&item) {
			return nil, false
		}
	}
	return append(appendOptional(append(to, ']'), s.Optional), "}}"...), true
}

// comma appends the comma before element i.
func comma(to []byte, i int) []byte {
	if i == 0 {
		return to
	}
	return append(to, ',')
}

func appendMode(to []byte, field string, mode *int32) []byte {
	if mode == nil {
		return to
	}
	return strconv.AppendInt(append(to, field...), int64(*mode), 10)
}

// plainTextBytes are the bytes that encoding/json does not escape.
var plainTextBytes = func() (table [256]bool) {
	for c := range table {
		table[c] = plainBytes[c] && c != '<' && c != '>' && c != '&'
	}
	return table
}()

// appendText appends a string as encoding/json does, which also escapes "<", ">" and "&". It
// leaves strings with non-ASCII bytes or other control characters to encoding/json.
func appendText(to []byte, text string) []byte {
	start, from := len(to), 0
	to = append(to, '"')
	for i := range len(text) {
		c := text[i]
		if plainTextBytes[c] {
			continue
		}
		to = append(to, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			to = append(to, '\\', c)
		case '\n':
			to = append(to, `\n`...)
		case '<', '>', '&':
			to = append(to, `\u00`...)
			to = append(to, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&0xf])
		default:
			encoded, _ := json.Marshal(text) // a string always has JSON
			return append(to[:start], encoded...)
		}
	}
	to = append(to, text[from:]...)
	return append(to, '"')
}
