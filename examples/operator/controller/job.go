package controller

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/examples/operator/api"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// taskLabel is the label of Jobs with the UID of their Task.
const taskLabel = "example.com/task"

// Layout has only exact names: a Task names the variables and files of its program.
var Layout = mount.Layout{Exact: true, Dir: "/etc/secrets"}

// template returns the Pod template of a Task without secrets.
func template(task *api.Task) *corev1.PodTemplateSpec {
	return &corev1.PodTemplateSpec{Spec: corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever,
		Containers:    []corev1.Container{{Name: "task", Image: task.Spec.Image, Command: task.Spec.Command}},
	}}
}

// newJob returns the Job of a Task. It starts from a template without secrets each time, so
// the result depends only on the Task and on the hash of its secrets, which may be "".
func newJob(ctx context.Context, in *injector.Injector, task *api.Task, hash string) (*batchv1.Job, error) {
	t := template(task)
	if hash != "" {
		t.Annotations = map[string]string{hashAnnotation: hash}
	}
	t, err := in.For(task.Namespace).InjectTemplate(ctx, t, requests(task)...)
	if err != nil {
		return nil, err
	}
	return &batchv1.Job{
		TypeMeta: metav1.TypeMeta{APIVersion: batchv1.SchemeGroupVersion.String(), Kind: "Job"},
		ObjectMeta: metav1.ObjectMeta{
			Name:            jobName(task, hash),
			Namespace:       task.Namespace,
			Labels:          map[string]string{taskLabel: string(task.UID)},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(task, api.GroupVersion.WithKind("Task"))},
		},
		Spec: batchv1.JobSpec{Template: *t},
	}, nil
}

func requests(task *api.Task) []secret.Request {
	reqs := make([]secret.Request, len(task.Spec.Secrets))
	for i, s := range task.Spec.Secrets {
		reqs[i] = secret.Request{
			Group: s.Group, Key: s.Key, GroupVersion: s.Version, Mount: s.Mount,
			EnvVar: s.EnvVar, Path: s.Path,
		}
	}
	return reqs
}

// jobName returns a different name for each Task, spec and hash of secrets: a Job's template
// is immutable, and a Task that is deleted and created again must run again.
//
// It hashes the spec rather than the injected template, so that an upgrade of the operator
// that changes the injection does not run everything again.
func jobName(task *api.Task, hash string) string {
	spec, err := json.Marshal(task.Spec)
	if err != nil {
		panic(err) // strings and booleans only
	}
	sum := sha256.Sum256(slices.Concat([]byte(task.UID), spec, []byte(hash)))
	suffix := fmt.Sprintf("-%x", sum)[:11]
	// The Job's name is also a label's value, at most 63 bytes.
	prefix := task.Name[:min(len(task.Name), 63-len(suffix))]
	return strings.TrimRight(prefix, ".-") + suffix
}
