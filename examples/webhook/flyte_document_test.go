package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/examples/webhook/internal/flyte"
)

const fromFlyte = "../../docs/from-flyte.md"

// The guide's table has every vector that differs.
func TestFromFlyte_Table(t *testing.T) {
	var table strings.Builder
	table.WriteString("| Flyte | Its manager and the request | Why it differs |\n|---|---|---|\n")
	counts := map[string]int{}
	for _, v := range vectors(t) {
		counts[v.Result]++
		if v.Result != "differs" {
			continue
		}
		var reqs []string
		for _, req := range v.requests(t) {
			reqs = append(reqs, "`"+strings.ReplaceAll(req.Text(), "|", `\|`)+"`")
		}
		manager, _, _ := strings.Cut(v.Name, "-")
		manager = map[string]string{"k8s": "K8s", "k8s2": "K8s", "global": "Global", "aws": "AWS", "gcp": "GCP", "azure": "Azure", "vault": "Vault", "embedded": "Embedded"}[manager]
		require.NotEmpty(t, manager, v.Name)
		reason := strings.ToUpper(v.Reason[:1]) + v.Reason[1:]
		if v.Unread {
			reason = "**One call finds it in Flyte only.** " + reason
		}
		fmt.Fprintf(&table, "| %d | %s: %s | %s. |\n", v.Release, manager, strings.Join(reqs, ", "), reason)
	}
	fmt.Fprintf(&table, "\nOf %d vectors, %d are the same, %d add names, and %d differ.\n", counts["same"]+counts["superset"]+counts["differs"], counts["same"], counts["superset"], counts["differs"])
	text, err := os.ReadFile(fromFlyte)
	require.NoError(t, err)
	before, rest, ok1 := strings.Cut(string(text), "<!-- vectors -->\n")
	_, after, ok2 := strings.Cut(rest, "<!-- /vectors -->")
	require.True(t, ok1 && ok2)
	want := before + "<!-- vectors -->\n" + table.String() + "<!-- /vectors -->" + after
	if *update {
		require.NoError(t, os.WriteFile(fromFlyte, []byte(want), 0o644))
		return
	}
	assert.Equal(t, want, string(text), "-update writes it")
}

// blocks returns the guide's YAML blocks by their first line, without "# ".
func blocks(t *testing.T) map[string]string {
	text, err := os.ReadFile(fromFlyte)
	require.NoError(t, err)
	byName := map[string]string{}
	for _, block := range regexp.MustCompile("(?s)( *)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		yaml := strings.ReplaceAll("\n"+block[2], "\n"+block[1], "\n")[1:]
		name, _, _ := strings.Cut(strings.TrimPrefix(yaml, "# "), "\n")
		byName[name] = yaml
	}
	return byName
}

// The guide's configurations are valid, and have the described effect.
func TestFromFlyte_Configuration(t *testing.T) {
	all := blocks(t)
	cfg, _, err := parseDocuments([]document{{text: []byte(all["Flyte's configuration"])}, {text: []byte(all["own.yaml"])}}, flyte.One)
	require.NoError(t, err)
	selector, err := cfg.selector()
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"example.com/secrets": "podsecrets"}, selector.MatchLabels)
	assert.Empty(t, selector.MatchExpressions, "the project's selector overrides Flyte's")
}
