package merge

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// sharedVolume is a volume whose files all containers that mount it can see: the FetchVolume,
// or a volume of another webhook or of a driver. All requests with files in one volume must
// therefore have the same Container.
type sharedVolume struct {
	requesters
}

// shareVolumes adds the shared volumes with files of a secret.
func (c *Change) shareVolumes(i int) {
	f := &c.secrets[i].Fragment
	for _, m := range f.VolumeMounts {
		j := slices.IndexFunc(f.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
		if !projectsSecrets(&f.Volumes[j]) {
			c.shareVolume(i, m.Name)
		}
	}
	if f.File && f.Mounts(mount.FetchVolume) {
		c.shareVolume(i, mount.FetchVolume)
	}
	if w := f.Webhook; w != nil && w.Volume != "" {
		c.shareVolume(i, w.Volume)
	}
}

func (c *Change) shareVolume(i int, name string) {
	old, ok := c.shared.get(name)
	switch {
	case !ok:
		c.shared.add(name, sharedVolume{requesters{first: i}})
	case c.secrets[old.first].Container != c.secrets[i].Container:
		c.conflict(i, old.first, "volumes", name, "shows its files to all containers that mount it: requests with files in it must be for the same container")
	default:
		old.add(i)
	}
}

// checkShared reports containers that already mount a shared volume but do not receive its
// secrets.
func (d *decision) checkShared() {
	if len(d.change.shared.items) == 0 {
		return
	}
	check := func(r receiver, receives func(i int) bool) {
		for j := range r.mounts {
			v, ok := d.change.shared.get(r.mounts[j].volume)
			if ok && !r.mounts[j].device && !receives(v.first) {
				d.conflict(v.requesters, &mount.ConflictError{
					Path:      r.fieldOfMount(j, "volumeMounts", "name"),
					Container: r.Name, Field: "volumeMounts", Name: r.mounts[j].volume,
					Reason: "is already mounted: the container would see files of secrets that it does not receive",
				})
			}
		}
	}
	for _, r := range d.nonReceivers {
		check(r, func(int) bool { return false })
	}
	if len(d.change.byContainer) > 0 {
		for _, r := range slices.Concat(d.receivers, d.late) {
			check(r, func(i int) bool {
				container := d.change.secrets[i].Container
				return container == "" || container == r.Name
			})
		}
	}
}

// checkEnvVolume reports containers other than fetchers that mount the EnvVolume.
func (d *decision) checkEnvVolume() {
	reqs := d.change.requestersOf(func(s *Secret) bool { return s.Fragment.Mounts(mount.EnvVolume) })
	if reqs.first == none {
		return
	}
	for _, r := range slices.Concat(d.receivers, d.nonReceivers, d.late) {
		for j := range r.mounts {
			if r.mounts[j].volume == mount.EnvVolume && !r.mounts[j].device {
				d.conflict(reqs, &mount.ConflictError{
					Path:      r.fieldOfMount(j, "volumeMounts", "name"),
					Container: r.Name, Field: "volumeMounts", Name: mount.EnvVolume,
					Reason: "is only for init containers that fetch secrets: any other container could change what others read",
				})
			}
		}
	}
}
