package merge_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
)

// row has secrets and a Pod, and the expected conflict or edits.
type row struct {
	name    string
	why     string
	layout  mount.Layout
	pod     *corev1.Pod // nil: one container "app"
	secrets []merge.Secret
	options merge.Options

	// The expected conflict:
	index int    // of the secret
	also  []int  // other secrets with the same conflict
	want  string // message; "" means no conflict
	path  string // field in the Pod; "" means any

	// adds has the paths of the patch, without "/spec/", if there is no conflict.
	adds string
}

func run(t *testing.T, rows []row) {
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) { r.run(t) })
	}
}

func (r row) run(t *testing.T) {
	pod := r.pod
	if pod == nil {
		pod = app(nil)
	}
	change, problems := mergeAll(r.layout, r.secrets)
	edits, more, err := change.Decide(merge.ViewPod(pod), r.options)
	require.NoError(t, err)
	problems = append(problems, more...)
	if r.want == "" {
		require.Empty(t, problems, r.why)
		assert.Equal(t, r.adds, added(edits), r.why)
		once := edits.Apply(pod)
		again, problems, err := change.Decide(merge.ViewPod(once), r.options)
		require.NoError(t, err)
		require.Empty(t, problems, "injected again")
		assert.Empty(t, added(again), "injected again")
		return
	}
	var indexes []int
	for _, p := range problems {
		assert.EqualError(t, p.Err, r.want, r.why)
		var conflict *mount.ConflictError
		if r.path != "" && assert.ErrorAs(t, p.Err, &conflict) {
			assert.Equal(t, r.path, conflict.Path)
		}
		if r.pod == nil && r.index > 0 && errors.As(p.Err, &conflict) && conflict.Path == "" {
			assert.Equal(t, 0, p.Other, "the other secret is the first")
		}
		indexes = append(indexes, p.Secret)
	}
	assert.Equal(t, append([]int{r.index}, r.also...), indexes, r.why)
}

// added returns the paths of a patch, separated by spaces, each with the names of the added
// elements.
func added(edits *merge.Edits) string {
	var words []string
	for _, op := range edits.Operations() {
		text, _ := json.Marshal(op.Value)
		words = append(words, strings.TrimPrefix(op.Path, "/spec/")+namesIn(text))
	}
	return strings.Join(words, " ")
}

// namesIn returns the names of a list of elements, in parentheses.
func namesIn(text []byte) string {
	var elements []struct {
		Name      string
		MountPath string
	}
	if json.Unmarshal(text, &elements) != nil {
		return ""
	}
	var names []string
	for _, e := range elements {
		switch {
		case e.MountPath != "":
			names = append(names, e.MountPath)
		case mount.IsDiscoveryVar(e.Name):
			names = append(names, "*")
		case mount.IsName(e.Name):
			names = append(names, "ours")
		default:
			names = append(names, e.Name)
		}
	}
	return "(" + strings.Join(names, ",") + ")"
}
