package injector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"gomodules.xyz/jsonpatch/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// Config configures an Injector. The zero value is valid, but serves no
// requests.
type Config struct {
	// Managers are tried in order, and the first that has the secret serves it.
	// By convention, the manager of global secrets comes first.
	Managers []SecretManager
	// Layout defines where containers look for secrets. The zero value is
	// Flyte's.
	Layout mount.Layout
	// Containers selects the containers that receive secrets. Nil selects all,
	// including init containers. Fetchers never receive secrets, and the
	// function is not called for them. It must return the same result every
	// time. The Vault Agent Injector cannot exclude init containers. With
	// secrets from Vault, all of them must therefore be selected.
	Containers func(mount.Container) bool
	// InitOrder is the position of fetchers among the init containers. The zero
	// value is mount.InitFirst.
	InitOrder mount.InitOrder
	// OnConflict says what happens if a container already defines a variable
	// with another meaning. The zero value is mount.ConflictFail.
	OnConflict mount.ConflictPolicy
	// Allow decides who may read which secret; use Rules.Allow. Nil allows
	// everything. If it refuses, the manager counts as not having the secret,
	// and the next one is tried. The Pod's author sees that the secret was not
	// found; RequestError.Err has the reason. The function must return the same
	// result every time.
	Allow func(Access) error
	// Late reports containers that later webhooks add to Pods, such as a
	// service mesh's proxy. Verify does not check them. Nil means that there
	// are none.
	Late func(mount.Container) bool
}

// Injector injects secrets into Pods. It is immutable and safe for concurrent
// use.
type Injector struct {
	managers []SecretManager
	layout   mount.Layout
	options  merge.Options
	allow    func(Access) error
	// namespace is set by For.
	namespace string
}

// New returns an Injector, or an error that names the invalid field of cfg.
func New(cfg Config) (*Injector, error) {
	if err := cfg.Layout.Validate(); err != nil {
		return nil, fmt.Errorf("injector: %w", err)
	}
	for i, m := range cfg.Managers {
		if isNil(m) {
			return nil, fmt.Errorf("injector: Managers[%d] is nil", i)
		}
		if name := m.Name(); name == "" || strings.ContainsFunc(name, invalidNameRune) {
			return nil, fmt.Errorf("injector: Managers[%d]: name %q must not be empty, and must contain only letters, digits and \"-_./\"", i, name)
		}
	}
	if cfg.InitOrder > mount.InitAfterSidecars {
		return nil, fmt.Errorf("injector: InitOrder %d is not defined", cfg.InitOrder)
	}
	if cfg.OnConflict > mount.ConflictKeepPod {
		return nil, fmt.Errorf("injector: OnConflict %d is not defined", cfg.OnConflict)
	}
	return &Injector{
		managers: slices.Clone(cfg.Managers),
		layout:   cfg.Layout.WithDefaults(),
		options: merge.Options{
			Containers: cfg.Containers,
			InitOrder:  cfg.InitOrder,
			OnConflict: cfg.OnConflict,
			Late:       cfg.Late,
		},
		allow: cfg.Allow,
	}, nil
}

// isNil reports a nil interface, and one with a nil value whose methods would
// fail later.
func isNil(m SecretManager) bool {
	if m == nil {
		return true
	}
	switch v := reflect.ValueOf(m); v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Func, reflect.Slice, reflect.Chan:
		return v.IsNil()
	}
	return false
}

// invalidNameRune reports characters that would make messages and audit
// annotations ambiguous.
func invalidNameRune(r rune) bool {
	return !strings.ContainsRune("-_./", r) && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
}

var (
	errNoPod      = errors.New("injector: pod is nil")
	errNoTemplate = errors.New("injector: pod template is nil")
)

// Plan decides what injecting the requests would add to the Pod, and finds the
// conflicts. The Plan shares no memory with the Pod. The error joins
// (errors.Join) a *RequestError for each failed request, and for each container
// in which it fails; mount.ErrNoContainer, if no container receives secrets;
// mount.ErrTooLarge; and the context's error, if the context ended. If there
// are more than MaxRequests requests, the error is a single *LimitError. It is
// also a *LimitError if there are too many secrets of all containers together:
// the number of different requests, plus, for each container that a request
// names, the number of requests that name none. MaxRequests is the maximum of
// that sum too.
func (in *Injector) Plan(ctx context.Context, pod *corev1.Pod, reqs ...secret.Request) (*Plan, error) {
	if pod == nil {
		return nil, errNoPod
	}
	pod = pod.DeepCopy()
	d, err := in.decide(ctx, subjectOf(pod), reqs)
	if err != nil {
		return nil, err
	}
	return &Plan{
		Placements: d.placements(),
		pod:        func() *corev1.Pod { return d.edits.Apply(pod) },
		patch:      d.edits.Operations,
		references: func() []Reference { return referencesOf(d.served, cmp.Or(in.namespace, pod.Namespace)) },
	}, nil
}

func subjectOf(pod *corev1.Pod) subject {
	return subject{view: merge.ViewPod(pod), namespace: pod.Namespace}
}

// Inject returns a copy of the Pod with the secrets, as Plan and then Plan.Pod
// do. The copy shares no memory with the Pod. Without requests it equals the
// Pod. The errors are those of Plan; on error the result is nil.
func (in *Injector) Inject(ctx context.Context, pod *corev1.Pod, reqs ...secret.Request) (*corev1.Pod, error) {
	if pod == nil {
		return nil, errNoPod
	}
	d, err := in.decide(ctx, subjectOf(pod), reqs)
	if err != nil {
		return nil, err
	}
	return d.edits.Apply(pod), nil
}

// Patch returns what Inject adds as an RFC 6902 patch with only "add"
// operations, as Plan and then Plan.Patch do. If nothing is missing, the patch
// is empty, not nil. The errors are those of Plan; on error the patch is nil.
func (in *Injector) Patch(ctx context.Context, pod *corev1.Pod, reqs ...secret.Request) ([]jsonpatch.Operation, error) {
	if pod == nil {
		return nil, errNoPod
	}
	d, err := in.decide(ctx, subjectOf(pod), reqs)
	if err != nil {
		return nil, err
	}
	return d.edits.Operations(), nil
}

// InjectTemplate is Inject for the Pod template of a Deployment, a Job and so
// on. Always start from the template without secrets, and pass the requests in
// the same order. Then the result is always the same, without secrets that are
// no longer requested. InjectTemplate itself never removes or changes earlier
// additions.
//
// Managers see the template's metadata, which usually has no namespace. Use For
// with the namespace of the template's owner, so that managers and Config.Allow
// see it.
func (in *Injector) InjectTemplate(ctx context.Context, t *corev1.PodTemplateSpec, reqs ...secret.Request) (*corev1.PodTemplateSpec, error) {
	if t == nil {
		return nil, errNoTemplate
	}
	pod := &corev1.Pod{ObjectMeta: t.ObjectMeta, Spec: t.Spec}
	sub := subjectOf(pod)
	sub.template = true
	d, err := in.decide(ctx, sub, reqs)
	if err != nil {
		return nil, err
	}
	pod = d.edits.Apply(pod)
	return &corev1.PodTemplateSpec{ObjectMeta: pod.ObjectMeta, Spec: pod.Spec}, nil
}
