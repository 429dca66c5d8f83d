// Package global serves global secrets: those that the process which runs the
// injector holds in its own environment or files.
//
// It writes the value itself, in plain text, into the Pod. Whoever can read
// Pods in that namespace can read it, and so can everybody who can see etcd, its
// backups, the API server's audit log at the levels that record objects, or
// what another webhook logs. Limit with Config.Allow who may ask for what, and
// prefer references (package k8ssecret) where they will do.
//
//	m, err := global.New(global.Config{
//		Allow: func(req secret.Request, target mount.Target) bool {
//			return target.Namespace() == "builds" && req.Group == "registry" && req.Key == "token"
//		},
//	})
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m, others}})
//
// By convention it is the first of the managers, so that global secrets come
// before any store's. A secret is the variable that Config.EnvPrefix and the
// upper-cased group and key name, joined with "_", or else the file
// group/key in Config.Dir, case kept. Both are Flyte's rules, with its defaults.
// Since upper-casing and joining lose something, a variable may answer to more
// than one group and key: FLYTE_SECRET_A_B_C to ("a", "b_c") and ("a_b", "c").
//
// The store has no versions: a request's GroupVersion only adds an alias, the
// derived variable with the version.
//
// Values become variables only. A request for a file is an error if there is
// such a global secret: to let the next manager serve it would hand out another
// store's secret.
package global

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/podsecrets/podsecrets/internal/names"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Config is what a Manager is made of. The zero value is valid, and lets
// everybody read every global secret.
type Config struct {
	// EnvPrefix begins the names of this process's variables that are global
	// secrets. Empty means "FLYTE_SECRET_".
	EnvPrefix string
	// Dir is the directory of this process's files that are global secrets, an
	// absolute path. It need not exist. Empty means "/etc/secrets".
	Dir string
	// Source, if set, takes the place of the two above. Keep its values out of
	// its own print: printing a Config prints it.
	Source Source
	// Allow decides who may ask for what. What it refuses looks the same as
	// what does not exist. Nil allows everything. It must be safe for
	// concurrent use. Look at Group and Key together: ("team", "a_token") is
	// the same variable as ("team_a", "token"), so that a group by itself is no
	// boundary; and name what you allow, as there is always another spelling of
	// what you refuse. Of the target, the namespace of a review is the API
	// server's word; name, labels and annotations are the Pod's author's.
	Allow func(req secret.Request, target mount.Target) bool
}

// Manager is the injector.SecretManager of global secrets. It is immutable and
// safe for concurrent use.
type Manager struct {
	// A function, so that printing a Manager never shows what a Source holds. It
	// returns the value, and the name of what held it.
	lookup func(context.Context, secret.Request) (value string, reads mount.Object, err error)
	allow  func(secret.Request, mount.Target) bool
}

// New returns a Manager, or an error that names the field of cfg that cannot be
// used.
func New(cfg Config) (*Manager, error) {
	if cfg.Source != nil && cfg.EnvPrefix+cfg.Dir != "" {
		return nil, errors.New("global: Source takes the place of EnvPrefix and Dir, which must be empty")
	}
	if cfg.EnvPrefix == "" {
		cfg.EnvPrefix = "FLYTE_SECRET_"
	}
	if cfg.Dir == "" {
		cfg.Dir = "/etc/secrets"
	}
	if strings.ContainsAny(cfg.EnvPrefix, "=\x00") {
		return nil, fmt.Errorf(`global: EnvPrefix %q holds "=" or NUL`, cfg.EnvPrefix)
	}
	if !filepath.IsAbs(cfg.Dir) {
		return nil, fmt.Errorf("global: Dir %q is not an absolute path", cfg.Dir)
	}
	if cfg.Source == nil {
		own := &process{mount.Layout{EnvPrefix: cfg.EnvPrefix}, cfg.Dir}
		return &Manager{own.lookup, cfg.Allow}, nil
	}
	lookup := func(ctx context.Context, req secret.Request) (value string, reads mount.Object, err error) {
		value, err = cfg.Source.Lookup(ctx, req)
		return value, mount.Object{Name: req.Group, Key: req.Key}, err
	}
	return &Manager{lookup, cfg.Allow}, nil
}

// Name returns "global".
func (m *Manager) Name() string { return "global" }

// Mount answers with the value as a literal. Fragment.Reads is the variable of this
// process, or the path of the file, that holds it; with Config.Source it is the
// request's group and key. secret.ErrNotFound says that there is no such global
// secret or that Config.Allow refuses it. Errors about a secret that is there come
// with Reads and end the search: it is asked for as a file (a *secret.InvalidError),
// cannot be a variable, or cannot be read.
func (m *Manager) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	if err := ctx.Err(); err != nil {
		return mount.Fragment{}, err
	}
	name := req.EnvName(target.Layout(), "")
	if req.Mount != mount.File && !names.IsEnvVar(name) {
		return mount.Fragment{}, fmt.Errorf("%w: group and key make no valid name of a variable", secret.ErrUnsupported)
	}
	if req.Group == "" && req.Key == "" {
		return mount.Fragment{}, secret.ErrNotFound // a version alone names nothing
	}
	if m.allow != nil && !m.allow(req, target) {
		return mount.Fragment{}, secret.ErrNotFound // as if it did not exist
	}
	value, reads, err := m.lookup(ctx, req)
	f := mount.Fragment{Reads: reads} // errors about a secret that is there say which
	switch {
	case errors.Is(err, secret.ErrNotFound):
		return mount.Fragment{}, secret.ErrNotFound
	case ctx.Err() != nil:
		return mount.Fragment{}, ctx.Err()
	case err != nil:
		return f, fmt.Errorf("the secret is there but cannot be read: %w", err)
	case req.Mount == mount.File:
		return f, &secret.InvalidError{Field: "mount", Reason: "global secrets are variables, not files"}
	}
	literal := mount.Literal(value)
	if err := literal.Validate(name); err != nil {
		return f, err
	}
	f.Value = literal
	return f, nil
}
