package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const sample = "../../examples/inject/samples/pod.yaml"

// docs/pod.svg is what the program draws: make picture writes it.
func TestPicture_Current(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pod.svg")
	require.NoError(t, run(sample, file))
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	want, err := os.ReadFile("../../docs/pod.svg")
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "run: make picture")
}

// The Pod before has no added rows; the Pod after has its rows, and added ones.
func TestCards_Added(t *testing.T) {
	before, after, requests, err := inject(sample)
	require.NoError(t, err)
	old, all := cardsOf(before, before, requests), cardsOf(after, before, requests)
	require.Len(t, all, len(old))
	added := make(map[string]int)
	for i, c := range all {
		var kept []row
		for _, r := range c.rows {
			if r.added {
				added[r.tag]++
			} else {
				kept = append(kept, r)
			}
		}
		assert.Equal(t, old[i], card{c.title, kept})
	}
	assert.Equal(t, map[string]int{"env": 10, "mount": 2, "volume": 1}, added)
}

// Every label has room, also in a wide font, and none overlaps another.
func TestLayOut_LabelsFit(t *testing.T) {
	before, after, requests, err := inject(sample)
	require.NoError(t, err)
	labels, _ := layOut(cardsOf(before, before, requests), cardsOf(after, before, requests))
	require.Greater(t, len(labels), 30)
	for i, a := range labels {
		assert.LessOrEqual(t, textWidth(a), a.room, a.text)
		assert.LessOrEqual(t, a.x+a.room, width-margin, a.text)
		for _, b := range labels[:i] {
			apart := a.x >= b.x+b.room || b.x >= a.x+a.room || a.y-b.y >= fontSize || b.y-a.y >= fontSize
			assert.True(t, apart, "%q and %q", a.text, b.text)
		}
	}
}

func TestRun_Errors(t *testing.T) {
	assert.ErrorIs(t, run("missing.yaml", "missing.svg"), os.ErrNotExist)
	file := filepath.Join(t.TempDir(), "pod.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`{metadata: {annotations: {request.podsecrets.dev/db: nothing}}}`), 0o600))
	assert.ErrorContains(t, run(file, file), "request.podsecrets.dev/db")
}
