package injectortest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// TestManager uses the cases to check that a manager follows the rules in the
// package documentation. It returns nil, or the joined errors (errors.Join) of
// all violations. Each error has the name of the rule, the case, and the text
// of the rule. A rule has at most one error for each case. If the cases are
// invalid, the error says why. Errors never contain a Case.Value.
//
// It calls the manager more than a thousand times for each case, some of them
// concurrently. Use the race detector.
func TestManager(m injector.SecretManager, cases ...Case) error {
	k, err := newKit(m, cases)
	if err != nil {
		return err
	}
	var errs []error
	for i := range k.rules {
		errs = append(errs, k.test(&k.rules[i])...)
	}
	return errors.Join(errs...)
}

// Run is TestManager with a subtest for each rule. A subtest that runs alone
// (go test -run TestConformance/placement) checks the same as in the whole run.
func Run(t *testing.T, m injector.SecretManager, cases ...Case) {
	t.Helper()
	k, err := newKit(m, cases)
	if err != nil {
		t.Fatal(err)
	}
	for i := range k.rules {
		t.Run(k.rules[i].name, func(t *testing.T) {
			for _, err := range k.test(&k.rules[i]) {
				t.Error(err)
			}
		})
	}
}

// kit is one test of one manager.
type kit struct {
	manager injector.SecretManager
	cases   []Case
	rules   []rule
	effort
	basis func() *basis // made once, by the first rule that needs it
	fresh func() *kit   // a new kit for the same test

	mu           sync.Mutex // guards returnedErrs
	returnedErrs []returnedErr
}

// effort is how much the kit does.
type effort struct {
	times      int           // number of repeated calls
	goroutines int           // number of concurrent goroutines
	timeout    time.Duration // for calls whose context has ended
}

// Of a map with two entries, Go visits the second first in one of eight cases;
// a hundred calls miss that with a probability of one in 600,000.
var usualEffort = effort{100, 32, 10 * time.Second}

// returnedErr is an error that the manager returned at any time.
type returnedErr struct {
	run *caseRun
	err error
}

// setting is the part of a run that does not depend on the case.
type setting struct {
	name   string
	layout mount.Layout
	order  mount.InitOrder
}

// Each case runs in these settings. A served case also runs with exact names.
var (
	settings = []setting{
		{"in Flyte's layout", mount.Layout{}, mount.InitFirst},
		{"in another layout", mount.Layout{Dir: "/run/Kit.d/secrets", FilePrefix: "Kit-", EnvPrefix: "Kit_"}, mount.InitAfterSidecars},
	}
	exactSetting = setting{"with exact names", mount.Layout{Dir: "/Kit.d/exact", Exact: true}, mount.InitFirst}
)

// caseRun is a case in a setting.
type caseRun struct {
	*Case
	setting
	// req is the case's request, in the exact setting with exact names, and
	// without a container.
	req  secret.Request
	meta *metav1.ObjectMeta // what the manager sees
	// raw is the first result as returned, and first a copy made at that time.
	raw, first answer
}

func newKit(m injector.SecretManager, cases []Case) (*kit, error) {
	if m == nil {
		return nil, errors.New("the manager is nil")
	}
	if err := checkCases(cases); err != nil {
		return nil, err
	}
	return makeKit(m, cases, rules, usualEffort), nil
}

func makeKit(m injector.SecretManager, cases []Case, rules []rule, e effort) *kit {
	k := &kit{manager: m, cases: cases, rules: rules, effort: e}
	k.basis = sync.OnceValue(k.checkBasis)
	k.fresh = func() *kit { return makeKit(m, cases, rules, k.effort) }
	return k
}

// basis is what the rules have in common: the first result of each case, and
// which cases follow the basic rules.
type basis struct {
	runs   []*caseRun
	faults map[*rule][]error
	broken map[*Case]bool // break a basic rule
	// unplaced returns the cases whose secret cannot be read in some setting.
	unplaced func() map[*Case]bool
}

// checkBasis runs each case, and then checks the basic rules in a fixed order,
// so the results do not depend on which rule runs first, or alone.
func (k *kit) checkBasis() *basis {
	b := &basis{faults: make(map[*rule][]error), broken: make(map[*Case]bool)}
	b.unplaced = sync.OnceValue(func() map[*Case]bool { return k.checkPlacements(b) })
	for i := range k.cases {
		b.runs = append(b.runs, k.firstRuns(i)...)
	}
	for i := range k.rules {
		if r := &k.rules[i]; r.kind == basic {
			b.faults[r] = k.check(r, b)
		}
	}
	return b
}

// firstRuns runs a case in each setting.
func (k *kit) firstRuns(i int) (runs []*caseRun) {
	c := &k.cases[i]
	start := func(s setting, req secret.Request) {
		req.Container = ""
		if c.NoFilePrefix {
			s.layout.FilePrefix = ""
		}
		run := &caseRun{Case: c, setting: s, req: req, meta: c.meta()}
		run.raw = k.ask(ctx, run, req)
		run.first = answer{clone(&run.raw.fragment), run.raw.err}
		runs = append(runs, run)
	}
	for _, s := range settings {
		start(s, c.Request)
	}
	if first := &runs[0].first; c.Want.served() && first.err == nil && first.fragment.Validate() == nil {
		start(exactSetting, exactRequest(c.Request, i, first.fragment.File))
	}
	return runs
}

// exactRequest returns the request for the secret with an exact name in the
// same form.
func exactRequest(req secret.Request, i int, file bool) secret.Request {
	switch {
	case file:
		req.Mount = mount.File
	case req.EnvVar == "":
		req.EnvVar = fmt.Sprintf("KIT_VARIABLE_%d", i)
	}
	return req
}

// ask calls the manager as the injector does, for the Pod and setting of a run.
func (k *kit) ask(ctx context.Context, run *caseRun, req secret.Request) answer {
	req.Mount = req.Form(run.layout)
	f, err := k.manager.Mount(ctx, req, mount.NewTarget(run.layout, run.order, run.meta))
	if err != nil {
		k.mu.Lock()
		k.returnedErrs = append(k.returnedErrs, returnedErr{run, err})
		k.mu.Unlock()
	}
	return answer{f, err}
}

// fault is a violation of a rule.
type fault struct {
	rule *rule
	run  *caseRun // nil if no case is concerned
	text string
}

func (f *fault) Error() string {
	where := ""
	if f.run != nil {
		where = fmt.Sprintf("case %v, %s: ", f.run.Case, f.run.setting.name)
	}
	return fmt.Sprintf("%s: %s%s (%s)", f.rule.name, where, f.text, f.rule.why)
}

// test returns the violations of a rule.
func (k *kit) test(r *rule) []error {
	b := k.basis()
	if r.kind == basic {
		return b.faults[r]
	}
	return k.check(r, b)
}

// check runs a rule and returns its violations, one per case.
func (k *kit) check(r *rule, b *basis) (errs []error) {
	reported := make(map[*Case]bool)
	r.check(k, b, func(run *caseRun, err error) {
		var c *Case
		if run != nil {
			c = run.Case
			if r.kind == basic {
				b.broken[c] = true
			}
		}
		if !reported[c] {
			errs = append(errs, &fault{r, run, k.hide(err.Error())})
		}
		reported[c] = true
	})
	return errs
}

// hide removes the values of secrets from a text.
func (k *kit) hide(text string) string {
	for i := range k.cases {
		for _, form := range forms(k.cases[i].literal()) {
			text = strings.ReplaceAll(text, form, "(the value)")
		}
	}
	return text
}

// forms returns the forms in which a value may appear in a text.
func forms(value string) []string {
	if value == "" {
		return nil
	}
	quoted := strconv.Quote(value)
	return []string{value, quoted[1 : len(quoted)-1], base64.StdEncoding.EncodeToString([]byte(value))}
}
