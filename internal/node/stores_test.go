package node

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podsecrets/podsecrets/secret"
)

// Values that shells, parsers and encodings could change.
var (
	// binary has every byte, and can only be a file.
	binary = allBytes()
	// tricky is text that a shell, an expansion or a parser would change.
	tricky = []byte("se cr$t $(HOME) $$(HOME) $(TRICKY) \"' \\ %s \t\n {{ . }} äöü 🔑\n")
	// line is like tricky, but valid in an env file.
	line = []byte("se cr$t $(HOME) $$(HOME) $(LINE) \" \\ %s \t\n {{ . }} # äöü 🔑\n")
	// huge is too long for a variable.
	huge = []byte(strings.Repeat(string(binary), 2000))
	// longest is the longest possible value of its derived variable.
	longest = []byte(strings.Repeat("x", 131072-len("_FSEC_USER-INFO_LONGEST=")-1))
)

func allBytes() []byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return all
}

const (
	arn    = "arn:aws:secretsmanager:eu-west-1:123456789012:secret"
	vault1 = "https://team.vault.azure.net"
)

// stockSecrets are the secrets for stock images.
var stockSecrets = withMany(map[string][]byte{
	arn + ":tricky-AbCdEf":                              tricky,
	arn + ":Binary-AbCdEf":                              binary,
	"projects/project-1/secrets/tricky/versions/latest": tricky,
	"projects/project-1/secrets/Binary/versions/3":      binary,
	vault1 + "/secrets/tricky":                          tricky,
	vault1 + "/secrets/Binary/0123456789abcdef":         binary,
})

func withMany(all map[string][]byte) map[string][]byte {
	for i := range 100 {
		all[arn+":"+many(i)] = manyValue(i)
	}
	return all
}

// fetchSecrets are the secrets for the Fetch program, by store.
var fetchSecrets = map[string]map[string][]byte{
	"aws":   fetchable(arn+":", ""),
	"gcp":   fetchable("projects/project-1/secrets/", "/versions/latest"),
	"azure": fetchable(vault1+"/secrets/", ""),
}

func fetchable(before, after string) map[string][]byte {
	all := map[string][]byte{
		before + "line" + after:   line,
		before + "tricky" + after: tricky,
		before + "object" + after: fmt.Appendf(nil, `{"user": "ada", "Port": 5432, "text": %q}`, line),
		before + "quote" + after:  []byte("it's"),
	}
	if !strings.HasPrefix(before, "https:") { // Azure's are text
		all[before+"binary"+after] = binary
	}
	for i := range 100 {
		all[before+many(i)+after] = manyValue(i)
	}
	return all
}

func many(i int) string      { return fmt.Sprintf("many-%d", i) }
func manyValue(i int) []byte { return fmt.Appendf(nil, "value-%d", i) }

// classes are the CSI driver's files by class.
var classes = map[string]map[string][]byte{
	"team-class": {"tricky": tricky, "dir/binary": binary},
	"other":      {"tricky": []byte("other")},
}

// registerCSI registers the driver with the API server.
func registerCSI() error {
	_, err := client.StorageV1().CSIDrivers().Create(context.Background(), &storagev1.CSIDriver{
		ObjectMeta: metav1.ObjectMeta{Name: "secrets-store.csi.k8s.io"},
		Spec: storagev1.CSIDriverSpec{
			AttachRequired: ptr(false), PodInfoOnMount: ptr(true),
			VolumeLifecycleModes: []storagev1.VolumeLifecycleMode{storagev1.VolumeLifecycleEphemeral},
		},
	}, metav1.CreateOptions{})
	return err
}

// fill creates the Secrets of a namespace.
func fill(t testing.TB, ns string) {
	t.Helper()
	createSecret(t, ns, "user-info", map[string][]byte{
		"tricky": tricky, "Name": []byte("Ada"), "binary": binary, "big": huge, "empty": {}, "other": []byte("wrong"), "longest": longest,
		"latin1": []byte("caf\xe9"), "nul": []byte("c4nary\x00b"), "longer": append(bytes.Repeat([]byte("x"), 1000), longest...),
	})
	createSecret(t, ns, "db.prod", map[string][]byte{"pass.word": line})
}

// globals is a global.Source.
type globals struct{}

func (globals) Lookup(_ context.Context, req secret.Request) (string, error) {
	switch strings.ToLower(req.Group + "/" + req.Key) {
	case "shared/token":
		return string(tricky), nil
	case "shared/other":
		return "$", nil
	}
	return "", secret.ErrNotFound
}
