package merge

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// sharedVolume is a volume with files that everybody sees who mounts it: fetched
// files, those of another webhook, and those of a driver. So all requests that
// bring files into one must have the same Container.
type sharedVolume struct {
	requesters
}

// shareVolumes adds the volumes that show the files of a secret.
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
		c.conflict(i, old.first, "volumes", name, "shows its files to all containers that mount it, so that requests with files in it must be for the same container")
	default:
		old.add(i)
	}
}

// checkShared reports containers that mount a shared volume already, and are not
// chosen in this call.
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
					Reason: "is mounted already, and the container would see files of secrets that it does not receive",
				})
			}
		}
	}
	for _, r := range d.others {
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

// checkEnvVolume reports containers that mount the volume of env files, which
// only fetchers may do.
func (d *decision) checkEnvVolume() {
	of := requesters{first: none}
	for i := range d.change.secrets {
		switch {
		case !d.change.secrets[i].Fragment.Mounts(mount.EnvVolume):
		case of.first == none:
			of.first = i
		default:
			of.add(i)
		}
	}
	if of.first == none {
		return
	}
	for _, r := range slices.Concat(d.receivers, d.others, d.late) {
		for j := range r.mounts {
			if r.mounts[j].volume == mount.EnvVolume && !r.mounts[j].device {
				d.conflict(of, &mount.ConflictError{
					Path:      r.fieldOfMount(j, "volumeMounts", "name"),
					Container: r.Name, Field: "volumeMounts", Name: mount.EnvVolume,
					Reason: "is for fetching init containers only: a container that mounts it could change what others read",
				})
			}
		}
	}
}
