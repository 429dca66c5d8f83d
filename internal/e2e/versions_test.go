package e2e

// newField returns a field of a Pod's spec that API servers of the minor version know,
// with newFieldFlags, and these tests' k8s.io/api v0.34 does not. The name is empty
// if there is none, as in 1.34.
func newField(minor int) (name string, value map[string]any) {
	switch {
	case minor >= 36:
		return "schedulingGroup", map[string]any{"podGroupName": "workers"}
	case minor == 35: // removed in 1.36
		return "workloadRef", map[string]any{"name": "training", "podGroup": "workers"}
	}
	return "", nil
}

// newFieldFlags returns the server's flags for the field: the feature and, from 1.36
// on, the APIs that the feature watches.
func newFieldFlags(minor int) []string {
	if name, _ := newField(minor); name == "" {
		return nil
	}
	flags := []string{"--feature-gates=GenericWorkload=true"}
	if minor >= 36 {
		flags = append(flags, "--runtime-config=api/alpha=true,api/beta=true")
	}
	return flags
}
