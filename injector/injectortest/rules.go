package injectortest

import (
	"errors"
	"fmt"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
)

// rule is one rule for managers.
type rule struct {
	name string
	// why is the rule's text in failure messages.
	why string
	kind
	check func(k *kit, b *basis, report func(run *caseRun, err error))
}

type kind uint8

// kind says what a rule does.
const (
	basic  kind = iota + 1 // the other rules skip cases that break it
	asking                 // calls the manager
	quiet                  // only inspects results
)

// rules lists all rules, in the order of the checks.
var rules = []rule{
	{"name", "the Name is constant, not empty, and of ASCII letters, digits and \"-_./\"", quiet, checkName},
	{"outcome", "the manager serves the request, or returns the expected kind of error: secret.ErrNotFound, secret.ErrUnsupported, or one that stops the search", basic, each(checkOutcome)},
	{"fragment", "a Fragment follows the rules of mount.Fragment: a Value or a File, and names of volumes and init containers from mount.Name", basic, served(checkFragment)},
	{"form", "a Fragment has a Value if the request's Mount is EnvVar, and is a File if it is File", basic, served(checkForm)},
	{"same answer", "the same request and target give the same Fragment or error, independent of earlier calls", basic, checkSame},
	{"retains nothing", "a manager does not retain its arguments", basic, checkKeeps},
	{"immutable", "a Fragment, and everything it refers to, does not change after it is returned", basic, each(checkStays)},
	{"version", "a Fragment that is not Versioned does not depend on the version, because its name has none: set Versioned, or refuse versions", asking, served(checkVersion)},
	{"env file", "each secret has its own env file, with a relative, clean path, and a fetcher writes it; the reference is not optional, because the kubelet needs the file anyway", quiet, checkEnvFiles},
	{"placement", "containers find the secret at injector.Placement: at Request.EnvName, or at Request.FilePath, which is Request.RelPath in the volume", quiet, sound(checkPlacement)},
	{"path", "a file is at Request.Path if that is set: use Request.RelPath in the volume", asking, placed(checkPath)},
	{"container", "a request for one container is served like one for all, and no other container can read the secret: a webhook needs ContainersAnnotation", asking, placed(checkContainer)},
	{"honors", "Fragment.Honors lists exactly the optional parts of the request that the Fragment follows", asking, checkHonors},
	{"shared container", "init containers with the same name are one, with the variables of all secrets: the same Container, one value per variable, and a separate variable for each secret", asking, checkUnion},
	{"pairs", "different secrets fit into one Pod: pass mount.Name everything that identifies a volume or container, so that names differ exactly if purposes do", quiet, checkPairs},
	{"idempotent", "injection is idempotent, even after an API server has set defaults", asking, sound(checkTwice)},
	{"concurrent", "a manager is safe for concurrent use", asking, checkConcurrent},
	{"context", "after the context ends, a manager soon returns an error that wraps the context's, or the correct result", asking, each(checkContext)},
	{"no leak", "no error contains the value of a secret", quiet, checkNoValue},
}

type check = func(k *kit, run *caseRun) error

// each turns a check of one run into a rule's check.
func each(c check) func(*kit, *basis, func(*caseRun, error)) {
	return func(k *kit, b *basis, report func(*caseRun, error)) {
		for _, run := range b.sound() {
			if err := c(k, run); err != nil {
				report(run, err)
			}
		}
	}
}

// served is each for the runs that the manager serves.
func served(c check) func(*kit, *basis, func(*caseRun, error)) {
	return each(func(k *kit, run *caseRun) error {
		if run.first.err != nil {
			return nil
		}
		return c(k, run)
	})
}

// sound is served for runs whose result alone breaks no rule; other rules
// report those.
func sound(c check) func(*kit, *basis, func(*caseRun, error)) {
	return served(func(k *kit, run *caseRun) error {
		if run.flaw() != nil {
			return nil
		}
		return c(k, run)
	})
}

// placed is served for cases whose secrets can be read; "placement" and others
// report the rest.
func placed(c check) func(*kit, *basis, func(*caseRun, error)) {
	return func(k *kit, b *basis, report func(*caseRun, error)) {
		unplaced := b.unplaced()
		served(func(k *kit, run *caseRun) error {
			if unplaced[run.Case] {
				return nil
			}
			return c(k, run)
		})(k, b, report)
	}
}

// sound returns the runs whose cases are not broken.
func (b *basis) sound() (all []*caseRun) {
	for _, run := range b.runs {
		if !b.broken[run.Case] {
			all = append(all, run)
		}
	}
	return all
}

// flaw returns the rules that the first result breaks by itself.
func (run *caseRun) flaw() error {
	return errors.Join(envFileFlaw(run), honorsFlaw(run))
}

func checkName(k *kit, _ *basis, report func(*caseRun, error)) {
	first := k.manager.Name()
	for range 3 {
		if again := k.manager.Name(); again != first {
			report(nil, fmt.Errorf("Name returned %q, and then %q", first, again))
			return
		}
	}
	if _, err := injector.New(injector.Config{Managers: []injector.SecretManager{k.manager}}); err != nil {
		report(nil, err)
	}
}

func checkOutcome(_ *kit, run *caseRun) error {
	want := run.Want
	if want.served() {
		want = Served
	}
	if run.first.outcome() != want {
		return fmt.Errorf("want %v, got %v", want, &run.first)
	}
	return nil
}

func checkFragment(_ *kit, run *caseRun) error {
	f := &run.first.fragment
	if err := f.Validate(); err != nil || f.File {
		return err
	}
	return f.Value.Validate(run.req.EnvName(run.layout, run.req.GroupVersion))
}

// checkForm also requests the other forms, which the manager may refuse.
func checkForm(k *kit, run *caseRun) error {
	if err := formOf(run.req.Form(run.layout), &run.first.fragment); err != nil {
		return err
	}
	switch {
	case run.Want == Variable && run.first.fragment.File:
		return errors.New("want a variable, got a file")
	case run.Want == File && !run.first.fragment.File:
		return errors.New("want a file, got a variable")
	}
	for _, form := range []mount.Type{mount.Any, mount.EnvVar, mount.File} {
		req := run.req
		req.Mount = form
		if req.Validate() != nil || run.layout.Exact && form == mount.EnvVar && req.EnvVar == "" {
			continue // no manager gets such a request
		}
		a := k.ask(ctx, run, req)
		if a.err != nil {
			continue
		}
		if err := a.fragment.Validate(); err != nil {
			return fmt.Errorf("with Mount %v: %w", form, err)
		}
		if err := formOf(req.Form(run.layout), &a.fragment); err != nil {
			return err
		}
	}
	return nil
}

func formOf(asked mount.Type, f *mount.Fragment) error {
	switch {
	case asked == mount.EnvVar && f.File:
		return errors.New("requested a variable, got a file")
	case asked == mount.File && !f.File:
		return errors.New("requested a file, got a variable")
	}
	return nil
}

// checkVersion adds or removes the version. The manager may refuse, or return a
// Versioned Fragment. Exact names have no version.
func checkVersion(k *kit, run *caseRun) error {
	req := run.req
	if req.GroupVersion == "" {
		req.GroupVersion = "kit-version"
	} else if req.GroupVersion = ""; req.Group == "" && req.Key == "" {
		return nil // nothing else would remain
	}
	if run.layout.Exact || run.req.Path != "" {
		return nil
	}
	a := k.ask(ctx, run, req)
	if a.err != nil {
		return nil
	}
	with, without := run.first, a
	if req.GroupVersion != "" {
		with, without = a, run.first
	}
	if f := &with.fragment; f.Versioned || hasAlias(f) || readsWebhooksFile(f) {
		return nil
	}
	if diff := differs(&with, &without); diff != "" {
		return fmt.Errorf("not Versioned, but different with and without a version: %s", diff)
	}
	return nil
}

// hasAlias reports whether another webhook also writes the file under its
// alias, so that a client that asks with the version finds the right version.
func hasAlias(f *mount.Fragment) bool {
	return f.Webhook != nil && len(f.Webhook.AliasAnnotations) > 0
}

// readsWebhooksFile reports whether a variable refers to an env file of another
// webhook. As with files, the variable without the version may depend on the
// version, such as an engine of Vault.
func readsWebhooksFile(f *mount.Fragment) bool {
	return f.Webhook != nil && f.Webhook.Volume != "" && f.Value.EnvFileVolume() == f.Webhook.Volume
}

// checkNoValue repeats the calls of all other rules, so that it finds the same
// when it runs alone.
func checkNoValue(k *kit, _ *basis, report func(*caseRun, error)) {
	again := k.fresh()
	for i := range again.rules {
		if r := &again.rules[i]; r.kind != quiet {
			again.test(r)
		}
	}
	again.mu.Lock()
	defer again.mu.Unlock()
	for _, e := range again.returnedErrs {
		if shows(e.err, e.run.literal()) {
			report(e.run, errors.New("an error contains the value"))
		}
	}
}
