package main

import (
	"cmp"
	"flag"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/podsecrets/podsecrets/injector"
)

// rules are read from a file, in the format of "allow" in the webhook's configuration. Nil
// allows everything.
type rules struct{ injector.Rules }

func (r *rules) register(fs *flag.FlagSet) {
	fs.Func("allow", "", func(file string) error {
		text, err := os.ReadFile(file) // #nosec G304 -- the file that the flag names
		if err != nil {
			return err
		}
		r.Rules = nil
		if err := yaml.UnmarshalStrict(text, &r.Rules); err != nil {
			return fmt.Errorf("is not a list of rules: %w", err)
		}
		if r.Rules == nil {
			r.Rules = injector.Rules{} // an empty file allows nothing; nil would allow everything
		}
		for i, rule := range r.Rules {
			if len(rule.Namespaces)+len(rule.ServiceAccounts)+len(rule.Managers)+len(rule.Names)+len(rule.Keys) == 0 {
				return fmt.Errorf("rules[%d] is empty, and would allow everything", i)
			}
		}
		return r.Validate()
	})
}

// allow is injector.Config.Allow.
func (r *rules) allow() func(injector.Access) error {
	if r.Rules == nil {
		return nil
	}
	return r.Allow
}

// allowedBy names the rule that allows a placement, "" without rules. The namespace is the
// object's own, which is safe because this program creates nothing.
func (r *rules) allowedBy(pod *corev1.Pod, p *injector.Placement) string {
	if r.Rules == nil {
		return ""
	}
	return fmt.Sprintf("rules[%d]", r.Find(injector.Access{
		Manager: p.Manager, Request: p.Request, Reads: p.Reads,
		Namespace:      pod.Namespace,
		ServiceAccount: cmp.Or(pod.Spec.ServiceAccountName, pod.Spec.DeprecatedServiceAccount, "default"),
	}))
}
