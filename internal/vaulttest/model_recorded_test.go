package vaulttest

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorded is a result of vault-k8s 1.7.6.
type recorded struct {
	Name        string            `json:"name"`
	Annotations map[string]string `json:"annotations"`
	AgentConfig map[string]any    `json:"agent_config"`
	Error       string            `json:"error"`
}

func TestInject_Recorded(t *testing.T) {
	raw, err := os.ReadFile("testdata/vault-injector.json")
	require.NoError(t, err)
	var cases []recorded
	require.NoError(t, json.Unmarshal(raw, &cases))
	require.NotEmpty(t, cases)
	for _, tc := range cases {
		t.Run(tc.Name, func(t *testing.T) {
			got, err := Inject(tc.Annotations)
			if tc.Error != "" {
				assert.EqualError(t, err, tc.Error)
				return
			}
			require.NoError(t, err)
			assert.ElementsMatch(t, templates(tc.AgentConfig), templates(generic(t, got)))
			want, rest := tc.AgentConfig, generic(t, got)
			delete(want, "template")
			delete(rest, "template")
			assert.Equal(t, want, rest)
		})
	}
}

func templates(config map[string]any) []any {
	list, _ := config["template"].([]any)
	return list
}

func generic(t *testing.T, config *AgentConfig) (out map[string]any) {
	raw, err := json.Marshal(config)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &out))
	return out
}
