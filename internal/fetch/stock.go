package fetch

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
)

// ConfigDir is where the vendor's command line writes its own files, because the root
// is read-only. Receivers do not mount it.
const ConfigDir = "/podsecrets/config"

// Stock builds one init container per secret, which runs the vendor's command line in
// a script. The request is passed in variables and never becomes part of the script.
type Stock struct {
	manager     string
	container   corev1.Container // with a command, without a name
	volumes     []corev1.Volume
	pullSecrets []corev1.LocalObjectReference
}

// NewStock returns a Stock of a manager. The script writes the file $SECRET_FILE.
// configVar is the variable with the directory for the vendor's own files.
func NewStock(manager string, template corev1.Container, pullSecrets []corev1.LocalObjectReference, script, configVar string) *Stock {
	config := mount.Name(manager, "config")
	template.Command = []string{"/bin/sh", "-euc", script}
	template.Env = []corev1.EnvVar{{Name: configVar, Value: ConfigDir}, {Name: "HOME", Value: ConfigDir}}
	template.VolumeMounts = []corev1.VolumeMount{
		{Name: mount.FetchVolume, MountPath: FilesDir}, {Name: config, MountPath: ConfigDir},
	}
	return &Stock{
		manager: manager, container: template, pullSecrets: pullSecrets,
		volumes: []corev1.Volume{{Name: config, VolumeSource: corev1.VolumeSource{
			EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory},
		}}},
	}
}

// Fragment returns what a Pod needs to fetch one secret into the file, a path relative
// to Layout.Dir. parts identify the secret in the container's name. vars alternate
// names and values.
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

// WriteFile returns the part of a script that creates the directory of $SECRET_FILE,
// runs a command that writes $new, and renames it to $SECRET_FILE. An existing file is
// from an earlier run and is replaced.
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
