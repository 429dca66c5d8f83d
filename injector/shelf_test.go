package injector_test

import (
	"testing"

	"github.com/podsecrets/podsecrets/injector/injectortest"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// The manager in the example and in README follows the rules.
func TestConformance(t *testing.T) {
	injectortest.Run(t, shelf{image: "registry.example.com/shelf:v1"},
		injectortest.Case{Request: secret.Request{Group: "shelf/a", Key: "Token"}, Want: injectortest.File},
		injectortest.Case{Request: secret.Request{Group: "shelf/b", Key: "Token", Mount: mount.File}},
		injectortest.Case{Request: secret.Request{Group: "other", Key: "token"}, Want: injectortest.Unsupported},
	)
}
