package awssm_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

var ctx = context.Background()

// The beginning of the ARNs of one account's secrets.
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

func TestNewValidates(t *testing.T) {
	resources := func(requests, limits corev1.ResourceList) awssm.Config {
		return awssm.Config{Resources: &corev1.ResourceRequirements{Requests: requests, Limits: limits}}
	}
	for _, tc := range []struct {
		name string
		cfg  awssm.Config
		want string // "" means valid
	}{
		{"the zero value", awssm.Config{}, ""},
		{"an image with a blank", awssm.Config{Image: "image:v1 "}, `awssm: Image "image:v1 " has blanks`},
		{"root", awssm.Config{RunAsUser: ptr[int64](0)}, "awssm: RunAsUser 0 is not between 1 and 2147483647"},
		{"a negative user", awssm.Config{RunAsUser: ptr[int64](-1)}, "awssm: RunAsUser -1 is not between 1 and 2147483647"},
		{"a user that Kubernetes refuses", awssm.Config{RunAsUser: ptr[int64](1 << 31)}, "awssm: RunAsUser 2147483648 is not between 1 and 2147483647"},
		{"no resources", resources(nil, nil), ""},
		{"a request without a limit", resources(quantities("1Gi", "1"), nil), ""},
		{"a request at the limit", resources(quantities("1Gi", "1"), quantities("1024Mi", "1000m")), ""},
		{"a request above the limit", resources(quantities("1Gi", "1"), quantities("1Gi", "900m")), "awssm: Resources request 1 of cpu, above the limit of 900m"},
		{"a negative limit", resources(nil, quantities("-1", "1")), "awssm: Resources have -1 of memory, which is negative"},
		{"a negative request", resources(quantities("1", "-1"), nil), "awssm: Resources have -1 of cpu, which is negative"},
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

// fragment is what a request for that ARN and file gives.
func fragment(cfg awssm.Config, arn, file string) mount.Fragment {
	return mount.Fragment{
		File: true,
		Fetchers: []corev1.Container{{
			Name:  mount.Name("aws", arn, file),
			Image: cfg.Image,
			Env: []corev1.EnvVar{
				{Name: "SECRET_ARN", Value: strings.ReplaceAll(arn, "$", "$$")},
				{Name: "SECRET_FILENAME", Value: strings.ReplaceAll(file, "$", "$$")},
			},
			Resources:    *cfg.Resources,
			VolumeMounts: []corev1.VolumeMount{{Name: mount.FetchVolume, MountPath: "/tmp"}},
			SecurityContext: &corev1.SecurityContext{
				RunAsNonRoot:             ptr(true),
				RunAsUser:                cfg.RunAsUser,
				AllowPrivilegeEscalation: ptr(false),
				ReadOnlyRootFilesystem:   ptr(true),
				Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				SeccompProfile:           &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
		}},
		ImagePullSecrets: cfg.ImagePullSecrets,
	}
}

func TestFragment(t *testing.T) {
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

func TestConfiguredFragment(t *testing.T) {
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
	assert.Equal(t, fragment(cfg(), account+":DB/$x", "/"+account+"/Pre-db/$x"), f, "and nothing given to New is kept")
	assert.NoError(t, f.Validate())
}

func TestWhatItServes(t *testing.T) {
	windows := &metav1.ObjectMeta{Labels: map[string]string{"kubernetes.io/os": "windows"}}
	linux := &metav1.ObjectMeta{Labels: map[string]string{"kubernetes.io/os": "linux"}}
	const variable, version = "request not supported: AWS secrets are files, not variables", "request not supported: of AWS secrets there is the current version only"
	const noARN, os = "request not supported: group and key are not an ARN", "request not supported: AWS secrets cannot be fetched in a Pod for Windows"
	const region = "request not supported: the region of the ARN is not a name"
	for _, tc := range []struct {
		name string
		req  secret.Request
		meta *metav1.ObjectMeta
		want string // the error; "" means served
	}{
		{"any is a file", secret.Request{Group: account, Key: "k"}, nil, ""},
		{"a file", secret.Request{Group: account, Key: "k", Mount: mount.File}, nil, ""},
		{"a variable", secret.Request{Group: account, Key: "k", Mount: mount.EnvVar}, nil, variable},
		{"a version", secret.Request{Group: account, Key: "k", GroupVersion: "AWSCURRENT"}, nil, version},
		{"an ARN split elsewhere", secret.Request{Group: "arn:aws:secretsmanager", Key: "us-east-2:1:secret:k"}, nil, ""},
		{"an ARN with five colons, of any service", secret.Request{Group: "arn:aws:ssm:us-east-2:1", Key: "parameter/k"}, nil, ""},
		{"an ARN with four colons", secret.Request{Group: "arn:aws:ssm:us-east-2", Key: "k"}, nil, noARN},
		{"colons that are dropped do not count", secret.Request{Group: "arn:a:b:c::", Key: "::k"}, nil, noARN},
		{"five colons that are no ARN", secret.Request{Group: "urn:aws:secretsmanager:us-east-2:1:secret", Key: "k"}, nil, noARN},
		{"another case", secret.Request{Group: strings.ToUpper(account), Key: "k"}, nil, noARN},
		{"an ARN that is a key", secret.Request{Key: account + ":k"}, nil, noARN},
		{"an ARN that is a group", secret.Request{Group: account + ":k"}, nil, noARN},
		{"a key of colons", secret.Request{Group: account, Key: "::"}, nil, noARN},
		{"a region that is another host", secret.Request{Group: "arn:aws:secretsmanager:attacker.example/:1:secret", Key: "k"}, nil, region},
		{"a region that ends a host with a query", secret.Request{Group: "arn:aws:secretsmanager", Key: "attacker.example?:1:secret:k"}, nil, region},
		{"a region with a user before the host", secret.Request{Group: "arn:aws:secretsmanager:x@attacker.example#:1:secret", Key: "k"}, nil, region},
		{"a region of two labels", secret.Request{Group: "arn:aws:secretsmanager:us-east-2.example:1:secret", Key: "k"}, nil, region},
		{"no region", secret.Request{Group: "arn:aws:secretsmanager::1:secret", Key: "k"}, nil, ""},
		{"a Kubernetes Secret", secret.Request{Group: "user-info", Key: "k"}, nil, noARN},
		{"a Pod for Windows", secret.Request{Group: account, Key: "k"}, windows, os},
		{"a Pod for Linux", secret.Request{Group: account, Key: "k"}, linux, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := newManager(t, awssm.Config{}).Mount(ctx, tc.req, mount.NewTarget(mount.Layout{}, mount.InitFirst, tc.meta))
			if tc.want == "" {
				require.NoError(t, err)
				assert.True(t, f.File)
				return
			}
			assert.EqualError(t, err, tc.want)
			assert.ErrorIs(t, err, secret.ErrUnsupported)
			assert.Equal(t, mount.Fragment{}, f)
		})
	}
}

func TestFetcherNamesFitAndDiffer(t *testing.T) {
	m := newManager(t, awssm.Config{})
	name := func(layout mount.Layout, group, key string) string {
		f, err := m.Mount(ctx, secret.Request{Group: group, Key: key}, mount.NewTarget(layout, mount.InitFirst, nil))
		require.NoError(t, err)
		return f.Fetchers[0].Name
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
