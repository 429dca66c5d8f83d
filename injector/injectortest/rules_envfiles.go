package injectortest

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/mount"
)

// envFileOf returns the reference to an env file in the result, or nil.
func envFileOf(run *caseRun) *corev1.FileKeySelector {
	if run.first.err != nil || run.first.fragment.Value.EnvFileVolume() == "" {
		return nil
	}
	return run.first.fragment.Value.EnvVar("").ValueFrom.FileKeyRef
}

// checkEnvFiles checks each reference to an env file, and pairs of them.
func checkEnvFiles(_ *kit, b *basis, report func(*caseRun, error)) {
	all := slices.DeleteFunc(b.sound(), func(run *caseRun) bool { return envFileOf(run) == nil })
	for i, run := range all {
		if err := envFileFlaw(run); err != nil {
			report(run, err)
		}
		ref := envFileOf(run)
		for _, other := range all[:i] {
			of := envFileOf(other)
			if run.setting == other.setting && ref.VolumeName == of.VolumeName && ref.Path == of.Path && !sameSecret(run.req, other.req) {
				report(run, fmt.Errorf("has the same env file as case %v", other.Case))
			}
		}
	}
}

// envFileFlaw returns what is wrong with the reference to an env file, if any.
// "placement" checks whether another webhook writes the file.
func envFileFlaw(run *caseRun) error {
	ref := envFileOf(run)
	if ref == nil {
		return nil
	}
	switch {
	case path.IsAbs(ref.Path), path.Clean(ref.Path) != ref.Path, ref.Path == ".", slices.Contains(strings.Split(ref.Path, "/"), ".."):
		return fmt.Errorf("the path of the env file, %q, is not relative and clean", ref.Path)
	case len(validation.IsRelaxedEnvVarName(ref.Key)) > 0:
		return fmt.Errorf("the key in the env file, %q, is not valid", ref.Key)
	case ref.Optional != nil && *ref.Optional:
		return errors.New("the reference to the env file is optional")
	case ref.VolumeName != mount.EnvVolume:
		return nil
	}
	r := &reader{pod: &corev1.Pod{}}
	for _, ic := range run.first.fragment.InitContainers {
		c := *ic.Container
		c.Env = slices.Concat(c.Env, ic.Env)
		r.before = append(r.before, &c)
	}
	return r.fetched(ref.VolumeName, ref.Path, run.WritesEnv, "Case.WritesEnv")
}
