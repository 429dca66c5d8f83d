package injector

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// decision is the outcome of a successful call of decide.
type decision struct {
	edits  *merge.Edits
	served []merge.Secret
	index  []int // of each request in served
}

// placements returns where each request is found.
func (d *decision) placements() []Placement {
	all := make([]Placement, len(d.index))
	for i, n := range d.index {
		all[i] = placement(&d.served[n])
		all[i].Containers = d.edits.Receivers(n)
	}
	return all
}

// failures collects the errors of requests in any order.
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
		delete(f.byRequest, req) // once, even if reqs has duplicates
	}
	return errors.Join(append(all, f.others...)...)
}

// addExempt adds an error that lists the containers that were not verified.
func (f *failures) addExempt(names []string) {
	if len(names) > 0 {
		f.others = append(f.others, fmt.Errorf("containers of other webhooks were not verified: %q", names))
	}
}

// subject is the Pod or Pod template that a decision is about.
type subject struct {
	view      *merge.View
	namespace string
	// admitted is the namespace in an admission request, as given by the API
	// server.
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

// decide asks the managers and merges their fragments into the Pod. Even if
// some requests are not served it finds the conflicts of the others, so that
// all errors are returned together.
func (in *Injector) decide(ctx context.Context, sub subject, reqs []secret.Request) (*decision, error) {
	if len(reqs) == 0 {
		return &decision{edits: &merge.Edits{}}, nil
	}
	if err := checkLimit(MaxRequests, len(reqs), "requests"); err != nil {
		return nil, err
	}
	var f failures
	secrets, index := in.ask(ctx, sub, reqs, &f)
	if err := checkLimit(MaxRequests, countSecrets(secrets), "secrets of all containers together"); err != nil {
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
	return &decision{edits, secrets, index}, nil
}

// countSecrets returns the number of secrets in all scopes together. Each
// container that a request names also counts the secrets of all containers.
func countSecrets(secrets []merge.Secret) int {
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
