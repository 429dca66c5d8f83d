package node

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/azurekv"
	"github.com/podsecrets/podsecrets/csi"
	"github.com/podsecrets/podsecrets/gcpsm"
	"github.com/podsecrets/podsecrets/global"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// want is a request, and the value that containers must find.
type want struct {
	secret.Request
	value []byte
}

// kind is a manager with requests.
type kind struct {
	slug    string
	manager func(testing.TB) injector.SecretManager
	layout  mount.Layout
	// hostNetwork lets fetchers reach a store.
	hostNetwork bool
	// private is part of the paths of visible files that containers must not read.
	private string
	wants   []want
}

// manager returns a function that constructs a manager.
func manager[C any, M injector.SecretManager](construct func(C) (M, error), cfg C) func(testing.TB) injector.SecretManager {
	return func(t testing.TB) injector.SecretManager {
		m, err := construct(cfg)
		require.NoError(t, err)
		return m
	}
}

var (
	k8s        = manager(k8ssecret.New, k8ssecret.Config{})
	awsStock   = manager(awssm.New, awssm.Config{})
	awsFetch   = manager(awssm.New, awssm.Config{Fetcher: awssm.Fetch, Image: fetchImage, EnvFiles: true})
	gcpStock   = manager(gcpsm.New, gcpsm.Config{Project: "project-1"})
	gcpFetch   = manager(gcpsm.New, gcpsm.Config{Project: "project-1", Fetcher: gcpsm.Fetch, Image: fetchImage, EnvFiles: true})
	azureStock = manager(azurekv.New, azurekv.Config{Vault: vault1})
	azureFetch = manager(azurekv.New, azurekv.Config{Vault: vault1, Fetcher: azurekv.Fetch, Image: fetchImage, EnvFiles: true})
	theCSI     = manager(csi.New, csi.Config{})
	theGlobal  = manager(global.New, global.Config{Source: globals{}})
)

var kinds = []kind{
	{slug: "global", manager: theGlobal, wants: []want{
		{secret.Request{Group: "shared", Key: "token"}, tricky},
		{secret.Request{Group: "Shared", Key: "Other", GroupVersion: "v1", Mount: mount.EnvVar, EnvVar: "TOKEN"}, []byte("$")},
	}},
	{slug: "k8s", manager: k8s, wants: []want{
		{secret.Request{Group: "user-info", Key: "tricky", EnvVar: "TRICKY"}, tricky},
		{secret.Request{Group: "user-info", Key: "Name", GroupVersion: "v1", Mount: mount.EnvVar}, []byte("Ada")},
		{secret.Request{Group: "user-info", Key: "empty", EnvVar: "EMPTY"}, []byte{}},
		{secret.Request{Group: "User-Info", Key: "binary", GroupVersion: "V2", Mount: mount.File, EnvVar: "BINARY_FILE"}, binary},
		{secret.Request{Group: "user-info", Key: "big", Mount: mount.File}, huge},
		{secret.Request{Group: "db.prod", Key: "pass.word"}, line},
		{secret.Request{Group: "user-info", Key: "other", Path: "Conf.d/App.yaml", Mode: 0o444, EnvVar: "CONF"}, []byte("wrong")},
		{secret.Request{Group: "user-info", Key: "Name", Mount: mount.File, Path: "Conf.d/$Name", Container: "web"}, []byte("Ada")},
		{secret.Request{Group: "user-info", Key: "longest", EnvVar: "LONGEST", Container: "web", Mount: mount.EnvVar}, longest},
	}},
	{slug: "k8s-exact", manager: k8s, layout: mount.Layout{Dir: "/Secrets", Exact: true}, wants: []want{
		{secret.Request{Group: "user-info", Key: "tricky", EnvVar: "TRICKY"}, tricky},
		{secret.Request{Group: "user-info", Key: "Name", Mount: mount.File, EnvVar: "NAME_FILE"}, []byte("Ada")},
		{secret.Request{Group: "user-info", Key: "binary", Path: "Some/Binary", Mode: 0o444}, binary},
	}},
	{slug: "k8s-layout", manager: k8s, layout: mount.Layout{Dir: "/var/run/own", FilePrefix: "Pre-", EnvPrefix: "OWN_"}, wants: []want{
		{secret.Request{Group: "user-info", Key: "tricky"}, tricky},
		{secret.Request{Group: "user-info", Key: "Name", GroupVersion: "v1", Mount: mount.File}, []byte("Ada")},
	}},
	{slug: "aws-stock", manager: awsStock, wants: []want{
		{secret.Request{Group: arn, Key: "tricky-AbCdEf", EnvVar: "TRICKY_FILE"}, tricky},
		{secret.Request{Group: arn, Key: "Binary-AbCdEf", Mount: mount.File, Path: "Conf.d/$Binary"}, binary},
	}},
	{slug: "aws-fetch", manager: awsFetch, hostNetwork: true, wants: fetchWants(func(name string) secret.Request {
		return secret.Request{Group: arn, Key: name}
	}, true)},
	{slug: "gcp-stock", manager: gcpStock, wants: []want{
		{secret.Request{Group: "tricky", Key: "k", EnvVar: "TRICKY_FILE"}, tricky},
		{secret.Request{Group: "projects/project-1/secrets/Binary", GroupVersion: "3", Key: "k", Mount: mount.File}, binary},
	}},
	{slug: "gcp-fetch", manager: gcpFetch, hostNetwork: true, wants: fetchWants(func(name string) secret.Request {
		return secret.Request{Group: name, Key: "k"}
	}, true)},
	{slug: "azure-stock", manager: azureStock, wants: []want{
		{secret.Request{Group: "tricky", Key: "k"}, tricky},
		{secret.Request{Group: vault1 + "/secrets/Binary", GroupVersion: "0123456789abcdef", Key: "k", Mount: mount.File, EnvVar: "BINARY_FILE"}, binary},
	}},
	{slug: "azure-fetch", manager: azureFetch, hostNetwork: true, wants: fetchWants(func(name string) secret.Request {
		return secret.Request{Group: name, Key: "k"}
	}, false)},
	{slug: "csi", manager: theCSI, wants: []want{
		{secret.Request{Group: "team-class", Key: "tricky", EnvVar: "TRICKY_FILE"}, tricky},
		{secret.Request{Group: "team-class", Key: "dir/binary", Mount: mount.File}, binary},
	}},
}

// fetchWants returns requests for the Fetch program, for any store.
func fetchWants(request func(name string) secret.Request, binaryValues bool) []want {
	with := func(name string, change func(*secret.Request), value []byte) want {
		r := request(name)
		change(&r)
		return want{r, value}
	}
	all := []want{
		with("line", func(r *secret.Request) { r.EnvVar = "LINE" }, line),
		with("tricky", func(r *secret.Request) { r.Mount, r.Mode = mount.File, 0o440 }, tricky),
		with("object", func(r *secret.Request) { r.Field, r.EnvVar, r.Mount = "text", "db.user-name", mount.EnvVar }, line),
		with("object", func(r *secret.Request) { r.Field, r.Path = "Port", "Conf.d/Port" }, []byte("5432")),
		with("line", func(r *secret.Request) { r.EnvVar, r.Container = "ONE", "web" }, line),
	}
	if binaryValues {
		all = append(all, with("binary", func(r *secret.Request) { r.Mount = mount.File }, binary))
	}
	return all
}

func TestNode_Managers(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.slug, func(t *testing.T) {
			t.Parallel()
			labels := restricted
			if k.hostNetwork {
				labels = nil
			}
			ns := namespace(t, labels)
			for slug, pod := range shapes() {
				t.Run(slug, func(t *testing.T) {
					t.Parallel()
					pod.Spec.HostNetwork = k.hostNetwork
					injected, placements := k.inject(t, injector.Config{}, pod)
					seen := read(t, ns, injected, k.requests()...)
					k.assertRead(t, seen, placements)
				})
			}
		})
	}
}

// shapes returns Pods with different containers, all with a container "web".
func shapes() map[string]*corev1.Pod {
	plain := newPod(container("app"), container("web"))
	init := newPod(container("app"), container("web"))
	init.Spec.InitContainers = []corev1.Container{container("before"), sidecar("mesh"), container("after")}
	return map[string]*corev1.Pod{"plain": plain, "init": init}
}

func (k *kind) requests() (all []secret.Request) {
	for _, w := range k.wants {
		all = append(all, w.Request)
	}
	return all
}

// inject returns the injected Pod and the Placements.
func (k *kind) inject(t testing.TB, cfg injector.Config, pod *corev1.Pod) (*corev1.Pod, []injector.Placement) {
	t.Helper()
	cfg.Managers, cfg.Layout = append(cfg.Managers, k.manager(t)), k.layout
	in, err := injector.New(cfg)
	require.NoError(t, err)
	plan, err := in.Plan(t.Context(), pod, k.requests()...)
	require.NoError(t, err)
	injected, err := in.Inject(t.Context(), pod, k.requests()...)
	require.NoError(t, err)
	return injected, plan.Placements
}

func (k *kind) assertRead(t *testing.T, seen map[string]*seenReport, placements []injector.Placement) {
	t.Helper()
	for name, report := range seen {
		for file, why := range report.Errs {
			assert.True(t, k.private != "" && strings.Contains(file, k.private), "%s: %s", name, why)
		}
		assert.Equal(t, k.private != "", len(report.Errs) > 0, name)
		for i, w := range k.wants {
			if w.Container != "" && w.Container != name {
				continue
			}
			what := fmt.Sprintf("%v in %s", w.Request, name)
			assertPlaced(t, report, placements[i], w, what)
			if k.layout.Exact || w.Path != "" {
				continue
			}
			result := report.Results[i]
			assert.NotEmpty(t, result.From, "%s: not found at %s or %s", what, result.Variable, result.File)
			assertSame(t, w.value, result.Value, what)
		}
	}
}
