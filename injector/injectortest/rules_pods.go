package injectortest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// managerName replaces the manager's own name, which another rule checks.
const managerName = "tested"

// renamed is the manager with that name.
type renamed struct{ injector.SecretManager }

func (renamed) Name() string { return managerName }

// recorded returns the recorded results of some runs.
type recorded []*caseRun

func (recorded) Name() string { return managerName }

func (r recorded) Mount(_ context.Context, req secret.Request, _ mount.Target) (mount.Fragment, error) {
	for _, run := range r {
		asked := run.req
		asked.Mount = asked.Form(run.layout)
		if asked == req {
			return run.first.fragment, nil
		}
	}
	return mount.Fragment{}, secret.ErrNotFound
}

func (run *caseRun) injector(m injector.SecretManager) (*injector.Injector, error) {
	return injector.New(injector.Config{Managers: []injector.SecretManager{m}, Layout: run.layout, InitOrder: run.order})
}

// with returns the run with another request and its result.
func (run *caseRun) with(req secret.Request, a answer) *caseRun {
	other := *run
	other.req, other.first = req, a
	return &other
}

// pod returns the Pod of a run, with all kinds of containers.
func (run *caseRun) pod() *corev1.Pod {
	pod := Pod(
		mount.Container{Name: "proxy", Init: true, Sidecar: true},
		mount.Container{Name: "init", Init: true},
		mount.Container{Name: "app"},
		mount.Container{Name: "other"},
	)
	pod.ObjectMeta = *run.Case.meta()
	return pod
}

// readers returns the containers of that Pod that surely start after the
// secrets are available. With mount.InitAfterSidecars these are no init
// containers, because another webhook may fetch last.
func (run *caseRun) readers() []string {
	if run.order == mount.InitFirst {
		return []string{"proxy", "init", "app", "other"}
	}
	return []string{"app", "other"}
}

// checkPlacement gives the manager's result to a real Injector.
func checkPlacement(_ *kit, run *caseRun) error {
	pod, err := inOnePod(run)
	if err != nil {
		return err
	}
	return run.findAlias(pod)
}

// checkPlacements returns the cases that fail checkPlacement or its
// prerequisites.
func (k *kit) checkPlacements(b *basis) map[*Case]bool {
	unplaced := make(map[*Case]bool)
	for _, run := range b.sound() {
		if run.first.err == nil && !unplaced[run.Case] {
			unplaced[run.Case] = run.flaw() != nil || checkPlacement(k, run) != nil
		}
	}
	return unplaced
}

// inOnePod returns a Pod with the secrets of the runs, or why they cannot all
// be read.
func inOnePod(runs ...*caseRun) (*corev1.Pod, error) {
	in, err := runs[0].injector(recorded(runs))
	if err != nil {
		return nil, err
	}
	reqs := make([]secret.Request, len(runs))
	for i, run := range runs {
		reqs[i] = run.req
	}
	plan, err := in.Plan(ctx, runs[0].pod(), reqs...)
	if err != nil {
		return nil, err
	}
	pod := plan.Pod()
	readers := runs[0].readers()
	if len(runs) > 1 {
		readers = readers[len(readers)-1:] // other checks cover the rest
	}
	for i, run := range runs {
		for _, container := range readers {
			if err := run.found(pod, container, &plan.Placements[i]); err != nil {
				return nil, err
			}
		}
	}
	return pod, nil
}

// found returns nil if the container finds the secret at its placement, as far
// as the Pod shows.
func (run *caseRun) found(pod *corev1.Pod, container string, p *injector.Placement) error {
	req := run.req
	req.Mount = p.Mount
	if !run.first.fragment.Versioned {
		req.GroupVersion = "" // the primary name
	}
	at, err := run.readIn(pod, container, req)
	if err != nil {
		return fmt.Errorf("container %q: %w", container, err)
	}
	if p.Mount == mount.File && at.file != p.Path || p.Mount == mount.EnvVar && at.variable != p.EnvVar {
		return fmt.Errorf("container %q: its client looks for %s or %s, not for %s%s", container, at.variable, at.file, p.EnvVar, p.Path)
	}
	if got := run.first.fragment.Value; got != nil && run.Value != nil && (got.IsLiteral() || !run.Value.IsLiteral()) && !got.Equal(run.Value) {
		return fmt.Errorf("container %q: variable %s differs from the secret's value", container, at.variable)
	}
	return nil
}

// readIn returns where the container looks for the secret, and an error if the
// secret is known to be missing there.
func (run *caseRun) readIn(pod *corev1.Pod, container string, req secret.Request) (lookup, error) {
	r, err := find(pod, container)
	if err != nil {
		return lookup{}, err
	}
	r.writes, r.writesEnv = run.Writes, run.WritesEnv
	if run.layout.Exact {
		r.setExact(run.dir())
	}
	at, err := r.lookUp(req)
	if err != nil {
		return at, err
	}
	if err := r.read(req); err != nil && !errors.Is(err, ErrUnknown) && !(errors.Is(err, errNoVolume) && run.fromWebhook()) {
		return at, err
	}
	return at, nil
}

// dir returns the directory of files.
func (run *caseRun) dir() string {
	if w := run.first.fragment.Webhook; w != nil && w.Dir != "" {
		return w.Dir
	}
	return run.layout.WithDefaults().Dir
}

// fromWebhook reports whether another webhook provides the file.
func (run *caseRun) fromWebhook() bool {
	f := &run.first.fragment
	return len(f.InitContainers)+len(f.VolumeMounts) == 0 && f.Webhook != nil
}

// findAlias returns nil if a client that asks with the version finds a secret
// whose name has none, where the library or another webhook can provide the
// alias.
func (run *caseRun) findAlias(pod *corev1.Pod) error {
	req, f := run.req, &run.first.fragment
	if req.GroupVersion == "" || f.Versioned || run.layout.Exact || req.Path != "" {
		return nil
	}
	req.EnvVar = ""
	if f.File {
		req.Mount = mount.File
		layout := run.layout
		layout.Dir = run.dir()
		name, alias := req.FilePath(layout, ""), req.FilePath(layout, req.GroupVersion)
		if !hasAlias(f) && !projectsOnly(f) || nested(name, alias) {
			return nil
		}
	} else {
		req.Mount = mount.EnvVar
		if len(validation.IsEnvVarName(run.layout.EnvVar(req.Group, req.GroupVersion, req.Key))) > 0 {
			return nil
		}
	}
	if _, err := run.readIn(pod, "app", req); err != nil {
		return fmt.Errorf("with the version in its name: %w", err)
	}
	return nil
}

// projectsOnly reports whether all volumes of a fragment are projected volumes.
func projectsOnly(f *mount.Fragment) bool {
	for i := range f.Volumes {
		if f.Volumes[i].Projected == nil {
			return false
		}
	}
	return len(f.Volumes) > 0
}

// nested reports whether two files are equal, or one would be inside the other.
func nested(a, b string) bool {
	return a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}

// checkTwice injects again into an injected Pod, whose new metadata the manager
// sees.
func checkTwice(k *kit, run *caseRun) error {
	in, err := run.injector(renamed{k.manager})
	if err != nil {
		return err
	}
	pod := run.pod()
	if pod.Name == "" && pod.GenerateName == "" {
		pod.GenerateName = "kit-"
	}
	once, err := in.Inject(ctx, pod, run.req)
	if err != nil {
		return nil // "placement" reports it
	}
	for _, state := range []string{"once", "once, with defaults"} {
		again, err := in.Patch(ctx, once, run.req)
		switch {
		case err != nil:
			return fmt.Errorf("into a Pod injected %s: %w", state, err)
		case len(again) > 0:
			return fmt.Errorf("into a Pod injected %s: adds %s", state, again[0].Path)
		}
		setDefaults(once)
	}
	return nil
}
