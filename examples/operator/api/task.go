// Package api is version v1alpha1 of the group example.com, which has the
// one resource Task.
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

// TaskSpec says what runs. A change of it is another run.
type TaskSpec struct {
	// +kubebuilder:validation:MinLength=1
	Image string `json:"image"`
	// Command is the program and its arguments. None means the image's own.
	// +optional
	Command []string `json:"command,omitempty"`
	// Secrets are what the program can read. Whether they can be had is found out
	// by the controller, which says so in the condition Ready.
	// +optional
	Secrets []Secret `json:"secrets,omitempty"`
	// RunAgain says that another value of one of the Secrets is another run too.
	// +optional
	RunAgain bool `json:"runAgain,omitempty"`
}

// Secret asks for one secret, as podsecrets' secret.Request does.
type Secret struct {
	// +optional
	Group string `json:"group,omitempty"`
	// +optional
	Key string `json:"key,omitempty"`
	// +optional
	Version string `json:"version,omitempty"`
	// Mount is where the program reads it. None means ANY: a variable if there is
	// an EnvVar and no Path, otherwise a file.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Enum=ANY;ENV_VAR;FILE
	// +optional
	Mount mount.Type `json:"mount,omitempty"`
	// EnvVar is the variable that holds the secret, or the path of its file.
	// +optional
	EnvVar string `json:"envVar,omitempty"`
	// Path is the file below /etc/secrets. None means GROUP/KEY.
	// +optional
	Path string `json:"path,omitempty"`
}

// TaskStatus says what has become of the spec.
type TaskStatus struct {
	// Conditions has Ready: whether the Job that the spec asks for is there, and
	// if not, why.
	// +listType=map
	// +listMapKey=type
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Job is the name of the Job that was last applied.
	// +optional
	Job string `json:"job,omitempty"`
}

// Ready is the type of the one condition. Its reasons:
const (
	Ready = "Ready"

	ReasonJobApplied    = "JobApplied"          // true
	ReasonInvalid       = "InvalidSecret"       // what the spec asks for cannot be asked for
	ReasonConflict      = "SecretConflict"      // with another secret, or with the Pod
	ReasonNotServed     = "SecretNotServed"     // no manager has it
	ReasonMissing       = "SecretMissing"       // the operator waits for a Secret, or for a key of one
	ReasonManagerFailed = "SecretManagerFailed" // it is tried again
	ReasonJobRefused    = "JobRefused"          // by the API server
)

// TaskList is what a list of Tasks is read into.
//
// +kubebuilder:object:root=true
type TaskList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Task `json:"items"`
}
