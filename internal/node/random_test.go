package node

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/internal/kubelet"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

var (
	randomPods = flag.Int("pods", 100, "number of random Pods")
	firstSeed  = flag.Uint64("seed", 1, "seed of the first random Pod; each next Pod adds one")
)

// The models of a node are right for random Pods that are injected and then damaged:
// each variable has the value computed by internal/kubelet, and a container reads a
// secret if and only if injectortest.CanRead says so.
func TestNode_RandomPods(t *testing.T) {
	t.Parallel()
	ns := namespace(t, restricted)
	t.Logf("seeds %d to %d", *firstSeed, *firstSeed+uint64(*randomPods)-1) // #nosec G115 -- not negative
	for i := range *randomPods {
		seed := *firstSeed + uint64(i) // #nosec G115 -- not negative
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			r := random{rand.New(rand.NewPCG(seed, 0))} // #nosec G404 -- a test
			pod, reqs := r.pod(t)
			seen := read(t, ns, pod, reqs...)
			eachContainer(pod, func(c *corev1.Container) {
				if !isReader(c) {
					return
				}
				report := seen[c.Name]
				require.NotNil(t, report, c.Name)
				assertVariables(t, c, report)
				for i, req := range reqs {
					assertCanRead(t, pod, c.Name, req, report, report.Results[i])
				}
			})
		})
	}
}

// known has the values of the secrets that random Pods request.
var known = map[string][]byte{
	"user-info/tricky": tricky, "user-info/Name": []byte("Ada"), "user-info/other": []byte("wrong"), "user-info/binary": binary,
	"db.prod/pass.word": line, "shared/token": tricky, "shared/other": []byte("$"),
	arn + "/tricky-AbCdEf": tricky, arn + "/Binary-AbCdEf": binary,
}

// assertVariables compares the container's variables with those computed from its Env
// by the model of the kubelet.
func assertVariables(t *testing.T, c *corev1.Container, report *seenReport) {
	env := map[string]string{}
	for _, v := range c.Env {
		if v.ValueFrom == nil {
			env[v.Name] = kubelet.Expand(v.Value, env)
			continue
		}
		ref := v.ValueFrom.SecretKeyRef
		require.NotNil(t, ref, v.Name)
		env[v.Name] = string(known[ref.Name+"/"+ref.Key])
	}
	for name, want := range env {
		assertSame(t, []byte(want), report.Env[name], c.Name+": "+name)
	}
	for name := range report.Env {
		_, inModel := env[name]
		inImage := slices.ContainsFunc(imageEnv, func(v string) bool { return strings.HasPrefix(v, name+"=") })
		assert.True(t, inModel || inImage || name == "HOME" || name == "HOSTNAME" || strings.HasPrefix(name, "KUBERNETES_"), "%s: the model has no %s", c.Name, name)
	}
}

func assertCanRead(t *testing.T, pod *corev1.Pod, container string, req secret.Request, report *seenReport, result callResult) {
	model := injectortest.CanRead(pod, container, req)
	if errors.Is(model, injectortest.ErrUnknown) {
		return
	}
	if real := canRead(req, report, result); (real == nil) != (model == nil) {
		t.Errorf("%s, %v:\nthe node:  %v\nthe model: %v", container, req, real, model)
	}
}

// canRead returns nil if a container has the requested secret.
func canRead(req secret.Request, report *seenReport, result callResult) error {
	want := known[req.Group+"/"+req.Key]
	form := req.Mount
	if req.Mode != 0 {
		form = mount.File
	}
	file := result.File
	if req.Path != "" {
		dir := string(report.Env[mount.DefaultDirVar])
		if dir == bakedDir {
			return errors.New("no directory is announced") // the variable is the image's
		}
		file, form = path.Join(dir, req.Path), mount.File
	}
	content, isFile := report.Files[file]
	value, isVariable := report.Env[result.Variable]
	switch {
	case req.Path == "" && isVariable && form != mount.File:
		if string(value) != string(want) {
			return errors.New("the variable has another value")
		}
		if own, ok := report.Env[req.EnvVar]; req.EnvVar != "" && (!ok || string(own) != string(want)) {
			return errors.New("the exact variable has another value")
		}
		return nil
	case req.Path == "" && isVariable, form == mount.EnvVar, !isFile:
		return errors.New("the secret is missing in this form")
	case string(content) != string(want):
		return errors.New("the file has another content")
	case req.EnvVar != "" && string(report.Env[req.EnvVar]) != file:
		return errors.New("the exact variable is not the file's path")
	case req.Mode != 0 && !strings.HasPrefix(report.Modes[file], modeText(req.Mode)):
		return errors.New("the file has another mode")
	}
	return nil
}

// random makes random choices.
type random struct{ *rand.Rand }

func (r random) oneIn(n int) bool { return r.IntN(n) == 0 }

func pick[T any](r random, choices ...T) T { return choices[r.IntN(len(choices))] }

// pod returns a Pod that the node can start, and its requests.
func (r random) pod(t *testing.T) (*corev1.Pod, []secret.Request) {
	pod := newPod(container("app"), container("web"))
	for _, c := range []corev1.Container{container("first"), sidecar("mesh"), container("last")} {
		if r.oneIn(3) {
			pod.Spec.InitContainers = append(pod.Spec.InitContainers, c)
		}
	}
	if r.oneIn(3) {
		pod.Spec.SecurityContext = &corev1.PodSecurityContext{FSGroup: pick(r, nil, ptr(int64(2000))), SupplementalGroups: pick(r, nil, []int64{0})}
	}
	eachContainer(pod, r.containers)
	cfg := injector.Config{
		InitOrder: pick(r, mount.InitFirst, mount.InitAfterSidecars),
		Layout:    pick(r, mount.Layout{}, mount.Layout{}, mount.Layout{Dir: "/var/run/own", FilePrefix: "Pre-", EnvPrefix: "OWN_"}),
	}
	for range 20 { // until the requests do not conflict
		reqs := r.requests()
		c := cfg
		for _, m := range []newManager{theGlobal, awsStock, k8s} {
			c.Managers = append(c.Managers, m(t))
		}
		in, err := injector.New(c)
		require.NoError(t, err)
		if injected, err := in.Inject(t.Context(), pod, reqs...); err == nil {
			r.damage(injected)
			return injected, reqs
		}
	}
	t.Fatal("all requests conflict")
	return nil, nil
}

// containers adds random users and variables to a container.
func (r random) containers(c *corev1.Container) {
	if r.oneIn(3) {
		c.SecurityContext.RunAsUser = pick(r, nil, ptr(int64(1000)))
		c.SecurityContext.RunAsGroup = pick(r, nil, ptr(int64(1000)), ptr(int64(0)))
	}
	for i := range r.IntN(4) {
		text := pick(r, "$", "$$", "$(OWN_0)", "$$(OWN_0)", "$(NONE)", "$(", "a$b", "$(OWN_1) $(OWN_0)", "$$$(OWN_0)", "ü $()", "$(_FSEC_SHARED_TOKEN)")
		c.Env = append(c.Env, corev1.EnvVar{Name: fmt.Sprint("OWN_", i), Value: text})
	}
}

func (r random) requests() (all []secret.Request) {
	names := []string{"user-info/tricky", "user-info/Name", "user-info/other", "user-info/binary", "db.prod/pass.word", "shared/token", "shared/other", arn + "/tricky-AbCdEf", arn + "/Binary-AbCdEf"}
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for i, name := range names[:1+r.IntN(4)] {
		group, key := path.Split(name)
		req := secret.Request{Group: strings.TrimSuffix(group, "/"), Key: key, Mount: pick(r, mount.Any, mount.EnvVar, mount.File)}
		if key == "binary" || key == "Binary-AbCdEf" {
			req.Mount = mount.File
		}
		if r.oneIn(3) {
			req.EnvVar = fmt.Sprint("EXACT_", i)
		}
		if req.Mount == mount.File && r.oneIn(4) {
			req.Path = fmt.Sprintf("Conf.d/$File-%d", i)
		}
		if req.Mount == mount.File && req.Group != arn && r.oneIn(3) {
			req.Mode = pick(r, int32(0o444), 0o400, 0o440, 0o644)
		}
		all = append(all, req)
	}
	return all
}

// damage removes or changes something so that the Pod still starts.
func (r random) damage(pod *corev1.Pod) {
	containers := pod.Spec.Containers
	c := &containers[r.IntN(len(containers))]
	switch r.IntN(6) {
	case 0:
		if n := len(c.Env); n > 0 {
			// Discovery variables stay, because models do not know the image's.
			switch i := r.IntN(n); {
			case c.Env[i].Name == mount.DefaultDirVar:
				c.Env[i].Value = "/other"
			case strings.HasPrefix(c.Env[i].Name, "FLYTE_SECRETS_"):
				c.Env[i].Value = "OTHER_"
			default:
				c.Env = slices.Delete(c.Env, i, i+1)
			}
		}
	case 1:
		if n := len(c.VolumeMounts); n > 0 {
			i := r.IntN(n)
			c.VolumeMounts = slices.Delete(c.VolumeMounts, i, i+1)
		}
	case 2:
		if n := len(c.VolumeMounts); n > 0 {
			c.VolumeMounts[r.IntN(n)].MountPath = "/elsewhere"
		}
	case 3: // fetchers run after the others
		slices.Reverse(pod.Spec.InitContainers)
	case 4:
		for _, v := range pod.Spec.Volumes {
			if v.Projected != nil && len(v.Projected.Sources[0].Secret.Items) > 0 {
				v.Projected.Sources[0].Secret.Items[0].Path += "-moved"
			}
		}
	}
}
