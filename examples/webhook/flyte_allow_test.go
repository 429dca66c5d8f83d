package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

// The guide's rule limits which secrets labels can select: the Pod's author chooses
// the labels.
func TestFromFlyte_Rule(t *testing.T) {
	allow := blocks(t)["allow:"]
	require.NotEmpty(t, allow)
	for _, c := range []struct {
		store, rule string
		refused     bool
	}{
		{"AWS", allow, false},
		{"K8s", strings.Replace(allow, "names:", "keys:", 1), false},
		{"K8s", allow, true},
	} {
		text := "managers: [embedded]\nembedded: {store: " + c.store + "}\n" + c.rule
		if c.store == "AWS" {
			text = strings.Replace(text, "{store: AWS}", "{store: AWS, aws: {image: i}}", 1)
		}
		cfg, _, err := parse([]byte(text))
		require.NoError(t, err)
		in, err := cfg.injector(logged)
		require.NoError(t, err)
		in = in.For("flytesnacks-development")
		v := vector{Release: 2}
		reqs := []secret.Request{{Key: "my-key", Mount: mount.File}}
		_, err = in.Inject(t.Context(), v.pod(t, reqs), reqs...)
		assert.Equal(t, c.refused, err != nil, "%s: %v", text, err)
		other := v.pod(t, reqs)
		other.Labels["project"] = "another"
		_, err = in.Inject(t.Context(), other, reqs...)
		assert.Error(t, err, "label of another project: %s", text)
	}
}
