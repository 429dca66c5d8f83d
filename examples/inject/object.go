package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	kjson "k8s.io/apimachinery/pkg/util/json"
)

// kind is an API group and a kind. The version does not matter: no version of
// these kinds has its template elsewhere.
type kind struct{ group, kind string }

// places says where a kind has its Pod, or its Pod template, which has a Pod's
// metadata and spec: a JSON pointer from the object's root.
var places = map[kind]string{
	{"", "Pod"}:                   "",
	{"", "PodTemplate"}:           "/template",
	{"", "ReplicationController"}: "/spec/template",
	{"apps", "DaemonSet"}:         "/spec/template",
	{"apps", "Deployment"}:        "/spec/template",
	{"apps", "ReplicaSet"}:        "/spec/template",
	{"apps", "StatefulSet"}:       "/spec/template",
	{"batch", "CronJob"}:          "/spec/jobTemplate/spec/template",
	{"batch", "Job"}:              "/spec/template",
}

type header struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

func (h header) group() string {
	group, _, ok := strings.Cut(h.APIVersion, "/")
	if !ok {
		return "" // the core group's apiVersion is the version alone
	}
	return group
}

// object is one that has a Pod template or is a Pod.
type object struct {
	header
	Metadata struct {
		Name         string `json:"name"`
		GenerateName string `json:"generateName"`
		Namespace    string `json:"namespace"`
	} `json:"metadata"`

	raw   json.RawMessage
	at    string          // where it is in the document, a JSON pointer
	place string          // where its Pod or template is in it
	pod   json.RawMessage // what is there; nil if nothing
}

// String returns the kind, and the namespace and name as far as they are known.
func (o object) String() string {
	name := o.Metadata.Name
	if name == "" {
		name = o.Metadata.GenerateName
	}
	if o.Metadata.Namespace != "" {
		name = o.Metadata.Namespace + "/" + name
	}
	return strings.TrimSpace(o.Kind + " " + name)
}

// find visits the objects that can be injected: raw itself or, if it is a list,
// its items. at is where raw is in the document. What raw leaves out of its
// header is taken from assumed.
func find(raw json.RawMessage, at string, assumed header, visit func(object) error) error {
	if raw[0] != '{' {
		return errors.New("is not an object")
	}
	h := assumed
	if err := kjson.Unmarshal(raw, &h); err != nil || h.Kind == "" || h.APIVersion == "" {
		return errors.New("has no kind or no apiVersion")
	}
	if item, ok := h.item(); ok {
		return findItems(raw, at, item, visit)
	}
	place, ok := places[kind{h.group(), h.Kind}]
	if !ok {
		return nil
	}
	o := object{header: h, raw: raw, at: at, place: place}
	err := kjson.Unmarshal(raw, &o)
	if err == nil {
		o.pod, err = lookUp(raw, place)
	}
	if err == nil {
		err = visit(o)
	}
	if err != nil {
		return fmt.Errorf("%v: %w", o, err)
	}
	return nil
}

// item reports whether h is a list's, and what its items' headers are taken
// for: the API server leaves them out of typed lists, such as a PodList.
func (h header) item() (header, bool) {
	if h.APIVersion == "v1" && h.Kind == "List" {
		return header{}, true
	}
	name, ok := strings.CutSuffix(h.Kind, "List")
	_, known := places[kind{h.group(), name}]
	return header{h.APIVersion, name}, ok && known
}

func findItems(raw json.RawMessage, at string, assumed header, visit func(object) error) error {
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := kjson.Unmarshal(raw, &list); err != nil {
		return errors.New("items is not a list")
	}
	for i, item := range list.Items {
		if err := find(item, at+"/items/"+strconv.Itoa(i), assumed, visit); err != nil {
			return fmt.Errorf("items[%d]: %w", i, err)
		}
	}
	return nil
}

// lookUp returns what is at a JSON pointer without escapes, or nil if that, or
// anything on the way to it, is missing or null.
func lookUp(raw json.RawMessage, pointer string) (json.RawMessage, error) {
	for at := ""; at != pointer; {
		name, _, _ := strings.Cut(pointer[len(at)+1:], "/")
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(raw, &fields); err != nil {
			return nil, fmt.Errorf("%s is not an object", at)
		}
		if raw = fields[name]; raw == nil || string(raw) == "null" {
			return nil, nil
		}
		at += "/" + name
	}
	return raw, nil
}
