package fetch

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/mount"
)

// Options are what managers let their users choose of an init container.
type Options struct {
	Package      string // of the manager, for errors
	Image        string
	Resources    *corev1.ResourceRequirements
	RunAsUser    *int64 // nil: 65532
	AssignedUser bool   // the cluster assigns the user, and RunAsUser is nil
}

// Template returns what is the same in all init containers of a manager: image,
// resources and security context. Errors name the field.
func (o Options) Template(defaults corev1.ResourceList) (corev1.Container, error) {
	user := int64(65532)
	if o.RunAsUser != nil {
		user = *o.RunAsUser
	}
	failf := func(format string, args ...any) (corev1.Container, error) {
		return corev1.Container{}, fmt.Errorf(o.Package+": "+format, args...)
	}
	switch {
	case o.Image == "":
		return failf("Image is empty")
	case strings.ContainsFunc(o.Image, unicode.IsSpace):
		return failf("Image %q has blanks", o.Image)
	case o.AssignedUser && o.RunAsUser != nil:
		return failf("RunAsUser %d is set, and AssignedUser leaves it to the cluster", user)
	case user == 0 || len(validation.IsValidUserID(user)) > 0:
		return failf("RunAsUser %d is not between 1 and 2147483647", user)
	}
	resources := &corev1.ResourceRequirements{Requests: defaults, Limits: defaults.DeepCopy()}
	if o.Resources != nil {
		resources = o.Resources.DeepCopy()
	}
	if flaw := resourcesFlaw(resources); flaw != "" {
		return failf("Resources %s", flaw)
	}
	c := corev1.Container{Image: o.Image, Resources: *resources, SecurityContext: mount.Restricted(&user)}
	if o.AssignedUser {
		c.SecurityContext = mount.Restricted(nil)
	}
	return c, nil
}

// StockResources are what Flyte's webhook gives its fetching containers.
func StockResources() corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceMemory: resource.MustParse("500Mi"),
		corev1.ResourceCPU:    resource.MustParse("200m"),
	}
}

// Resources are what the fetching program needs.
func Resources() corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceMemory: resource.MustParse("64Mi"),
		corev1.ResourceCPU:    resource.MustParse("100m"),
	}
}

// resourcesFlaw says what would make every Pod one that the API server refuses, or
// "".
func resourcesFlaw(r *corev1.ResourceRequirements) string {
	for _, list := range []corev1.ResourceList{r.Limits, r.Requests} {
		for _, name := range slices.Sorted(maps.Keys(list)) {
			quantity := list[name]
			if limit, ok := r.Limits[name]; ok && quantity.Cmp(limit) > 0 {
				return fmt.Sprintf("request %s of %s, above the limit of %s", &quantity, name, &limit)
			}
			if quantity.Sign() < 0 {
				return fmt.Sprintf("have %s of %s, which is negative", &quantity, name)
			}
		}
	}
	return ""
}
