package manifest

import (
	"errors"
	"fmt"
	"strings"
)

// Kind is an API group and a kind. The version does not matter: all versions of the known
// kinds have their Pods in the same places.
type Kind struct{ Group, Kind string }

func (k Kind) String() string {
	if k.Group == "" {
		return k.Kind
	}
	return k.Group + "/" + k.Kind
}

// Shape says where a kind describes Pods, and where the parts of such a Pod are. All are
// JSON pointers, in which "*" means every item of a list or every field of an object. Root
// is relative to the object; the others are relative to Root, or to the object if they begin
// with "^".
type Shape struct {
	Root string // the Pod or its equivalent

	// These are empty for a Pod and for a Pod template.
	Metadata       string   // has annotations and labels
	Containers     []string // lists with "/*" at the end, or containers
	InitContainers string   // a list; "-" if the kind has none
	Volumes        string   // a list
}

// template is the Shape of a Pod template at root.
func template(root string) Shape { return Shape{Root: root} }

func (s Shape) isTemplate() bool { return s.Containers == nil }

// Kinds maps kinds to the places of their Pods.
type Kinds map[Kind][]Shape

// Shapes that several kinds share.
var (
	ofReplicas = func(field string) []Shape { return []Shape{template("/spec/" + field + "/*/template")} }
	ofTemplate = []Shape{template("/spec/template")}
	ofRay      = func(root string, more ...Shape) []Shape {
		return append([]Shape{template(root + "/headGroupSpec/template"), template(root + "/workerGroupSpecs/*/template")}, more...)
	}
	ofMetrics   = []Shape{template("/spec/metrics/*/provider/job/spec/template")}
	ofJobSet    = func(root string) []Shape { return []Shape{template(root + "/replicatedJobs/*/template/spec/template")} }
	ofTemplates = func(root string) []Shape {
		return []Shape{{
			Root: root + "/templates/*", Metadata: "/metadata", Volumes: "/volumes", InitContainers: "/initContainers",
			Containers: []string{"/container", "/script", "/containerSet/containers/*", "/sidecars/*"},
		}}
	}
	ofSteps = func(root, metadata, spec string) Shape {
		return Shape{
			Root: root, Metadata: metadata, Volumes: spec + "/volumes", InitContainers: "-",
			Containers: []string{spec + "/steps/*", spec + "/sidecars/*"},
		}
	}
	ofPipeline = func(root string) []Shape {
		return []Shape{ofSteps(root+"/tasks/*/taskSpec", "/metadata", ""), ofSteps(root+"/finally/*/taskSpec", "/metadata", "")}
	}
	ofSpark = func(root string) (shapes []Shape) {
		for _, pod := range []string{"/driver", "/executor"} {
			shapes = append(shapes, Shape{
				Root: root + pod, Metadata: "", Volumes: "^" + root + "/volumes", InitContainers: "/initContainers",
				Containers: []string{"", "/sidecars/*"},
			})
		}
		return shapes
	}
)

// Known returns a new map of the known kinds.
func Known() Kinds {
	return Kinds{
		{"", "Pod"}:                   {template("")},
		{"", "PodTemplate"}:           {template("/template")},
		{"", "ReplicationController"}: ofTemplate,
		{"apps", "DaemonSet"}:         ofTemplate,
		{"apps", "Deployment"}:        ofTemplate,
		{"apps", "ReplicaSet"}:        ofTemplate,
		{"apps", "StatefulSet"}:       ofTemplate,
		{"batch", "CronJob"}:          {template("/spec/jobTemplate/spec/template")},
		{"batch", "Job"}:              ofTemplate,

		// OpenShift, whose old objects have no group.
		{"", "DeploymentConfig"}:                  ofTemplate,
		{"apps.openshift.io", "DeploymentConfig"}: ofTemplate,

		// Argo. A Workflow's template is not a Pod template.
		{"argoproj.io", "Rollout"}:                 ofTemplate,
		{"argoproj.io", "AnalysisTemplate"}:        ofMetrics,
		{"argoproj.io", "AnalysisRun"}:             ofMetrics,
		{"argoproj.io", "ClusterAnalysisTemplate"}: ofMetrics,
		{"argoproj.io", "Workflow"}:                ofTemplates("/spec"),
		{"argoproj.io", "WorkflowTemplate"}:        ofTemplates("/spec"),
		{"argoproj.io", "ClusterWorkflowTemplate"}: ofTemplates("/spec"),
		{"argoproj.io", "CronWorkflow"}:            ofTemplates("/spec/workflowSpec"),
		{"serving.knative.dev", "Service"}:         ofTemplate,
		{"serving.knative.dev", "Configuration"}:   ofTemplate,
		{"serving.knative.dev", "Revision"}:        {template("")},

		// Tekton turns a task's steps into a Pod, with the annotations of the TaskRun or
		// of the embedded task. It adds its own init containers; a task has none.
		{"tekton.dev", "Task"}:        {ofSteps("", "/metadata", "/spec")},
		{"tekton.dev", "TaskRun"}:     {ofSteps("", "/metadata", "/spec/taskSpec")},
		{"tekton.dev", "Pipeline"}:    ofPipeline("/spec"),
		{"tekton.dev", "PipelineRun"}: ofPipeline("/spec/pipelineSpec"),
		{"ray.io", "RayCluster"}:      ofRay("/spec"),
		{"ray.io", "RayJob"}:          ofRay("/spec/rayClusterSpec", template("/spec/submitterPodTemplate")),
		{"ray.io", "RayService"}:      ofRay("/spec/rayClusterConfig"),

		// Spark's driver and executor have the fields of a container, and the
		// application's volumes.
		{"sparkoperator.k8s.io", "SparkApplication"}:          ofSpark("/spec"),
		{"sparkoperator.k8s.io", "ScheduledSparkApplication"}: ofSpark("/spec/template"),

		{"kubeflow.org", "JAXJob"}:                         ofReplicas("jaxReplicaSpecs"),
		{"kubeflow.org", "MPIJob"}:                         ofReplicas("mpiReplicaSpecs"),
		{"kubeflow.org", "MXJob"}:                          ofReplicas("mxReplicaSpecs"),
		{"kubeflow.org", "Notebook"}:                       ofTemplate,
		{"kubeflow.org", "PaddleJob"}:                      ofReplicas("paddleReplicaSpecs"),
		{"kubeflow.org", "PyTorchJob"}:                     ofReplicas("pytorchReplicaSpecs"),
		{"kubeflow.org", "TFJob"}:                          ofReplicas("tfReplicaSpecs"),
		{"kubeflow.org", "XGBoostJob"}:                     ofReplicas("xgbReplicaSpecs"),
		{"trainer.kubeflow.org", "ClusterTrainingRuntime"}: ofJobSet("/spec/template/spec"),
		{"trainer.kubeflow.org", "TrainingRuntime"}:        ofJobSet("/spec/template/spec"),
		{"jobset.x-k8s.io", "JobSet"}:                      ofJobSet("/spec"),
		{"leaderworkerset.x-k8s.io", "LeaderWorkerSet"}: {
			template("/spec/leaderWorkerTemplate/leaderTemplate"), template("/spec/leaderWorkerTemplate/workerTemplate"),
		},
	}
}

// lists maps the kinds that contain other objects to the place of these.
var lists = map[Kind]string{
	{"", "List"}:                             "/items",
	{"", "Template"}:                         "/objects", // OpenShift's, before it had a group
	{"template.openshift.io", "Template"}:    "/objects",
	{"config.kubernetes.io", "ResourceList"}: "/items",
}

// Add adds a kind with a Pod template, from GROUP/KIND=PATH, or KIND=PATH for the core
// group. PATH is a field path such as spec.template or spec.groups[*].template, or a JSON
// pointer.
func (ks Kinds) Add(text string) error {
	name, path, ok := strings.Cut(text, "=")
	group, kind, hasGroup := strings.Cut(name, "/")
	if !hasGroup {
		group, kind = "", name
	}
	if !ok || kind == "" || strings.Contains(kind, "/") {
		return errors.New("is not GROUP/KIND=PATH")
	}
	pointer := path
	if path != "" && !strings.HasPrefix(path, "/") {
		pointer = Pointer(path)
	}
	if strings.Contains(pointer, "//") || strings.HasSuffix(pointer, "/") {
		return fmt.Errorf("%q is not a path such as spec.template or spec.groups[*].template", path)
	}
	ks[Kind{group, kind}] = append(ks[Kind{group, kind}], template(pointer))
	return nil
}
