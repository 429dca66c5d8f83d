// Package global serves global secrets: environment variables and files of the
// process that runs the injector.
//
// The package writes the value into the Pod in plain text. Anyone who can read Pods in
// the Pod's namespace can read it, and so can anyone with access to etcd, its backups,
// an audit log that records objects, or another webhook's logs. Limit requests with
// Config.Allow, and prefer references (package k8ssecret) where they suffice.
//
//	m, err := global.New(global.Config{
//		Allow: func(req secret.Request, target mount.Target) bool {
//			return target.Namespace() == "builds" && req.Group == "registry" && req.Key == "token"
//		},
//	})
//	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m, others}})
//
// By convention this manager comes first, so that global secrets take precedence over
// any store's. A secret is the variable whose name is Config.EnvPrefix followed by the
// upper-cased group and key, joined with "_". If there is no such variable, the secret
// is the file group/key in Config.Dir, case kept. Both rules and their defaults are
// Flyte's. Several groups and keys can name one variable: FLYTE_SECRET_A_B_C is both
// ("a", "b_c") and ("a_b", "c").
//
// Global secrets have no versions: a request's GroupVersion only adds an alias, the
// derived variable with the version.
//
// Values become variables only. A request for a file is an error if the global secret
// exists. If Mount passed it on, the next manager would serve another store's secret.
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

// Config configures a Manager. The zero value is valid. It lets everybody read every
// global secret.
type Config struct {
	// EnvPrefix is the prefix of the environment variables that are global
	// secrets. Empty means "FLYTE_SECRET_".
	EnvPrefix string
	// Dir is the directory of the files that are global secrets, an absolute path.
	// It need not exist. Empty means "/etc/secrets".
	Dir string
	// Source, if set, replaces EnvPrefix and Dir, which must then be empty. Printing
	// a Config prints the Source, so its fields should not show values.
	Source Source
	// Allow decides which requests are served. A refused request is
	// indistinguishable from a missing secret. Nil allows everything. It must be
	// safe for concurrent use.
	//
	// Check Group and Key together: ("team", "a_token") and ("team_a", "token") are
	// the same variable, so a group alone is no boundary. List what is allowed
	// rather than what is refused, because requests in many spellings name the same
	// secret. In a review, the target's namespace comes from the API server; name,
	// labels and annotations come from the Pod's author.
	Allow func(req secret.Request, target mount.Target) bool
}

// Manager is the injector.SecretManager of global secrets. It is immutable and
// safe for concurrent use.
type Manager struct {
	// A closure, so that printing a Manager never shows a Source's values.
	lookup func(context.Context, secret.Request) (value string, reads mount.Object, err error)
	allow  func(secret.Request, mount.Target) bool
}

// New returns a Manager, or an error that names the invalid field of cfg.
func New(cfg Config) (*Manager, error) {
	if cfg.Source != nil && cfg.EnvPrefix+cfg.Dir != "" {
		return nil, errors.New("global: Source replaces EnvPrefix and Dir, which must be empty")
	}
	if cfg.EnvPrefix == "" {
		cfg.EnvPrefix = "FLYTE_SECRET_"
	}
	if cfg.Dir == "" {
		cfg.Dir = "/etc/secrets"
	}
	if strings.ContainsAny(cfg.EnvPrefix, "=\x00") {
		return nil, fmt.Errorf(`global: EnvPrefix %q contains "=" or NUL`, cfg.EnvPrefix)
	}
	if !filepath.IsAbs(cfg.Dir) {
		return nil, fmt.Errorf("global: Dir %q is not an absolute path", cfg.Dir)
	}
	if cfg.Source == nil {
		process := &processSource{mount.Layout{EnvPrefix: cfg.EnvPrefix}, cfg.Dir}
		return &Manager{process.lookup, cfg.Allow}, nil
	}
	lookup := func(ctx context.Context, req secret.Request) (value string, reads mount.Object, err error) {
		value, err = cfg.Source.Lookup(ctx, req)
		return value, mount.Object{Name: req.Group, Key: req.Key}, err
	}
	return &Manager{lookup, cfg.Allow}, nil
}

// Name returns "global".
func (m *Manager) Name() string { return "global" }

// Mount returns the value as a literal. Fragment.Reads is the name of this process's
// variable or the file's path; with Config.Source it is the request's group and key.
//
// Mount returns secret.ErrNotFound if the secret does not exist, if Config.Allow
// refuses it, or if the request has neither a group nor a key. It returns
// secret.ErrUnsupported if group and key do not form a valid variable name. An error
// about an existing secret ends the search, and Reads is set: the secret is requested
// as a file (a *secret.InvalidError), cannot be the value of a variable (a
// *mount.ValueError), or cannot be read.
func (m *Manager) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	if err := ctx.Err(); err != nil {
		return mount.Fragment{}, err
	}
	name := req.EnvName(target.Layout(), "")
	if req.Mount != mount.File && !names.IsEnvVar(name) {
		return mount.Fragment{}, fmt.Errorf("%w: group and key do not form a valid variable name", secret.ErrUnsupported)
	}
	if req.Group == "" && req.Key == "" {
		return mount.Fragment{}, secret.ErrNotFound // a version alone names nothing
	}
	if m.allow != nil && !m.allow(req, target) {
		return mount.Fragment{}, secret.ErrNotFound
	}
	value, reads, err := m.lookup(ctx, req)
	f := mount.Fragment{Reads: reads}
	switch {
	case errors.Is(err, secret.ErrNotFound):
		return mount.Fragment{}, secret.ErrNotFound
	case ctx.Err() != nil:
		return mount.Fragment{}, ctx.Err()
	case err != nil:
		return f, fmt.Errorf("the secret exists but cannot be read: %w", err)
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
