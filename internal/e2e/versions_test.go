package e2e

// newField is a field of a Pod's spec that API servers of a version know, with
// newFieldFlags, and that k8s.io/api v0.34, for which these tests are built, does not.
// There is none in 1.34. The name is empty then.
func newField(minor int) (name string, value map[string]any) {
	switch {
	case minor >= 36:
		return "schedulingGroup", map[string]any{"podGroupName": "workers"}
	case minor == 35: // in 1.36 it is gone
		return "workloadRef", map[string]any{"name": "training", "podGroup": "workers"}
	}
	return "", nil
}

// newFieldFlags are what a server needs for the field: the feature, and from 1.36 on the
// APIs that the feature itself watches.
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
