package awssm

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

// newFetcher returns what is the same in all containers that fetch.
func newFetcher(cfg Config) (corev1.Container, error) {
	image, user := cfg.Image, int64(65532)
	if image == "" {
		image = "docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4"
	}
	if strings.ContainsFunc(image, unicode.IsSpace) {
		return corev1.Container{}, fmt.Errorf("awssm: Image %q has blanks", image)
	}
	if cfg.RunAsUser != nil {
		user = *cfg.RunAsUser
	}
	if user == 0 || len(validation.IsValidUserID(user)) > 0 {
		return corev1.Container{}, fmt.Errorf("awssm: RunAsUser %d is not between 1 and 2147483647", user)
	}
	resources := defaultResources()
	if cfg.Resources != nil {
		resources = cfg.Resources.DeepCopy()
	}
	if err := checkResources(resources); err != nil {
		return corev1.Container{}, err
	}
	return corev1.Container{
		Image:     image,
		Resources: *resources,
		// The image writes nowhere but below /tmp. It names no user, so that
		// without one it would be root and never start.
		VolumeMounts:    []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/tmp"}},
		SecurityContext: mount.Restricted(&user),
	}, nil
}

func defaultResources() *corev1.ResourceRequirements {
	list := corev1.ResourceList{
		corev1.ResourceMemory: resource.MustParse("500Mi"),
		corev1.ResourceCPU:    resource.MustParse("200m"),
	}
	return &corev1.ResourceRequirements{Requests: list, Limits: list.DeepCopy()}
}

// checkResources finds what would make every Pod one that the API server
// refuses.
func checkResources(r *corev1.ResourceRequirements) error {
	for _, list := range []corev1.ResourceList{r.Limits, r.Requests} {
		for _, name := range slices.Sorted(maps.Keys(list)) {
			quantity := list[name]
			if limit, ok := r.Limits[name]; ok && quantity.Cmp(limit) > 0 {
				return fmt.Errorf("awssm: Resources request %s of %s, above the limit of %s", &quantity, name, &limit)
			}
			if quantity.Sign() < 0 {
				return fmt.Errorf("awssm: Resources have %s of %s, which is negative", &quantity, name)
			}
		}
	}
	return nil
}
