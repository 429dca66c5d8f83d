// Package kubelet is a model, for tests, of what the kubelet does with the
// variables of a container.
package kubelet

import "strings"

// Expand is the kubelet's expansion of a variable's value: "$$" is "$", "$(NAME)"
// is the value of a known variable and otherwise stays, and so does any other
// "$". known are the variables that stand before it, and those of services. It
// follows Expand in Kubernetes' third_party/forked/golang/expansion, as
// makeEnvironmentVariables in pkg/kubelet calls it.
func Expand(value string, known map[string]string) string {
	var out strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] != '$' || i+1 == len(value) {
			out.WriteByte(value[i])
			continue
		}
		i++
		end := strings.IndexByte(value[i:], ')')
		switch {
		case value[i] == '$':
			out.WriteByte('$')
		case value[i] == '(' && end > 0:
			reference := value[i : i+end+1]
			if v, ok := known[reference[1:end]]; ok {
				out.WriteString(v)
			} else {
				out.WriteString("$" + reference)
			}
			i += end
		default:
			out.WriteString(value[i-1 : i+1])
		}
	}
	return out.String()
}
