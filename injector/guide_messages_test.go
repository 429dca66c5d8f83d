package injector_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/podsecrets/podsecrets/injector"
)

// guideRow is a row of the guide's tables of messages: the message ("..."
// stands for any text), the annotations that provoke it, and the remedy.
type guideRow struct {
	line     string
	message  string
	provoke  []string
	remedies []string
}

var codeSpan = regexp.MustCompile("``? ?(.+?) ?``?")

func guideRows(t *testing.T) []guideRow {
	guide, err := os.ReadFile(guideFile)
	require.NoError(t, err)
	_, tables, ok := strings.Cut(string(guide), "\n## Messages\n")
	require.True(t, ok)
	var rows []guideRow
	for line := range strings.SplitSeq(tables, "\n") {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(line, "|")[1:]
		require.Len(t, cells, 4, line)
		row := guideRow{line: line, provoke: spans(cells[1])}
		messages := spans(cells[0])
		require.Len(t, messages, 1, line)
		row.message = messages[0]
		for _, span := range spans(cells[2]) {
			if name, _, ok := strings.Cut(strings.Trim(span, `"`), "="); ok && name == strings.ToLower(name) && len(name) > 2 {
				row.remedies = append(row.remedies, span)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

func spans(cell string) (out []string) {
	for _, m := range codeSpan.FindAllStringSubmatch(cell, -1) {
		out = append(out, m[1])
	}
	return out
}

func (r guideRow) pattern() *regexp.Regexp {
	return regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(r.message), `\.\.\.`, ".*"))
}

// refusal reviews the guide's Pod with these requests on it.
func refusal(t *testing.T, in *injector.Injector, requests []string) (allowed bool, message string) {
	annotations := make(map[string]string)
	for i, request := range requests {
		text, err := strconv.Unquote(`"` + strings.ReplaceAll(request, `"`, `\"`) + `"`) // for \n
		require.NoError(t, err)
		annotations["request.podsecrets.dev/r"+strconv.Itoa(i)] = text
	}
	response := in.Review(ctx, creation(toJSON(t, annotated(guidePod(t), annotations))))
	if response.Allowed {
		return true, ""
	}
	return false, response.Result.Message
}

func TestGuide_Messages(t *testing.T) {
	in, rows := guideInjector(t), guideRows(t)
	provoked := 0
	for _, row := range rows {
		if len(row.provoke) > 0 {
			allowed, message := refusal(t, in, row.provoke)
			assert.False(t, allowed, row.message)
			assert.Regexp(t, row.pattern(), message, "%q", row.provoke)
			provoked++
		}
		if len(row.remedies) > 0 {
			allowed, message := refusal(t, in, row.remedies)
			assert.True(t, allowed, "%s: %s", row.message, message)
		}
	}
	assert.Greater(t, provoked, 25)
}

// The guide explains every recorded refusal.
func TestGuide_ExplainsRefusals(t *testing.T) {
	rows := guideRows(t)
	explained := func(message string) bool {
		for _, row := range rows {
			if row.pattern().MatchString(message) {
				return true
			}
		}
		return false
	}
	recorded := map[string]string{}
	raw, err := os.ReadFile("../internal/e2e/testdata/refusals.golden")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(raw, &recorded))
	files, err := filepath.Glob("testdata/golden/*/want-error.txt")
	require.NoError(t, err)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range strings.Lines(string(raw)) {
			recorded[file+" "+line] = line
		}
	}
	notInjected := annotated(guidePod(t), map[string]string{"request.podsecrets.dev/r": "group=db,key=x"})
	recorded["not injected"] = guideInjector(t).Verify(ctx, creation(toJSON(t, notInjected))).Result.Message
	require.Greater(t, len(recorded), 15)
	for name, message := range recorded {
		assert.True(t, explained(message), "%s: the guide does not explain %q", name, message)
	}
}
