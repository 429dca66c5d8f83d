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

// taskLabel is on each Job, and has the UID of its Task.
const taskLabel = "example.com/task"

// Layout has exact names only: a Task names the variable and the file that its
// program reads.
var Layout = mount.Layout{Exact: true, Dir: "/etc/secrets"}

// template returns the Pod template of a Task without secrets.
func template(task *api.Task) *corev1.PodTemplateSpec {
	return &corev1.PodTemplateSpec{Spec: corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever,
		Containers:    []corev1.Container{{Name: "task", Image: task.Spec.Image, Command: task.Spec.Command}},
	}}
}

// newJob returns the Job that a Task asks for. It is made anew each time, from a
// template without secrets, so that it is the same as long as the Task is, and the
// hash of its secrets, if there is one.
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

// jobName is another one for each spec of each Task, and for each hash of its
// secrets: a Job's template cannot change, and a Task that is deleted and made anew
// shall run again.
//
// It is a hash of what was asked for and not of the injected template, although
// that is as stable: an operator that injects otherwise after an upgrade shall
// not run everything once more.
func jobName(task *api.Task, hash string) string {
	asked, err := json.Marshal(task.Spec)
	if err != nil {
		panic(err) // strings and booleans only
	}
	sum := sha256.Sum256(slices.Concat([]byte(task.UID), asked, []byte(hash)))
	suffix := fmt.Sprintf("-%x", sum)[:11]
	// The Job's name becomes the value of a label, which has at most 63 bytes.
	prefix := task.Name[:min(len(task.Name), 63-len(suffix))]
	return strings.TrimRight(prefix, ".-") + suffix
}
