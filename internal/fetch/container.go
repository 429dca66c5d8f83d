package fetch

import (
	"cmp"
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

// The values of each manager's Fetcher, which is a type of its own.
const (
	StockFetcher uint8 = iota
	FetchFetcher
)

// FetcherString returns the text form of a manager's Fetcher: "Stock" or "Fetch".
func FetcherString(fetcher uint8) string {
	if texts := [...]string{"Stock", "Fetch"}; int(fetcher) < len(texts) {
		return texts[fetcher]
	}
	return fmt.Sprintf("Fetcher(%d)", fetcher)
}

// Options are the init container's settings, from a manager's Config.
type Options struct {
	Package      string // the manager's, for errors
	Fetcher      uint8
	Image        string
	StockImage   string // the default of Image with StockFetcher
	Resources    *corev1.ResourceRequirements
	RunAsUser    *int64 // nil means 65532
	AssignedUser bool   // the cluster chooses the user; RunAsUser must be nil
	EnvFiles     bool   // needs FetchFetcher
}

// Template returns the part that a manager's init containers have in common: image,
// resources and security context. Errors name the invalid field.
func (o Options) Template() (corev1.Container, error) {
	resources := resourcesOf("64Mi", "100m")
	if o.Fetcher == StockFetcher {
		o.Image = cmp.Or(o.Image, o.StockImage)
		resources = resourcesOf("500Mi", "200m") // as Flyte's webhook
	}
	user := int64(65532)
	if o.RunAsUser != nil {
		user = *o.RunAsUser
	}
	failf := func(format string, args ...any) (corev1.Container, error) {
		return corev1.Container{}, fmt.Errorf(o.Package+": "+format, args...)
	}
	switch {
	case o.Fetcher > FetchFetcher:
		return failf("Fetcher %d is not defined", o.Fetcher)
	case o.Fetcher == StockFetcher && o.EnvFiles:
		return failf("EnvFiles requires Fetcher Fetch")
	case o.Image == "":
		return failf("Image is empty")
	case strings.ContainsFunc(o.Image, unicode.IsSpace):
		return failf("Image %q contains white space", o.Image)
	case o.AssignedUser && o.RunAsUser != nil:
		return failf("RunAsUser %d conflicts with AssignedUser, which lets the cluster choose the user", user)
	case user == 0 || len(validation.IsValidUserID(user)) > 0:
		return failf("RunAsUser %d is not between 1 and 2147483647", user)
	}
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

// resourcesOf returns requests and equal limits.
func resourcesOf(memory, cpu string) *corev1.ResourceRequirements {
	list := corev1.ResourceList{
		corev1.ResourceMemory: resource.MustParse(memory),
		corev1.ResourceCPU:    resource.MustParse(cpu),
	}
	return &corev1.ResourceRequirements{Requests: list, Limits: list.DeepCopy()}
}

// resourcesFlaw returns why the API server would refuse every Pod, or "".
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
