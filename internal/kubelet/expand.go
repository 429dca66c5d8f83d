// Package kubelet models the kubelet's handling of containers' variables, for tests.
package kubelet

import "strings"

// Expand expands a variable's value as the kubelet does: "$$" becomes "$", and
// "$(NAME)" the value of a known variable. Unknown names and any other "$" stay.
// Known variables are those of services, and the container's before this one. It
// follows Expand in Kubernetes' third_party/forked/golang/expansion, as called by
// makeEnvironmentVariables in pkg/kubelet.
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
