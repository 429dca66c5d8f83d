package injector_test

import (
	"math/rand"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// interpret is a simple implementation of Rules.Allow.
func interpret(rules injector.Rules, a injector.Access) bool {
	match := func(patterns []string, text string, known bool) bool {
		if len(patterns) == 0 {
			return true
		}
		for _, p := range patterns {
			expr := regexp.QuoteMeta(p)
			expr = strings.ReplaceAll(expr, `\*\*`, `(?s:.*)`)
			expr = strings.ReplaceAll(expr, `\*`, `[^/]*`)
			if known && regexp.MustCompile(`^(?:`+expr+`)$`).MatchString(text) {
				return true
			}
		}
		return false
	}
	for _, r := range rules {
		inNamespace, says := a.Namespace != "", a.Reads != mount.Object{}
		if match(r.Namespaces, a.Namespace, inNamespace) && match(r.ServiceAccounts, a.ServiceAccount, inNamespace) &&
			match(r.Managers, a.Manager, true) && match(r.Names, a.Reads.Name, says) && match(r.Keys, a.Reads.Key, says) {
			return true
		}
	}
	return false
}

// text returns a text of a few characters, or a pattern if it may have wildcards.
func text(r *rand.Rand, alphabet string) string {
	var b strings.Builder
	for range r.Intn(7) {
		b.WriteByte(alphabet[r.Intn(len(alphabet))])
	}
	return b.String()
}

func randomAccess(r *rand.Rand) injector.Access {
	const letters = "ab/"
	return injector.Access{
		Manager: text(r, letters), Namespace: text(r, "ab"), ServiceAccount: text(r, "ab"),
		Reads: mount.Object{Name: text(r, letters), Key: text(r, letters)},
	}
}

func randomRules(r *rand.Rand) (rules injector.Rules) {
	patterns := func() (all []string) {
		for range r.Intn(3) {
			all = append(all, text(r, "ab/**"))
		}
		return all
	}
	for range r.Intn(4) {
		rules = append(rules, injector.Rule{
			Namespaces: patterns(), ServiceAccounts: patterns(), Managers: patterns(), Names: patterns(), Keys: patterns(),
		})
	}
	return rules
}

func TestRules_Interpreter(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	outcomes := map[bool]int{}
	for range 50_000 {
		rules, a := randomRules(r), randomAccess(r)
		want := interpret(rules, a)
		outcomes[want]++
		require.Equal(t, want, rules.Allow(a) == nil, "%+v\n%+v", rules, a)
		require.Equal(t, want, rules.Find(a) >= 0)
	}
	assert.Greater(t, outcomes[true], 1000)
	assert.Greater(t, outcomes[false], 1000)
}

func FuzzRules_Pattern(f *testing.F) {
	for _, seed := range [][2]string{{"a*b**c", "axbyy/zc"}, {"**", ""}, {"*", "a/b"}, {"***/x", "a/b/x"}, {"\xff*", "\xffa"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 100 || len(name) > 1000 || !isText(pattern) || !isText(name) {
			return // regular expressions read what is not UTF-8 otherwise
		}
		rules := injector.Rules{{Names: []string{pattern}}}
		a := injector.Access{Reads: mount.Object{Name: name, Key: "k"}}
		if interpret(rules, a) != (rules.Allow(a) == nil) {
			t.Errorf("pattern %q, name %q", pattern, name)
		}
	})
}

func isText(s string) bool { return strings.ToValidUTF8(s, "") == s }

func TestRules_Validate(t *testing.T) {
	valid := injector.Rules{{}, {
		Namespaces: []string{"team-*", "**"}, ServiceAccounts: []string{"app.v1"}, Managers: []string{"k8s"},
		Names: []string{"secret/data/*", "arn:aws:secretsmanager:*"}, Keys: []string{"", "*"},
	}}
	require.NoError(t, valid.Validate())
	require.NoError(t, injector.Rules(nil).Validate())

	err := injector.Rules{{}, {
		Namespaces:      []string{"Team", "ok", ""},
		ServiceAccounts: []string{"a/b"},
		Managers:        []string{"k8s!"},
		Names:           []string{" db", "a\xff", "a\nb"},
		Keys:            []string{"a\x00"},
	}}.Validate()
	require.Error(t, err)
	assert.Equal(t, []string{
		`rules[1].namespaces[0]: "Team" contains 'T', which is not allowed here`,
		`rules[1].namespaces[2]: "" is empty`,
		`rules[1].serviceAccounts[0]: "a/b" contains '/', which is not allowed here`,
		`rules[1].managers[0]: "k8s!" contains '!', which is not allowed here`,
		`rules[1].names[0]: " db" has leading or trailing spaces`,
		`rules[1].names[1]: "a\xff" is not valid UTF-8`,
		`rules[1].names[2]: "a\nb" contains '\n', which is not allowed here`,
		`rules[1].keys[0]: "a\x00" contains '\x00', which is not allowed here`,
	}, strings.Split(err.Error(), "\n"))
}

func TestRules_Reasons(t *testing.T) {
	rules := injector.Rules{
		{Namespaces: []string{"a"}},
		{Namespaces: []string{"b"}, ServiceAccounts: []string{"other"}},
		{Managers: []string{"vault"}},
		{Names: []string{"x"}},
	}
	a := injector.Access{Manager: "k8s", Namespace: "b", ServiceAccount: "default", Reads: mount.Object{Name: "db", Key: "password"}}
	assert.EqualError(t, rules.Allow(a), `no rule allows manager k8s reading "db", key "password" for service account "default" of namespace "b" `+
		`(rules[0]: namespaces do not match; rules[1]: serviceAccounts do not match; rules[2]: managers do not match; rules[3]: names do not match)`)
	a = injector.Access{Manager: "k8s", ServiceAccount: "default"}
	assert.EqualError(t, rules.Allow(a), `no rule allows manager k8s reading an unspecified object for service account "default" of an unknown namespace `+
		`(rules[0]: namespaces are set, but the namespace is unknown; rules[1]: namespaces are set, but the namespace is unknown; rules[2]: managers do not match; rules[3]: names are set, but the manager does not say what it reads)`)
	assert.EqualError(t, injector.Rules{}.Allow(a), `no rule allows manager k8s reading an unspecified object for service account "default" of an unknown namespace (there are no rules)`)
}

func TestAllow_RefusedIsNotFound(t *testing.T) {
	pod := stamped(t, &corev1.Pod{Spec: corev1.PodSpec{ServiceAccountName: "app", Containers: []corev1.Container{{Name: "app"}}}},
		secret.Request{Group: "user-info", Key: "password", Mount: mount.EnvVar})
	var asked []injector.Access
	in := newInjector(t, func(cfg *injector.Config) {
		cfg.Allow = func(a injector.Access) error {
			asked = append(asked, a)
			return injector.Rules{{Namespaces: []string{"team-a"}, Names: []string{"user-*"}}}.Allow(a)
		}
	})
	request := creation(toJSON(t, pod))

	request.Namespace = "team-a"
	require.True(t, in.Review(ctx, request).Allowed)
	assert.Equal(t, injector.Access{
		Manager: "k8s", Request: secret.Request{Group: "user-info", Key: "password", Mount: mount.EnvVar},
		Reads: mount.Object{Name: "user-info", Key: "password"}, Namespace: "team-a", ServiceAccount: "app",
	}, asked[len(asked)-1])

	request.Namespace = "team-b"
	for _, response := range []any{in.Review(ctx, request), in.Verify(ctx, request)} {
		text := printed(response)
		assert.Contains(t, text, "k8s: not found")
		assert.NotContains(t, text, "no rule")
	}

	// The namespace is never the object's own word.
	pod.Namespace = "team-a"
	request.Object.Raw = toJSON(t, pod)
	require.False(t, in.Review(ctx, request).Allowed)
	req := secret.Request{Group: "user-info", Key: "password", Mount: mount.EnvVar}
	_, err := in.Plan(ctx, pod, req)
	require.ErrorIs(t, err, secret.ErrNotFound)
	assert.Contains(t, err.Error(), "k8s: secret not found: not allowed: no rule allows")
	_, err = in.For("team-b").Plan(ctx, pod, req)
	require.ErrorIs(t, err, secret.ErrNotFound)
	plan, err := in.For("team-a").Plan(ctx, pod, req)
	require.NoError(t, err)
	assert.Equal(t, mount.Object{Name: "user-info", Key: "password"}, plan.Placements[0].Reads)
	pod.Namespace = "team-b"
	_, err = in.For("team-a").PatchJSON(ctx, toJSON(t, &corev1.PodTemplateSpec{ObjectMeta: pod.ObjectMeta, Spec: pod.Spec}), req)
	require.NoError(t, err)
	require.True(t, in.For("team-a").Review(ctx, request).Allowed)
}

// If one manager is refused, the next serves what its own rule allows.
func TestAllow_NextManager(t *testing.T) {
	req := secret.Request{Group: "global", Key: "token"}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "app"}}}}
	served := func(rules injector.Rules) string {
		in := newInjector(t, func(cfg *injector.Config) { cfg.Allow = rules.Allow })
		plan, err := in.Plan(ctx, pod, req)
		if err != nil {
			return ""
		}
		return plan.Placements[0].Manager
	}
	all := injector.Rules{{}}
	first := served(all)
	require.NotEmpty(t, first)
	var others []injector.Rule
	in := newInjector(t, func(cfg *injector.Config) {
		cfg.Allow = func(a injector.Access) error {
			if a.Manager != first {
				others = append(others, injector.Rule{Managers: []string{a.Manager}})
			}
			return injector.Rules{}.Allow(a)
		}
	})
	_, err := in.Plan(ctx, pod, req)
	require.ErrorIs(t, err, secret.ErrNotFound)
	require.NotEmpty(t, others, "no manager behind the first has an answer")
	second := served(others[:1])
	assert.NotEqual(t, first, second)
	assert.True(t, slices.Contains(others[0].Managers, second))
}
