package injector

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// decided is the outcome of a decision that found no error.
type decided struct {
	placements []Placement
	edits      *merge.Edits
}

// failures are the errors of requests, which may be found in any order.
type failures struct {
	byRequest map[secret.Request][]error
	others    []error
}

func (f *failures) add(err *RequestError) {
	if f.byRequest == nil {
		f.byRequest = make(map[secret.Request][]error)
	}
	f.byRequest[err.Request] = append(f.byRequest[err.Request], err)
}

// join returns all errors in the order of the requests, or nil.
func (f *failures) join(reqs []secret.Request) error {
	var all []error
	for _, req := range reqs {
		all = append(all, f.byRequest[req]...)
		delete(f.byRequest, req) // a request that is there twice
	}
	return errors.Join(append(all, f.others...)...)
}

// decide asks the managers and merges what they answer into what the View
// shows, for a Pod in the namespace. Even if some requests are not served, it finds the conflicts of the
// others, so that all that fails is reported at once.
func (in *Injector) decide(ctx context.Context, v *merge.View, namespace string, reqs []secret.Request) (*decided, error) {
	if len(reqs) == 0 {
		return &decided{edits: &merge.Edits{}}, nil
	}
	if err := atMost(MaxRequests, len(reqs), "requests"); err != nil {
		return nil, err
	}
	var f failures
	meta := v.Metadata
	meta.Namespace = namespace
	secrets, at := in.ask(ctx, mount.NewTarget(in.layout, in.options.InitOrder, &meta), reqs, &f)
	change, problems := merge.Merge(in.layout, secrets)
	edits, more, err := change.Decide(v, in.options)
	for _, p := range append(problems, more...) {
		e := mendable(secrets[p.Secret].Request, secrets[p.Secret].Manager, p.Err)
		if p.Other >= 0 && p.Other != p.Secret {
			other := secrets[p.Other].Request
			e.Other = &other
		}
		f.add(e)
	}
	if err != nil {
		f.others = append(f.others, err)
	}
	if err := f.join(reqs); err != nil {
		return nil, err
	}
	d := &decided{make([]Placement, len(reqs)), edits}
	for i, req := range reqs {
		d.placements[i] = placement(&secrets[at[req]])
	}
	return d, nil
}

// ask finds out who serves which request. Each different request is asked for
// once; at holds their places in what is returned.
func (in *Injector) ask(ctx context.Context, target mount.Target, reqs []secret.Request, f *failures) (served []merge.Secret, at map[secret.Request]int) {
	served = make([]merge.Secret, 0, len(reqs))
	at = make(map[secret.Request]int, len(reqs))
	for _, req := range reqs {
		if _, done := at[req]; done {
			continue
		}
		if ctx.Err() != nil {
			break
		}
		at[req] = len(served)
		if found, failed := in.askFor(ctx, target, req); failed != nil {
			f.add(failed)
		} else {
			served = append(served, found)
		}
	}
	if err := ctx.Err(); err != nil {
		f.others = append(f.others, fmt.Errorf("injector: %w", err))
	}
	return served, at
}

func (in *Injector) askFor(ctx context.Context, target mount.Target, req secret.Request) (merge.Secret, *RequestError) {
	if err := req.Validate(); err != nil {
		return merge.Secret{}, mendable(req, "", err)
	}
	var answers []answer
	for _, m := range in.managers {
		name := m.Name()
		fragment, err := m.Mount(ctx, req, target)
		var found merge.Secret
		if err == nil {
			found, err = in.check(req, name, fragment)
		}
		switch {
		case err == nil:
			return found, nil
		case errors.Is(err, secret.ErrNotFound), errors.Is(err, secret.ErrUnsupported):
			answers = append(answers, answer{name, err})
		default:
			return merge.Secret{}, failure(req, name, err)
		}
	}
	return merge.Secret{}, unserved(req, answers)
}

// check returns what a manager serves. It refuses a Fragment that breaks its
// rules or is not of the type asked for, and one that this Layout has no name
// for.
func (in *Injector) check(req secret.Request, manager string, f mount.Fragment) (merge.Secret, error) {
	if err := f.Validate(); err != nil {
		return merge.Secret{}, err
	}
	switch {
	case req.Mount == mount.EnvVar && f.File:
		return merge.Secret{}, &mount.FragmentError{Field: "File", Reason: "does not answer a request for ENV_VAR"}
	case req.Mount == mount.File && !f.File:
		return merge.Secret{}, &mount.FragmentError{Field: "Value", Reason: "does not answer a request for FILE"}
	case req.Group == "" && req.Key == "" && !f.Versioned:
		return merge.Secret{}, fmt.Errorf("%w: without its version it has no name", secret.ErrUnsupported)
	}
	s := merge.NewSecret(in.layout, req, manager, f)
	return s, checkName(&s)
}

func checkName(s *merge.Secret) error {
	if !s.Fragment.File {
		if mount.IsDiscoveryVar(s.Name) || len(validation.IsEnvVarName(s.Name)) > 0 {
			return fmt.Errorf("%w: %q is not a valid name of a variable", secret.ErrUnsupported, s.Name)
		}
		return nil
	}
	// Linux's NAME_MAX. Request.Validate measured the parts without the file
	// prefix, which it does not know.
	for segment := range strings.SplitSeq(s.Name, "/") {
		if len(segment) > 255 {
			return fmt.Errorf("%w: its path would have a segment of more than 255 bytes", secret.ErrUnsupported)
		}
	}
	return nil
}

func placement(s *merge.Secret) Placement {
	p := Placement{Request: s.Request, Manager: s.Manager}
	if s.Fragment.File {
		p.Mount, p.Path = mount.File, s.Name
	} else {
		p.Mount, p.EnvVar = mount.EnvVar, s.Name
	}
	return p
}
