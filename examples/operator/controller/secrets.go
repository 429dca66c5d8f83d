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

// hashAnnotation is on the Pod template of a Task that runs again when its Secrets
// change.
const hashAnnotation = "example.com/secrets-hash"

// secretsIndex is the index of Tasks by the names of the Secrets that they refer to.
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

// indexSecrets is computed for each Task that enters the cache, so before it is
// reconciled. A Task whose secrets cannot be injected waits for nothing.
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
	return slices.Compact(names) // they are sorted
}

// tasksOf returns the Tasks that refer to a Secret.
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

// missingError says what the Task's author, or who keeps the Secrets, must create.
type missingError struct {
	ref injector.Reference
	key string // or "", if there is no such Secret
}

func (e *missingError) Error() string {
	if e.key == "" {
		return fmt.Sprintf("there is no Secret %q", e.ref.Name)
	}
	return fmt.Sprintf("the Secret %q has no key %q", e.ref.Name, e.key)
}

// read returns what the references name. What is not optional and not there is a
// *missingError each, joined. Objects of other kinds are for the kubelet to find.
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
		if found[ref.Name] == nil { // a Secret has two references if only some of its keys are optional
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

// hash returns another text if one of the values is another one. It has a key, as
// people who may read Jobs but not Secrets could otherwise test guesses of a value.
func (v values) hash(key []byte) string {
	text, err := json.Marshal(v) // sorted by name and key
	if err != nil {
		panic(err) // strings and bytes only
	}
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return fmt.Sprintf("%x", mac.Sum(nil)[:16])
}
