package names_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podsecrets/podsecrets/internal/names"
)

var seeds = []string{
	"", ".", "..", "..a", ".a", "a.", "a..b", "a-", "-a", "a--b", "_a", "a_b", "A", "9a", "a9", "a/b", "/a", "a/", "a//b", "a/b/c", "é", "K", "a b", "a=b", "a\n",
	"user-info", "tls.crt", "_FSEC_USER-INFO_TOKEN", "_FSEC_SECRET/A_K", "vault.hashicorp.com/agent-inject", "Vault.HashiCorp.com/Role", "example.com/A_b.c",
	strings.Repeat("a", 63), strings.Repeat("a", 64), strings.Repeat("a", 253), strings.Repeat("a", 254),
	strings.Repeat("a", 64) + "/b", "b/" + strings.Repeat("a", 63), "b/" + strings.Repeat("a", 64),
}

// Each function agrees with Kubernetes' own.
func FuzzNames(f *testing.F) {
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		assert.Equal(t, len(validation.IsEnvVarName(name)) == 0, names.IsEnvVar(name), "IsEnvVar")
		assert.Equal(t, len(validation.IsRelaxedEnvVarName(name)) == 0, names.IsRelaxedEnvVar(name), "IsRelaxedEnvVar")
		assert.Equal(t, len(validation.IsConfigMapKey(name)) == 0, names.IsKey(name), "IsKey")
		assert.Equal(t, len(validation.IsDNS1123Subdomain(name)) == 0, names.IsSubdomain(name), "IsSubdomain")
		assert.Equal(t, len(validation.IsDNS1123Label(name)) == 0, names.IsContainer(name), "IsContainer")
		assert.Equal(t, len(validation.IsQualifiedName(strings.ToLower(name))) == 0, names.IsAnnotation(name), "IsAnnotation")
	})
}

// Common names need no regular expression, which would allocate.
func TestNames_Allocations(t *testing.T) {
	assert.Zero(t, testing.AllocsPerRun(10, func() {
		_ = names.IsEnvVar("_FSEC_USER-INFO_TOKEN") && names.IsKey("tls.crt") && names.IsSubdomain("user-info") &&
			names.IsAnnotation("vault.hashicorp.com/agent-inject-secret-podsecrets-0123456789abcdef0123")
	}))
}
