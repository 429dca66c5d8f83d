package merge_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/podsecrets/podsecrets/internal/merge"
	"github.com/podsecrets/podsecrets/mount"
)

func TestVolumes_BetweenRequests(t *testing.T) {
	ours := `volumes "` + volumeName("g") + `" `
	mode := int32(0o400)
	run(t, []row{
		{name: "two-keys", secrets: []merge.Secret{item("g", "a"), item("g", "b")}, adds: "volumes(ours) containers/0/env(*,*) containers/0/volumeMounts(/etc/flyte/secrets/g)"},
		{name: "two-secrets-one-directory", secrets: []merge.Secret{with(projected("g", "a", "d/a"), exactly("d/a")), with(projected("h", "b", "d/b"), exactly("d/b"))},
			adds: "volumes(ours) containers/0/env(*,*) containers/0/volumeMounts(/etc/flyte/secrets/d)"},
		{name: "two-directories", secrets: []merge.Secret{item("g", "a"), item("h", "a")}, adds: "volumes(ours,ours) containers/0/env(*,*) containers/0/volumeMounts(/etc/flyte/secrets/g,/etc/flyte/secrets/h)"},
		{name: "keys-that-are-one-file", secrets: []merge.Secret{item("g", "Key"), item("g", "key")}, index: 1, want: ours + `would have two different keys or modes at "key"`},
		{name: "secrets-that-are-one-file", index: 1, secrets: []merge.Secret{with(projected("g", "a", "d/a"), exactly("d/a")), with(projected("h", "a", "d/a"), exactly("d/a"))},
			want: `volumes "` + volumeName("d") + `" would have two different keys or modes at "a"`},
		{name: "modes-of-one-file", index: 1, secrets: []merge.Secret{item("g", "a"), with(item("g", "a"), func(s *merge.Secret) { firstItem(s).Mode = &mode })},
			want: ours + `would have two different keys or modes at "a"`},
		{name: "default-modes", index: 1, secrets: []merge.Secret{item("g", "a"), with(item("g", "b"), func(s *merge.Secret) { s.Fragment.Volumes[0].Projected.DefaultMode = &mode })},
			want: ours + `would have two different sources`},
		{name: "driver", index: 1, secrets: []merge.Secret{item("g", "a"), with(item("g", "b"), func(s *merge.Secret) {
			s.Fragment.Volumes[0].VolumeSource = corev1.VolumeSource{CSI: &corev1.CSIVolumeSource{Driver: "x"}}
		})}, want: ours + `would have two different sources`},
		{name: "whole-secret", why: "a whole Secret has no list of items to extend", index: 1, secrets: []merge.Secret{item("g", "a"), with(item("g", "b"), func(s *merge.Secret) { s.Fragment.Volumes[0].Projected.Sources[0].Secret.Items = nil })},
			want: ours + `would have two different sources`},
		{name: "item-below-item", secrets: []merge.Secret{with(item("g", "a"), func(s *merge.Secret) {
			items := &s.Fragment.Volumes[0].Projected.Sources[0].Secret.Items
			*items = append(*items, corev1.KeyToPath{Key: "b", Path: "a/b"})
		})}, want: ours + `has "a/b", which would be below another file, "a"`},
		{name: "plain-equal", secrets: []merge.Secret{plainSecret("g", "a"), plainSecret("g", "a")}, adds: "volumes(ours) containers/0/env(*,*) containers/0/volumeMounts(/etc/flyte/secrets/g)"},
		{name: "plain-different", why: "plain volumes are not merged", index: 1, secrets: []merge.Secret{plainSecret("g", "a"), plainSecret("g", "b")},
			want: `volumes "` + mount.Name("plain", "g") + `" would have two different sources`},
	})
}

func TestVolumes_InPod(t *testing.T) {
	ours := `volumes "` + volumeName("g") + `" `
	const mounted = "containers/0/env(*,*) containers/0/volumeMounts(/etc/flyte/secrets/g)"
	two := podProjecting(volumeName("g"), "h", corev1.KeyToPath{Key: "x", Path: "x"})
	token := podProjecting(volumeName("g"), "g", corev1.KeyToPath{Key: "k", Path: "k"})
	token.Spec.Volumes[0].Projected.Sources = append(token.Spec.Volumes[0].Projected.Sources, corev1.VolumeProjection{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}})
	optional := podProjecting(volumeName("g"), "g", corev1.KeyToPath{Key: "x", Path: "x"})
	optional.Spec.Volumes[0].Projected.Sources[0].Secret.Optional = new(bool)
	*optional.Spec.Volumes[0].Projected.Sources[0].Secret.Optional = true
	empty := podProjecting(volumeName("g"), "g")
	empty.Spec.Volumes[0].Projected.Sources = nil
	run(t, []row{
		{name: "other-source", pod: volume(corev1.Volume{Name: volumeName("g")}), secrets: []merge.Secret{item("g", "k")}, want: ours + `already has another source`, path: "spec.volumes[0].name"},
		{name: "other-source-of-two", pod: volume(corev1.Volume{Name: volumeName("g")}), secrets: []merge.Secret{item("g", "k"), item("g", "l")}, also: []int{1}, want: ours + `already has another source`},
		{name: "same", pod: podProjecting(volumeName("g"), "g", corev1.KeyToPath{Key: "k", Path: "k"}), secrets: []merge.Secret{item("g", "k")}, adds: mounted},
		{name: "same-not-clean", pod: podProjecting(volumeName("g"), "g", corev1.KeyToPath{Key: "k", Path: ".//k"}), secrets: []merge.Secret{item("g", "k")}, adds: mounted},
		{name: "missing-item", pod: podProjecting(volumeName("g"), "g", corev1.KeyToPath{Key: "x", Path: "x"}), secrets: []merge.Secret{item("g", "k")},
			adds: "volumes/0/projected/sources/0/secret/items/1 " + mounted},
		{name: "missing-source", pod: two, secrets: []merge.Secret{item("g", "k")}, adds: "volumes/0/projected/sources/1 " + mounted},
		{name: "missing-sources", pod: empty, secrets: []merge.Secret{item("g", "k")}, adds: "volumes/0/projected/sources() " + mounted},
		{name: "optional-source", why: "the existing source is optional, ours is not", pod: optional, secrets: []merge.Secret{item("g", "k")}, adds: "volumes/0/projected/sources/1 " + mounted},
		{name: "source-of-another", why: "it stays as it is", pod: token, secrets: []merge.Secret{item("g", "l")}, adds: "volumes/0/projected/sources/0/secret/items/1 " + mounted},
		{name: "token-at-our-path", pod: token, secrets: []merge.Secret{item("g", "token")}, want: ours + `already has another key at "token"`},
		{name: "other-key", pod: podProjecting(volumeName("g"), "g", corev1.KeyToPath{Key: "x", Path: "k"}), secrets: []merge.Secret{item("g", "k")}, want: ours + `already has another key at "k"`},
		{name: "other-secret", pod: podProjecting(volumeName("g"), "h", corev1.KeyToPath{Key: "k", Path: "k"}), secrets: []merge.Secret{item("g", "k")}, want: ours + `already has another key at "k"`},
		{name: "directory", pod: podProjecting(volumeName("g"), "g", corev1.KeyToPath{Key: "x", Path: "k/x"}), secrets: []merge.Secret{item("g", "k")},
			want: ours + `cannot have "k", which would be both a file and a directory`},
		{name: "memory-on-disk", pod: volume(corev1.Volume{Name: mount.FetchVolume, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}), secrets: []merge.Secret{fetched("g", "k")},
			want: `volumes "podsecrets-fetched" already has another source`},
		{name: "pods-own", why: "the Pod's own volume of the same Secret", pod: podProjecting("mine", "g"), secrets: []merge.Secret{item("g", "k")}, adds: "volumes/1 " + mounted},
		{name: "plain-same", pod: volume(plainSecret("g", "k").Fragment.Volumes[0]), secrets: []merge.Secret{plainSecret("g", "k")}, adds: mounted},
		{name: "plain-other-items", pod: volume(plainSecret("g", "x").Fragment.Volumes[0]), secrets: []merge.Secret{plainSecret("g", "k")},
			want: `volumes "` + mount.Name("plain", "g") + `" already has another source`},
	})
}
