package injector_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/podsecrets/podsecrets/injector"
	"github.com/podsecrets/podsecrets/secret"
)

// A review finds requests in any JSON spelling of an annotation's name.
func TestReview_EscapedNames(t *testing.T) {
	raw := toJSON(t, stamped(t, userStoryPod(), secret.Request{Group: "user-info", Key: "password"}))
	for _, name := range []string{`"flyte.secrets/s0"`, `"flyte.secrets\/s0"`, `"\u0066lyte.secrets/s0"`, `"flyte.secrets\u002Fs0"`} {
		spelled := bytes.ReplaceAll(raw, []byte(`"flyte.secrets/s0"`), []byte(name))
		response := newInjector(t, nil).Review(ctx, creation(spelled))
		assert.Equal(t, injector.OutcomeInjected, response.AuditAnnotations[injector.AuditOutcome], name)
	}
}
