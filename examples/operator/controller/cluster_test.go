package controller

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/podsecrets/podsecrets/examples/operator/api"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/internal/e2e/apiserver"
	"github.com/podsecrets/podsecrets/k8ssecret"
)

var cluster *apiserver.Server

func TestMain(m *testing.M) { os.Exit(apiserver.Main(m, &cluster)) }

// namespace is a test's namespace with an operator.
type namespace struct {
	client.WithWatch // of the administrator
	name             string
	operator         *Reconciler // without a cache
}

// run starts an operator with exactly the rights of config/, in a new namespace with the
// Secret user-info. The default manager is k8ssecret.
func run(t *testing.T, managers ...injector.SecretManager) *namespace {
	if len(managers) == 0 {
		secrets, err := k8ssecret.New(k8ssecret.Config{Required: true})
		require.NoError(t, err)
		managers = append(managers, secrets)
	}
	in, err := injector.New(injector.Config{Managers: managers, Layout: Layout})
	require.NoError(t, err)

	scheme := runtime.NewScheme()
	require.NoError(t, clientgoscheme.AddToScheme(scheme))
	require.NoError(t, api.SchemeBuilder.AddToScheme(scheme))
	admin, err := client.NewWithWatch(cluster.Config, client.Options{Scheme: scheme})
	require.NoError(t, err)
	install(t, admin)

	asOperator := rest.CopyConfig(cluster.Config)
	asOperator.Impersonate = rest.ImpersonationConfig{UserName: "system:serviceaccount:tasks:operator"}
	name := cluster.Namespace(t, nil)
	skip := true
	mgr, err := ctrl.NewManager(asOperator, ctrl.Options{
		Scheme:     scheme,
		Logger:     testr.New(t),
		Cache:      cache.Options{DefaultNamespaces: map[string]cache.Config{name: {}}},
		Metrics:    server.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: &skip}, // one per test
	})
	require.NoError(t, err)
	operator := &Reconciler{Client: mgr.GetClient(), Secrets: mgr.GetAPIReader(), Injector: in, HashKey: []byte("test")}
	require.NoError(t, operator.SetupWithManager(mgr))
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error)
	go func() { stopped <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-stopped)
	})

	direct, err := client.New(asOperator, client.Options{Scheme: scheme})
	require.NoError(t, err)
	uncached := *operator
	uncached.Client = direct
	ns := &namespace{admin, name, &uncached}
	ns.putSecret(t, map[string]string{"token": "t1", "password": "p1", "unused": "u1"})
	return ns
}

// install applies the manifests of config/, once.
func install(t *testing.T, admin client.Client) {
	installed.Do(func() {
		files, err := filepath.Glob("../config/*.yaml")
		require.NoError(t, err)
		require.Len(t, files, 2)
		slices.Sort(files) // the CRD comes first
		for _, file := range files {
			f, err := os.Open(file)
			require.NoError(t, err)
			defer f.Close()
			for documents := yaml.NewYAMLOrJSONDecoder(f, 4096); ; {
				u := &unstructured.Unstructured{}
				if err := documents.Decode(u); errors.Is(err, io.EOF) {
					break
				} else {
					require.NoError(t, err)
				}
				require.NoError(t, admin.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(u), client.FieldOwner("test")))
			}
		}
		eventually(t, "the API server knows Tasks", func() bool { return admin.List(t.Context(), &api.TaskList{}) == nil })
	})
}

var installed sync.Once

// putSecret creates the Secret user-info or replaces its data.
func (ns *namespace) putSecret(t *testing.T, data map[string]string) {
	t.Helper()
	o := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "user-info", Namespace: ns.name}, StringData: data}
	err := ns.Create(t.Context(), o)
	if apierrors.IsAlreadyExists(err) {
		err = ns.Update(t.Context(), o)
	}
	require.NoError(t, err)
}

// create creates a Task and waits for its condition.
func (ns *namespace) create(t *testing.T, spec api.TaskSpec) *api.Task {
	t.Helper()
	task := &api.Task{ObjectMeta: metav1.ObjectMeta{Name: "report", Namespace: ns.name}, Spec: spec}
	require.NoError(t, ns.Create(t.Context(), task))
	return ns.waitReported(t, task)
}

// change changes a Task's spec and waits for its condition.
func (ns *namespace) change(t *testing.T, task *api.Task, change func(*api.TaskSpec)) *api.Task {
	t.Helper()
	before := task.DeepCopy()
	change(&task.Spec)
	require.NoError(t, ns.Patch(t.Context(), task, client.MergeFrom(before)))
	require.Greater(t, task.Generation, before.Generation, "the spec is another one")
	return ns.waitReported(t, task)
}

func (ns *namespace) waitReported(t *testing.T, task *api.Task) *api.Task {
	t.Helper()
	generation := task.Generation
	eventually(t, "the condition is up to date", func() bool {
		require.NoError(t, ns.Get(t.Context(), client.ObjectKeyFromObject(task), task))
		return len(task.Status.Conditions) == 1 && task.Status.Conditions[0].ObservedGeneration == generation
	})
	return task
}

// job returns the only Job.
func (ns *namespace) job(t *testing.T) *batchv1.Job {
	t.Helper()
	var jobs batchv1.JobList
	require.NoError(t, ns.List(t.Context(), &jobs, client.InNamespace(ns.name)))
	require.Len(t, jobs.Items, 1)
	return &jobs.Items[0]
}

// events watches the namespace's Jobs. The returned function stops and returns the events.
func (ns *namespace) events(t *testing.T) func() []string {
	w, err := ns.Watch(t.Context(), &batchv1.JobList{}, client.InNamespace(ns.name))
	require.NoError(t, err)
	return func() (events []string) {
		defer w.Stop()
		last := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "last", Namespace: ns.name}}
		last.Spec.Template = ns.job(t).Spec.Template
		last.Spec.Template.Labels = nil
		require.NoError(t, ns.Create(t.Context(), last))
		for event := range w.ResultChan() {
			job, ok := event.Object.(*batchv1.Job)
			require.True(t, ok, "%v", event)
			if job.Name == last.Name {
				break
			}
			events = append(events, string(event.Type)+" "+job.Name)
		}
		return events
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute) // a busy machine needs it
	for !is() {
		require.True(t, time.Now().Before(deadline), "%s: not in a minute", what)
		time.Sleep(20 * time.Millisecond)
	}
}
