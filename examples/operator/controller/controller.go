// Package controller makes a Job of each Task, with the secrets that the Task
// asks for. There is no webhook: the secrets are in the Job's template when the
// API server first sees it.
package controller

import (
	"context"
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/podsecrets/podsecrets/examples/operator/api"
	"github.com/podsecrets/podsecrets/injector"
)

// owner is the name of this controller in the managed fields of a Job.
const owner = client.FieldOwner("podsecrets-operator")

// maxMessage is what Kubernetes allows in a condition.
const maxMessage = 32768

// Reconciler makes Jobs of Tasks.
type Reconciler struct {
	client.Client
	// Secrets reads Secrets. It should not be a cache: none of their values stays in
	// memory.
	Secrets  client.Reader
	Injector *injector.Injector
	// HashKey is the key of the hashes of secrets. Another one runs each Task with
	// RunAgain once more.
	HashKey []byte
}

// SetupWithManager has the manager call Reconcile for each Task that changes, and
// for the Tasks of each Job and of each Secret that does. Of Secrets it caches the
// metadata only.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	if err := mgr.GetFieldIndexer().IndexField(context.Background(), &api.Task{}, secretsIndex, r.indexSecrets); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(mgr).
		For(&api.Task{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&batchv1.Job{}).
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(r.tasksOf)).
		Complete(r)
}

// Reconcile makes the Job of a Task's spec, removes the Jobs of former specs, and
// says in the condition Ready how that went. A spec whose secrets cannot be
// injected, or are not there, changes nothing: the former Job stays. An error is
// tried again, later each time.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	task := &api.Task{}
	if err := r.Get(ctx, req.NamespacedName, task); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !task.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil // the Jobs go with it: it owns them
	}
	job, err := r.jobOf(ctx, task)
	if err != nil {
		reason, message, again := explain(err)
		if !again { // a change of the Task or of a Secret would help, and is watched
			log.FromContext(ctx).Info("The Task cannot have its secrets", "reason", reason, "error", err.Error())
			err = nil
		}
		return ctrl.Result{}, r.tell(ctx, task, task.Status.Job, reason, message, err)
	}
	if err := r.apply(ctx, job); err != nil {
		retry := err
		if apierrors.IsInvalid(err) {
			retry = nil
		}
		return ctrl.Result{}, r.tell(ctx, task, task.Status.Job, api.ReasonJobRefused, err.Error(), retry)
	}
	if err := r.removeFormer(ctx, task, job.Name); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, r.tell(ctx, task, job.Name, api.ReasonJobApplied, "", nil)
}

// jobOf returns the Job that a Task asks for, with what its Secrets have now.
func (r *Reconciler) jobOf(ctx context.Context, task *api.Task) (*batchv1.Job, error) {
	refs, err := references(ctx, r.Injector, task)
	if err != nil {
		return nil, err
	}
	values, err := r.read(ctx, refs)
	if err != nil {
		return nil, err
	}
	hash := ""
	if task.Spec.RunAgain {
		hash = values.hash(r.HashKey)
	}
	return newJob(ctx, r.Injector, task, hash)
}

// apply writes the Job with server-side apply. If it is there as it should be,
// that changes nothing, not even its resourceVersion, whatever others have added.
func (r *Reconciler) apply(ctx context.Context, job *batchv1.Job) error {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(job)
	if err != nil {
		return err
	}
	config := client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: fields})
	return r.Apply(ctx, config, owner, client.ForceOwnership)
}

// removeFormer deletes the Task's Jobs but the one of this name, with their Pods.
func (r *Reconciler) removeFormer(ctx context.Context, task *api.Task, but string) error {
	var jobs batchv1.JobList
	if err := r.List(ctx, &jobs, client.InNamespace(task.Namespace), client.MatchingLabels{taskLabel: string(task.UID)}); err != nil {
		return err
	}
	for i := range jobs.Items {
		job := &jobs.Items[i]
		if job.Name == but || !metav1.IsControlledBy(job, task) {
			continue
		}
		err := r.Delete(ctx, job, client.PropagationPolicy(metav1.DeletePropagationBackground))
		if client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	return nil
}

// tell writes the Job's name and the condition, if one of them is another one, and
// returns err, or that they could not be written.
func (r *Reconciler) tell(ctx context.Context, task *api.Task, job, reason, message string, err error) error {
	status := metav1.ConditionFalse
	if reason == api.ReasonJobApplied {
		status = metav1.ConditionTrue
	}
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage-4], "") + " ..."
	}
	changed := meta.SetStatusCondition(&task.Status.Conditions, metav1.Condition{
		Type:               api.Ready,
		Status:             status,
		Reason:             reason,
		Message:            message,
		ObservedGeneration: task.Generation,
	})
	if !changed && task.Status.Job == job {
		return err
	}
	task.Status.Job = job
	if failed := r.Status().Update(ctx, task); failed != nil && err == nil {
		return fmt.Errorf("status: %w", failed)
	}
	return err
}
