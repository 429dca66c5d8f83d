package merge_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
)

func TestMounts_BetweenRequests(t *testing.T) {
	const below = `volumeMounts "/etc/flyte/secrets/g" would be below the volume mounted at "/etc/flyte/secrets", which is read-only`
	part := func(s *merge.Secret) { s.Fragment.VolumeMounts[0].SubPath = "x" }
	const nested = "volumes(ours,ours) containers/0/env(*,*) containers/0/volumeMounts(/etc/flyte/secrets,/etc/flyte/secrets/g)"
	run(t, []row{
		{name: "two-parts", secrets: []merge.Secret{item("g", "a"), with(item("g", "b"), part)}, index: 1, want: `volumeMounts "/etc/flyte/secrets/g" would have two volumes`},
		{name: "two-volumes", index: 1, secrets: []merge.Secret{item("g", "a"), with(item("h", "b"), func(s *merge.Secret) { s.Fragment.VolumeMounts[0].MountPath = "/etc/flyte/secrets/g/" })},
			want: `volumeMounts "/etc/flyte/secrets/g" would have two volumes`},
		{name: "fetched-and-projected-in-dir", why: "a file directly in Dir, from a Secret", index: 1, secrets: []merge.Secret{fetched("g", "a"), with(projected("h", "b", "token"), exactly("token"))},
			want: `volumeMounts "/etc/flyte/secrets" would have two volumes, one of them for fetched files: give the other file its own directory (path)`},
		{name: "fetched-and-webhook", index: 1, secrets: []merge.Secret{fetched("g", "a"), webhookFile("h", "b")},
			want: `volumeMounts "/etc/flyte/secrets" would have two volumes, one of them from another webhook`},
		{name: "below-read-only", secrets: []merge.Secret{driverFile("", "a"), item("g", "b")}, index: 1, want: below},
		{name: "two-levels-below-read-only", secrets: []merge.Secret{driverFile("", "a"), driverFile("g/h", "b")}, index: 1,
			want: `volumeMounts "/etc/flyte/secrets/g/h" would be below the volume mounted at "/etc/flyte/secrets", which is read-only`},
		{name: "below-config-map", secrets: []merge.Secret{sourceFile(corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{}}), item("g", "b")}, adds: nested},
		{name: "below-downward-api", secrets: []merge.Secret{sourceFile(corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{}}), item("g", "b")}, adds: nested},
		{name: "below-projected", secrets: []merge.Secret{sourceFile(corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{}}), item("g", "b")}, adds: nested},
		{name: "below-part-of-projected", index: 1, secrets: []merge.Secret{with(sourceFile(corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{}}), part), item("g", "b")},
			want: `volumeMounts "/etc/flyte/secrets/g" would be below the volume mounted at "/etc/flyte/secrets", which is a part (subPath) of a volume in which no mount point can be created`},
		{name: "below-secret", secrets: []merge.Secret{item("g", "b"), driverFile("g/h", "a")},
			adds: "volumes(ours,ours) containers/0/env(*,*) containers/0/volumeMounts(/etc/flyte/secrets/g,/etc/flyte/secrets/g/h)"},
		{name: "webhook-and-below", secrets: []merge.Secret{webhookFile("h", "b"), item("g", "a")}, adds: "/metadata/annotations volumes(ours) containers/0/env(*,*) containers/0/volumeMounts(/etc/flyte/secrets/g)"},
	})
}

func TestMounts_InPod(t *testing.T) {
	const field = `container "app": volumeMounts `
	const added = "volumes(ours) containers/0/env(*,*) containers/0/volumeMounts/1"
	device := func(path string) *corev1.Pod {
		return app(func(c *corev1.Container) { c.VolumeDevices = []corev1.VolumeDevice{{Name: "disk", DevicePath: path}} })
	}
	windows := mounts(`C:\etc\flyte\Secrets\g`, false)
	windows.Spec.OS = &corev1.PodOS{Name: corev1.Windows}
	run(t, []row{
		{name: "at", pod: mounts("/etc/flyte/secrets/g/", false), secrets: []merge.Secret{item("g", "k")},
			want: field + `"/etc/flyte/secrets/g" already has the volume "mine"`, path: "spec.containers[0].volumeMounts[0].mountPath"},
		{name: "at-on-windows", pod: windows, secrets: []merge.Secret{item("g", "k")}, want: field + `"/etc/flyte/secrets/g" already has the volume "mine"`},
		{name: "at-webhook", pod: mounts("/etc/flyte/secrets", false), secrets: []merge.Secret{webhookFile("g", "k")},
			want: field + `"/etc/flyte/secrets" already has the volume "mine", where another webhook must mount its own`},
		{name: "at-webhook-ours", pod: app(func(c *corev1.Container) {
			c.VolumeMounts = []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/etc/flyte/secrets"}}
		}), secrets: []merge.Secret{webhookFile("g", "k")},
			want: field + `"/etc/flyte/secrets" already has the volume "podsecrets-fetched", where another webhook must mount its own`},
		{name: "at-fetched", pod: mounts("/etc/flyte/secrets", false), secrets: []merge.Secret{fetched("g", "k")}, want: field + `"/etc/flyte/secrets" already has the volume "mine"`},
		{name: "device-at", pod: device("/etc/flyte/secrets/g"), secrets: []merge.Secret{item("g", "k")},
			want: field + `"/etc/flyte/secrets/g" already has the device "disk"`, path: "spec.containers[0].volumeDevices[0].devicePath"},
		{name: "device-above", pod: device("/etc/flyte/secrets"), secrets: []merge.Secret{item("g", "k")},
			want: field + `"/etc/flyte/secrets" is a device, and secrets would have to be mounted below it`},
		{name: "below-file", pod: mounts("/etc/flyte/secrets/g/k/x", false), secrets: []merge.Secret{item("g", "k")},
			want: field + `"/etc/flyte/secrets/g/k/x" would be below the secret "/etc/flyte/secrets/g/k", which is a file`},
		{name: "on-alias", pod: mounts("/etc/flyte/secrets/g/v", false), secrets: []merge.Secret{with(item("g", "k"), version("v"))}, adds: added},
		{name: "below-alias", pod: mounts("/etc/flyte/secrets/g/v/k/x", false), secrets: []merge.Secret{with(item("g", "k"), version("v"))}, adds: added},
		{name: "on-file", pod: mounts("/etc/flyte/secrets/g/k", false), secrets: []merge.Secret{item("g", "k")}, want: field + `"/etc/flyte/secrets/g/k" would hide the secret "/etc/flyte/secrets/g/k"`},
		{name: "on-directory", pod: mounts("/etc/flyte/secrets/g", false), secrets: []merge.Secret{fetched("g", "k")}, want: field + `"/etc/flyte/secrets/g" would hide the secret "/etc/flyte/secrets/g/k"`},
		{name: "beside", pod: mounts("/etc/flyte/secrets/h", true), secrets: []merge.Secret{item("g", "k")}, adds: added},
		{name: "above", pod: mounts("/etc/flyte", false), secrets: []merge.Secret{item("g", "k")}, adds: added},
		{name: "above-read-only-two", pod: mounts("/etc/flyte", true), secrets: []merge.Secret{item("g", "k"), item("h", "k")}, also: []int{1},
			want: field + `"/etc/flyte" is read-only, and secrets would have to be mounted below it`},
		{name: "read-only-above-writable", pod: app(func(c *corev1.Container) {
			c.VolumeMounts = []corev1.VolumeMount{{Name: "a", MountPath: "/etc/flyte", ReadOnly: true}, {Name: "b", MountPath: "/etc/flyte/secrets"}}
		}), secrets: []merge.Secret{item("g", "k")}, adds: "volumes(ours) containers/0/env(*,*) containers/0/volumeMounts/2"},
		{name: "webhook-ran", pod: agentRan(nil), secrets: []merge.Secret{webhookFile("g", "k")}, adds: "containers/0/env(*,*)"},
		{name: "webhook-ran-read-only", pod: agentRan(func(pod *corev1.Pod) { pod.Spec.Containers[0].VolumeMounts[0].ReadOnly = true }), index: 1,
			secrets: []merge.Secret{webhookFile("g", "k"), item("h", "k")}, want: field + `"/etc/flyte/secrets" is read-only, and secrets would have to be mounted below it`},
	})
}

// The kubelet can create the mount point of a secret below some of the Pod's own mounts.
// internal/node tries each case.
func TestMounts_BelowPods(t *testing.T) {
	yes := true
	file, directory := corev1.HostPathFile, corev1.HostPathDirectory
	const readOnly, source = "is read-only", "is read-only at its source"
	const part = "is a part (subPath) of a volume in which no mount point can be created"
	for name, tc := range map[string]struct {
		source corev1.VolumeSource
		change func(*corev1.VolumeMount)
		want   string // the reason, or "" if it can
	}{
		"emptyDir":                   {source: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		"emptyDir, read-only":        {corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}, setReadOnly, readOnly},
		"configMap, read-only":       {corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{}}, setReadOnly, ""},
		"configMap":                  {source: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{}}},
		"secret, read-only":          {corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{}}, setReadOnly, ""},
		"downwardAPI, read-only":     {corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{}}, setReadOnly, ""},
		"projected, read-only":       {corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{}}, setReadOnly, ""},
		"configMap, subPath":         {corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{}}, func(m *corev1.VolumeMount) { m.SubPath = "x" }, part},
		"secret, subPathExpr":        {corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{}}, func(m *corev1.VolumeMount) { m.SubPathExpr = "$(X)" }, part},
		"emptyDir, subPath":          {corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}, func(m *corev1.VolumeMount) { m.SubPath = "x" }, ""},
		"image":                      {corev1.VolumeSource{Image: &corev1.ImageVolumeSource{}}, nil, "is a read-only image"},
		"claim":                      {source: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{}}},
		"claim, read-only":           {corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ReadOnly: true}}, nil, source},
		"csi, read-only":             {corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{ReadOnly: &yes}}, nil, source},
		"csi":                        {source: corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{}}},
		"nfs, read-only":             {corev1.VolumeSource{NFS: &corev1.NFSVolumeSource{ReadOnly: true}}, nil, source},
		"azureDisk, read-only":       {corev1.VolumeSource{AzureDisk: &corev1.AzureDiskVolumeSource{ReadOnly: &yes}}, nil, source},
		"hostPath, a file":           {corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Type: &file}}, nil, "is a file of the host"},
		"hostPath, a directory":      {source: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Type: &directory}}},
		"hostPath, no type":          {source: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{}}},
		"ephemeral":                  {source: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}},
		"ephemeral, mount read-only": {corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}, setReadOnly, readOnly},
	} {
		pod := mounts("/etc/flyte", false)
		pod.Spec.Volumes = []corev1.Volume{{Name: "mine", VolumeSource: tc.source}}
		if tc.change != nil {
			tc.change(&pod.Spec.Containers[0].VolumeMounts[0])
		}
		r := row{name: name, pod: pod, secrets: []merge.Secret{item("g", "k")}, adds: "volumes/1 containers/0/env(*,*) containers/0/volumeMounts/1"}
		if tc.want != "" {
			r.want = `container "app": volumeMounts "/etc/flyte" ` + tc.want + `, and secrets would have to be mounted below it`
		}
		run(t, []row{r})
	}
}

// The mount point of the Pod's own mount may be in one of our volumes. In a projected
// volume, the kubelet creates only directories; a driver's volume is read-only.
func TestMounts_BelowOurs(t *testing.T) {
	file := corev1.HostPathFile
	const at = "/etc/flyte/secrets/g/own"
	secretVolume := corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s"}}
	part := func(m *corev1.VolumeMount) { m.SubPath = "x" }
	const directories = "allows only directories as mount points"
	for name, tc := range map[string]struct {
		source corev1.VolumeSource
		change func(*corev1.VolumeMount)
		secret merge.Secret
		want   string
	}{
		"directory in projected":  {source: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}, secret: item("g", "k")},
		"Secret in projected":     {source: secretVolume, secret: item("g", "k")},
		"key in projected":        {source: secretVolume, change: part, secret: item("g", "k"), want: directories},
		"host file in projected":  {source: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Type: &file}}, secret: item("g", "k"), want: directories},
		"part, maybe a directory": {source: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}, change: part, secret: item("g", "k")},
		"directory in driver's":   {source: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}, secret: driverFile("g", "k"), want: "is read-only"},
		"key below fetched":       {source: secretVolume, change: part, secret: fetched("h", "k")},
	} {
		pod := mounts(at, false)
		pod.Spec.Volumes = []corev1.Volume{{Name: "mine", VolumeSource: tc.source}}
		if tc.change != nil {
			tc.change(&pod.Spec.Containers[0].VolumeMounts[0])
		}
		t.Run(name, func(t *testing.T) {
			change, problems := merge.Merge(mount.Layout{}, []merge.Secret{tc.secret})
			require.Empty(t, problems)
			_, problems, err := change.Decide(merge.ViewPod(pod), merge.Options{})
			require.NoError(t, err)
			if tc.want == "" {
				assert.Empty(t, problems)
				return
			}
			require.Len(t, problems, 1)
			var conflict *mount.ConflictError
			require.ErrorAs(t, problems[0].Err, &conflict)
			assert.Equal(t, "spec.containers[0].volumeMounts[0].mountPath", conflict.Path)
			assert.Contains(t, conflict.Reason, tc.want)
		})
	}
}

func setReadOnly(m *corev1.VolumeMount) { m.ReadOnly = true }
