package podsecurity

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"k8s.io/pod-security-admission/test"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/azurekv"
	"github.com/podsecrets/podsecrets/csi"
	"github.com/podsecrets/podsecrets/gcpsm"
	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

// newest is the minor version of the evaluator's Kubernetes, and so the last for which
// it has Pods.
const newest = 34

// versions returns all versions of the standard that a namespace can enforce.
func versions() []api.Version {
	all := []api.Version{api.LatestVersion()}
	for minor := range newest + 1 {
		all = append(all, api.MajorMinorVersion(1, minor))
	}
	return all
}

// refusal returns why a Pod fails "restricted", or "" if it passes.
func refusal(t *testing.T, version api.Version, pod *corev1.Pod) string {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks())
	require.NoError(t, err)
	level := api.LevelVersion{Level: api.LevelRestricted, Version: version}
	results := evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec)
	require.NotEmpty(t, results)
	total := policy.AggregateCheckResults(results)
	return total.ForbiddenDetail()
}

// pods returns the evaluator's own minimal Pods that pass "restricted".
func pods(t *testing.T, version api.Version) map[string]*corev1.Pod {
	if version.Latest() {
		version = api.MajorMinorVersion(1, newest)
	}
	neutral, err := test.GetMinimalValidPod(api.LevelRestricted, version)
	require.NoError(t, err)
	linux, err := test.GetMinimalValidLinuxPod(api.LevelRestricted, version)
	require.NoError(t, err)
	return map[string]*corev1.Pod{"neutral": neutral, "linux": linux, "per-container": perContainer(neutral)}
}

// perContainer moves the Pod's security settings to its containers, so that injected
// containers must have their own.
func perContainer(pod *corev1.Pod) *corev1.Pod {
	pod = pod.DeepCopy()
	forAll := pod.Spec.SecurityContext
	pod.Spec.SecurityContext = nil
	for _, c := range []*corev1.Container{&pod.Spec.InitContainers[0], &pod.Spec.Containers[0]} {
		if c.SecurityContext == nil {
			c.SecurityContext = &corev1.SecurityContext{}
		}
		c.SecurityContext.RunAsNonRoot, c.SecurityContext.SeccompProfile = forAll.RunAsNonRoot, forAll.SeccompProfile
	}
	return pod
}

// source is a global.Source with the key "token".
type source struct{}

func (source) Lookup(_ context.Context, req secret.Request) (string, error) {
	if req.Key != "token" {
		return "", secret.ErrNotFound
	}
	return "value", nil
}

func must(m injector.SecretManager, err error) injector.SecretManager {
	if err != nil {
		panic(err)
	}
	return m
}

// orDefaults returns the managers, or four default ones if there are none.
func orDefaults(managers []injector.SecretManager) []injector.SecretManager {
	if len(managers) > 0 {
		return managers
	}
	return []injector.SecretManager{
		must(global.New(global.Config{Source: source{}})),
		must(awssm.New(awssm.Config{})),
		must(k8ssecret.New(k8ssecret.Config{})),
		must(vault.New(vault.Config{EnvFiles: true})),
	}
}

const (
	image    = "registry.example.com/fetch:v1"
	keyVault = "https://team.vault.azure.net"
	account  = "arn:aws:secretsmanager:us-east-2:123456789012:secret"
)

// Each request is served by one manager only.
var (
	shared   = secret.Request{Group: "shared", Key: "token"}
	variable = secret.Request{Group: "user-info", Key: "name"}
	file     = secret.Request{Group: "user-info", Key: "password", Mount: mount.File, EnvVar: "PASSWORD_FILE"}
	fetched  = secret.Request{Group: "arn:aws:secretsmanager:us-east-2:123456789012:secret", Key: "db"}
	agent    = secret.Request{Group: "secret/data/task", Key: "password", GroupVersion: "kv2"}
	exact    = secret.Request{Group: "user-info", Key: "conf", Path: "Conf.d/App.yaml"}
)

func TestRestricted_Managers(t *testing.T) {
	fetchAWS := must(awssm.New(awssm.Config{Fetcher: awssm.Fetch, Image: image, EnvFiles: true}))
	stockGCP := must(gcpsm.New(gcpsm.Config{}))
	fetchGCP := must(gcpsm.New(gcpsm.Config{Fetcher: gcpsm.Fetch, Image: image, EnvFiles: true, AssignedUser: true}))
	stockAzure := must(azurekv.New(azurekv.Config{Vault: keyVault}))
	fetchAzure := must(azurekv.New(azurekv.Config{Vault: keyVault, Fetcher: azurekv.Fetch, Image: image, EnvFiles: true}))
	classes := must(csi.New(csi.Config{}))
	google := secret.Request{Group: "projects/p/secrets/s", Mount: mount.File}
	for _, tc := range []struct {
		name     string
		managers []injector.SecretManager // nil: the defaults
		reqs     []secret.Request
		by       []string // the managers that serve them
	}{
		{"global", nil, []secret.Request{shared}, []string{"global"}},
		{"variable", nil, []secret.Request{variable}, []string{"k8s"}},
		{"file", nil, []secret.Request{file}, []string{"k8s"}},
		{"exact-path", nil, []secret.Request{exact}, []string{"k8s"}},
		{"awssm", nil, []secret.Request{fetched}, []string{"aws"}},
		{"vault", nil, []secret.Request{agent}, []string{"vault"}},
		{"vault-variable", nil, []secret.Request{{Group: "secret/data/task", Key: "password", Mount: mount.EnvVar, GroupVersion: "kv2", EnvVar: "X"}}, []string{"vault"}},
		{"awssm-fetch", []injector.SecretManager{fetchAWS}, []secret.Request{{Group: account, Key: "db"}, {Group: account, Key: "db", Mount: mount.File}}, []string{"aws", "aws"}},
		{"gcpsm", []injector.SecretManager{stockGCP}, []secret.Request{google}, []string{"gcp"}},
		{"gcpsm-fetch", []injector.SecretManager{fetchGCP}, []secret.Request{google, {Group: google.Group, EnvVar: "X"}}, []string{"gcp", "gcp"}},
		{"azurekv", []injector.SecretManager{stockAzure}, []secret.Request{{Group: "name", Mount: mount.File}}, []string{"azure"}},
		{"azurekv-fetch", []injector.SecretManager{fetchAzure}, []secret.Request{{Group: "name", EnvVar: "X"}}, []string{"azure"}},
		{"csi", []injector.SecretManager{classes}, []secret.Request{{Group: "class", Key: "file"}}, []string{"csi"}},
		{"all-but-vault", nil, []secret.Request{shared, variable, file, fetched}, []string{"global", "k8s", "k8s", "aws"}},
		{"all-but-awssm", nil, []secret.Request{shared, variable, file, agent}, []string{"global", "k8s", "k8s", "vault"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, order := range []mount.InitOrder{mount.InitFirst, mount.InitAfterSidecars} {
				in, err := injector.New(injector.Config{Managers: orDefaults(tc.managers), InitOrder: order})
				require.NoError(t, err)
				for _, version := range versions() {
					for name, pod := range pods(t, version) {
						assert.Empty(t, refusal(t, version, pod), "%v %s before", version, name)
						plan, err := in.Plan(t.Context(), pod, tc.reqs...)
						require.NoError(t, err)
						assert.Empty(t, refusal(t, version, plan.Pod()), "%v %s after", version, name)
						for i, p := range plan.Placements {
							assert.Equal(t, tc.by[i], p.Manager)
						}
					}
				}
			}
		})
	}
}

// weakened is a manager whose fetchers lack some security settings.
type weakened struct {
	injector.SecretManager
	weaken func(*corev1.Container)
}

func (c weakened) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	f, err := c.SecretManager.Mount(ctx, req, target)
	f.InitContainers = slices.Clone(f.InitContainers)
	for i := range f.InitContainers {
		fetcher := f.InitContainers[i].Container.DeepCopy()
		c.weaken(fetcher)
		f.InitContainers[i].Container = fetcher
	}
	return f, err
}

// The evaluator checks injected containers: weakened fetchers fail.
func TestRestricted_Weakened(t *testing.T) {
	root := int64(0)
	for _, tc := range []struct {
		name   string
		weaken func(*corev1.Container)
		want   string
	}{
		{"all", func(c *corev1.Container) { c.SecurityContext = nil }, "allowPrivilegeEscalation != false"},
		{"escalation", func(c *corev1.Container) { c.SecurityContext.AllowPrivilegeEscalation = nil }, "allowPrivilegeEscalation != false"},
		{"capabilities", func(c *corev1.Container) { c.SecurityContext.Capabilities = nil }, "unrestricted capabilities"},
		{"non-root", func(c *corev1.Container) { c.SecurityContext.RunAsNonRoot = nil }, "runAsNonRoot != true"},
		{"seccomp", func(c *corev1.Container) { c.SecurityContext.SeccompProfile = nil }, "seccompProfile"},
		{"user", func(c *corev1.Container) { c.SecurityContext.RunAsUser = &root }, "runAsUser=0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := weakened{must(awssm.New(awssm.Config{})), tc.weaken}
			in, err := injector.New(injector.Config{Managers: []injector.SecretManager{m}})
			require.NoError(t, err)
			pod, err := in.Inject(t.Context(), pods(t, api.LatestVersion())["per-container"], fetched)
			require.NoError(t, err)
			assert.Contains(t, refusal(t, api.LatestVersion(), pod), tc.want)
		})
	}
}
