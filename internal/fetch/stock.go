package fetch

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// configDir is where vendors' command lines write their own files, with a
// read-only root. Receivers do not mount it.
const configDir = "/podsecrets/config"

// Stock is an init container for each secret, which runs a vendor's command line
// in a script. What is asked for is handed over in variables, and is never a part
// of the script.
type Stock struct {
	manager string
	// container has a command, and no name.
	container   corev1.Container
	volumes     []corev1.Volume
	pullSecrets []corev1.LocalObjectReference
}

// NewStock returns a Stock of a manager. The script finds the file in
// $SECRET_FILE, and writes it itself. configVar is the variable by which the
// vendor's program learns where its own files go.
func NewStock(manager string, template corev1.Container, pullSecrets []corev1.LocalObjectReference, script, configVar string) *Stock {
	config := mount.Name(manager, "config")
	template.Command = []string{"/bin/sh", "-euc", script}
	template.Env = []corev1.EnvVar{{Name: configVar, Value: configDir}, {Name: "HOME", Value: configDir}}
	template.VolumeMounts = []corev1.VolumeMount{
		{Name: mount.FetchVolume, MountPath: FilesDir}, {Name: config, MountPath: configDir},
	}
	return &Stock{
		manager: manager, container: template, pullSecrets: pullSecrets,
		volumes: []corev1.Volume{{Name: config, VolumeSource: corev1.VolumeSource{
			EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory},
		}}},
	}
}

// Fragment returns what a Pod needs to fetch one secret into the file, a path
// below the directory of secrets. parts tell the secret from others, and vars are
// names and values in turn.
func (s *Stock) Fragment(file string, parts []string, vars ...string) mount.Fragment {
	c := s.container
	c.Name = mount.Name(append([]string{s.manager}, parts...)...)
	env := []corev1.EnvVar{mount.Literal(FilesDir + "/" + file).EnvVar("SECRET_FILE")}
	for i := 0; i+1 < len(vars); i += 2 {
		env = append(env, mount.Literal(vars[i+1]).EnvVar(vars[i]))
	}
	return mount.Fragment{
		File: true, Volumes: s.volumes, ImagePullSecrets: s.pullSecrets,
		InitContainers: []mount.InitContainer{{Container: &c, Env: env}},
	}
}

// WriteFile is the part of a script that makes the directory of $SECRET_FILE,
// runs a command that writes to $new, and gives it its name. A file that is there
// already under that name is an earlier run's.
func WriteFile(command string) string {
	return strings.Join([]string{
		`umask 022`,
		`mkdir -p "${SECRET_FILE%/*}"`,
		`new="$SECRET_FILE.new"`,
		`rm -f "$new"`,
		command,
		`chmod 0644 "$new"`,
		`mv -f "$new" "$SECRET_FILE"`,
	}, "\n")
}
