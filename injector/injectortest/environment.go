package injectortest

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// envValue is a variable's value in a running container, as far as the Pod
// shows it: a text, a reference, or (mixed) a text with an unknown part.
type envValue struct {
	text   string
	source *corev1.EnvVarSource
	mixed  bool
}

// known reports whether the Pod shows the value.
func (v envValue) known() bool { return v.source == nil && !v.mixed }

// equal reports whether two values are the same, even if unknown. Neither may
// be mixed.
func (v envValue) equal(other envValue) bool {
	return v.text == other.text && equality.Semantic.DeepEqual(v.source, other.source)
}

// environment returns the variables in a container's Env as the kubelet sets
// them: the last one with a name counts, and a literal sees those before it.
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

// referred returns NAME if the text is exactly "$(NAME)", or "".
func referred(text string) string {
	name, ok := strings.CutPrefix(text, "$(")
	if name, rest, closed := strings.Cut(name, ")"); ok && closed && rest == "" {
		return name
	}
	return ""
}

// expand expands a text as the kubelet does: "$(NAME)" is the value of an
// existing variable, and "$$" is "$" (k8s.io/kubernetes,
// third_party/forked/golang/expansion). mixed means that the text refers to a
// variable with an unknown value.
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
