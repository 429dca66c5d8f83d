package flyte

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// HashedKeys is a k8ssecret.Config.Names that names Secrets as Flyte 2's manager of
// Kubernetes Secrets does: by the MD5 sum of the key if a request has no group.
func HashedKeys(req secret.Request, _ mount.Target) (k8ssecret.Ref, error) {
	if req.Group == "" {
		return k8ssecret.Ref{Name: HashedName(req.Key), Key: req.Key}, nil
	}
	return k8ssecret.Ref{Name: strings.ToLower(req.Group), Key: req.Key}, nil
}

// GCPManager serves Google's secrets as Flyte does. A request without a version goes
// to the next manager. Flyte's file is "group/version", without the key. A request
// with a key gets that file too, and its own file has no version, because
// "group/version/key" cannot exist beside "group/version".
type GCPManager struct{ injector.SecretManager }

// Mount returns the manager's Fragment, with Flyte's file.
func (m GCPManager) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	layout := target.Layout()
	if req.GroupVersion == "" {
		return mount.Fragment{}, fmt.Errorf("%w: a version is required", secret.ErrUnsupported)
	}
	f, err := m.SecretManager.Mount(ctx, req, target)
	if err != nil || !f.File || req.Key == "" || req.Path != "" || layout.Exact {
		return f, err
	}
	req.Mount, req.Path = mount.File, req.RelPath(layout, "")
	if f, err = m.SecretManager.Mount(ctx, req, target); err != nil {
		return f, err
	}
	f.Versioned = false
	flytePath := strings.ToLower(path.Join(req.Group, req.GroupVersion))
	if flytePath == req.Path {
		return f, nil
	}
	req.Path = flytePath
	second, err := m.SecretManager.Mount(ctx, req, target)
	if err != nil {
		return mount.Fragment{}, err
	}
	return join(f, second), nil
}

// join adds to f the parts of second, which serves the same secret as another file:
// an item of a projected volume, a fetcher's variable, or an init container.
func join(f, second mount.Fragment) mount.Fragment {
	f.Volumes, f.VolumeMounts = slices.Clone(f.Volumes), slices.Clone(f.VolumeMounts)
	for _, v := range second.Volumes {
		i := slices.IndexFunc(f.Volumes, func(w corev1.Volume) bool { return w.Name == v.Name })
		if i < 0 {
			f.Volumes = append(f.Volumes, v)
		} else if v.Projected != nil {
			items := &f.Volumes[i].Projected.Sources[0].Secret.Items
			*items = append(*items, v.Projected.Sources[0].Secret.Items...)
		}
	}
	for _, m := range second.VolumeMounts {
		if !slices.ContainsFunc(f.VolumeMounts, func(n corev1.VolumeMount) bool { return n.MountPath == m.MountPath }) {
			f.VolumeMounts = append(f.VolumeMounts, m)
		}
	}
	f.InitContainers = slices.Clone(f.InitContainers)
	for _, c := range second.InitContainers {
		i := slices.IndexFunc(f.InitContainers, func(d mount.InitContainer) bool { return d.Name == c.Name })
		if i < 0 {
			f.InitContainers = append(f.InitContainers, c)
		} else {
			f.InitContainers[i].Env = slices.Concat(f.InitContainers[i].Env, c.Env)
		}
	}
	return f
}
