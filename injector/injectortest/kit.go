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

// TestManager checks that a manager keeps the rules that the package
// documentation lists, by its answers to the cases. It returns nil, or the joined
// errors (errors.Join) of everything that it breaks, each with the rule's name, the
// case and the rule itself; or what is wrong with the cases. The errors never show
// a Case.Value.
//
// It calls the manager more than a thousand times for each case, also from many
// goroutines at once: run it with the race detector.
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

// Run is TestManager with a subtest for each rule. Subtests are independent: one
// that runs alone (go test -run TestConformance/placement) checks what it checks in
// the whole run.
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
	basis func() *basis // made by the rule that needs it first, the same for all
	fresh func() *kit   // the same once more

	mu           sync.Mutex // guards returnedErrs
	returnedErrs []returnedErr
}

// effort is how much the kit does.
type effort struct {
	times      int           // how often a manager is asked the same
	goroutines int           // from which it is asked at once
	timeout    time.Duration // of a manager whose context has ended
}

// Of two entries of a map, Go takes the second one first in one of eight cases, and
// not once in a hundred in one of 600,000.
var usualEffort = effort{100, 32, 10 * time.Second}

// returnedErr is an error that the manager returned at any time.
type returnedErr struct {
	run *caseRun
	err error
}

// setting is what does not depend on the case.
type setting struct {
	name   string
	layout mount.Layout
	order  mount.InitOrder
}

// Each case is asked in these. Where it is served, it is also asked for with exact
// names.
var (
	settings = []setting{
		{"in Flyte's layout", mount.Layout{}, mount.InitFirst},
		{"in a layout of its own", mount.Layout{Dir: "/run/Kit.d/secrets", FilePrefix: "Kit-", EnvPrefix: "Kit_"}, mount.InitAfterSidecars},
	}
	exactSetting = setting{"with exact names", mount.Layout{Dir: "/Kit.d/exact", Exact: true}, mount.InitFirst}
)

// caseRun is a case in a setting.
type caseRun struct {
	*Case
	setting
	// req is what is asked for: the case's request, in the exact setting with
	// exact names. It names no container.
	req  secret.Request
	meta *metav1.ObjectMeta // what the manager is shown
	// raw is the first answer as it was returned, and first what it was then.
	raw, first answer
}

func newKit(m injector.SecretManager, cases []Case) (*kit, error) {
	if m == nil {
		return nil, errors.New("there is no manager")
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

// basis is what the rules have in common: the first answer to each case, and which
// cases keep those rules on which all others rest.
type basis struct {
	runs   []*caseRun
	faults map[*rule][]error
	broken map[*Case]bool // broke one of these rules
	// unplaced are the cases whose secret cannot be read in some setting.
	unplaced func() map[*Case]bool
}

// checkBasis asks for each case, and then checks the rules on which the others
// rest, always in the same order. So it does not matter which rule is looked at
// first, or alone.
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

// firstRuns asks for a case in each setting.
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

// exactRequest returns the request that gets the secret by an exact name in the
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

// ask asks the manager as the injector does, for the Pod and in the setting of a
// case.
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

// fault is a rule that is broken.
type fault struct {
	rule *rule
	run  *caseRun // nil if it does not concern a case
	text string
}

func (f *fault) Error() string {
	where := ""
	if f.run != nil {
		where = fmt.Sprintf("case %v, %s: ", f.run.Case, f.run.setting.name)
	}
	return fmt.Sprintf("%s: %s%s (%s)", f.rule.name, where, f.text, f.rule.why)
}

// test returns what breaks the rule.
func (k *kit) test(r *rule) []error {
	b := k.basis()
	if r.kind == basic {
		return b.faults[r]
	}
	return k.check(r, b)
}

// check returns what breaks the rule, once for each case.
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

// hide takes the values of secrets out of a text.
func (k *kit) hide(text string) string {
	for i := range k.cases {
		for _, form := range forms(k.cases[i].literal()) {
			text = strings.ReplaceAll(text, form, "(the value)")
		}
	}
	return text
}

// forms are the ways in which a value might show in a text.
func forms(value string) []string {
	if value == "" {
		return nil
	}
	quoted := strconv.Quote(value)
	return []string{value, quoted[1 : len(quoted)-1], base64.StdEncoding.EncodeToString([]byte(value))}
}
