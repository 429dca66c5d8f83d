package injector_test

import (
	"context"
	"fmt"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/podsecrets/podsecrets/awssm"
	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
	"github.com/podsecrets/podsecrets/vault"
)

// docs/requests.md is for the authors of Pods. Each of its examples is injected
// into its first one, a whole Pod, by the managers of guideInjector.
const guideFile = "../docs/requests.md"

func guideInjector(t *testing.T) *injector.Injector {
	return newInjector(t, func(cfg *injector.Config) {
		aws, err := awssm.New(awssm.Config{Fetcher: awssm.Fetch, Image: "registry.example.com/fetch:v1", EnvFiles: true})
		require.NoError(t, err)
		k8s, err := k8ssecret.New(k8ssecret.Config{})
		require.NoError(t, err)
		v, err := vault.New(vault.Config{Role: "tasks", Mounts: []string{"secret"}})
		require.NoError(t, err)
		cfg.Managers = []injector.SecretManager{k8s, v, byARN{aws}}
	})
}

// byARN has no secrets by name, since a name is also that of a Kubernetes Secret.
type byARN struct{ injector.SecretManager }

func (m byARN) Mount(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
	if !strings.HasPrefix(req.Group, "arn:") {
		return mount.Fragment{}, secret.ErrUnsupported
	}
	return m.SecretManager.Mount(ctx, req, target)
}

// A block is what stands between two fences.
type block struct{ language, text string }

var fences = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

func guideBlocks(t *testing.T) []block {
	guide, err := os.ReadFile(guideFile)
	require.NoError(t, err)
	var blocks []block
	for _, m := range fences.FindAllStringSubmatch(string(guide), -1) {
		blocks = append(blocks, block{m[1], m[2]})
	}
	return blocks
}

// guidePod returns the guide's Pod without its requests.
func guidePod(t *testing.T) *corev1.Pod {
	pod := new(corev1.Pod)
	require.NoError(t, yaml.UnmarshalStrict([]byte(guideBlocks(t)[0].text), pod))
	require.NotEmpty(t, pod.Annotations)
	pod.Annotations = nil
	return pod
}

// The text behind an example in YAML says what the containers get. Write it with
// -update.
func TestGuide_Examples(t *testing.T) {
	blocks, in := guideBlocks(t), guideInjector(t)
	checked := 0
	for i, b := range blocks[:len(blocks)-1] {
		if b.language != "yaml" {
			continue
		}
		require.Equal(t, "text", blocks[i+1].language, "what arrives stands behind %s", b.text)
		var example struct {
			Metadata struct{ Annotations map[string]string }
		}
		require.NoError(t, yaml.Unmarshal([]byte(b.text), &example), b.text)
		reqs, err := secret.DecodeAnnotations(example.Metadata.Annotations)
		require.NoError(t, err, b.text)
		require.NotEmpty(t, reqs, b.text)
		got := arrivals(t, in, guidePod(t), reqs)
		if *update {
			guide, err := os.ReadFile(guideFile)
			require.NoError(t, err)
			both := "```yaml\n" + b.text + "```\n\n```text\n"
			require.Equal(t, 1, strings.Count(string(guide), both), b.text)
			updated := strings.Replace(string(guide), both+blocks[i+1].text, both+got, 1)
			require.NoError(t, os.WriteFile(guideFile, []byte(updated), 0o644))
		} else {
			assert.Equal(t, blocks[i+1].text, got, "%s", b.text)
		}
		review := in.Review(ctx, creation(toJSON(t, annotated(guidePod(t), example.Metadata.Annotations))))
		assert.True(t, review.Allowed, "together: %v", review.Result)
		checked++
	}
	assert.Greater(t, checked, 8)
}

func annotated(pod *corev1.Pod, annotations map[string]string) *corev1.Pod {
	pod.Annotations = annotations
	return pod
}

// arrivals returns a line for each variable and file that a request brings.
func arrivals(t *testing.T, in *injector.Injector, pod *corev1.Pod, reqs []secret.Request) string {
	var b strings.Builder
	for _, req := range reqs {
		plan, err := in.Plan(ctx, pod, req)
		require.NoError(t, err)
		p, after := plan.Placements[0], plan.Pod()
		container := containerOf(t, after, p.Containers[0])
		to := strings.Join(p.Containers, ", ")
		for _, file := range filesOf(after, container, p) {
			fmt.Fprintf(&b, "%s: file %s\n", to, file)
		}
		before := containerOf(t, pod, p.Containers[0])
		for _, v := range container.Env {
			switch {
			case mount.IsDiscoveryVar(v.Name), contains(before.Env, v.Name):
			case v.Value != "" && v.Value == p.Path:
				fmt.Fprintf(&b, "%s: variable %s, which holds the path\n", to, v.Name)
			default:
				fmt.Fprintf(&b, "%s: variable %s\n", to, v.Name)
			}
		}
	}
	return b.String()
}

func contains(env []corev1.EnvVar, name string) bool {
	for _, v := range env {
		if v.Name == name {
			return true
		}
	}
	return false
}

func containerOf(t *testing.T, pod *corev1.Pod, name string) *corev1.Container {
	for i := range pod.Spec.Containers {
		if pod.Spec.Containers[i].Name == name {
			return &pod.Spec.Containers[i]
		}
	}
	require.Fail(t, "no container "+name)
	return nil
}

// filesOf returns the file of a placement, and its aliases in a projected volume.
func filesOf(pod *corev1.Pod, c *corev1.Container, p injector.Placement) (files []string) {
	for _, m := range c.VolumeMounts {
		for _, v := range pod.Spec.Volumes {
			if v.Name != m.Name || v.Projected == nil {
				continue
			}
			for _, item := range v.Projected.Sources[0].Secret.Items {
				text := path.Join(m.MountPath, item.Path)
				if item.Mode != nil {
					text += fmt.Sprintf(", mode %#o", *item.Mode)
				}
				files = append(files, text)
			}
		}
	}
	if files == nil && p.Path != "" {
		files = []string{p.Path}
	}
	return files
}

// What Flyte is said to write is what it writes: the codec is compared with recorded
// annotations in package secret.
func TestGuide_Flyte(t *testing.T) {
	for _, b := range guideBlocks(t) {
		if !strings.Contains(b.text, "flyte.secrets/s") {
			continue
		}
		var example struct {
			Metadata struct{ Annotations map[string]string }
		}
		require.NoError(t, yaml.Unmarshal([]byte(b.text), &example))
		want, err := secret.EncodeAnnotations([]secret.Request{
			{Group: "user-info", Key: "token"}, {Group: "user-info", Key: "password", Mount: mount.File},
		})
		require.NoError(t, err)
		assert.Equal(t, want, example.Metadata.Annotations)
		return
	}
	t.Error("the guide has no annotations in Flyte's form")
}

// Each key of a request has a row.
func TestGuide_Keys(t *testing.T) {
	guide, err := os.ReadFile(guideFile)
	require.NoError(t, err)
	_, err = secret.Parse("none=x")
	_, list, ok := strings.Cut(err.Error(), " is not one of ")
	require.True(t, ok)
	keys := strings.Split(list, ", ")
	require.Len(t, keys, 9)
	for _, key := range keys {
		assert.Contains(t, string(guide), "\n| `"+key+"` | ")
	}
}
