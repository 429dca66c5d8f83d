package merge

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// A volume mounted below another one needs a mount point there. In Secret, ConfigMap,
// downward API and projected volumes, the kubelet creates it before mounting them,
// although they are read-only; but not in a part that is mounted with subPath. In any
// other volume, the container runtime creates it, so the mount must be writable.

// blocksNestedMounts says why nothing can be mounted below a mount of the volume, or "".
// A nil volume is unknown.
func blocksNestedMounts(v *corev1.Volume, m containerMount) string {
	switch {
	case m.device:
		return "is a device"
	case v == nil && m.readOnly:
		return "is read-only"
	case v == nil:
		return ""
	case v.Secret != nil, v.ConfigMap != nil, v.DownwardAPI != nil, v.Projected != nil:
		if m.subPath != "" || m.expr != "" {
			return "is a part (subPath) of a volume in which no mount point can be created"
		}
		return ""
	case m.readOnly:
		return "is read-only"
	case v.Image != nil:
		return "is a read-only image"
	case readOnlySource(&v.VolumeSource):
		return "is read-only at its source"
	case isHostFile(v):
		return "is a file of the host"
	}
	return ""
}

// hostFileTypes are the hostPath types that are not directories.
var hostFileTypes = []corev1.HostPathType{
	corev1.HostPathFile, corev1.HostPathFileOrCreate, corev1.HostPathSocket, corev1.HostPathCharDev, corev1.HostPathBlockDev,
}

func isHostFile(v *corev1.Volume) bool {
	return v.HostPath != nil && v.HostPath.Type != nil && slices.Contains(hostFileTypes, *v.HostPath.Type)
}

// readOnlySource reports whether a volume is read-only for all its mounts.
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

// isFileMount reports whether a mount is a file, for which the kubelet creates no mount
// point: a device, a file of the host, or a single key. Other parts of volumes may be files
// too, but that is unknown.
func isFileMount(v *corev1.Volume, m containerMount) bool {
	switch {
	case m.device:
		return true
	case v == nil:
		return false
	case v.Secret != nil, v.ConfigMap != nil: // part of a projected volume is often a directory
		return m.subPath != "" || m.expr != ""
	}
	return isHostFile(v)
}

// checkNestedMount reports an existing mount whose mount point cannot be created in one of
// our volumes.
func (d *decision) checkNestedMount(r receiver, at string, index int, byPath map[string]int) {
	m := r.mounts[index]
	if _, ours := r.scope.mounts.get(at); ours {
		return // checked by checkMount
	}
	for dir := range parents(at) {
		parent, ours := r.scope.mounts.get(dir)
		if !ours {
			if _, nested := byPath[dir]; nested {
				return // created in another mount of the container
			}
			continue
		}
		v := d.volumeOf(r.scope, containerMount{volume: parent.Name})
		reason := blocksNestedMounts(v, parent.containerMount())
		if reason == "" && v != nil && v.Projected != nil && isFileMount(d.volumeOf(r.scope, m), m) {
			reason = "allows only directories as mount points"
		}
		if reason != "" {
			d.conflict(parent.requesters, &mount.ConflictError{
				Path: r.mountField(index), Container: r.Name, Field: "volumeMounts", Name: at,
				Reason: "would be below the volume of secrets at " + quote(dir) + ", which " + reason,
			})
		}
		return
	}
}
