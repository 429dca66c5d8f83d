package injector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/internal/names"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// decided is the outcome of a decision that found no error.
type decided struct {
	edits  *merge.Edits
	served []merge.Secret
	at     []int // the places of the requests in served
}

// placements returns where each request is found.
func (d *decided) placements() []Placement {
	all := make([]Placement, len(d.at))
	for i, at := range d.at {
		all[i] = placement(&d.served[at])
		all[i].Containers = d.edits.Receivers(at)
	}
	return all
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

// addExempt adds that nothing was asked of these containers.
func (f *failures) addExempt(names []string) {
	if len(names) > 0 {
		f.others = append(f.others, fmt.Errorf("not verified are containers that other webhooks add: %q", names))
	}
}

// subject is what a decision is about: a Pod, or a template of Pods.
type subject struct {
	view      *merge.View
	namespace string
	// admitted is the namespace of an admission request, which is the API
	// server's word.
	admitted string
	template bool
	verify   bool // rather than inject
}

func (in *Injector) target(s subject) mount.Target {
	meta := s.view.Metadata
	meta.Namespace = cmp.Or(in.namespace, s.namespace)
	spec := s.view.Spec()
	spec.Template = s.template
	return mount.NewTarget(in.layout, in.options.InitOrder, &meta).WithSpec(spec)
}

// decide asks the managers and merges what they answer into what the View
// shows. Even if some requests are not served, it finds the conflicts of the
// others, so that all that fails is reported at once.
func (in *Injector) decide(ctx context.Context, sub subject, reqs []secret.Request) (*decided, error) {
	if len(reqs) == 0 {
		return &decided{edits: &merge.Edits{}}, nil
	}
	if err := checkLimit(MaxRequests, len(reqs), "requests"); err != nil {
		return nil, err
	}
	var f failures
	secrets, at := in.ask(ctx, sub, reqs, &f)
	if err := checkLimit(MaxRequests, spread(secrets), "secrets of containers, each of which has those of all"); err != nil {
		return nil, err
	}
	change, problems := merge.Merge(in.layout, secrets)
	options := in.options
	options.Verify = sub.verify
	edits, more, err := change.Decide(sub.view, options)
	problems = append(problems, more...)
	if sub.verify && edits != nil {
		problems = append(problems, edits.Missing()...)
	}
	for _, p := range problems {
		e := userError(secrets[p.Secret].Request, secrets[p.Secret].Manager, p.Err)
		if p.Other >= 0 && p.Other != p.Secret {
			other := secrets[p.Other].Request
			e.Other = &other
		}
		f.add(e)
	}
	if err != nil {
		f.others = append(f.others, err)
	}
	if sub.verify && edits != nil && len(problems) > 0 {
		f.addExempt(edits.Exempt())
	}
	if err := f.join(reqs); err != nil {
		return nil, err
	}
	return &decided{edits, secrets, at}, nil
}

// spread is how many secrets there are in all scopes together: each container that
// a request names has those of all too.
func spread(secrets []merge.Secret) int {
	containers := make(map[string]bool)
	all := 0
	for i := range secrets {
		if name := secrets[i].Container; name != "" {
			containers[name] = true
		} else {
			all++
		}
	}
	return len(secrets) + len(containers)*all
}

// ask finds out who serves which request. Each different request is asked for
// once; at holds the places of all in what is returned, if all are served.
func (in *Injector) ask(ctx context.Context, sub subject, reqs []secret.Request, f *failures) (served []merge.Secret, at []int) {
	target, namespace := in.target(sub), cmp.Or(in.namespace, sub.admitted)
	served, at = make([]merge.Secret, 0, len(reqs)), make([]int, 0, len(reqs))
	places := make(map[secret.Request]int, len(reqs))
	var literals literals
	for _, req := range reqs {
		place, done := places[req]
		if !done {
			if ctx.Err() != nil {
				break
			}
			place = len(served)
			places[req] = place
			found, failed := in.askFor(ctx, target, namespace, req)
			if failed == nil {
				served = append(served, found)
				failed = literals.add(&found)
			}
			if failed != nil {
				f.add(failed)
			}
			if literals.full() {
				break
			}
		}
		at = append(at, place)
	}
	if err := ctx.Err(); err != nil {
		f.others = append(f.others, fmt.Errorf("injector: %w", err))
	}
	return served, at
}

// literals is how many bytes the literal secrets have that managers answered with.
// Each request holds a value of its own until all are merged, so it is limited here
// already.
type literals int

func (l *literals) add(s *merge.Secret) *RequestError {
	if v := s.Fragment.Value; v != nil && v.IsLiteral() {
		*l += literals(len(v.EnvVar("").Value))
	}
	if !l.full() {
		return nil
	}
	return userError(s.Request, s.Manager, merge.TooManyLiterals(s.Name))
}

func (l *literals) full() bool { return *l > merge.MaxLiterals }

// askFor asks the managers for one request, in the form that it decides.
func (in *Injector) askFor(ctx context.Context, target mount.Target, namespace string, req secret.Request) (merge.Secret, *RequestError) {
	if err := in.validate(req); err != nil {
		return merge.Secret{}, userError(req, "", err)
	}
	asked := req
	asked.Mount = req.Form(in.layout)
	var answers []answer
	for _, m := range in.managers {
		name := m.Name()
		fragment, err := m.Mount(ctx, asked, target)
		// An error about a secret that is there tells that it is.
		if err == nil || fragment.Reads != (mount.Object{}) {
			if refused := in.authorize(req, name, fragment.Reads, target, namespace); refused != nil {
				err = refused
			}
		}
		var found merge.Secret
		if err == nil {
			found, err = in.check(asked, name, fragment, target)
		}
		switch {
		case err == nil:
			found.Mount = req.Mount // as it came
			return found, nil
		case errors.Is(err, secret.ErrNotFound), errors.Is(err, secret.ErrUnsupported):
			answers = append(answers, answer{name, err})
		default:
			return merge.Secret{}, failure(req, name, err)
		}
	}
	return merge.Secret{}, notServed(req, answers)
}

// validate adds to the request's own rules that of the layout.
func (in *Injector) validate(req secret.Request) error {
	if err := req.Validate(); err != nil {
		return err
	}
	if in.layout.Exact && req.EnvVar == "" && req.Mount == mount.EnvVar {
		return &secret.InvalidError{Field: "envVar", Reason: "is empty, and here variables have exact names only (Layout.Exact)"}
	}
	return nil
}

// check returns what a manager serves. It refuses a Fragment that breaks its
// rules or is not of the type asked for. One that does not follow the whole
// request, or for which there is no name, does not serve it.
func (in *Injector) check(req secret.Request, manager string, f mount.Fragment, target mount.Target) (merge.Secret, error) {
	if err := f.Validate(); err != nil {
		return merge.Secret{}, err
	}
	switch {
	case req.Mount == mount.EnvVar && f.File:
		return merge.Secret{}, &mount.FragmentError{Field: "File", Reason: "does not answer a request for ENV_VAR"}
	case req.Mount == mount.File && !f.File:
		return merge.Secret{}, &mount.FragmentError{Field: "Value", Reason: "does not answer a request for FILE"}
	case req.Field != "" && !f.Honors.Field:
		return unsupported("field")
	case req.Mode != 0 && !f.Honors.Mode:
		return unsupported("mode")
	}
	if w := f.Webhook; w != nil && target.Template() && f.Value.EnvFileVolume() == w.Volume && w.Volume != "" {
		// API servers refuse a template whose variable refers to a volume that
		// another webhook adds to its Pods.
		return merge.Secret{}, fmt.Errorf("%w: another webhook's variables cannot be in a template, only in Pods", secret.ErrUnsupported)
	}
	s := merge.NewSecret(in.layout, req, manager, f)
	return s, in.checkName(&s)
}

func unsupported(field string) (merge.Secret, error) {
	return merge.Secret{}, fmt.Errorf("%w: the manager does not serve requests with %s", secret.ErrUnsupported, field)
}

func (in *Injector) checkName(s *merge.Secret) error {
	f := &s.Fragment
	switch {
	case s.Group == "" && s.Key == "" && !f.Versioned && s.Path == "" && !in.layout.Exact,
		f.File && len(s.Name) <= len(s.Dir(in.layout)) && s.RelPath(in.layout, s.GroupVersion) == "":
		return fmt.Errorf("%w: without its version it has no name", secret.ErrUnsupported)
	case !f.File:
		valid := names.IsEnvVar(s.Name)
		if f.Value.EnvFileVolume() != "" {
			valid = names.IsRelaxedEnvVar(s.Name)
		}
		if !valid || mount.IsDiscoveryVar(s.Name) {
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
	p := Placement{Request: s.Request, Manager: s.Manager, Reads: s.Fragment.Reads}
	if s.Fragment.File {
		p.Mount, p.Path = mount.File, s.Name
	} else {
		p.Mount, p.EnvVar = mount.EnvVar, s.Name
	}
	return p
}
