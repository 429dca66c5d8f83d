package controller

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/podsecrets/podsecrets/examples/operator/api"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// spec requests a variable and a file.
func spec() api.TaskSpec {
	return api.TaskSpec{
		Image:   "example.test/report:v1",
		Command: []string{"/report", "--all"},
		Secrets: []api.Secret{
			{Group: "user-info", Key: "token", EnvVar: "TOKEN"},
			{Group: "user-info", Key: "password", Path: "db/password.txt", EnvVar: "PASSWORD_FILE"},
		},
	}
}

func requireReady(t *testing.T, task *api.Task) {
	t.Helper()
	require.Equal(t, api.ReasonJobApplied, task.Status.Conditions[0].Reason, task.Status.Conditions[0].Message)
	require.Equal(t, metav1.ConditionTrue, task.Status.Conditions[0].Status)
}

func requireNot(t *testing.T, task *api.Task, reason string, texts ...string) {
	t.Helper()
	condition := task.Status.Conditions[0]
	require.Equal(t, reason, condition.Reason, condition.Message)
	require.Equal(t, metav1.ConditionFalse, condition.Status)
	for _, text := range texts {
		require.Contains(t, condition.Message, text)
	}
}

func TestJob(t *testing.T) {
	ns := run(t)
	task := ns.create(t, spec())
	requireReady(t, task)

	job := ns.job(t)
	assert.Equal(t, task.Status.Job, job.Name)
	assert.True(t, metav1.IsControlledBy(job, task))
	container := job.Spec.Template.Spec.Containers[0]
	assert.Equal(t, task.Spec.Command, container.Command)
	require.Len(t, container.Env, 2, "exact names and no others: %v", container.Env)
	require.Len(t, container.VolumeMounts, 1)
	assert.Empty(t, job.Spec.Template.Annotations)

	// The API server accepts the Pod that the Job's controller would create.
	pod := &corev1.Pod{ObjectMeta: *job.Spec.Template.ObjectMeta.DeepCopy(), Spec: job.Spec.Template.Spec}
	pod.Namespace, pod.GenerateName = ns.name, "pod-"
	require.NoError(t, ns.Create(t.Context(), pod))
	for _, req := range requests(task) {
		assert.NoError(t, injectortest.CanReadExact(pod, "task", Layout.Dir, req))
	}
}

// The sample's Secret has the keys that the sample's Task references.
func TestSample(t *testing.T) {
	ns := run(t)
	task, beside := &api.Task{}, &corev1.Secret{}
	for name, o := range map[string]client.Object{"task": task, "secret": beside} {
		manifest, err := os.ReadFile("../config/samples/" + name + ".yaml")
		require.NoError(t, err)
		require.NoError(t, yaml.UnmarshalStrict(manifest, o))
	}
	task.Namespace = ns.name
	refs, err := references(t.Context(), ns.operator.Injector, task)
	require.NoError(t, err)
	require.NotEmpty(t, refs)
	require.NoError(t, injectortest.Exist(refs, beside))

	ns.putSecret(t, beside.StringData)
	require.NoError(t, ns.Create(t.Context(), task))
	requireReady(t, ns.waitReported(t, task))
}

// The operator's own Pod passes the restricted standard of its namespace.
func TestDeployment(t *testing.T) {
	ns := run(t)
	deployment := &appsv1.Deployment{}
	require.NoError(t, ns.Get(t.Context(), client.ObjectKey{Namespace: "tasks", Name: "operator"}, deployment))
	pod := &corev1.Pod{ObjectMeta: deployment.Spec.Template.ObjectMeta, Spec: deployment.Spec.Template.Spec}
	pod.Namespace, pod.GenerateName = "tasks", "operator-"
	require.NoError(t, ns.Create(t.Context(), pod, client.DryRunAll))
}

// Neither a resync, a restart of the operator, nor others' changes cause a write.
func TestReconcile_Idempotent(t *testing.T) {
	ns := run(t)
	task := ns.create(t, spec())
	requireReady(t, task)
	job := ns.job(t)
	stop := ns.events(t)

	reconcile := func() {
		_, err := ns.operator.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(task)})
		require.NoError(t, err)
	}
	for range 3 {
		reconcile()
	}
	after := ns.job(t)
	assert.Equal(t, job.ResourceVersion, after.ResourceVersion)
	assert.Equal(t, job, after)

	before := task.ResourceVersion
	require.NoError(t, ns.Get(t.Context(), client.ObjectKeyFromObject(task), task))
	assert.Equal(t, before, task.ResourceVersion, "nor is the status written twice")

	labelled := after.DeepCopy()
	labelled.Labels["somebody"] = "else"
	require.NoError(t, ns.Patch(t.Context(), labelled, client.MergeFrom(after)))
	reconcile()
	after = ns.job(t)
	assert.Equal(t, labelled.ResourceVersion, after.ResourceVersion)
	assert.Equal(t, job.Generation, after.Generation)
	assert.Equal(t, []string{"ADDED " + job.Name, "MODIFIED " + job.Name}, stop(), "the watch begins with what is there; the label is the one change")
}

// A new spec replaces the Job, without unnecessary writes.
func TestReconcile_SpecChange(t *testing.T) {
	ns := run(t)
	task := ns.create(t, spec())
	former := task.Status.Job
	stop := ns.events(t)

	task = ns.change(t, task, func(s *api.TaskSpec) { s.Secrets = s.Secrets[:1] })
	requireReady(t, task)
	require.NotEqual(t, former, task.Status.Job)
	eventually(t, "the former Job is gone", func() bool {
		return client.IgnoreNotFound(ns.Get(t.Context(), client.ObjectKey{Namespace: ns.name, Name: former}, &batchv1.Job{})) == nil &&
			ns.job(t).Name == task.Status.Job
	})
	assert.Empty(t, ns.job(t).Spec.Template.Spec.Volumes, "what is not asked for any more is not there")
	assert.Equal(t, []string{"ADDED " + former, "ADDED " + task.Status.Job, "DELETED " + former}, stop())
}

// A request that cannot be served only changes the condition.
func TestReconcile_BadRequest(t *testing.T) {
	for _, c := range []struct {
		name    string
		secrets []api.Secret
		reason  string
		texts   []string
	}{
		{"a variable without a name", []api.Secret{{Group: "user-info", Key: "token", Mount: mount.EnvVar}}, api.ReasonInvalid, []string{"envVar"}},
		{"no request", []api.Secret{{Group: "user-info", Key: "../passwd"}}, api.ReasonInvalid, []string{"../passwd", "key"}},
		{"no Secret", []api.Secret{{Group: "no secret", Key: "key"}}, api.ReasonNotServed, []string{"no secret", "no manager serves it"}},
		{"two keys of one name", []api.Secret{
			{Group: "a", Key: "key", EnvVar: "A_KEY"},
			{Group: "a", Key: "other", EnvVar: "A_KEY"},
		}, api.ReasonConflict, []string{`key="other"`, `because of secret group="a" key="key"`, "A_KEY"}},
		{"two errors", []api.Secret{
			{Group: "user-info", Key: "/etc/passwd"},
			{Group: "no secret", Key: "key"},
		}, api.ReasonInvalid, []string{"/etc/passwd", "no secret"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ns := run(t)
			task := ns.create(t, spec())
			requireReady(t, task)
			former := ns.job(t)

			task = ns.change(t, task, func(s *api.TaskSpec) { s.Secrets = c.secrets })
			requireNot(t, task, c.reason, c.texts...)
			assert.Equal(t, former, ns.job(t), "the former Job stays")
			assert.Equal(t, former.Name, task.Status.Job)

			task = ns.change(t, task, func(s *api.TaskSpec) { *s = spec(); s.Image = "example.test/report:v2" })
			requireReady(t, task)
			assert.Empty(t, task.Status.Conditions[0].Message)
			eventually(t, "the former Job is gone", func() bool { return ns.job(t).Name != former.Name })
		})
	}
}

// An upgraded operator that injects differently leaves the Job, whose template is immutable,
// and reports it.
func TestReconcile_RefusedJob(t *testing.T) {
	ns := run(t)
	task := ns.create(t, spec())
	job := ns.job(t)

	secrets, err := k8ssecret.New(k8ssecret.Config{Required: false})
	require.NoError(t, err)
	upgraded := *ns.operator
	upgraded.Injector, err = injector.New(injector.Config{Managers: []injector.SecretManager{secrets}, Layout: Layout})
	require.NoError(t, err)
	_, err = upgraded.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(task)})
	require.NoError(t, err)
	requireNot(t, ns.waitReported(t, task), api.ReasonJobRefused, job.Name, "immutable")
	assert.Equal(t, job, ns.job(t))

	requireReady(t, ns.change(t, task, func(s *api.TaskSpec) { s.Image = "example.test/report:v2" }))
}

// store is a manager that fails until it is repaired.
type store struct{ mended atomic.Bool }

func (*store) Name() string { return "store" }

func (s *store) Mount(context.Context, secret.Request, mount.Target) (mount.Fragment, error) {
	if !s.mended.Load() {
		return mount.Fragment{}, errors.New("dial 192.0.2.1: refused")
	}
	return mount.Fragment{Value: mount.Literal("value")}, nil
}

func TestReconcile_ManagerFails(t *testing.T) {
	s := new(store)
	ns := run(t, s)
	task := ns.create(t, api.TaskSpec{Image: "example.test/report", Secrets: []api.Secret{{Group: "g", Key: "k", EnvVar: "K"}}})
	requireNot(t, task, api.ReasonManagerFailed, "store", `group="g"`)
	assert.NotContains(t, task.Status.Conditions[0].Message, "192.0.2.1")
	s.mended.Store(true)
	eventually(t, "it is tried again by itself", func() bool {
		return ns.waitReported(t, task).Status.Conditions[0].Reason == api.ReasonJobApplied
	})
}

func TestReconcile_DeletedJob(t *testing.T) {
	ns := run(t)
	task := ns.create(t, spec())
	job := ns.job(t)
	require.NoError(t, ns.Delete(t.Context(), job, client.PropagationPolicy(metav1.DeletePropagationBackground)))
	eventually(t, "a new one is there", func() bool {
		again := &batchv1.Job{}
		err := ns.Get(t.Context(), client.ObjectKey{Namespace: ns.name, Name: task.Status.Job}, again)
		return err == nil && again.UID != job.UID
	})
}

func TestJobName(t *testing.T) {
	task := func(name, uid string, spec api.TaskSpec) *api.Task {
		return &api.Task{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(uid)}, Spec: spec}
	}
	names := map[string]string{}
	for what, task := range map[string]*api.Task{
		"a Task":              task("report", "1", spec()),
		"one made anew":       task("report", "2", spec()),
		"another spec":        task("report", "1", api.TaskSpec{Image: "i"}),
		"a long name":         task(strings.Repeat("a", 253), "1", spec()),
		"one cut at a dot":    task(strings.Repeat("a", 51)+"."+strings.Repeat("b", 99), "1", spec()),
		"one that is shorter": task(strings.Repeat("a", 51), "3", spec()),
	} {
		name := jobName(task, "")
		assert.LessOrEqual(t, len(name), 63, what)
		assert.Regexp(t, `^[a-z0-9]+-[0-9a-f]{10}$`, name, what)
		assert.Empty(t, names[name], "%s has the name of %s", what, names[name])
		names[name] = what
	}
	hashed := jobName(task("report", "1", spec()), "a hash")
	assert.Empty(t, names[hashed], "with a hash of secrets")
	assert.NotEqual(t, hashed, jobName(task("report", "1", spec()), "another hash"))
}
