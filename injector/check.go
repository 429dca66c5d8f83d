package injector

import (
	"fmt"
	"strings"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/internal/names"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// check returns the secret that a manager serves. A Fragment that breaks its
// rules or has the wrong type is an error. One that does not honor the whole
// request, or has no valid name, does not serve it (secret.ErrUnsupported).
func (in *Injector) check(req secret.Request, manager string, f mount.Fragment, target mount.Target) (merge.Secret, error) {
	if err := f.Validate(); err != nil {
		return merge.Secret{}, err
	}
	switch {
	case req.Mount == mount.EnvVar && f.File:
		return merge.Secret{}, &mount.FragmentError{Field: "File", Reason: "is set, but the request is for ENV_VAR"}
	case req.Mount == mount.File && !f.File:
		return merge.Secret{}, &mount.FragmentError{Field: "Value", Reason: "is set, but the request is for FILE"}
	case req.Field != "" && !f.Honors.Field:
		return unsupported("field")
	case req.Mode != 0 && !f.Honors.Mode:
		return unsupported("mode")
	}
	if w := f.Webhook; w != nil && target.Template() && f.Value.EnvFileVolume() == w.Volume && w.Volume != "" {
		// API servers refuse a template with a variable from a volume that
		// another webhook adds later, to its Pods.
		return merge.Secret{}, fmt.Errorf("%w: variables from another webhook work in Pods only, not in templates", secret.ErrUnsupported)
	}
	s := merge.NewSecret(in.layout, req, manager, f)
	return s, in.checkName(&s)
}

func unsupported(field string) (merge.Secret, error) {
	return merge.Secret{}, fmt.Errorf("%w: the manager does not support %s", secret.ErrUnsupported, field)
}

func (in *Injector) checkName(s *merge.Secret) error {
	f := &s.Fragment
	switch {
	case s.Group == "" && s.Key == "" && !f.Versioned && s.Path == "" && !in.layout.Exact,
		f.File && len(s.Name) <= len(s.Dir(in.layout)) && s.RelPath(in.layout, s.GroupVersion) == "":
		return fmt.Errorf("%w: without the version, nothing names it", secret.ErrUnsupported)
	case !f.File:
		valid := names.IsEnvVar(s.Name)
		if f.Value.EnvFileVolume() != "" {
			valid = names.IsRelaxedEnvVar(s.Name)
		}
		if !valid || mount.IsDiscoveryVar(s.Name) {
			return fmt.Errorf("%w: %q is not a valid environment variable name", secret.ErrUnsupported, s.Name)
		}
		return nil
	}
	// Linux's NAME_MAX. Request.Validate does not know the file prefix.
	for segment := range strings.SplitSeq(s.Name, "/") {
		if len(segment) > 255 {
			return fmt.Errorf("%w: its path would have a segment longer than 255 bytes", secret.ErrUnsupported)
		}
	}
	return nil
}
