package awssm_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

var ctx = context.Background()

// account is the prefix of the ARNs of one account's secrets.
const account = "arn:aws:secretsmanager:us-east-2:123456789012:secret"

func newManager(t *testing.T, cfg awssm.Config) *awssm.Manager {
	m, err := awssm.New(cfg)
	require.NoError(t, err)
	return m
}

func ptr[T any](v T) *T { return &v }

func quantities(memory, cpu string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(memory), corev1.ResourceCPU: resource.MustParse(cpu)}
}

func TestNew(t *testing.T) {
	resources := func(requests, limits corev1.ResourceList) awssm.Config {
		return awssm.Config{Resources: &corev1.ResourceRequirements{Requests: requests, Limits: limits}}
	}
	for _, tc := range []struct {
		name string
		cfg  awssm.Config
		want string // "" means valid
	}{
		{"zero", awssm.Config{}, ""},
		{"blank in image", awssm.Config{Image: "image:v1 "}, `awssm: Image "image:v1 " contains white space`},
		{"root", awssm.Config{RunAsUser: ptr[int64](0)}, "awssm: RunAsUser 0 is not between 1 and 2147483647"},
		{"negative user", awssm.Config{RunAsUser: ptr[int64](-1)}, "awssm: RunAsUser -1 is not between 1 and 2147483647"},
		{"huge user", awssm.Config{RunAsUser: ptr[int64](1 << 31)}, "awssm: RunAsUser 2147483648 is not between 1 and 2147483647"},
		{"no resources", resources(nil, nil), ""},
		{"no limit", resources(quantities("1Gi", "1"), nil), ""},
		{"at limit", resources(quantities("1Gi", "1"), quantities("1024Mi", "1000m")), ""},
		{"above limit", resources(quantities("1Gi", "1"), quantities("1Gi", "900m")), "awssm: Resources request 1 of cpu, above the limit of 900m"},
		{"negative limit", resources(nil, quantities("-1", "1")), "awssm: Resources have -1 of memory, which is negative"},
		{"negative request", resources(quantities("1", "-1"), nil), "awssm: Resources have -1 of cpu, which is negative"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m, err := awssm.New(tc.cfg)
			if tc.want == "" {
				assert.NoError(t, err)
				return
			}
			assert.EqualError(t, err, tc.want)
			assert.Nil(t, m)
		})
	}
}

// fragment returns the Fragment of the stock image for an ARN and a file.
func fragment(cfg awssm.Config, arn, file string) mount.Fragment {
	return mount.Fragment{
		Reads: mount.Object{Name: arn},
		File:  true,
		InitContainers: []mount.InitContainer{{
			Container: &corev1.Container{
				Name:            mount.Name("aws", arn, file),
				Image:           cfg.Image,
				Resources:       *cfg.Resources,
				VolumeMounts:    []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/tmp"}},
				SecurityContext: mount.Restricted(cfg.RunAsUser),
			},
			Env: []corev1.EnvVar{
				{Name: "SECRET_ARN", Value: strings.ReplaceAll(arn, "$", "$$")},
				{Name: "SECRET_FILENAME", Value: strings.ReplaceAll(file, "$", "$$")},
			},
		}},
		ImagePullSecrets: cfg.ImagePullSecrets,
	}
}

func TestMount_Stock(t *testing.T) {
	req := secret.Request{Group: account + ":", Key: ":DB/$x", EnvVar: "DB_FILE"}
	f, err := newManager(t, awssm.Config{}).Mount(ctx, req, mount.Target{})
	require.NoError(t, err)
	assert.Equal(t, fragment(awssm.Config{
		Image:     "docker.io/amazon/aws-secrets-manager-secret-sidecar:v0.1.4",
		Resources: &corev1.ResourceRequirements{Requests: quantities("500Mi", "200m"), Limits: quantities("500Mi", "200m")},
		RunAsUser: ptr[int64](65532),
	}, account+":DB/$x", "/"+account+":/:db/$x"), f, "the ARN keeps its case, the file does not")
	assert.NoError(t, f.Validate())
}

func TestMount_Configured(t *testing.T) {
	cfg := func() awssm.Config {
		return awssm.Config{
			Image:            "registry.example.com/fetch:v1",
			ImagePullSecrets: []corev1.LocalObjectReference{{Name: "pull"}},
			Resources:        &corev1.ResourceRequirements{Limits: quantities("64Mi", "1")},
			RunAsUser:        ptr[int64](1000),
		}
	}
	given := cfg()
	m := newManager(t, given)
	given.ImagePullSecrets[0].Name = "changed"
	given.Resources.Limits[corev1.ResourceCPU] = resource.MustParse("2")
	*given.RunAsUser = 1

	target := mount.NewTarget(mount.Layout{Dir: "/s", FilePrefix: "Pre-"}, mount.InitFirst, nil)
	f, err := m.Mount(ctx, secret.Request{Group: account, Key: "DB/$x"}, target)
	require.NoError(t, err)
	assert.Equal(t, fragment(cfg(), account+":DB/$x", "/"+account+"/Pre-db/$x"), f, "New retains nothing")
	assert.NoError(t, f.Validate())
}

func TestMount_Path(t *testing.T) {
	for _, layout := range []mount.Layout{{}, {FilePrefix: "Pre-"}, {Exact: true}} {
		req := secret.Request{Group: account, Key: "k", Path: "Conf.d/$DB"}
		f, err := newManager(t, awssm.Config{}).Mount(ctx, req, mount.NewTarget(layout, mount.InitFirst, nil))
		require.NoError(t, err)
		assert.Equal(t, "/Conf.d/$$DB", f.InitContainers[0].Env[1].Value, "case kept, without prefix and ARN")
	}
}

func TestMount_ExactLayout(t *testing.T) {
	target := mount.NewTarget(mount.Layout{Exact: true, FilePrefix: "Pre-"}, mount.InitFirst, nil)
	f, err := newManager(t, awssm.Config{}).Mount(ctx, secret.Request{Group: account, Key: "DB/Key"}, target)
	require.NoError(t, err)
	assert.Equal(t, "/"+account+"/DB/Key", f.InitContainers[0].Env[1].Value, "case kept, without prefix")
}

func TestMount_Unsupported(t *testing.T) {
	const variable, version = "AWS secrets are served as files only, unless EnvFiles is set", "AWS secrets are served in their current version only"
	const noARN, region = "group and key are not an ARN", "the ARN's region is not a valid region name"
	const noSecret = "group and key are not the ARN of a secret (arn:PARTITION:secretsmanager:REGION:ACCOUNT:secret:NAME)"
	const jsonKey = "group and key are an ARN followed by a JSON key; request that JSON key with \"field\""
	for _, tc := range []struct {
		name, why string
		req       secret.Request
		want      string // the error; "" means served
	}{
		{"any", "served as a file", secret.Request{Group: account, Key: "k"}, ""},
		{"file", "the only form", secret.Request{Group: account, Key: "k", Mount: mount.File}, ""},
		{"variable", "the image writes files", secret.Request{Group: account, Key: "k", Mount: mount.EnvVar}, variable},
		{"version", "the image fetches the current one", secret.Request{Group: account, Key: "k", GroupVersion: "AWSCURRENT"}, version},
		{"other split", "group and key are joined", secret.Request{Group: "arn:aws:secretsmanager", Key: "us-east-2:1:secret:k"}, ""},
		{"parameter", "another service", secret.Request{Group: "arn:aws:ssm:us-east-2:1", Key: "parameter/k"}, noSecret},
		{"parameter with colon", "another service", secret.Request{Group: "arn:aws:ssm:us-east-2:1:parameter", Key: "k"}, noSecret},
		{"role", "not a secret", secret.Request{Group: "arn:aws:iam::123456789012:role", Key: "k"}, noSecret},
		{"JSON key", "as ECS writes it", secret.Request{Group: account, Key: "db-AbCdEf:password::"}, jsonKey},
		{"JSON key as key", "a user's guess", secret.Request{Group: account + ":db-AbCdEf", Key: "password"}, jsonKey},
		{"China", "another partition", secret.Request{Group: "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret", Key: "k"}, ""},
		{"GovCloud", "another partition", secret.Request{Group: "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret", Key: "k"}, ""},
		{"four colons", "the image would exit with 1", secret.Request{Group: "arn:aws:ssm:us-east-2", Key: "k"}, noSecret},
		{"dropped colons", "extra colons do not count", secret.Request{Group: "arn:a:b:c::", Key: "::k"}, noSecret},
		{"urn", "an ARN begins with arn:", secret.Request{Group: "urn:aws:secretsmanager:us-east-2:1:secret", Key: "k"}, noARN},
		{"upper case", "an ARN begins with arn:", secret.Request{Group: strings.ToUpper(account), Key: "k"}, noARN},
		{"key only", "the group's colon comes first", secret.Request{Key: account + ":k"}, noARN},
		{"group only", "a trailing colon is not needed", secret.Request{Group: account + ":k"}, ""},
		{"key of colons", "they are dropped", secret.Request{Group: account, Key: "::"}, noSecret},
		{"region is a host", "the image would send a token there", secret.Request{Group: "arn:aws:secretsmanager:attacker.example/:1:secret", Key: "k"}, region},
		{"region with query", "the image would send a token there", secret.Request{Group: "arn:aws:secretsmanager", Key: "attacker.example?:1:secret:k"}, region},
		{"region with user", "the image would send a token there", secret.Request{Group: "arn:aws:secretsmanager:x@attacker.example#:1:secret", Key: "k"}, region},
		{"region of two labels", "no region has a dot", secret.Request{Group: "arn:aws:secretsmanager:us-east-2.example:1:secret", Key: "k"}, region},
		{"no region", "the container's environment has one", secret.Request{Group: "arn:aws:secretsmanager::1:secret", Key: "k"}, ""},
		{"plain name", "for another store", secret.Request{Group: "user-info", Key: "k"}, noARN},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := newManager(t, awssm.Config{}).Mount(ctx, tc.req, mount.Target{})
			if tc.want == "" {
				require.NoError(t, err, tc.why)
				assert.True(t, f.File)
				return
			}
			assert.EqualError(t, err, "request not supported: "+tc.want, tc.why)
			assert.ErrorIs(t, err, secret.ErrUnsupported)
			assert.Equal(t, mount.Fragment{}, f)
		})
	}
}

// Stock honors neither Field nor Mode, so requests with them go to the next manager.
func TestMount_Honors(t *testing.T) {
	for _, req := range []secret.Request{
		{Group: account, Key: "k", Field: "f"}, {Group: account, Key: "k", Mode: 0o400},
	} {
		f, err := newManager(t, awssm.Config{}).Mount(ctx, req, mount.Target{})
		require.NoError(t, err)
		assert.Equal(t, mount.Features{}, f.Honors)
		_, err = newInjector(t, injector.Config{}).Inject(ctx, meshPod(), req)
		assert.ErrorIs(t, err, secret.ErrUnsupported)
	}
}

func TestMount_Windows(t *testing.T) {
	in := newInjector(t, injector.Config{})
	for _, tc := range []struct {
		name   string
		change func(*corev1.Pod)
		served bool
	}{
		{"os", func(pod *corev1.Pod) { pod.Spec.OS = &corev1.PodOS{Name: corev1.Windows} }, false},
		{"selector", func(pod *corev1.Pod) { pod.Spec.NodeSelector = map[string]string{corev1.LabelOSStable: "windows"} }, false},
		{"label", func(pod *corev1.Pod) { pod.Labels = map[string]string{corev1.LabelOSStable: "windows"} }, false},
		{"host process", func(pod *corev1.Pod) {
			pod.Spec.SecurityContext = &corev1.PodSecurityContext{WindowsOptions: &corev1.WindowsSecurityContextOptions{HostProcess: ptr(true)}}
		}, false},
		{"selector before label", func(pod *corev1.Pod) {
			pod.Labels = map[string]string{corev1.LabelOSStable: "windows"}
			pod.Spec.NodeSelector = map[string]string{corev1.LabelOSStable: "linux"}
		}, true},
		{"os before selector", func(pod *corev1.Pod) {
			pod.Spec.OS = &corev1.PodOS{Name: corev1.Linux}
			pod.Spec.NodeSelector = map[string]string{corev1.LabelOSStable: "windows"}
		}, true},
		{"no host process", func(pod *corev1.Pod) {
			pod.Spec.SecurityContext = &corev1.PodSecurityContext{WindowsOptions: &corev1.WindowsSecurityContextOptions{HostProcess: ptr(false)}}
		}, true},
		{"linux", func(pod *corev1.Pod) { pod.Labels = map[string]string{corev1.LabelOSStable: "linux"} }, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pod := meshPod()
			tc.change(pod)
			_, err := in.Inject(ctx, pod, two[0])
			if tc.served {
				assert.NoError(t, err)
				return
			}
			assert.ErrorIs(t, err, secret.ErrUnsupported)
			assert.ErrorContains(t, err, "AWS secrets cannot be fetched in a Pod for Windows")
		})
	}
}

func TestMount_ContainerNames(t *testing.T) {
	m := newManager(t, awssm.Config{})
	name := func(layout mount.Layout, group, key string) string {
		f, err := m.Mount(ctx, secret.Request{Group: group, Key: key}, mount.NewTarget(layout, mount.InitFirst, nil))
		require.NoError(t, err)
		return f.InitContainers[0].Name
	}
	long := name(mount.Layout{}, account, strings.Repeat("k", 250))
	assert.Empty(t, validation.IsDNS1123Label(long))
	assert.True(t, mount.IsName(long))
	assert.Equal(t, long, name(mount.Layout{}, account, strings.Repeat("k", 250)), "stable")
	assert.NotEqual(t, long, name(mount.Layout{}, account, strings.Repeat("k", 251)))
	assert.NotEqual(t, name(mount.Layout{}, account, "Key"), name(mount.Layout{}, account, "key"), "another secret")
	assert.NotEqual(t, name(mount.Layout{}, account, "key"), name(mount.Layout{}, account+":", "key"), "another file")
	assert.NotEqual(t, name(mount.Layout{}, account, "key"), name(mount.Layout{FilePrefix: "p"}, account, "key"), "another file")
}
