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
	// basis: a case that breaks the rule is left out of the later ones.
	basis bool
	check func(k *kit, report func(q *question, err error))
}

// rules are all of them, in the order in which they are checked.
var rules = []rule{
	{"name", "the Name is constant, not empty, and of ASCII letters, digits and \"-_./\"", false, checkName},
	{"outcome", "a manager serves a request, or its error wraps secret.ErrNotFound or secret.ErrUnsupported, or the search ends with its error", true, each(checkOutcome)},
	{"fragment", "a Fragment keeps the rules of mount.Fragment: a Value or a File, and volumes and fetchers with names that mount.Name makes", true, served(checkFragment)},
	{"form", "a Fragment has a Value where the request's Mount is EnvVar, and is a File where it is File", true, served(checkForm)},
	{"same answer", "the same request and target give the same answer, whatever was asked before", true, checkSame},
	{"keeps nothing", "a manager keeps nothing that it is given", true, checkKeeps},
	{"stays as it is", "a Fragment does not change once it is returned, nor does what it refers to", true, each(checkStays)},
	{"version", "a Fragment that is not Versioned, and so has the name without the version, does not depend on the version: set Versioned, or refuse versions", false, served(checkVersion)},
	{"placement", "containers find the secret where injector.Placement says: at Layout.EnvVar, or at Layout.Path, which is Layout.RelPath in the volume", false, served(checkPlacement)},
	{"apart", "different secrets fit into one Pod: give mount.Name all that makes a thing what it is, so that names differ exactly where things do", false, checkApart},
	{"once is enough", "injecting what is injected already changes nothing, also after an API server has filled in defaults", false, served(checkTwice)},
	{"concurrent", "a manager may be called from many goroutines at once", false, checkConcurrent},
	{"context", "when the context has ended, a manager soon returns its error, wrapped, or the right answer", false, each(checkContext)},
	{"no value", "no error holds the value of a secret", false, checkNoValue},
}

// each makes a rule's check of one that looks at one question.
func each(check func(k *kit, q *question) error) func(*kit, func(*question, error)) {
	return func(k *kit, report func(*question, error)) {
		for _, q := range k.sound(nil) {
			if err := check(k, q); err != nil {
				report(q, err)
			}
		}
	}
}

// served is each for the questions that the manager serves.
func served(check func(k *kit, q *question) error) func(*kit, func(*question, error)) {
	return each(func(k *kit, q *question) error {
		if q.first.err != nil {
			return nil
		}
		return check(k, q)
	})
}

// sound returns the questions whose cases are not shaky and that the function, if any,
// chooses.
func (k *kit) sound(choose func(*question) bool) (all []*question) {
	for _, q := range k.questions {
		if !k.shaky[q.Case] && (choose == nil || choose(q)) {
			all = append(all, q)
		}
	}
	return all
}

func checkName(k *kit, report func(*question, error)) {
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

func checkOutcome(_ *kit, q *question) error {
	want := q.Want
	if want.served() {
		want = Served
	}
	if q.first.outcome() != want {
		return fmt.Errorf("want it %v, but it was %v", want, &q.first)
	}
	return nil
}

func checkFragment(_ *kit, q *question) error {
	f := &q.first.fragment
	if err := f.Validate(); err != nil || f.File {
		return err
	}
	return f.Value.Validate(q.layout.EnvVar(q.Request.Group, q.Request.GroupVersion, q.Request.Key))
}

// checkForm also asks for the other forms, which may be refused.
func checkForm(k *kit, q *question) error {
	if err := formOf(q.Request.Mount, &q.first.fragment); err != nil {
		return err
	}
	switch {
	case q.Want == Variable && q.first.fragment.File:
		return errors.New("want it as a variable, but it was a file")
	case q.Want == File && !q.first.fragment.File:
		return errors.New("want it as a file, but it was a variable")
	}
	for _, form := range []mount.Type{mount.Any, mount.EnvVar, mount.File} {
		req := q.Request
		req.Mount = form
		a := k.ask(ctx, q, req)
		if a.err != nil {
			continue
		}
		if err := a.fragment.Validate(); err != nil {
			return fmt.Errorf("asked for %v instead: %w", form, err)
		}
		if err := formOf(form, &a.fragment); err != nil {
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
// or be a Versioned one.
func checkVersion(k *kit, q *question) error {
	req := q.Request
	if req.GroupVersion == "" {
		req.GroupVersion = "kit-version"
	} else if req.GroupVersion = ""; req.Group == "" && req.Key == "" {
		return nil // the version is all that there is
	}
	a := k.ask(ctx, q, req)
	if a.err != nil {
		return nil
	}
	versioned := a.fragment.Versioned
	if q.Request.GroupVersion != "" {
		versioned = q.first.fragment.Versioned
	}
	if diff := differs(&a, &q.first); !versioned && diff != "" {
		return fmt.Errorf("with and without a version, neither of them Versioned: %s", diff)
	}
	return nil
}

func checkNoValue(k *kit, report func(*question, error)) {
	for _, s := range k.said {
		if shows(s.err, s.q.literal()) {
			report(s.q, errors.New("an error holds the value"))
		}
	}
}
