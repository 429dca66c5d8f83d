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

// Config is what an Injector is made of. Its zero value is valid, and an
// Injector that serves no request.
type Config struct {
	// Managers are asked in this order, and the first that serves a request
	// serves it alone. By convention global secrets come first.
	Managers []SecretManager
	// Layout says where containers look for secrets. The zero value is Flyte's.
	Layout mount.Layout
	// Containers chooses the containers that receive secrets. Nil means all,
	// init containers too. Init containers that fetch secrets never do and are
	// not asked about. The function must give the same answer every time. The
	// Vault Agent Injector cannot leave out init containers, so that with
	// secrets from Vault all of them must be chosen.
	Containers func(mount.Container) bool
	// InitOrder says where init containers that fetch secrets go. The zero
	// value is before all others.
	InitOrder mount.InitOrder
	// OnConflict says what happens to variables that a container already
	// defines otherwise. The zero value is an error.
	OnConflict mount.ConflictPolicy
	// Allow decides who may read which secret; use Rules.Allow. Nil allows
	// everything. A manager whose answer it refuses is passed over as if it did
	// not have the secret, and the next one is asked. The Pod's author is told
	// that the secret was not found; RequestError.Err has the reason. The function
	// must give the same answer every time.
	Allow func(Access) error
	// Late reports containers that webhooks called after this library add to
	// Pods, such as a service mesh's proxy. Verify asks nothing of them. Nil
	// means that there are none.
	Late func(mount.Container) bool
}

// Injector injects secrets into Pods. It is immutable and safe for concurrent
// use.
type Injector struct {
	managers []SecretManager
	layout   mount.Layout
	options  merge.Options
	allow    func(Access) error
	// namespace is that of For, or empty.
	namespace string
}

// New returns an Injector, or an error that names the field of cfg that cannot
// be used.
func New(cfg Config) (*Injector, error) {
	if err := cfg.Layout.Validate(); err != nil {
		return nil, fmt.Errorf("injector: %w", err)
	}
	for i, m := range cfg.Managers {
		if isNil(m) {
			return nil, fmt.Errorf("injector: Managers[%d] is nil", i)
		}
		if name := m.Name(); name == "" || strings.ContainsFunc(name, invalidNameRune) {
			return nil, fmt.Errorf("injector: Managers[%d] has the name %q, which is empty or has other characters than letters, digits and \"-_./\"", i, name)
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

// isNil reports a nil interface, and one that holds a nil pointer, map or
// function, whose methods would fail later.
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

// invalidNameRune reports characters that would make messages and audit annotations
// ambiguous.
func invalidNameRune(r rune) bool {
	return !strings.ContainsRune("-_./", r) && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
}

var (
	errNoPod      = errors.New("injector: there is no pod")
	errNoTemplate = errors.New("injector: there is no pod template")
)

// Plan decides all that injecting the requests into the Pod means, and finds
// every conflict. The Plan shares nothing with the Pod. The error joins
// (errors.Join) a *RequestError for each request that fails, and for each
// container in which it does; mount.ErrNoContainer, that no
// container receives the secrets; mount.ErrTooLarge; and the context's error, if
// that ended. More than MaxRequests requests are a *LimitError alone, and so are more
// than that many secrets of all containers together, where requests name containers:
// each container that is named counts the secrets of all containers too.
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

// Inject returns a copy of the Pod with the secrets, which shares nothing with
// the Pod: Plan, then Plan.Pod. Without requests it is an equal copy. An error
// is one of Plan's, and then there is no Pod.
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

// Patch returns what Inject does to the Pod as an RFC 6902 patch of "add"
// operations: Plan, then Plan.Patch. If there is nothing to do it is empty and
// not nil. An error is one of Plan's, and then it is nil.
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

// InjectTemplate is Inject for the template of a Deployment, a Job and the
// like. Start each time from the template as it is without secrets, and the
// requests in the same order: then the result is the same each time, and what is
// not asked for any more is gone. What an earlier call has added is never
// removed or changed.
//
// Managers see the template's own metadata, which usually has no namespace. Use For
// with the namespace of the template's owner: managers and Config.Allow then see it.
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
