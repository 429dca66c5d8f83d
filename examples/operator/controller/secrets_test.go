package controller

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/podsecrets/podsecrets/examples/operator/api"
	"github.com/podsecrets/podsecrets/injector"
)

// waitFor waits for a reason. The generation does not change, because the spec does not.
func (ns *namespace) waitFor(t *testing.T, task *api.Task, reason string) {
	t.Helper()
	eventually(t, "the condition says "+reason, func() bool {
		return ns.waitReported(t, task).Status.Conditions[0].Reason == reason
	})
}

func (ns *namespace) deleteSecret(t *testing.T) {
	t.Helper()
	require.NoError(t, ns.Delete(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "user-info", Namespace: ns.name}}))
}

// A Task waits for its Secret and all keys, and reports it.
func TestReconcile_MissingSecret(t *testing.T) {
	ns := run(t)
	ns.deleteSecret(t)
	task := ns.create(t, spec())
	requireNot(t, task, api.ReasonMissing, `Secret "user-info" does not exist`)

	ns.putSecret(t, map[string]string{"unused": "u"})
	eventually(t, "the condition names the keys", func() bool {
		return ns.waitReported(t, task).Status.Conditions[0].Message == `Secret "user-info" has no key "password"; Secret "user-info" has no key "token"`
	})
	var jobs batchv1.JobList
	require.NoError(t, ns.List(t.Context(), &jobs, client.InNamespace(ns.name)))
	assert.Empty(t, jobs.Items)

	ns.putSecret(t, map[string]string{"token": "t", "password": "p"})
	ns.waitFor(t, task, api.ReasonJobApplied)
	assert.Equal(t, task.Status.Job, ns.job(t).Name)
}

// A Task with RunAgain gets a new Job when a value changes, and only then.
func TestReconcile_RunAgain(t *testing.T) {
	ns := run(t)
	s := spec()
	s.RunAgain = true
	task := ns.create(t, s)
	requireReady(t, task)
	former := ns.job(t)
	require.Regexp(t, "^[0-9a-f]{32}$", former.Spec.Template.Annotations[hashAnnotation])

	stop := ns.events(t)
	ns.putSecret(t, map[string]string{"token": "t1", "password": "p1", "unused": "u2"})
	ns.deleteSecret(t)
	ns.waitFor(t, task, api.ReasonMissing)
	assert.Equal(t, former.Name, task.Status.Job)
	ns.putSecret(t, map[string]string{"token": "t1", "password": "p1"})
	ns.waitFor(t, task, api.ReasonJobApplied)
	assert.Equal(t, former, ns.job(t), "neither another key nor a Secret made anew with the same values runs it again")
	assert.Equal(t, []string{"ADDED " + former.Name}, stop(), "the watch begins with what is there")
	require.NoError(t, ns.Delete(t.Context(), &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "last", Namespace: ns.name}},
		client.PropagationPolicy(metav1.DeletePropagationBackground)))

	ns.putSecret(t, map[string]string{"token": "t2", "password": "p1"})
	eventually(t, "the former Job is gone", func() bool {
		return apierrors.IsNotFound(ns.Get(t.Context(), client.ObjectKeyFromObject(former), &batchv1.Job{}))
	})
	job := ns.job(t)
	eventually(t, "the status names the new one", func() bool { return ns.waitReported(t, task).Status.Job == job.Name })
	requireReady(t, task)
	assert.NotEqual(t, former.Spec.Template.Annotations[hashAnnotation], job.Spec.Template.Annotations[hashAnnotation])
}

// Without RunAgain, a change of a value starts nothing.
func TestReconcile_RunOnce(t *testing.T) {
	ns := run(t)
	task := ns.create(t, spec())
	requireReady(t, task)
	job := ns.job(t)
	ns.putSecret(t, map[string]string{"token": "t2", "password": "p2"})
	_, err := ns.operator.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(task)})
	require.NoError(t, err)
	assert.Equal(t, job, ns.job(t))
}

func TestHash(t *testing.T) {
	key := []byte("key")
	v := func(name, key, value string) values { return values{name: {key: []byte(value)}} }
	hashes := map[string]string{}
	for what, hash := range map[string]string{
		"a value":            v("a", "b", "c").hash(key),
		"another value":      v("a", "b", "d").hash(key),
		"another key of it":  v("a", "bc", "").hash(key),
		"another Secret":     v("ab", "", "c").hash(key),
		"an empty value":     v("a", "b", "").hash(key),
		"no value":           values{"a": {}}.hash(key),
		"no Secret":          values{}.hash(key),
		"another key of all": v("a", "b", "c").hash([]byte("other")),
	} {
		assert.Empty(t, hashes[hash], "%s has the hash of %s", what, hashes[hash])
		hashes[hash] = what
	}
	assert.Equal(t, v("a", "b", "c").hash(key), v("a", "b", "c").hash(key))
}

// Optional keys may be missing, and references to other kinds are ignored.
func TestRead(t *testing.T) {
	ns := run(t)
	ref := func(name string, optional bool, keys ...string) injector.Reference {
		return injector.Reference{Kind: "Secret", Namespace: ns.name, Name: name, Keys: keys, Optional: optional}
	}
	got, err := ns.operator.read(t.Context(), []injector.Reference{
		{Kind: "SecretProviderClass", Namespace: ns.name, Name: "class"},
		ref("none", true, "key"),
		ref("user-info", false, "token"),
		ref("user-info", true, "none", "password"),
	})
	require.NoError(t, err)
	assert.Equal(t, values{"user-info": {"token": []byte("t1"), "password": []byte("p1")}}, got)

	got, err = ns.operator.read(t.Context(), []injector.Reference{ref("user-info", false)})
	require.NoError(t, err)
	assert.Len(t, got["user-info"], 3, "the whole Secret")

	_, err = ns.operator.read(t.Context(), []injector.Reference{ref("user-info", false, "none"), ref("none", false)})
	assert.EqualError(t, err, "Secret \"user-info\" has no key \"none\"\nSecret \"none\" does not exist")

	elsewhere := ref("user-info", false)
	elsewhere.Namespace = "not/a/name"
	_, err = ns.operator.read(t.Context(), []injector.Reference{elsewhere})
	require.Error(t, err)
	assert.False(t, errors.As(err, new(*missingError)), "that it cannot be read does not mean that it is missing")
}
