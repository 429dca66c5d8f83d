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

// served is the answer to the requests that a manager serves, each once.
type served struct {
	secrets  []merge.Secret
	requests []secret.Request
	managers []string
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
// shows. Even if some requests are not served, it finds the conflicts of the
// others, so that all that fails is reported at once.
func (in *Injector) decide(ctx context.Context, v *merge.View, reqs []secret.Request) (*decided, error) {
	if len(reqs) == 0 {
		return &decided{edits: &merge.Edits{}}, nil
	}
	if err := atMost(MaxRequests, len(reqs), "requests"); err != nil {
		return nil, err
	}
	var f failures
	s, at := in.ask(ctx, mount.NewTarget(in.layout, in.options.InitOrder, v.Meta()), reqs, &f)
	change, problems := merge.Merge(in.layout, s.secrets)
	edits, more, err := change.Decide(v, in.options)
	for _, p := range append(problems, more...) {
		e := mendable(s.requests[p.Secret], s.managers[p.Secret], p.Err)
		if p.Other >= 0 && p.Other != p.Secret {
			e.Other = &s.requests[p.Other]
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
		d.placements[i] = in.placement(&s, at[req])
	}
	return d, nil
}

// ask finds out who serves which request. Each different request is asked for
// once; at holds their places in what is returned.
func (in *Injector) ask(ctx context.Context, target mount.Target, reqs []secret.Request, f *failures) (s served, at map[secret.Request]int) {
	at = make(map[secret.Request]int, len(reqs))
	for _, req := range reqs {
		if _, done := at[req]; done {
			continue
		}
		if ctx.Err() != nil {
			break
		}
		at[req] = len(s.secrets)
		found, manager, failed := in.askFor(ctx, target, req)
		if failed != nil {
			f.add(failed)
			continue
		}
		s.secrets = append(s.secrets, found)
		s.requests = append(s.requests, req)
		s.managers = append(s.managers, manager)
	}
	if err := ctx.Err(); err != nil {
		f.others = append(f.others, fmt.Errorf("injector: %w", err))
	}
	return s, at
}

func (in *Injector) askFor(ctx context.Context, target mount.Target, req secret.Request) (merge.Secret, string, *RequestError) {
	if err := req.Validate(); err != nil {
		return merge.Secret{}, "", mendable(req, "", err)
	}
	found := merge.Secret{Group: req.Group, Version: req.GroupVersion, Key: req.Key, EnvVar: req.EnvVar}
	var answers []answer
	for _, m := range in.managers {
		name := m.Name()
		var err error
		if found.Fragment, err = m.Mount(ctx, req, target); err == nil {
			err = in.check(req.Mount, &found)
		}
		switch {
		case err == nil:
			return found, name, nil
		case errors.Is(err, secret.ErrNotFound), errors.Is(err, secret.ErrUnsupported):
			answers = append(answers, answer{name, err})
		default:
			return merge.Secret{}, "", failure(req, name, err)
		}
	}
	return merge.Secret{}, "", unserved(req, answers)
}

// check refuses a Fragment that breaks its rules or is not of the type asked
// for, and one that this Layout has no name for.
func (in *Injector) check(asked mount.Type, s *merge.Secret) error {
	f := &s.Fragment
	if err := f.Validate(); err != nil {
		return err
	}
	switch {
	case asked == mount.EnvVar && f.File:
		return &mount.FragmentError{Field: "File", Reason: "does not answer a request for ENV_VAR"}
	case asked == mount.File && !f.File:
		return &mount.FragmentError{Field: "Value", Reason: "does not answer a request for FILE"}
	}
	if s.Group == "" && s.Key == "" && !f.Versioned {
		return fmt.Errorf("%w: without its version it has no name", secret.ErrUnsupported)
	}
	if !f.File {
		if name := s.Variable(in.layout); mount.IsDiscoveryVar(name) || len(validation.IsEnvVarName(name)) > 0 {
			return fmt.Errorf("%w: %q is not a valid name of a variable", secret.ErrUnsupported, name)
		}
		return nil
	}
	// Linux's NAME_MAX. Request.Validate measured the parts without the file
	// prefix, which it does not know.
	for _, segment := range strings.Split(s.Path(in.layout), "/") {
		if len(segment) > 255 {
			return fmt.Errorf("%w: its path would have a segment of more than 255 bytes", secret.ErrUnsupported)
		}
	}
	return nil
}

func (in *Injector) placement(s *served, i int) Placement {
	p := Placement{Request: s.requests[i], Manager: s.managers[i]}
	if m := &s.secrets[i]; m.Fragment.File {
		p.Mount, p.Path = mount.File, m.Path(in.layout)
	} else {
		p.Mount, p.EnvVar = mount.EnvVar, m.Variable(in.layout)
	}
	return p
}
