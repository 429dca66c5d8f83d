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

// ask finds the manager that serves each request. Equal requests are asked for
// once. index has the position of each request in served, if all are served.
func (in *Injector) ask(ctx context.Context, sub subject, reqs []secret.Request, f *failures) (served []merge.Secret, index []int) {
	target, namespace := in.target(sub), cmp.Or(in.namespace, sub.admitted)
	served, index = make([]merge.Secret, 0, len(reqs)), make([]int, 0, len(reqs))
	seen := make(map[secret.Request]int, len(reqs))
	var literals literalBytes
	for _, req := range reqs {
		n, done := seen[req]
		if !done {
			if ctx.Err() != nil {
				break
			}
			n = len(served)
			seen[req] = n
			s, failed := in.askFor(ctx, target, namespace, req)
			if failed == nil {
				served = append(served, s)
				failed = literals.add(&s)
			}
			if failed != nil {
				f.add(failed)
			}
			if literals.full() {
				break
			}
		}
		index = append(index, n)
	}
	if err := ctx.Err(); err != nil {
		f.others = append(f.others, fmt.Errorf("injector: %w", err))
	}
	return served, index
}

// literalBytes is the size of all literal secrets from managers. Each request
// keeps its value until all are merged, so the limit applies here already.
type literalBytes int

func (l *literalBytes) add(s *merge.Secret) *RequestError {
	if v := s.Fragment.Value; v != nil && v.IsLiteral() {
		*l += literalBytes(len(v.EnvVar("").Value))
	}
	if !l.full() {
		return nil
	}
	return userError(s.Request, s.Manager, merge.TooManyLiterals(s.Name))
}

func (l *literalBytes) full() bool { return *l > merge.MaxLiterals }

// askFor asks the managers for one request, with the mount type of
// Request.Form.
func (in *Injector) askFor(ctx context.Context, target mount.Target, namespace string, req secret.Request) (merge.Secret, *RequestError) {
	if err := in.validate(req); err != nil {
		return merge.Secret{}, userError(req, "", err)
	}
	typed := req
	typed.Mount = req.Form(in.layout)
	var declines []decline
	for _, m := range in.managers {
		name := m.Name()
		fragment, err := m.Mount(ctx, typed, target)
		// An error about a secret would reveal that it exists.
		if err == nil || fragment.Reads != (mount.Object{}) {
			if refused := in.authorize(req, name, fragment.Reads, target, namespace); refused != nil {
				err = refused
			}
		}
		var s merge.Secret
		if err == nil {
			s, err = in.check(typed, name, fragment, target)
		}
		switch {
		case err == nil:
			s.Mount = req.Mount // unchanged
			return s, nil
		case errors.Is(err, secret.ErrNotFound), errors.Is(err, secret.ErrUnsupported):
			declines = append(declines, decline{name, err})
		default:
			return merge.Secret{}, failure(req, name, err)
		}
	}
	return merge.Secret{}, notServed(req, declines)
}

// validate checks the request's rules, and that of the layout.
func (in *Injector) validate(req secret.Request) error {
	if err := req.Validate(); err != nil {
		return err
	}
	if in.layout.Exact && req.EnvVar == "" && req.Mount == mount.EnvVar {
		return &secret.InvalidError{Field: "envVar", Reason: "is empty, but variables here have only exact names (Layout.Exact)"}
	}
	return nil
}
