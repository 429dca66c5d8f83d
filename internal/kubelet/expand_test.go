package kubelet_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/podsecrets/podsecrets/internal/kubelet"
)

// Many cases are from the original's test.
func TestExpand(t *testing.T) {
	known := map[string]string{"A": "1", "VAR_A": "A", "VAR_B": "B", "VAR_REF": "$(VAR_A)", "VAR_EMPTY": ""}
	for value, want := range map[string]string{
		"$(A)$A": "1$A", "$$(A)": "$(A)", "$$$(A)": "$1", "$(B)": "$(B)", "$(A": "$(A", "$": "$", "$$": "$", "$$$": "$$", "$()": "$()", "x$(A)y)": "x1y)",
		"$(VAR_A)_$(VAR_B)": "A_B", "$(VAR_REF)": "$(VAR_A)", "$$(VAR_REF)": "$(VAR_REF)", "___$(VAR_EMPTY)__": "_____",
		"$$$$$$(VAR_A)": "$$$(VAR_A)", "$$$$$$$(VAR_A)": "$$$A", "f000-$VAR_A": "f000-$VAR_A", "foo\\$(VAR_A)bar": "foo\\Abar", "$?_boo_$!": "$?_boo_$!", "$VAR_A": "$VAR_A",
	} {
		assert.Equal(t, want, kubelet.Expand(value, known), value)
	}
}
