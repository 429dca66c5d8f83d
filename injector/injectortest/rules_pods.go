package injectortest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// tested is what managers are called here, whose own name another rule checks.
const tested = "tested"

// renamed is the manager, by that name.
type renamed struct{ injector.SecretManager }

func (renamed) Name() string { return tested }

// recorded answers as the manager did to some questions.
type recorded []*question

func (recorded) Name() string { return tested }

func (r recorded) Mount(_ context.Context, req secret.Request, _ mount.Target) (mount.Fragment, error) {
	for _, q := range r {
		if q.Request == req {
			return q.first.fragment, nil
		}
	}
	return mount.Fragment{}, secret.ErrNotFound
}

func (q *question) injector(m injector.SecretManager) (*injector.Injector, error) {
	return injector.New(injector.Config{Managers: []injector.SecretManager{m}, Layout: q.layout, InitOrder: q.order})
}

// pod returns the Pod of a question: one with containers of every kind.
func (q *question) pod() *corev1.Pod {
	pod := Pod(
		mount.Container{Name: "proxy", Init: true, Sidecar: true},
		mount.Container{Name: "init", Init: true},
		mount.Container{Name: "app"},
		mount.Container{Name: "other"},
	)
	pod.ObjectMeta = *q.Case.meta()
	return pod
}

// readers are the containers of that Pod that start when secrets are there. With
// mount.InitAfterSidecars, not even that can be said of init containers (mount.File
// of some managers comes last).
func (q *question) readers() []string {
	if q.order == mount.InitFirst {
		return []string{"proxy", "init", "app", "other"}
	}
	return []string{"app", "other"}
}

// checkPlacement plays what the manager has answered to a real Injector.
func checkPlacement(_ *kit, q *question) error {
	return inOnePod(q)
}

// inOnePod returns why secrets of one Pod cannot all be read.
func inOnePod(qs ...*question) error {
	in, err := qs[0].injector(recorded(qs))
	if err != nil {
		return err
	}
	reqs := make([]secret.Request, len(qs))
	for i, q := range qs {
		reqs[i] = q.Request
	}
	plan, err := in.Plan(ctx, qs[0].pod(), reqs...)
	if err != nil {
		return err
	}
	pod := plan.Pod()
	for i, q := range qs {
		for _, container := range q.readers() {
			if err := q.found(pod, container, &plan.Placements[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// found returns nil if the container finds the secret of a question where the
// placement says, as far as the Pod tells.
func (q *question) found(pod *corev1.Pod, container string, p *injector.Placement) error {
	r, err := find(pod, container)
	if err != nil {
		return err
	}
	r.writes = q.Writes
	req := q.Request
	req.Mount = p.Mount
	if !q.first.fragment.Versioned {
		req.GroupVersion = "" // the name that it has for sure
	}
	if err := r.read(req); err != nil && !errors.Is(err, ErrUnknown) && !(errors.Is(err, errNoVolume) && q.elsewhere()) {
		return fmt.Errorf("container %q: %w", container, err)
	}
	at := r.lookUp(req)
	if p.Mount == mount.File && at.file != p.Path || p.Mount == mount.EnvVar && at.variable != p.EnvVar {
		return fmt.Errorf("container %q: its client looks for %s or %s, not for %s%s", container, at.variable, at.file, p.EnvVar, p.Path)
	}
	if got := q.first.fragment.Value; got != nil && q.Value != nil && (got.IsLiteral() || !q.Value.IsLiteral()) && !got.Equal(q.Value) {
		return fmt.Errorf("container %q: the variable %s is something else than the secret's value", container, at.variable)
	}
	return nil
}

// elsewhere reports whether the file is for somebody else to bring, whom
// annotations instruct.
func (q *question) elsewhere() bool {
	f := &q.first.fragment
	return len(f.InitContainers)+len(f.VolumeMounts) == 0 && f.Webhook != nil
}

// checkApart puts each pair of secrets into one Pod.
func checkApart(k *kit, report func(*question, error)) {
	all := k.sound(func(q *question) bool { return q.first.err == nil && inOnePod(q) == nil })
	for i, q := range all {
		for _, other := range all[:i] {
			if q.setting.name != other.setting.name || !equality.Semantic.DeepEqual(q.Meta, other.Meta) {
				continue
			}
			if err := together(q, other); err != nil {
				report(q, fmt.Errorf("together with case %v: %w", other.Case, err))
			}
		}
	}
}

func together(q, other *question) error {
	if err := twoNames(&q.first.fragment, &other.first.fragment); err != nil {
		return err
	}
	if q.shareNames(other) {
		return nil
	}
	return inOnePod(q, other)
}

// shareNames reports whether containers look for both secrets in one place, or
// one in the other, so that no Pod can have both.
func (q *question) shareNames(other *question) bool {
	if q.Request == other.Request {
		return true
	}
	for _, versions := range [][2]string{{q.Request.GroupVersion, other.Request.GroupVersion}, {}, {q.Request.GroupVersion, ""}, {"", other.Request.GroupVersion}} {
		a := q.layout.Path(q.Request.Group, versions[0], q.Request.Key)
		b := q.layout.Path(other.Request.Group, versions[1], other.Request.Key)
		if a == b || strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/") {
			return true
		}
		if q.layout.EnvVar(q.Request.Group, versions[0], q.Request.Key) == q.layout.EnvVar(other.Request.Group, versions[1], other.Request.Key) {
			return true
		}
	}
	return q.Request.EnvVar != "" && q.Request.EnvVar == other.Request.EnvVar
}

// twoNames returns an error if one thing has two names.
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

// checkTwice injects again what is injected, into a Pod of which the manager
// sees the new metadata.
func checkTwice(k *kit, q *question) error {
	in, err := q.injector(renamed{k.manager})
	if err != nil {
		return err
	}
	pod := q.pod()
	if pod.Name == "" && pod.GenerateName == "" {
		pod.GenerateName = "kit-"
	}
	once, err := in.Inject(ctx, pod, q.Request)
	if err != nil {
		return nil // which "placement" reports
	}
	for _, state := range []string{"once", "once, and got defaults"} {
		again, err := in.Patch(ctx, once, q.Request)
		switch {
		case err != nil:
			return fmt.Errorf("into a Pod that was injected %s: %w", state, err)
		case len(again) > 0:
			return fmt.Errorf("into a Pod that was injected %s, it adds %s", state, again[0].Path)
		}
		setDefaults(once)
	}
	return nil
}
