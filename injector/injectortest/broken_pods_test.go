package injectortest

import (
	"context"
	"encoding/json"
	"path"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// brokenPlacements have secrets that no container can read.
func brokenPlacements() []broken {
	return []broken{
		{"placement", "case kept", toFile(func(_ mount.Target, req secret.Request) string {
			return path.Join("/out", req.Path, req.Group, req.GroupVersion, req.Key)
		})},
		{"placement", "Flyte's layout only", toFile(func(_ mount.Target, req secret.Request) string {
			return "/out/" + req.RelPath(mount.Layout{}, req.GroupVersion)
		})},
		{"placement", "derived names only", toFile(func(t mount.Target, req secret.Request) string {
			return "/out/" + t.Layout().RelPath(req.Group, req.GroupVersion, req.Key)
		})},
		{"placement", "no version", toFile(func(t mount.Target, req secret.Request) string { return "/out/" + req.RelPath(t.Layout(), "") })},
		{"placement", "beside the volume", fetching(func(c *mount.InitContainer, _ secret.Request, _ mount.Target) {
			c.VolumeMounts[0].MountPath = "/elsewhere"
		})},
		{"placement", "read-only", fetching(func(c *mount.InitContainer, _ secret.Request, _ mount.Target) { c.VolumeMounts[0].ReadOnly = true })},
		{"placement", "no volume", fetching(func(c *mount.InitContainer, _ secret.Request, _ mount.Target) { c.VolumeMounts = nil })},
		{"placement", "nothing", changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
			if strings.HasPrefix(req.Group, "files/") {
				f.Webhook, f.InitContainers = nil, nil
			}
		})},
		{"placement", "escapes twice", changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
			if req.Group == "held" {
				f.Value = mount.Literal(strings.ReplaceAll(canary, "$", "$$"))
			}
		})},
		{"placement", "another key", changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
			if req.Group == "vars" && req.Key == "token" {
				f.Value = reference("vars", "user")
			}
		})},
		{"placement", "mount elsewhere", inVolume(func(f *mount.Fragment, _ secret.Request) { f.VolumeMounts[0].MountPath = "/secrets" })},
		{"placement", "item of another name", inVolume(func(f *mount.Fragment, _ secret.Request) {
			f.Volumes[0].Projected.Sources[0].Secret.Items[0].Path = "item"
		})},
		{"placement", "agent later", byAgent(func(w *mount.Webhook, _ secret.Request) {
			w.DefaultAnnotations["vault.hashicorp.com/"+agentBefore] = "false"
		})},
		{"placement", "agent's other file", byAgent(func(w *mount.Webhook, _ secret.Request) { replaceFiles(w.Annotations) })},
		{"placement", "agent's other alias", byAgent(func(w *mount.Webhook, _ secret.Request) { replaceFiles(w.AliasAnnotations) })},
	}
}

// brokenPods break rules about Pods with two secrets, or Pods injected twice.
func brokenPods() []broken {
	return []broken{
		{"pairs", "two names for one fetcher", fetching(func(c *mount.InitContainer, req secret.Request, t mount.Target) {
			c.Name = mount.Name("good", req.EnvVar, c.Name)
		})},
		{"pairs", "one annotation for all", changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
			if strings.HasPrefix(req.Group, "files/") {
				f.Webhook.Annotations = map[string]string{"store.example.com/asked": req.Group}
			}
		})},
		{"pairs", "two names for one volume", changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
			if strings.HasPrefix(req.Group, "driver/") {
				f.Volumes[0].Name = mount.Name("v", req.Key)
				f.VolumeMounts[0].Name = f.Volumes[0].Name
			}
		})},
		{"pairs", "volume named by the key", inVolume(func(f *mount.Fragment, req secret.Request) {
			f.Volumes[0].Name = mount.Name("v", strings.ToLower(req.Key))
			f.VolumeMounts[0].Name = f.Volumes[0].Name
		})},

		{"idempotent", "another name", fetching(func(c *mount.InitContainer, _ secret.Request, t mount.Target) {
			if _, asked := t.Annotation("store.example.com/asked"); asked {
				c.Name = mount.Name(c.Name, "again")
			}
		})},
		{"idempotent", "the Pod's name", fetching(func(c *mount.InitContainer, _ secret.Request, t mount.Target) {
			c.Name = mount.Name(c.Name, t.Name())
		})},
		{"idempotent", "declines", func(ctx context.Context, req secret.Request, t mount.Target) (mount.Fragment, error) {
			if _, asked := t.Annotation("store.example.com/asked"); asked {
				return mount.Fragment{}, secret.ErrNotFound
			}
			return good(ctx, req, t)
		}},
	}
}

// brokenFetchers break rules about env files and shared fetchers.
func brokenFetchers() []broken {
	envFileAt := func(file func(old string) string) mountFunc {
		return sharing(func(f *mount.Fragment, c *mount.InitContainer, _ secret.Request) {
			if f.Value != nil {
				old := f.Value.EnvVar("").ValueFrom.FileKeyRef.Path
				f.Value = envFile(mount.EnvVolume, file(old))
				c.Env[0].Value = strings.ReplaceAll(c.Env[0].Value, old, file(old))
			}
		})
	}
	ref := func(change func(ref *corev1.FileKeySelector)) mountFunc {
		return changed(func(f *mount.Fragment, _ secret.Request, _ mount.Target) {
			if f.Value.EnvFileVolume() != "" {
				source := f.Value.EnvVar("").ValueFrom
				change(source.FileKeyRef)
				f.Value = mount.FromSource(source)
			}
		})
	}
	yes := true
	return []broken{
		{"env file", "optional", ref(func(ref *corev1.FileKeySelector) { ref.Optional = &yes })},
		{"env file", "key", ref(func(ref *corev1.FileKeySelector) { ref.Key = "A=B" })},
		{"env file", "absolute", envFileAt(func(old string) string { return "/" + old })},
		{"env file", "not clean", envFileAt(func(old string) string { return "./" + old })},
		{"env file", "outside", envFileAt(func(old string) string { return "../" + old })},
		{"env file", "one for all", envFileAt(func(string) string { return "all/env" })},
		{"env file", "not named", sharing(func(f *mount.Fragment, c *mount.InitContainer, _ secret.Request) {
			if f.Value != nil {
				c.Env[0].Value = "{}"
			}
		})},
		{"env file", "read-only", sharing(func(_ *mount.Fragment, c *mount.InitContainer, _ secret.Request) { c.VolumeMounts[1].ReadOnly = true })},

		{"shared container", "two containers", sharing(func(_ *mount.Fragment, c *mount.InitContainer, req secret.Request) { c.Image = "fetch:" + req.Key })},
		{"shared container", "one variable", sharing(func(_ *mount.Fragment, c *mount.InitContainer, _ secret.Request) { c.Env[0].Name = "FETCH" })},
		{"shared container", "no variable of its own", inArgs()},
		{"shared container", "no constant variable", sharing(func(_ *mount.Fragment, c *mount.InitContainer, _ secret.Request) { c.Container.Env = nil })},
		{"shared container", "fetcher named by the key", fetching(func(c *mount.InitContainer, req secret.Request, t mount.Target) {
			c.Name = mount.Name("good", req.Key, t.Layout().Dir)
		})},
		{"shared container", "changes when injected", changed(func(f *mount.Fragment, _ secret.Request, t mount.Target) {
			if len(f.InitContainers) > 0 && f.InitContainers[0].Name == sharedContainer.Name {
				f.Webhook = &mount.Webhook{Annotations: map[string]string{"store.example.com/shared": "true"}}
				again, _ := t.Annotation("store.example.com/shared")
				f.InitContainers[0].Args = []string{again}
			}
		})},
	}
}

func toFile(file func(mount.Target, secret.Request) string) mountFunc {
	return fetching(func(c *mount.InitContainer, req secret.Request, t mount.Target) {
		c.Env[1] = mount.Literal(file(t, req)).EnvVar("FILE")
	})
}

func inVolume(change func(f *mount.Fragment, req secret.Request)) mountFunc {
	return changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
		if strings.HasPrefix(req.Group, "volume/") {
			change(f, req)
		}
	})
}

func byAgent(change func(w *mount.Webhook, req secret.Request)) mountFunc {
	return changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
		if strings.HasPrefix(req.Group, "agent") {
			change(f.Webhook, req)
		}
	})
}

func replaceFiles(annotations map[string]string) {
	for name := range annotations {
		if strings.Contains(name, agentFile) {
			annotations[name] = "another"
		}
	}
}

// inArgs lists all secrets in the shared fetcher's arguments, which are
// therefore equal for all, and none in a variable.
func inArgs() mountFunc {
	return changed(func(f *mount.Fragment, _ secret.Request, t mount.Target) {
		if len(f.InitContainers) == 0 || f.InitContainers[0].Name != sharedContainer.Name {
			return
		}
		c := &f.InitContainers[0]
		c.Env = nil
		for _, known := range allCases {
			req := known.Request
			for _, p := range append([]string{req.Path}, kitPaths...) {
				for _, field := range append([]string{req.Field}, kitFields...) {
					req.Path, req.Field = p, field
					if strings.HasPrefix(req.Group, "shared") {
						c.Args = append(c.Args, configOf(req, t))
					}
				}
			}
		}
	})
}

func configOf(req secret.Request, t mount.Target) string {
	f, err := sharedFetcher(req, t)
	if err != nil {
		panic(err)
	}
	var config map[string]string
	if err := json.Unmarshal([]byte(f.InitContainers[0].Env[0].Value), &config); err != nil {
		panic(err)
	}
	return config["to"] + " " + config["what"]
}

func decimal(mode int32) string { return strconv.Itoa(int(mode)) }
