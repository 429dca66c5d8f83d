package controller

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/podsecrets/podsecrets/examples/operator/api"
	"github.com/podsecrets/podsecrets/injector"
)

// hashAnnotation is on the Pod template of a Task with RunAgain.
const hashAnnotation = "example.com/secrets-hash"

// secretsIndex indexes Tasks by the names of their Secrets.
const secretsIndex = "secrets"

// references returns what must exist for the Task's Pod.
func references(ctx context.Context, in *injector.Injector, task *api.Task) ([]injector.Reference, error) {
	t := template(task)
	plan, err := in.For(task.Namespace).Plan(ctx, &corev1.Pod{ObjectMeta: t.ObjectMeta, Spec: t.Spec}, requests(task)...)
	if err != nil {
		return nil, err
	}
	return plan.References(), nil
}

// indexSecrets returns the names of a Task's Secrets. The cache calls it before the Task is
// reconciled. A Task whose secrets cannot be injected has none.
func (r *Reconciler) indexSecrets(o client.Object) (names []string) {
	refs, err := references(context.Background(), r.Injector, o.(*api.Task))
	if err != nil {
		return nil
	}
	for _, ref := range refs {
		if ref.Kind == "Secret" {
			names = append(names, ref.Name)
		}
	}
	return slices.Compact(names) // sorted
}

// tasksOf returns the Tasks that reference a Secret.
func (r *Reconciler) tasksOf(ctx context.Context, o client.Object) (requests []reconcile.Request) {
	var tasks api.TaskList
	if err := r.List(ctx, &tasks, client.InNamespace(o.GetNamespace()), client.MatchingFields{secretsIndex: o.GetName()}); err != nil {
		return nil // the cache has stopped
	}
	for i := range tasks.Items {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&tasks.Items[i])})
	}
	return requests
}

// values are the referenced data of Secrets, by name and key.
type values map[string]map[string][]byte

// missingError is a Secret or key that somebody must create.
type missingError struct {
	ref injector.Reference
	key string // "" if the Secret does not exist
}

func (e *missingError) Error() string {
	if e.key == "" {
		return fmt.Sprintf("Secret %q does not exist", e.ref.Name)
	}
	return fmt.Sprintf("Secret %q has no key %q", e.ref.Name, e.key)
}

// read returns the values of the references to Secrets. The error joins a *missingError for
// each missing one that is not optional. Other kinds are left to the kubelet.
func (r *Reconciler) read(ctx context.Context, refs []injector.Reference) (values, error) {
	found, missing := make(values), []error(nil)
	for _, ref := range refs {
		if ref.Kind != "Secret" {
			continue
		}
		secret := &corev1.Secret{}
		err := r.Secrets.Get(ctx, client.ObjectKey{Namespace: ref.Namespace, Name: ref.Name}, secret)
		switch {
		case apierrors.IsNotFound(err) && ref.Optional:
			continue
		case apierrors.IsNotFound(err):
			missing = append(missing, &missingError{ref: ref})
			continue
		case err != nil:
			return nil, fmt.Errorf("secret %s/%s: %w", ref.Namespace, ref.Name, err)
		}
		if found[ref.Name] == nil { // a Secret with optional and required keys has two references
			found[ref.Name] = make(map[string][]byte)
		}
		if len(ref.Keys) == 0 {
			maps.Copy(found[ref.Name], secret.Data)
		}
		for _, key := range ref.Keys {
			if value, ok := secret.Data[key]; ok {
				found[ref.Name][key] = value
			} else if !ref.Optional {
				missing = append(missing, &missingError{ref, key})
			}
		}
	}
	return found, errors.Join(missing...)
}

// hash returns a hash of the values. It is keyed, because people who can read Jobs but not
// Secrets could otherwise test guesses of a value.
func (v values) hash(key []byte) string {
	text, err := json.Marshal(v) // sorted by name and key
	if err != nil {
		panic(err) // strings and bytes only
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return fmt.Sprintf("%x", mac.Sum(nil)[:16])
}
