package injectortest

import (
	"context"
	"errors"
	"path"
	"strings"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// brokenRequests break rules about single fields of a request.
func brokenRequests() []broken {
	return append(brokenHonors(), []broken{
		{"path", "ignored by a fetcher", askedFor("files/", func(req secret.Request) secret.Request { req.Path = ""; return req })},
		{"path", "ignored in a volume", askedFor("volume/", func(req secret.Request) secret.Request { req.Path = ""; return req })},
		{"path", "ignored by Vault", askedFor("agent/", func(req secret.Request) secret.Request { req.Path = ""; return req })},
		{"path", "kept from a webhook", askedFor("hook/", func(req secret.Request) secret.Request { req.Path = ""; return req })},
		{"path", "lower case", askedFor("files/", func(req secret.Request) secret.Request { req.Path = strings.ToLower(req.Path); return req })},
		{"path", "without directories", askedFor("volume/", func(req secret.Request) secret.Request {
			if req.Path != "" {
				req.Path = path.Base(req.Path)
			}
			return req
		})},
		{"path", "ends the search", instead(func(_ context.Context, req secret.Request) (mount.Fragment, error, bool) {
			return mount.Fragment{}, errors.New("no exact paths"), strings.HasPrefix(req.Group, "files/") && req.Path != ""
		})},

		{"container", "declines", instead(func(_ context.Context, req secret.Request) (mount.Fragment, error, bool) {
			return mount.Fragment{}, secret.ErrUnsupported, req.Container != ""
		})},
		{"container", "another secret", instead(func(_ context.Context, req secret.Request) (mount.Fragment, error, bool) {
			return mount.Fragment{Value: reference("vars", req.Container)}, nil, req.Group == "vars" && req.Container != ""
		})},
		{"container", "another directory", askedFor("files/", func(req secret.Request) secret.Request {
			if req.Container != "" {
				req.Path = "containers/" + req.Container + "/" + req.Key
			}
			return req
		})},
		{"container", "webhook that lists none", changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
			if strings.HasPrefix(req.Group, "hook/") {
				f.Webhook.ContainersAnnotation = ""
			}
		})},
		{"container", "agent with another list", byAgent(func(w *mount.Webhook, _ secret.Request) { w.ContainersAnnotation += "-x" })},
		{"container", "agent that lists none", byAgent(func(w *mount.Webhook, _ secret.Request) { w.ContainersAnnotation = "" })},
	}...)
}

// brokenHonors set Honors wrongly.
func brokenHonors() []broken {
	return []broken{
		{"honors", "no field", changed(func(f *mount.Fragment, req secret.Request, _ mount.Target) {
			if req.Group == "vars" {
				f.Honors.Field = true
			}
		})},
		{"honors", "no field of a literal", instead(func(_ context.Context, req secret.Request) (mount.Fragment, error, bool) {
			return mount.Fragment{Value: mount.Literal(canary), Honors: mount.Features{Field: true}}, nil, req.Group == "held" && req.Mount != mount.File
		})},
		{"honors", "field in a name only", fetching(func(c *mount.InitContainer, req secret.Request, _ mount.Target) {
			if req.Field != "" {
				c.Env[0].Value = strings.ReplaceAll(c.Env[0].Value, req.Field, "")
			}
		})},
		{"honors", "field ends the search", instead(func(_ context.Context, req secret.Request) (mount.Fragment, error, bool) {
			return mount.Fragment{}, errors.New("no fields"), req.Group == "vars" && req.Field != ""
		})},
		{"honors", "field unsaid", changed(func(f *mount.Fragment, _ secret.Request, _ mount.Target) { f.Honors.Field = false })},
		{"honors", "no mode", inVolume(func(f *mount.Fragment, req secret.Request) {
			if req.Mode != 0o444 { // of a case
				f.Volumes[0].Projected.Sources[0].Secret.Items[0].Mode = nil
			}
		})},
		{"honors", "one mode", inVolume(func(f *mount.Fragment, _ secret.Request) {
			mode := int32(0o444)
			f.Volumes[0].Projected.Sources[0].Secret.Items[0].Mode = &mode
		})},
		{"honors", "mode in decimal", byAgent(func(w *mount.Webhook, req secret.Request) {
			for name := range w.Annotations {
				if strings.Contains(name, agentPerms) {
					w.Annotations[name] = decimal(req.Mode)
				}
			}
		})},
		{"honors", "mode unsaid", changed(func(f *mount.Fragment, _ secret.Request, _ mount.Target) { f.Honors.Mode = false })},
	}
}

// askedFor is good, but changes the request.
func askedFor(prefix string, change func(secret.Request) secret.Request) mountFunc {
	return func(ctx context.Context, req secret.Request, target mount.Target) (mount.Fragment, error) {
		if strings.HasPrefix(req.Group, prefix) {
			req = change(req)
		}
		return good(ctx, req, target)
	}
}
