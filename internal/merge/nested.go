package merge

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// The kubelet makes the mount point of a volume that is mounted below another
// one. In volumes of Secrets, ConfigMaps, the downward API and projections of
// these it does so before it mounts them, although they are read-only; but a
// mount of a subPath shows a part in which it does not. In any other volume the
// container runtime makes the mount point, and so needs to write there.

// blocksNestedMounts says why no volume can be mounted below a mount of the
// volume, or "". The volume is nil if it is not known.
func blocksNestedMounts(v *corev1.Volume, m mounted) string {
	switch {
	case m.device:
		return "is a device"
	case v == nil && m.readOnly:
		return "is read-only"
	case v == nil:
		return ""
	case v.Secret != nil, v.ConfigMap != nil, v.DownwardAPI != nil, v.Projected != nil:
		if m.subPath != "" || m.expr != "" {
			return "is a part (subPath) of a volume in which no mount point can be made"
		}
		return ""
	case m.readOnly:
		return "is read-only"
	case v.Image != nil:
		return "is an image, and read-only"
	case readOnlySource(&v.VolumeSource):
		return "is read-only at its source"
	case isHostFile(v):
		return "is a file of the host"
	}
	return ""
}

// hostFiles are the types of hostPath that are no directories.
var hostFiles = []corev1.HostPathType{
	corev1.HostPathFile, corev1.HostPathFileOrCreate, corev1.HostPathSocket, corev1.HostPathCharDev, corev1.HostPathBlockDev,
}

func isHostFile(v *corev1.Volume) bool {
	return v.HostPath != nil && v.HostPath.Type != nil && slices.Contains(hostFiles, *v.HostPath.Type)
}

// readOnlySource reports whether the volume is read-only whatever its mounts say.
func readOnlySource(v *corev1.VolumeSource) bool {
	switch {
	case v.PersistentVolumeClaim != nil:
		return v.PersistentVolumeClaim.ReadOnly
	case v.CSI != nil:
		return v.CSI.ReadOnly != nil && *v.CSI.ReadOnly
	case v.NFS != nil:
		return v.NFS.ReadOnly
	case v.ISCSI != nil:
		return v.ISCSI.ReadOnly
	case v.FC != nil:
		return v.FC.ReadOnly
	case v.Glusterfs != nil:
		return v.Glusterfs.ReadOnly
	case v.RBD != nil:
		return v.RBD.ReadOnly
	case v.CephFS != nil:
		return v.CephFS.ReadOnly
	case v.Cinder != nil:
		return v.Cinder.ReadOnly
	case v.FlexVolume != nil:
		return v.FlexVolume.ReadOnly
	case v.Quobyte != nil:
		return v.Quobyte.ReadOnly
	case v.PortworxVolume != nil:
		return v.PortworxVolume.ReadOnly
	case v.ScaleIO != nil:
		return v.ScaleIO.ReadOnly
	case v.StorageOS != nil:
		return v.StorageOS.ReadOnly
	case v.AzureFile != nil:
		return v.AzureFile.ReadOnly
	case v.AzureDisk != nil:
		return v.AzureDisk.ReadOnly != nil && *v.AzureDisk.ReadOnly
	case v.GCEPersistentDisk != nil:
		return v.GCEPersistentDisk.ReadOnly
	case v.AWSElasticBlockStore != nil:
		return v.AWSElasticBlockStore.ReadOnly
	}
	return false
}

// mountsFile reports whether a mount is a file, for which the kubelet makes no mount
// point: a device, a file of the host, or a single key. Whether another part of a volume
// is a file is not known.
func mountsFile(v *corev1.Volume, m mounted) bool {
	switch {
	case m.device:
		return true
	case v == nil:
		return false
	case v.Secret != nil, v.ConfigMap != nil: // a part of a projection is often a directory
		return m.subPath != "" || m.expr != ""
	}
	return isHostFile(v)
}

// checkBelowOurs finds a mount of the container whose mount point would have to be
// made in a volume of ours, and cannot.
func (d *decision) checkBelowOurs(r receiver, at string, index int, have map[string]int) {
	m := r.mounts[index]
	if _, ours := r.scope.mounts.get(at); ours {
		return // checkMount has looked at it
	}
	for dir := range parents(at) {
		over, ours := r.scope.mounts.get(dir)
		if !ours {
			if _, own := have[dir]; own {
				return // made in another mount of the container
			}
			continue
		}
		v := d.volumeOf(r.scope, mounted{volume: over.Name})
		reason := blocksNestedMounts(v, over.mounted())
		if reason == "" && v != nil && v.Projected != nil && mountsFile(d.volumeOf(r.scope, m), m) {
			reason = "takes directories only as mount points"
		}
		if reason != "" {
			d.conflict(over.requesters, &mount.ConflictError{
				Path: r.mountField(index), Container: r.Name, Field: "volumeMounts", Name: at,
				Reason: "would be below the volume of secrets at " + quote(dir) + ", which " + reason,
			})
		}
		return
	}
}
