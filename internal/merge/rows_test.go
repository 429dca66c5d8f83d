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

// A row is some secrets and a Pod, and the conflict that they have or the edits
// that they need.
type row struct {
	name    string
	why     string
	layout  mount.Layout
	pod     *corev1.Pod // nil: one container "app"
	secrets []merge.Secret
	options merge.Options

	// The conflict: the index of the secret for which it is reported, the others
	// for which it is too, the message, and the place in the Pod.
	index int
	also  []int
	want  string
	path  string

	// Without a conflict, the paths to which the patch adds, without "/spec/".
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
		require.Empty(t, problems, "the second time")
		assert.Empty(t, added(again), "the second time")
		return
	}
	var of []int
	for _, p := range problems {
		assert.EqualError(t, p.Err, r.want, r.why)
		var conflict *mount.ConflictError
		if r.path != "" && assert.ErrorAs(t, p.Err, &conflict) {
			assert.Equal(t, r.path, conflict.Path)
		}
		if r.pod == nil && r.index > 0 && errors.As(p.Err, &conflict) && conflict.Path == "" {
			assert.Equal(t, 0, p.Other, "of two secrets, the other is the first")
		}
		of = append(of, p.Secret)
	}
	assert.Equal(t, append([]int{r.index}, r.also...), of, r.why)
}

// added returns the paths of a patch, a word each, with the names of what is
// added there.
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
	var named []struct {
		Name      string
		MountPath string
	}
	if json.Unmarshal(text, &named) != nil {
		return ""
	}
	var names []string
	for _, e := range named {
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
