// Package api is version v1alpha1 of the API group example.com, with the resource Task.
//
// +kubebuilder:object:generate=true
// +groupName=example.com
// +versionName=v1alpha1
package api

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/scheme"

	"github.com/podsecrets/podsecrets/mount"
)

//go:generate go tool controller-gen object crd paths=. output:crd:dir=../config output:object:dir=.

// GroupVersion is the group and version of Task.
var GroupVersion = schema.GroupVersion{Group: "example.com", Version: "v1alpha1"}

// SchemeBuilder adds Task to a scheme.
var SchemeBuilder = (&scheme.Builder{GroupVersion: GroupVersion}).Register(&Task{}, &TaskList{})

// Task is a program that runs once, with secrets.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name=Ready,type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name=Reason,type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name=Job,type=string,JSONPath=`.status.job`
type Task struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   TaskSpec   `json:"spec"`
	Status TaskStatus `json:"status,omitempty"`
}

// TaskSpec describes the program. A change starts another run.
type TaskSpec struct {
	// +kubebuilder:validation:MinLength=1
	Image string `json:"image"`
	// Command is the program and its arguments. None means the image's own.
	// +optional
	Command []string `json:"command,omitempty"`
	// Secrets are the secrets that the program can read. The condition Ready says
	// whether they are available.
	// +optional
	Secrets []Secret `json:"secrets,omitempty"`
	// RunAgain starts another run when the value of a Secret changes.
	// +optional
	RunAgain bool `json:"runAgain,omitempty"`
}

// Secret requests one secret, like secret.Request of podsecrets.
type Secret struct {
	// +optional
	Group string `json:"group,omitempty"`
	// +optional
	Key string `json:"key,omitempty"`
	// +optional
	Version string `json:"version,omitempty"`
	// Mount is the form of the secret. Empty means ANY: a variable if EnvVar is set
	// and Path is not, otherwise a file.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Enum=ANY;ENV_VAR;FILE
	// +optional
	Mount mount.Type `json:"mount,omitempty"`
	// EnvVar is the variable with the secret, or with the path of its file.
	// +optional
	EnvVar string `json:"envVar,omitempty"`
	// Path is the file's path below /etc/secrets. Empty means GROUP/KEY.
	// +optional
	Path string `json:"path,omitempty"`
}

// TaskStatus is the observed state of a Task.
type TaskStatus struct {
	// Conditions has the condition Ready: whether the Job of the current spec exists,
	// and if not, why.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Job is the name of the last applied Job.
	// +optional
	Job string `json:"job,omitempty"`
}

// Ready is the type of the condition. Its reasons:
const (
	Ready = "Ready"

	ReasonJobApplied    = "JobApplied"          // true
	ReasonInvalid       = "InvalidSecret"       // the request is invalid
	ReasonConflict      = "SecretConflict"      // with another secret, or with the Pod
	ReasonNotServed     = "SecretNotServed"     // no manager has it
	ReasonMissing       = "SecretMissing"       // the operator waits for a Secret, or for a key of one
	ReasonManagerFailed = "SecretManagerFailed" // retried
	ReasonJobRefused    = "JobRefused"          // by the API server
)

// TaskList is a list of Tasks.
//
// +kubebuilder:object:root=true
type TaskList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Task `json:"items"`
}
