// Package controller creates a Job with secrets for each Task, without a webhook: the Job's
// template has the secrets when it is created.
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

// owner is this controller's name in managed fields.
const owner = client.FieldOwner("podsecrets-operator")

// maxMessage is Kubernetes' limit for a condition's message, in bytes.
const maxMessage = 32768

// Reconciler creates the Jobs of Tasks.
type Reconciler struct {
	client.Client
	// Secrets reads Secrets. Use a client without a cache, so that values do not stay
	// in memory.
	Secrets  client.Reader
	Injector *injector.Injector
	// HashKey is the key of the hashes of secrets. A new key runs each Task with
	// RunAgain again.
	HashKey []byte
}

// SetupWithManager registers Reconcile for changes of Tasks, of their Jobs and of their
// Secrets. Only the metadata of Secrets is cached.
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

// Reconcile applies the Job of a Task's spec, removes the Jobs of earlier specs, and reports the
// result in the condition Ready. If the secrets cannot be injected or are missing, the earlier
// Job stays. Errors are retried with increasing delay.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	task := &api.Task{}
	if err := r.Get(ctx, req.NamespacedName, task); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !task.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil // the owned Jobs are deleted with it
	}
	job, err := r.jobOf(ctx, task)
	if err != nil {
		reason, message, again := explain(err)
		if !again { // wait for a change of the Task or of a Secret
			log.FromContext(ctx).Info("The secrets of the Task are not available", "reason", reason, "error", err.Error())
			err = nil
		}
		return ctrl.Result{}, r.setStatus(ctx, task, task.Status.Job, reason, message, err)
	}
	if err := r.apply(ctx, job); err != nil {
		retry := err
		if apierrors.IsInvalid(err) {
			retry = nil
		}
		return ctrl.Result{}, r.setStatus(ctx, task, task.Status.Job, api.ReasonJobRefused, err.Error(), retry)
	}
	if err := r.removeFormer(ctx, task, job.Name); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, r.setStatus(ctx, task, job.Name, api.ReasonJobApplied, "", nil)
}

// jobOf returns the Job for a Task and the current values of its Secrets.
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

// apply writes the Job with server-side apply. If the Job is up to date, nothing changes, not
// even its resourceVersion.
func (r *Reconciler) apply(ctx context.Context, job *batchv1.Job) error {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(job)
	if err != nil {
		return err
	}
	config := client.ApplyConfigurationFromUnstructured(&unstructured.Unstructured{Object: fields})
	return r.Apply(ctx, config, owner, client.ForceOwnership)
}

// removeFormer deletes the Task's other Jobs and their Pods.
func (r *Reconciler) removeFormer(ctx context.Context, task *api.Task, current string) error {
	var jobs batchv1.JobList
	if err := r.List(ctx, &jobs, client.InNamespace(task.Namespace), client.MatchingLabels{taskLabel: string(task.UID)}); err != nil {
		return err
	}
	for i := range jobs.Items {
		job := &jobs.Items[i]
		if job.Name == current || !metav1.IsControlledBy(job, task) {
			continue
		}
		err := r.Delete(ctx, job, client.PropagationPolicy(metav1.DeletePropagationBackground))
		if client.IgnoreNotFound(err) != nil {
			return err
		}
	}
	return nil
}

// setStatus writes the Job's name and the condition if they change. It returns err, or else the
// error of writing them.
func (r *Reconciler) setStatus(ctx context.Context, task *api.Task, job, reason, message string, err error) error {
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
