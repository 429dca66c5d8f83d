// Package controller makes a Job of each Task, with the secrets that the Task
// asks for. There is no webhook: the secrets are in the Job's template when the
// API server first sees it.
package controller

import (
	"context"
	"fmt"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
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
	Injector *injector.Injector
}

// SetupWithManager has the manager call Reconcile for each Task that changes, and
// for the Task of each Job that does.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	return ctrl.NewControllerManagedBy(mgr).
		For(&api.Task{}, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Owns(&batchv1.Job{}).
		Complete(r)
}

// Reconcile makes the Job of a Task's spec, removes the Jobs of former specs, and
// says in the condition Ready how that went. A spec whose secrets cannot be
// injected changes nothing: the former Job stays.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	task := &api.Task{}
	if err := r.Get(ctx, req.NamespacedName, task); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !task.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil // the Jobs go with it: it owns them
	}
	job, err := newJob(ctx, r.Injector, task)
	if err != nil {
		reason, message := explain(err)
		if reason != api.ReasonManagerFailed {
			err = nil // to try again would not help; a new spec would
		}
		return ctrl.Result{}, r.tell(ctx, task, reason, message, err)
	}
	if err := r.apply(ctx, job); err != nil {
		retry := err
		if apierrors.IsInvalid(err) {
			retry = nil
		}
		return ctrl.Result{}, r.tell(ctx, task, api.ReasonJobRefused, err.Error(), retry)
	}
	if err := r.removeFormer(ctx, task, job.Name); err != nil {
		return ctrl.Result{}, err
	}
	task.Status.Job = job.Name
	return ctrl.Result{}, r.tell(ctx, task, api.ReasonJobApplied, "", nil)
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

// tell writes the condition, if it is another one, and returns err, or that it
// could not be written.
func (r *Reconciler) tell(ctx context.Context, task *api.Task, reason, message string, err error) error {
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
	if !changed {
		return err
	}
	if failed := r.Status().Update(ctx, task); failed != nil && err == nil {
		return fmt.Errorf("status: %w", failed)
	}
	return err
}
