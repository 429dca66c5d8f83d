package manifest

import (
	"errors"
	"strconv"

	"github.com/podsecrets/podsecrets/examples/inject/internal/yamledit"
)

// check finds booleans and numbers in place of strings, and other values in place of lists.
// It returns all errors, each an *Error.
func (p Pod) check() error {
	var errs []error
	checkText := func(pointer string) {
		v := p.Object.Value.Pointer(pointer)
		if source := v.Source(); source != "" && (v.IsBool() || v.IsNumber()) {
			errs = append(errs, p.errorf(pointer, "%s is %s in YAML, not a string: write %q", source, v.What(), source))
		}
	}
	for _, place := range []string{p.containerList, p.initContainers, p.volumes} {
		list := p.Object.Value.Pointer(place)
		if place != "" && !list.IsNull() && !list.IsList() {
			errs = append(errs, p.errorf(place, "is %s, not a list", list.What()))
		}
		for i, item := range list.Items() {
			if !item.IsObject() {
				errs = append(errs, p.errorf(place+"/"+strconv.Itoa(i), "is %s, not an object", item.What()))
			}
		}
	}
	for _, place := range []string{p.Annotations(), p.Labels()} {
		for _, f := range p.Object.Value.Pointer(place).Fields() {
			checkText(place + "/" + yamledit.EscapePointer(f.Name))
		}
	}
	containers := p.containers
	if p.initContainers != "" {
		containers = append(containers[:len(containers):len(containers)], matches(p.Object.Value, p.initContainers+"/*")...)
	}
	for _, c := range containers {
		checkText(c + "/name")
		checkText(c + "/image")
		v := p.Object.Value.Pointer(c)
		for i := range v.Get("env").Items() {
			checkText(c + "/env/" + strconv.Itoa(i) + "/name")
			checkText(c + "/env/" + strconv.Itoa(i) + "/value")
		}
		for _, field := range []string{"args", "command"} {
			for i := range v.Get(field).Items() {
				checkText(c + "/" + field + "/" + strconv.Itoa(i))
			}
		}
	}
	return errors.Join(errs...)
}
