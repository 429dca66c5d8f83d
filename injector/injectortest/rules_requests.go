package injectortest

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Additional requests of the kit: files in mixed case two directories deep,
// fields, and unusual modes.
var (
	kitPaths  = []string{"Kit.Dir/Sub-Dir/File-One", "Kit.Dir/Other/File_Two"}
	kitFields = []string{"KitField", "KitOther"}
	kitModes  = []int32{0o464, 0o446}
)

// checkPath requests files at exact paths. The manager may decline.
func checkPath(k *kit, run *caseRun) error {
	if !run.first.fragment.File {
		return nil
	}
	for _, p := range kitPaths {
		req := run.req
		req.Mount, req.Path = mount.File, p
		a := k.ask(ctx, run, req)
		if a.declined() {
			continue
		}
		if a.err != nil {
			return fmt.Errorf("with path %q: %w", p, a.err)
		}
		with := run.with(req, a)
		if _, err := inOnePod(with); err != nil {
			return fmt.Errorf("with path %q: %w", p, err)
		}
		if with.fromWebhook() && !strings.Contains(instructions(&a.fragment), path.Base(p)) {
			return fmt.Errorf("with path %q: the annotations for the other webhook do not have it", p)
		}
	}
	return nil
}

// checkContainer requests the secret for one of the two containers of a Pod.
func checkContainer(k *kit, run *caseRun) error {
	req := run.req
	req.Container = "app"
	a := k.ask(ctx, run, req)
	if a.err != nil {
		return fmt.Errorf("with a Container: got %v", &a)
	}
	with := run.with(req, a)
	in, err := with.injector(recorded{with})
	if err != nil {
		return err
	}
	pod := Pod(mount.Container{Name: "app"}, mount.Container{Name: "other"})
	pod.ObjectMeta = *run.Case.meta().DeepCopy()
	w := a.fragment.Webhook
	if w != nil { // the Pod's own list may contain the other container
		delete(pod.Annotations, w.ContainersAnnotation)
	}
	plan, err := in.Plan(ctx, pod, req)
	if err != nil {
		return err
	}
	out := plan.Pod()
	if err := with.found(out, "app", &plan.Placements[0]); err != nil {
		return err
	}
	switch {
	case !equality.Semantic.DeepEqual(pod.Spec.Containers[1], out.Spec.Containers[1]):
		return errors.New(`container "other" is changed too`)
	case w == nil:
	case w.ContainersAnnotation == "" && (with.fromWebhook() || readsWebhooksFile(&a.fragment)):
		return errors.New("the other webhook would mount its volume in all containers: ContainersAnnotation is missing")
	}
	req.Container, req.Mount = "", plan.Placements[0].Mount
	r, err := find(out, "other")
	if err != nil {
		return err
	}
	if run.layout.Exact {
		r.setExact(with.dir())
	}
	if r.read(req) == nil {
		return errors.New(`container "other" can read it too`)
	}
	return nil
}

// honorsFlaw returns why the injector would not accept the result for the
// case's own request.
func honorsFlaw(run *caseRun) error {
	honors := run.first.fragment.Honors
	switch {
	case run.req.Field != "" && !honors.Field:
		return errors.New("the request has a field, but Honors.Field is not set, so the injector would try the next manager")
	case run.req.Mode != 0 && !honors.Mode:
		return errors.New("the request has a mode, but Honors.Mode is not set, so the injector would try the next manager")
	}
	return nil
}

// checkHonors requests fields and modes.
func checkHonors(k *kit, b *basis, report func(*caseRun, error)) {
	served(func(_ *kit, run *caseRun) error { return honorsFlaw(run) })(k, b, report)
	placed(checkFeatures)(k, b, report)
}

func checkFeatures(k *kit, run *caseRun) error {
	for _, field := range kitFields {
		if err := k.checkField(run, field); err != nil {
			return fmt.Errorf("with field %q: %w", field, err)
		}
	}
	for _, mode := range kitModes {
		if err := k.checkMode(run, mode); err != nil {
			return fmt.Errorf("with mode %#o: %w", mode, err)
		}
	}
	return nil
}

func (k *kit) checkField(run *caseRun, field string) error {
	req := run.req
	req.Field = ""
	without := k.ask(ctx, run, req)
	req.Field = field
	with := k.ask(ctx, run, req)
	value := without.fragment.Value
	switch {
	case without.err != nil:
		return nil
	case with.err != nil:
		if value != nil && value.IsLiteral() {
			return nil // the manager reads the secret, which has no such field
		}
		return onlyDeclined(&with)
	case !with.fragment.Honors.Field:
		return unchanged("Field", &with, &without)
	case value != nil && value.IsLiteral():
		if value.Equal(with.fragment.Value) {
			return errors.New("sets Honors.Field, but the Value is the same as without a field")
		}
	case !strings.Contains(instructions(&with.fragment), field):
		return errors.New("sets Honors.Field, but no variable, argument or annotation contains the field")
	}
	return nil
}

func (k *kit) checkMode(run *caseRun, mode int32) error {
	if !run.first.fragment.File {
		return nil
	}
	req := run.req
	req.Mount, req.Mode = mount.File, 0
	without := k.ask(ctx, run, req)
	req.Mode = mode
	with := k.ask(ctx, run, req)
	switch {
	case without.err != nil:
		return nil
	case with.err != nil:
		return onlyDeclined(&with)
	case !with.fragment.Honors.Mode:
		return unchanged("Mode", &with, &without)
	case !containsMode(instructions(&with.fragment), mode):
		return errors.New("sets Honors.Mode, but no item, variable, argument or annotation contains the mode")
	}
	_, err := inOnePod(run.with(req, with))
	return err
}

// onlyDeclined accepts an error that passes the request to the next manager, or
// one for the Pod's author.
func onlyDeclined(a *answer) error {
	var invalid *secret.InvalidError
	if a.declined() || errors.As(a.err, &invalid) {
		return nil
	}
	return fmt.Errorf("the error stops the search: %w", a.err)
}

func unchanged(feature string, with, without *answer) error {
	if diff := differs(with, without); diff != "" {
		return fmt.Errorf("does not set Honors.%s, but %s", feature, diff)
	}
	return nil
}

// containsMode reports whether a text contains a mode as a separate number: octal,
// or decimal as in items.
func containsMode(text string, mode int32) bool {
	number := fmt.Sprintf(`\b(0?o?%s|%d)\b`, strconv.FormatInt(int64(mode), 8), mode)
	return regexp.MustCompile(number).MatchString(text)
}
