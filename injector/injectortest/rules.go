package injectortest

import (
	"errors"
	"fmt"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
)

// rule is one that a manager keeps.
type rule struct {
	name string
	// why is the rule, as a failure message gives it.
	why string
	kind
	check func(k *kit, b *basis, report func(run *caseRun, err error))
}

type kind uint8

const (
	basic  kind = iota + 1 // a case that breaks the rule is left out of the others
	asking                 // asks the manager
	quiet                  // looks at the answers
)

// rules are all of them, in the order in which they are checked.
var rules = []rule{
	{"name", "the Name is constant, not empty, and of ASCII letters, digits and \"-_./\"", quiet, checkName},
	{"outcome", "a manager serves a request, or its error wraps secret.ErrNotFound or secret.ErrUnsupported, or the search ends with its error", basic, each(checkOutcome)},
	{"fragment", "a Fragment keeps the rules of mount.Fragment: a Value or a File, and volumes and init containers with names that mount.Name makes", basic, served(checkFragment)},
	{"form", "a Fragment has a Value where the request's Mount is EnvVar, and is a File where it is File", basic, served(checkForm)},
	{"same answer", "the same request and target give the same answer, whatever was asked before", basic, checkSame},
	{"keeps nothing", "a manager keeps nothing that it is given", basic, checkKeeps},
	{"stays as it is", "a Fragment does not change once it is returned, nor does what it refers to", basic, each(checkStays)},
	{"version", "a Fragment that is not Versioned, and so has the name without the version, does not depend on the version: set Versioned, or refuse versions", asking, served(checkVersion)},
	{"env file", "each secret has an env file of its own, with a relative and clean path, which a fetcher writes; the reference is not optional, as the kubelet needs the file anyway", quiet, checkEnvFiles},
	{"placement", "containers find the secret where injector.Placement says: at Request.EnvName, or at Request.FilePath, which is Request.RelPath in the volume", quiet, sound(checkPlacement)},
	{"path", "a file is at Request.Path where that is set: Request.RelPath has it in the volume", asking, placed(checkPath)},
	{"container", "a request for one container is answered as one for all, and the secret reaches no other container: a webhook needs ContainersAnnotation", asking, placed(checkContainer)},
	{"honors", "Fragment.Honors says which parts of a request the answer follows: what it has is done, and what it has not is not", asking, checkHonors},
	{"union", "init containers of one name are one, with the variables of all secrets: the same Container, one value for each variable, and for each secret a variable of its own", asking, checkUnion},
	{"apart", "different secrets fit into one Pod: give mount.Name all that makes a thing what it is, so that names differ exactly where things do", quiet, checkPairs},
	{"once is enough", "injecting what is injected already changes nothing, also after an API server has filled in defaults", asking, sound(checkTwice)},
	{"concurrent", "a manager may be called from many goroutines at once", asking, checkConcurrent},
	{"context", "when the context has ended, a manager soon returns its error, wrapped, or the right answer", asking, each(checkContext)},
	{"no value", "no error holds the value of a secret", quiet, checkNoValue},
}

type check = func(k *kit, run *caseRun) error

// each makes a rule's check of one that looks at one run.
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

// sound is served for those whose answer has no flaw that the answer alone shows,
// which other rules report.
func sound(c check) func(*kit, *basis, func(*caseRun, error)) {
	return served(func(k *kit, run *caseRun) error {
		if run.flaw() != nil {
			return nil
		}
		return c(k, run)
	})
}

// placed is served for those cases whose secrets can be read, which "placement"
// and others report.
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

// flaw returns what breaks a rule by the first answer alone.
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
		return fmt.Errorf("want it %v, but it was %v", want, &run.first)
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

// checkForm also asks for the other forms, which may be refused.
func checkForm(k *kit, run *caseRun) error {
	if err := formOf(run.req.Form(run.layout), &run.first.fragment); err != nil {
		return err
	}
	switch {
	case run.Want == Variable && run.first.fragment.File:
		return errors.New("want it as a variable, but it was a file")
	case run.Want == File && !run.first.fragment.File:
		return errors.New("want it as a file, but it was a variable")
	}
	for _, form := range []mount.Type{mount.Any, mount.EnvVar, mount.File} {
		req := run.req
		req.Mount = form
		if req.Validate() != nil || run.layout.Exact && form == mount.EnvVar && req.EnvVar == "" {
			continue // for which no manager is asked
		}
		a := k.ask(ctx, run, req)
		if a.err != nil {
			continue
		}
		if err := a.fragment.Validate(); err != nil {
			return fmt.Errorf("asked for %v instead: %w", form, err)
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
		return errors.New("asked for a variable, it answered with a file")
	case asked == mount.File && !f.File:
		return errors.New("asked for a file, it answered with a variable")
	}
	return nil
}

// checkVersion asks without the version, or with one. The answer may be refused,
// or be a Versioned one. Exact names have no version.
func checkVersion(k *kit, run *caseRun) error {
	req := run.req
	if req.GroupVersion == "" {
		req.GroupVersion = "kit-version"
	} else if req.GroupVersion = ""; req.Group == "" && req.Key == "" {
		return nil // the version is all that there is
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
		return fmt.Errorf("with and without a version, neither of them Versioned: %s", diff)
	}
	return nil
}

// hasAlias reports whether another webhook brings the file under its alias too, so
// that a client that asks with the version finds what belongs to the version.
func hasAlias(f *mount.Fragment) bool {
	return f.Webhook != nil && len(f.Webhook.AliasAnnotations) > 0
}

// readsWebhooksFile reports whether a variable refers to an env file that another
// webhook writes. As with files, its variable without the version may show what
// the version chose, such as an engine of Vault.
func readsWebhooksFile(f *mount.Fragment) bool {
	return f.Webhook != nil && f.Webhook.Volume != "" && f.Value.EnvFileVolume() == f.Webhook.Volume
}

// checkNoValue asks once more all that the other rules ask, so that it finds the
// same alone.
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
			report(e.run, errors.New("an error holds the value"))
		}
	}
}
