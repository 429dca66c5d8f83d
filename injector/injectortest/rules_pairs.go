package injectortest

import (
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// pairs calls the function for any two runs of different cases that fit into
// one Pod and whose secrets can be read alone.
func pairs(b *basis, each func(run, other *caseRun)) {
	var all []*caseRun
	for _, run := range b.sound() {
		if run.first.err == nil && !b.unplaced()[run.Case] {
			all = append(all, run)
		}
	}
	for i, run := range all {
		for _, other := range all[:i] {
			if run.setting == other.setting && equality.Semantic.DeepEqual(run.Meta, other.Meta) {
				each(run, other)
			}
		}
	}
}

// checkPairs puts each pair of secrets into one Pod.
func checkPairs(_ *kit, b *basis, report func(*caseRun, error)) {
	pairs(b, func(run, other *caseRun) {
		if unionFlaw(run, other) != nil {
			return // "shared container" reports it
		}
		if err := together(run, other); err != nil {
			report(run, fmt.Errorf("together with case %v: %w", other.Case, err))
		}
	})
}

func together(run, other *caseRun) error {
	if err := twoNames(&run.first.fragment, &other.first.fragment); err != nil {
		return err
	}
	if run.sharesNames(other) {
		return nil
	}
	_, err := inOnePod(run, other)
	return err
}

// sharesNames reports whether containers look for both secrets at the same
// place, or for one inside the other, so that no Pod can have both.
func (run *caseRun) sharesNames(other *caseRun) bool {
	if run.req == other.req || run.conflictAtDir(other) {
		return true
	}
	variables, files := run.names()
	otherVariables, otherFiles := other.names()
	for _, name := range variables {
		if slices.Contains(otherVariables, name) {
			return true
		}
	}
	for _, file := range files {
		if slices.ContainsFunc(otherFiles, func(f string) bool { return nested(file, f) }) {
			return true
		}
	}
	return false
}

// names returns the variables and files at which programs look for a secret, in
// either form.
func (run *caseRun) names() (variables, files []string) {
	req, layout := run.req, run.layout
	versions := []string{req.GroupVersion, ""}
	if req.EnvVar != "" {
		variables = append(variables, req.EnvVar)
	}
	if layout.Exact {
		if run.first.fragment.File {
			files = append(files, req.FilePath(layout, ""))
		}
		return variables, files
	}
	for _, version := range versions {
		variables = append(variables, layout.EnvVar(req.Group, version, req.Key))
		files = append(files, req.FilePath(layout, version))
	}
	return variables, files
}

// dirVolume returns the volume mounted at the directory of secrets, or "".
func (run *caseRun) dirVolume() string {
	f := &run.first.fragment
	at := slices.IndexFunc(f.VolumeMounts, func(m corev1.VolumeMount) bool { return m.MountPath == run.dir() })
	switch {
	case at >= 0:
		return f.VolumeMounts[at].Name
	case f.File && f.Mounts(mount.FetchVolume):
		return mount.FetchVolume
	case f.File && run.fromWebhook(), readsWebhooksFile(f):
		return "the webhook's " + f.Webhook.Volume
	}
	return ""
}

// conflictAtDir reports whether two volumes would be mounted at the directory
// of secrets, and not both come from the manager.
func (run *caseRun) conflictAtDir(other *caseRun) bool {
	a, b := run.dirVolume(), other.dirVolume()
	return a != "" && b != "" && a != b && !(mount.IsName(a) && mount.IsName(b))
}

// twoNames returns an error if equal volumes or containers have different
// names.
func twoNames(f, g *mount.Fragment) error {
	for _, a := range f.Volumes {
		for _, b := range g.Volumes {
			if a.Name != b.Name && equality.Semantic.DeepEqual(a.VolumeSource, b.VolumeSource) {
				return fmt.Errorf("the same volume has the names %q and %q", a.Name, b.Name)
			}
		}
	}
	for _, a := range f.InitContainers {
		for _, b := range g.InitContainers {
			renamed := a.Container.DeepCopy()
			renamed.Name = b.Name
			if a.Name != b.Name && equality.Semantic.DeepEqual(renamed, b.Container) && equality.Semantic.DeepEqual(a.Env, b.Env) {
				return fmt.Errorf("the same init container has the names %q and %q", a.Name, b.Name)
			}
		}
	}
	return nil
}

// checkUnion checks pairs of secrets that share an init container.
func checkUnion(k *kit, b *basis, report func(*caseRun, error)) {
	pairs(b, func(run, other *caseRun) {
		err := unionFlaw(run, other)
		if err == nil && len(sharedContainers(run, other)) > 0 && together(run, other) == nil && !run.sharesNames(other) {
			err = k.checkGrowth(run, other)
		}
		if err != nil {
			report(run, fmt.Errorf("together with case %v: %w", other.Case, err))
		}
	})
}

type initPair struct{ a, b mount.InitContainer }

// sharedContainers returns the init containers with the same name.
func sharedContainers(run, other *caseRun) (all []initPair) {
	for _, a := range run.first.fragment.InitContainers {
		for _, b := range other.first.fragment.InitContainers {
			if a.Name == b.Name {
				all = append(all, initPair{a, b})
			}
		}
	}
	return all
}

// unionFlaw returns why init containers with the same name cannot be merged.
func unionFlaw(run, other *caseRun) error {
	for _, p := range sharedContainers(run, other) {
		if p.a.Container != p.b.Container && !equality.Semantic.DeepEqual(p.a.Container, p.b.Container) {
			return fmt.Errorf("the two secrets have different Containers for init container %q", p.a.Name)
		}
		values := make(map[string]corev1.EnvVar)
		for _, v := range slices.Concat(p.a.Container.Env, p.a.Env, p.b.Env) {
			if old, ok := values[v.Name]; ok && !equality.Semantic.DeepEqual(old, v) {
				return fmt.Errorf("init container %q would have two values for variable %s", p.a.Name, v.Name)
			}
			values[v.Name] = v
		}
		if sameSecret(run.req, other.req) {
			continue
		}
		for _, envs := range [][2][]corev1.EnvVar{{p.a.Env, p.b.Env}, {p.b.Env, p.a.Env}} {
			if !slices.ContainsFunc(envs[0], func(v corev1.EnvVar) bool { return !hasVariable(envs[1], v.Name) }) {
				return fmt.Errorf("in init container %q, one of the two secrets has no variable of its own", p.a.Name)
			}
		}
	}
	return nil
}

func sameSecret(a, b secret.Request) bool {
	return a.Group == b.Group && a.Key == b.Key && a.GroupVersion == b.GroupVersion && a.Field == b.Field
}

func hasVariable(env []corev1.EnvVar, name string) bool {
	return slices.ContainsFunc(env, func(v corev1.EnvVar) bool { return v.Name == name })
}

// checkGrowth injects one secret, and then the other. The init containers must
// be the same as if both were injected at once.
func (k *kit) checkGrowth(run, other *caseRun) error {
	in, err := run.injector(renamed{k.manager})
	if err != nil {
		return err
	}
	both, err := in.Inject(ctx, run.pod(), other.req, run.req)
	if err != nil {
		return fmt.Errorf("both at once: %w", err)
	}
	for _, then := range [][]secret.Request{{other.req, run.req}, {run.req}} {
		grown, err := in.Inject(ctx, run.pod(), other.req)
		if err == nil {
			grown, err = in.Inject(ctx, grown, then...)
		}
		if err != nil {
			return fmt.Errorf("one after the other: %w", err)
		}
		if !equality.Semantic.DeepEqual(variablesOf(grown), variablesOf(both)) {
			return errors.New("init containers have different variables if injected one after the other")
		}
	}
	return nil
}

// variablesOf returns the variables of a Pod's fetchers.
func variablesOf(pod *corev1.Pod) map[string]map[string]corev1.EnvVar {
	all := make(map[string]map[string]corev1.EnvVar)
	for _, c := range pod.Spec.InitContainers {
		if !mount.IsName(c.Name) {
			continue
		}
		all[c.Name] = make(map[string]corev1.EnvVar)
		for _, v := range c.Env {
			all[c.Name][v.Name] = v
		}
	}
	return all
}
