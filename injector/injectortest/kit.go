package injectortest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// TestManager checks that a manager keeps the rules that the package
// documentation lists, by what it answers to the cases. It returns nil, or the
// joined errors (errors.Join) of all that it breaks, each with the rule's name,
// the case and the rule itself; or what is wrong with the cases. The errors never
// show a Case.Value.
//
// It calls the manager some hundred times for each case, some of them from many
// goroutines at once: run it with the race detector.
func TestManager(m injector.SecretManager, cases ...Case) error {
	k, err := newKit(m, cases)
	if err != nil {
		return err
	}
	var errs []error
	for i := range rules {
		errs = append(errs, k.test(&rules[i])...)
	}
	return errors.Join(errs...)
}

// Run is TestManager with a subtest for each rule.
func Run(t *testing.T, m injector.SecretManager, cases ...Case) {
	t.Helper()
	k, err := newKit(m, cases)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rules {
		t.Run(rules[i].name, func(t *testing.T) {
			for _, err := range k.test(&rules[i]) {
				t.Error(err)
			}
		})
	}
}

// kit is one test of one manager.
type kit struct {
	manager   injector.SecretManager
	questions []*question
	patience  time.Duration // with a manager whose context has ended
	// shaky cases broke a rule on which the later ones rest.
	shaky map[*Case]bool

	mu   sync.Mutex // guards said
	said []said
}

// said is an error that the manager returned at any time.
type said struct {
	q   *question
	err error
}

// setting is what does not depend on the case. Each case is asked in all of them.
type setting struct {
	name   string
	layout mount.Layout
	order  mount.InitOrder
}

var settings = []setting{
	{"in Flyte's layout", mount.Layout{}, mount.InitFirst},
	{"in a layout of its own", mount.Layout{Dir: "/run/Kit.d/secrets", FilePrefix: "Kit-", EnvPrefix: "Kit_"}, mount.InitAfterSidecars},
}

// question is a case in a setting.
type question struct {
	*Case
	setting
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
	k := &kit{manager: m, patience: 10 * time.Second, shaky: make(map[*Case]bool)}
	for i := range cases {
		for _, s := range settings {
			q := &question{Case: &cases[i], setting: s, meta: cases[i].meta()}
			q.raw = k.ask(context.Background(), q, q.Request)
			q.first = answer{clone(&q.raw.fragment), q.raw.err}
			k.questions = append(k.questions, q)
		}
	}
	return k, nil
}

// ask asks the manager, for the Pod and in the setting of a question.
func (k *kit) ask(ctx context.Context, q *question, req secret.Request) answer {
	f, err := k.manager.Mount(ctx, req, mount.NewTarget(q.layout, q.order, q.meta))
	if err != nil {
		k.mu.Lock()
		k.said = append(k.said, said{q, err})
		k.mu.Unlock()
	}
	return answer{f, err}
}

// clone returns a copy of the fragment that shares nothing with it, but for its
// Value, which is immutable.
func clone(f *mount.Fragment) mount.Fragment {
	c := *f
	c.Volumes, c.VolumeMounts, c.InitContainers, c.ImagePullSecrets = nil, nil, nil, nil
	for i := range f.Volumes {
		c.Volumes = append(c.Volumes, *f.Volumes[i].DeepCopy())
	}
	for i := range f.VolumeMounts {
		c.VolumeMounts = append(c.VolumeMounts, *f.VolumeMounts[i].DeepCopy())
	}
	for _, ic := range f.InitContainers {
		env := (&corev1.Container{Env: ic.Env}).DeepCopy().Env
		c.InitContainers = append(c.InitContainers, mount.InitContainer{Container: ic.Container.DeepCopy(), Env: env})
	}
	c.ImagePullSecrets = append(c.ImagePullSecrets, f.ImagePullSecrets...)
	if f.Webhook != nil {
		w := *f.Webhook
		w.Annotations, w.DefaultAnnotations, w.AliasAnnotations = maps.Clone(w.Annotations), maps.Clone(w.DefaultAnnotations), maps.Clone(w.AliasAnnotations)
		w.Containers = slices.Clone(w.Containers)
		c.Webhook = &w
	}
	return c
}

// differs says in what two answers differ, or "".
func differs(a, b *answer) string {
	if got, want := a.outcome(), b.outcome(); got != want {
		return fmt.Sprintf("it was %v, and before it was %v", a, b)
	}
	f, g := a.fragment, b.fragment
	if !f.Value.Equal(g.Value) {
		return "the Fragment's Value differs"
	}
	f.Value, g.Value = nil, nil
	if !equality.Semantic.DeepEqual(f, g) {
		return "the Fragment differs in " + strings.Join(fieldsThatDiffer(&f, &g), ", ")
	}
	return ""
}

func fieldsThatDiffer(f, g *mount.Fragment) (names []string) {
	for _, field := range []struct {
		name string
		a, b any
	}{
		{"File", f.File, g.File},
		{"Versioned", f.Versioned, g.Versioned},
		{"Honors", f.Honors, g.Honors},
		{"Reads", f.Reads, g.Reads},
		{"Volumes", f.Volumes, g.Volumes},
		{"VolumeMounts", f.VolumeMounts, g.VolumeMounts},
		{"InitContainers", f.InitContainers, g.InitContainers},
		{"ImagePullSecrets", f.ImagePullSecrets, g.ImagePullSecrets},
		{"Webhook", f.Webhook, g.Webhook},
	} {
		if !equality.Semantic.DeepEqual(field.a, field.b) {
			names = append(names, field.name)
		}
	}
	return names
}

// fault is a rule that is broken.
type fault struct {
	rule *rule
	q    *question // nil if it does not concern a case
	text string
}

func (f *fault) Error() string {
	where := ""
	if f.q != nil {
		where = fmt.Sprintf("case %v, %s: ", f.q.Case, f.q.setting.name)
	}
	return fmt.Sprintf("%s: %s%s (%s)", f.rule.name, where, f.text, f.rule.why)
}

// test returns what breaks the rule, once for each case.
func (k *kit) test(r *rule) (errs []error) {
	told := make(map[*Case]bool)
	r.check(k, func(q *question, err error) {
		var c *Case
		if q != nil {
			c = q.Case
			k.shaky[c] = k.shaky[c] || r.basis
		}
		if !told[c] {
			errs = append(errs, &fault{r, q, k.hide(err.Error())})
		}
		told[c] = true
	})
	return errs
}

// hide takes the values of secrets out of a text.
func (k *kit) hide(text string) string {
	for _, q := range k.questions {
		for _, form := range forms(q.literal()) {
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
