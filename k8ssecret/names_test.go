package k8ssecret_test

import (
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/k8ssecret"
	"github.com/podsecrets/podsecrets/mount"
	"github.com/podsecrets/podsecrets/secret"
)

func TestConfig_Names(t *testing.T) {
	fails := errors.New("no table")
	for _, tc := range []struct {
		name, why string
		ref       k8ssecret.Ref
		err, want error
	}{
		{"served", "the function's result", k8ssecret.Ref{Name: "team-a", Key: "Key_1"}, nil, nil},
		{"upper case", "no Secret has it, and the function's result is not lower-cased", k8ssecret.Ref{Name: "Team", Key: "k"}, nil, secret.ErrUnsupported},
		{"no key", "the zero value names nothing", k8ssecret.Ref{}, nil, secret.ErrUnsupported},
		{"unsupported", "the next manager is tried", k8ssecret.Ref{}, secret.ErrUnsupported, secret.ErrUnsupported},
		{"failure", "any other error ends the search", k8ssecret.Ref{}, fails, fails},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := newManager(t, k8ssecret.Config{Names: func(secret.Request, mount.Target) (k8ssecret.Ref, error) { return tc.ref, tc.err }})
			for _, as := range []mount.Type{mount.EnvVar, mount.File} {
				f, err := m.Mount(ctx, secret.Request{Group: "g", Key: "k", Mount: as}, mount.Target{})
				require.ErrorIs(t, err, tc.want, tc.why)
				if tc.want == nil {
					assert.Equal(t, mount.Object{Name: tc.ref.Name, Key: tc.ref.Key}, f.Reads)
				}
			}
		})
	}
}

// Names recorded from Flyte 2.
func TestFlyteScope_Recorded(t *testing.T) {
	text, err := os.ReadFile("testdata/flyte2-names.json")
	require.NoError(t, err)
	var recorded []struct{ Org, Domain, Project, Key, SecretName, DataKey string }
	require.NoError(t, json.Unmarshal(text, &recorded))
	require.NotEmpty(t, recorded)
	for _, r := range recorded {
		t.Run(r.DataKey, func(t *testing.T) {
			want := k8ssecret.Ref{Name: r.SecretName, Key: r.DataKey}
			req := secret.Request{Group: "ignored", Key: r.Key, GroupVersion: "ignored"}

			byArgument := k8ssecret.FlyteScope(orWhole(r.Org), orWhole(r.Domain), orWhole(r.Project))
			got, err := byArgument(req, labeled("other", "other", "other"))
			require.NoError(t, err)
			assert.Equal(t, want, got, "arguments win over labels")

			got, err = k8ssecret.FlyteScope("", "", "")(req, labeled(r.Org, r.Domain, r.Project))
			require.NoError(t, err)
			assert.Equal(t, want, got, "labels")

			f, err := newManager(t, k8ssecret.Config{Names: byArgument}).Mount(ctx, req, mount.Target{})
			require.NoError(t, err)
			assert.Equal(t, r.SecretName, f.Value.EnvVar("X").ValueFrom.SecretKeyRef.Name)
		})
	}
}

func TestFlyteScope_WithoutLabels(t *testing.T) {
	got, err := k8ssecret.FlyteScope("flyte", "", "")(secret.Request{Key: "my-key"}, mount.Target{})
	require.NoError(t, err)
	assert.Equal(t, "u__org__flyte__domain____project____key__my-key", got.Key)
}

func orWhole(part string) string {
	if part == "" {
		return k8ssecret.Whole
	}
	return part
}

// labeled returns a Pod with Flyte 2's labels; an empty argument means no label.
func labeled(org, domain, project string) mount.Target {
	labels := map[string]string{}
	for name, value := range map[string]string{"organization": org, "domain": domain, "project": project} {
		if value != "" {
			labels[name] = value
		}
	}
	return mount.NewTarget(mount.Layout{}, mount.InitFirst, &metav1.ObjectMeta{Labels: labels})
}
