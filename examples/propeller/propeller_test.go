package propeller

import (
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/secret"
)

// mountType and message have the methods that protoc generates for Flyte's core.Secret.
type mountType int32

func (m mountType) String() string {
	return map[mountType]string{0: "ANY", 1: "ENV_VAR", 2: "FILE"}[m] // "" for an unknown value
}

type message struct {
	group, version, key string
	requirement         mountType
	env                 string
}

func (m *message) GetGroup() string               { return m.group }
func (m *message) GetGroupVersion() string        { return m.version }
func (m *message) GetKey() string                 { return m.key }
func (m *message) GetMountRequirement() mountType { return m.requirement }
func (m *message) GetEnvVar() string              { return m.env }

// secrets converts the secrets of a task's security context.
func secrets(t *testing.T, messages ...*message) (reqs []secret.Request) {
	for _, m := range messages {
		req, err := secret.FromProto(m)
		require.NoError(t, err)
		reqs = append(reqs, req)
	}
	return reqs
}

func job(t *testing.T, name string) *unstructured.Unstructured {
	text, err := os.ReadFile("testdata/" + name + ".yaml")
	require.NoError(t, err)
	object := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal(text, &object.Object))
	text, err = object.MarshalJSON()
	require.NoError(t, err)
	require.NoError(t, object.UnmarshalJSON(text)) // integers, as in a client
	return object
}

// pods returns the operator's Pods of the templates.
func pods(t *testing.T, job *unstructured.Unstructured) map[string]*corev1.Pod {
	made := map[string]*corev1.Pod{}
	for _, path := range templates[job.GetKind()] {
		template, ok, err := unstructured.NestedMap(job.Object, path...)
		require.NoError(t, err)
		if ok {
			pod := &corev1.Pod{}
			require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(template, pod))
			made[path[len(path)-2]] = pod
		}
	}
	return made
}

func newInjector(t *testing.T) *injector.Injector {
	k8s, err := k8ssecret.New(k8ssecret.Config{})
	require.NoError(t, err)
	aws, err := awssm.New(awssm.Config{})
	require.NoError(t, err)
	in, err := injector.New(injector.Config{Managers: []injector.SecretManager{aws, k8s}})
	require.NoError(t, err)
	return in
}

var requested = []*message{
	{group: "user-info", key: "token", requirement: 1, env: "TOKEN"},
	{group: "user-info", key: "password", requirement: 2},
	{group: "arn:aws:secretsmanager:us-east-2:123456789012:secret", key: "db-AbCdEf"},
}

var kinds = map[string]struct {
	pods      []string
	container string
}{
	"sparkapplication": {[]string{"driver", "executor"}, "spark"},
	"pytorchjob":       {[]string{"Master", "Worker"}, "pytorch"},
}

func TestInject(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			before, reqs := job(t, name), secrets(t, requested...)
			given := before.DeepCopy()
			injected, err := Inject(t.Context(), newInjector(t), before, reqs)
			require.NoError(t, err)
			assert.Equal(t, given, before, "the input is unchanged")
			made := pods(t, injected)
			require.Len(t, made, len(kind.pods))
			for _, role := range kind.pods {
				for _, req := range reqs {
					assert.NoError(t, injectortest.CanRead(made[role], kind.container, req), role)
				}
			}
			again, err := Inject(t.Context(), newInjector(t), injected, reqs)
			require.NoError(t, err)
			assert.Equal(t, injected, again)
			assertUnknownFields(t, injected)
		})
	}
}

// assertUnknownFields fails unless an unknown field and an integer are unchanged.
func assertUnknownFields(t *testing.T, job *unstructured.Unstructured) {
	at := templates[job.GetKind()][0]
	template, _, err := unstructured.NestedMap(job.Object, at...)
	require.NoError(t, err)
	future, _, err := unstructured.NestedString(template, "spec", "future")
	require.NoError(t, err)
	assert.Equal(t, "kept", future)
	grace, _, err := unstructured.NestedInt64(template, "spec", "terminationGracePeriodSeconds")
	require.NoError(t, err)
	assert.Equal(t, int64(30), grace)
}

// A webhook reads the stamped requests from the Pods.
func TestStamp(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			before, reqs := job(t, name), secrets(t, requested...)
			stamped, err := Stamp(before, reqs)
			require.NoError(t, err)
			made := pods(t, stamped)
			for _, role := range kind.pods {
				pod := made[role]
				assert.Equal(t, "true", pod.Labels[secret.InjectLabel], role)
				assert.Equal(t, pods(t, before)[role].Annotations["own"], pod.Annotations["own"], role)
				read, err := secret.DecodeAnnotations(pod.Annotations)
				require.NoError(t, err)
				assert.Equal(t, reqs, read, role)
				for i := range reqs {
					assert.Contains(t, pod.Annotations, "flyte.secrets/s"+strconv.Itoa(i), "Flyte's form")
				}
			}
			none, err := Stamp(stamped, nil)
			require.NoError(t, err)
			for role, pod := range pods(t, none) {
				assert.NotContains(t, pod.Labels, secret.InjectLabel, role)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	in := newInjector(t)
	reqs := secrets(t, requested[0])
	unknown := &unstructured.Unstructured{Object: map[string]any{"kind": "RayJob"}}
	_, err := Inject(t.Context(), in, unknown, reqs)
	assert.EqualError(t, err, `propeller: the Pod templates of kind "RayJob" are unknown`)
	empty := &unstructured.Unstructured{Object: map[string]any{"kind": "PyTorchJob", "metadata": map[string]any{"name": "j"}}}
	_, err = Stamp(empty, reqs)
	assert.EqualError(t, err, `propeller: PyTorchJob "j" has no Pod template`)
	strange := job(t, "pytorchjob")
	require.NoError(t, unstructured.SetNestedField(strange.Object, "text", "spec", "pytorchReplicaSpecs", "Master", "template"))
	_, err = Stamp(strange, reqs)
	assert.ErrorContains(t, err, `propeller: PyTorchJob "train": spec.pytorchReplicaSpecs.Master.template: `)
	_, err = Inject(t.Context(), in, job(t, "sparkapplication"), []secret.Request{{Group: "g", Key: "../k"}})
	assert.ErrorContains(t, err, `propeller: SparkApplication "count": spec.driver.template: `)
	_, err = secret.FromProto(&message{requirement: 7})
	var invalid *secret.InvalidError
	assert.ErrorAs(t, err, &invalid)
}
