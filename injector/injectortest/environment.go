package injectortest

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// envValue is what a variable holds in a running container, as far as the Pod
// tells: a text; or what the kubelet finds at a reference; or a text that has
// such a thing in it, of which only that is known.
type envValue struct {
	text   string
	source *corev1.EnvVarSource
	mixed  bool
}

// known reports whether the Pod tells what the variable holds.
func (v envValue) known() bool { return v.source == nil && !v.mixed }

// equal reports whether two variables hold the same, whatever it is. Neither must
// be mixed.
func (v envValue) equal(other envValue) bool {
	return v.text == other.text && equality.Semantic.DeepEqual(v.source, other.source)
}

// environment returns the variables of a container that its Env sets, as the
// kubelet makes them: the last one of a name counts, and a literal sees those
// that stand before it.
func environment(c *corev1.Container) map[string]envValue {
	env := make(map[string]envValue, len(c.Env))
	for _, v := range c.Env {
		if v.ValueFrom != nil {
			env[v.Name] = envValue{source: v.ValueFrom}
			continue
		}
		if of, ok := env[referred(v.Value)]; ok {
			env[v.Name] = of
			continue
		}
		text, mixed := expand(v.Value, env)
		env[v.Name] = envValue{text: text, mixed: mixed}
	}
	return env
}

// referred returns NAME if the text is "$(NAME)" and nothing else, or "".
func referred(text string) string {
	name, ok := strings.CutPrefix(text, "$(")
	if name, rest, closed := strings.Cut(name, ")"); ok && closed && rest == "" {
		return name
	}
	return ""
}

// expand is the kubelet's expansion of a text: "$(NAME)" is the value of the
// variable, if there is one, and "$$" is "$" (k8s.io/kubernetes,
// third_party/forked/golang/expansion). mixed: the text refers to a variable of
// which the Pod does not tell the value.
func expand(text string, env map[string]envValue) (expanded string, mixed bool) {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String(), mixed
		}
		switch name, rest, closed := strings.Cut(strings.TrimPrefix(after, "("), ")"); {
		case strings.HasPrefix(after, "$"):
			out.WriteByte('$')
			text = after[1:]
		case strings.HasPrefix(after, "(") && closed:
			v, ok := env[name]
			switch {
			case !ok:
				out.WriteString("$(" + name + ")")
			case !v.known():
				mixed = true
			default:
				out.WriteString(v.text)
			}
			text = rest
		default:
			out.WriteByte('$')
			text = after
		}
	}
}
